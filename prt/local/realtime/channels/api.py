"""Broadcasts over HTTP: many to any topics, or one to the topic and event of the path.

starlette routes. Words, status and order of checks are the recorded server's.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from prt.local.realtime.channels.rights import EVERYTHING, NOTHING, Rights, UnanswerableError, rights
from prt.local.realtime.channels.storing import NotStoredError, Retention, retention_of, store
from prt.local.realtime.channels.topics import PREFIX, Room, hears_broadcasts
from prt.local.realtime.protocol import tokens
from prt.local.realtime.protocol.frames import (
    BINARY_ENCODED,
    JSON_ENCODED,
    Event,
    UserBroadcast,
    encoded,
    is_too_complex,
)
from prt.local.realtime.protocol.tokens import Token, TokenRefusedError
from prt.local.serving.turns import paced

if TYPE_CHECKING:
    from prt.local.realtime.channels.hub import Hub

PATH = "/realtime/v1/api"

LARGEST_BODY = 8_000_000

BLANK, INVALID = "can't be blank", "is invalid"
PUBLIC = "can only be used on private channels"
TOO_LARGE = "Payload size exceeds tenant limit"

TRUTHS = {
    True: True,
    "true": True,
    "1": True,
    False: False,
    "false": False,
    "0": False,
    None: False,
    "": False,
}


class _AnsweredError(Exception):
    """The request ends with this answer."""

    def __init__(self, response: Response) -> None:
        self.response = response


def routes(hub: Hub) -> list[BaseRoute]:
    api = _Api(hub)
    return [
        Route(PATH + "/broadcast", api.batch, methods=["POST"]),
        Route(PATH + "/broadcast/{rest:path}", api.single, methods=["POST"]),
        Route(PATH + "/ping", _ping, methods=["GET"]),
        Route(PATH + "/{rest:path}", _not_found, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]


class _Api:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def batch(self, request: Request) -> Response:
        """All or none are sent, but those to a private topic without the right to are left out silently."""
        try:
            token = self._authenticated(request)
            messages = await self._messages(_object(await _body(request), _kind(request)))
        except _AnsweredError as error:
            return error.response
        except RecursionError:
            return _html("Bad Request", 400)
        allowed: dict[str, bool] = {}
        async for message in paced(messages):
            room = Room(PREFIX + message["topic"], TRUTHS[message.get("private")])
            if room.is_private and message["topic"] not in allowed:
                allowed[message["topic"]] = (await self._rights(message["topic"], token)).writes_broadcast
        # Public ones go first, as on the real server.
        async for message in paced(sorted(messages, key=lambda each: TRUTHS[each.get("private")])):
            room = Room(PREFIX + message["topic"], TRUTHS[message.get("private")])
            if not room.is_private or allowed[message["topic"]]:
                payload = {"event": message["event"], "payload": message["payload"], "type": "broadcast"}
                self._hub.topics.send(room, Event("broadcast", encoded(payload)), hears_broadcasts)
        return Response(status_code=202)

    async def single(self, request: Request) -> Response:
        names = _names(request.scope["raw_path"].decode("ascii"))
        if names is None:
            return await _not_found(request)
        topic, event = names
        try:
            token = self._authenticated(request)
            message = self._message(event, await _body(request), _kind(request))
            is_private = request.query_params.get("private") == "true"
            retention = _retention(request, is_private=is_private)
            allowed = await self._rights(topic, token, is_strict=True) if is_private else EVERYTHING
            if not allowed.writes_broadcast:
                return _json({"message": "Unauthorized"}, 403)
        except _AnsweredError as error:
            return error.response
        except RecursionError:
            return _html("Bad Request", 400)
        room = Room(PREFIX + topic, is_private)
        if retention is not None and allowed.stores_broadcast:
            # An answer is 202 also if it was not stored, as on the real server.
            with suppress(NotStoredError):
                stored = await store(self._hub.policies, topic, message, retention)
                self._hub.messages.send(room, message, stored.transaction, hears_broadcasts)
                return Response(status_code=202)
        self._hub.topics.send(room, message, hears_broadcasts)
        return Response(status_code=202)

    def _authenticated(self, request: Request) -> Token:
        """The bearer token, else the API key; opaque keys of this project become their JWT."""
        if self._hub.settings.is_suspended:
            raise _AnsweredError(_json({"message": "Tenant is suspended"}, 403))
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        key = bearer.strip() if scheme.lower() == "bearer" else request.headers.get("apikey", "")
        if self._hub.rates.messages.is_exceeded:
            raise _AnsweredError(_json({"message": "You have exceeded your rate limit"}, 429))
        try:
            return tokens.read(self._hub.keys.exchange(key), self._hub.keys, time.time())
        except TokenRefusedError as error:
            raise _AnsweredError(_json({"message": "Unauthorized"}, 401)) from error

    async def _rights(self, subtopic: str, token: Token, *, is_strict: bool = False) -> Rights:
        try:
            return await rights(self._hub.policies, subtopic, token.principal)
        except UnanswerableError as error:
            if not is_strict:
                return NOTHING
            raise _AnsweredError(_json({"message": str(error).partition(": ")[2]}, 422)) from error

    async def _messages(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        found = body.get("messages")
        if found is None or found == []:
            raise _AnsweredError(_json({"errors": {"messages": [BLANK]}}, 422))
        if not isinstance(found, list) or not all(isinstance(message, dict) for message in found):
            raise _AnsweredError(_json({"errors": {"messages": [INVALID]}}, 422))
        errors = [self._errors(message) async for message in paced(found)]
        if any(errors):
            raise _AnsweredError(_json({"errors": {"messages": errors}}, 422))
        return found

    def _errors(self, message: dict[str, Any]) -> dict[str, list[str]]:
        errors: dict[str, list[str]] = {}
        for name, kind in (("event", str), ("payload", dict), ("topic", str)):
            value = message.get(name)
            if value is None or value == "":
                errors[name] = [BLANK]
            elif not isinstance(value, kind):
                errors[name] = [INVALID]
        if not _is_truth(message.get("private")):
            errors["private"] = [INVALID]
        if "payload" not in errors and self._is_too_large(encoded(message["payload"]).encode()):
            errors["payload"] = [TOO_LARGE]
        return errors

    def _message(self, event: str, body: bytes, kind: str) -> UserBroadcast:
        if kind == "application/octet-stream":
            message = UserBroadcast(event=event, encoding=BINARY_ENCODED, body=body)
        elif kind == "application/json":
            payload = encoded(_object(body, kind)).encode()
            message = UserBroadcast(event=event, encoding=JSON_ENCODED, body=payload)
        else:
            raise _AnsweredError(_html("Unsupported Media Type", 415))
        if self._is_too_large(message.body):
            raise _AnsweredError(_json({"errors": {"payload": [TOO_LARGE]}}, 422))
        return message

    def _is_too_large(self, payload: bytes) -> bool:
        return len(payload) > self._hub.settings.largest_broadcast


def _retention(request: Request, *, is_private: bool) -> Retention | None:
    """Return how long the query asks to store the message, or None."""
    seconds = request.query_params.get("persist[ttl]")
    if seconds is None:
        persist: Any = request.query_params.get("persist") == "true"
    else:
        persist = {
            "ttl": int(seconds)
            if seconds.isascii() and seconds.isdecimal() and len(seconds) < 20
            else seconds
        }
    if persist and not is_private:
        raise _AnsweredError(_json({"errors": {"persist": [PUBLIC]}}, 422))
    try:
        return retention_of(persist)
    except NotStoredError as error:
        raise _AnsweredError(_json({"errors": {"persist": [INVALID]}}, 422)) from error


def _names(raw_path: str) -> tuple[str, str] | None:
    """Topic and event of the path, which may hold slashes, encoded."""
    match raw_path.removeprefix(PATH + "/broadcast/").split("/"):
        case [topic, "events", event] if topic and event:
            return unquote(topic), unquote(event)
        case _:
            return None


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise _AnsweredError(_html("Request Entity Too Large", 413))
    if is_too_complex(bytes(body)):
        raise _AnsweredError(_html("Request Entity Too Large", 413))
    return bytes(body)


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _object(body: bytes, kind: str) -> dict[str, Any]:
    """What is not declared as JSON is not read; JSON that is no object stands under `_json`."""
    if kind != "application/json" or not body:
        return {}
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _AnsweredError(_html("Bad Request", 400)) from error
    return found if isinstance(found, dict) else {"_json": found}


def _is_truth(value: Any) -> bool:
    return value is None or isinstance(value, bool) or (isinstance(value, str) and value in TRUTHS)


def _json(content: dict[str, Any], status: int) -> Response:
    return Response(encoded(content), status, media_type="application/json; charset=utf-8")


def _html(words: str, status: int) -> Response:
    return Response(words, status, media_type="text/html")


async def _ping(_: Request) -> Response:
    return _json({"message": "Success"}, 200)


async def _not_found(_: Request) -> Response:
    return _html("Not Found", 404)
