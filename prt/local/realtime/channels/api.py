"""The HTTP routes for broadcasts: many messages to any topics, or one to the topic and event in the path.

The routes are starlette's. Messages, statuses and the order of checks are those of the recorded server.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from prt.local.realtime.channels.requests import (
    BLANK,
    BYTES,
    INVALID,
    JSON,
    TOO_LARGE,
    UNSUPPORTED,
    AnsweredError,
    body_of,
    check_accepted,
    is_blank,
    json_answer,
    kind_of,
    messages_of,
    parameters,
    refused,
    text_answer,
)
from prt.local.realtime.channels.rights import (
    EVERYTHING,
    NOTHING,
    PolicyFailedError,
    Rights,
    UnanswerableError,
    rights,
    strict_rights,
    words_of,
)
from prt.local.realtime.channels.storing import NotStoredError, Retention, retention_of, store
from prt.local.realtime.channels.topics import PREFIX, TopicKey, receives_broadcasts
from prt.local.realtime.protocol import tokens
from prt.local.realtime.protocol.frames import (
    BINARY_ENCODED,
    JSON_ENCODED,
    Event,
    UserBroadcast,
    encoded,
)
from prt.local.realtime.protocol.tokens import Token, TokenRefusedError
from prt.local.serving.turns import paced

if TYPE_CHECKING:
    from prt.local.realtime.channels.hub import Hub

PATH = "/realtime/v1/api"

PUBLIC = "can only be used on private channels"


def routes(hub: Hub) -> list[BaseRoute]:
    """Return the routes for broadcasts over HTTP."""
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
        self._largest = hub.settings.largest_broadcast

    async def batch(self, request: Request) -> Response:
        """Send all messages of a request, or none if one of them is invalid.

        Messages to private topics that the token may not write are left out silently.
        """
        try:
            found = parameters(await body_of(request), kind_of(request))
            check_accepted(request, JSON)
            token = self._authenticated(request)
            messages = messages_of(found, self._largest)
        except AnsweredError as error:
            return error.response
        except RecursionError:
            return text_answer("Bad Request", 400)
        allowed: dict[str, bool] = {}
        async for message in paced(messages):
            if message.is_private and message.topic not in allowed:
                allowed[message.topic] = (await self._rights(message.topic, token)).writes_broadcast
        # Messages to public topics are sent first, as on the real server.
        async for message in paced(sorted(messages, key=lambda each: each.is_private)):
            topic_key = TopicKey(PREFIX + message.topic, message.is_private)
            if not topic_key.is_private or allowed[message.topic]:
                self._hub.topics.send(topic_key, Event("broadcast", message.content()), receives_broadcasts)
        return Response(status_code=202)

    async def single(self, request: Request) -> Response:
        match _segments(request.scope["raw_path"].decode("ascii")):
            case []:
                return await self.batch(request)
            case [topic, "events", event]:
                names = unquote(topic), unquote(event)
            case _:
                return await _not_found(request)
        try:
            return await self._sent(request, *names)
        except AnsweredError as error:
            return error.response
        except RecursionError:
            return text_answer("Bad Request", 400)

    async def _sent(self, request: Request, topic: str, event: str) -> Response:
        kind, body = kind_of(request), await body_of(request)
        found = parameters(body, kind)
        check_accepted(request, JSON, BYTES)
        if kind not in (JSON, BYTES, None):
            raise AnsweredError(json_answer({"error": UNSUPPORTED}, 415))
        token = self._authenticated(request)
        if kind == BYTES:
            message = UserBroadcast(event=event, encoding=BINARY_ENCODED, body=body)
        else:
            message = UserBroadcast(event=event, encoding=JSON_ENCODED, body=encoded(found).encode())
        self._check(topic, message)
        is_private = request.query_params.get("private") == "true"
        retention = _retention(request, is_private=is_private)
        allowed = await self._strict_rights(topic, token) if is_private else EVERYTHING
        if not allowed.writes_broadcast:
            raise AnsweredError(json_answer({"message": "Unauthorized"}, 403))
        topic_key = TopicKey(PREFIX + topic, is_private)
        if retention is not None and allowed.stores_broadcast:
            # The answer is 202 even if the message could not be stored, as on the real server.
            with suppress(NotStoredError):
                stored = await store(self._hub.policies, topic, message, retention)
                self._hub.messages.send(topic_key, message, stored.transaction, receives_broadcasts)
                return Response(status_code=202)
        self._hub.topics.send(topic_key, message, receives_broadcasts)
        return Response(status_code=202)

    def _check(self, topic: str, message: UserBroadcast) -> None:
        errors = {
            name: [BLANK] for name, value in (("event", message.event), ("topic", topic)) if is_blank(value)
        }
        if len(message.body) > self._largest:
            errors["payload"] = [TOO_LARGE]
        if errors:
            raise AnsweredError(refused(errors))

    def _authenticated(self, request: Request) -> Token:
        """Return the verified bearer token, or else the API key.

        An opaque key of this project is replaced by its JWT.
        """
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        key = bearer.strip() if scheme.lower() == "bearer" else request.headers.get("apikey", "")
        if self._hub.rates.messages.is_exceeded:
            raise AnsweredError(json_answer({"message": "You have exceeded your rate limit"}, 429))
        try:
            token = tokens.read(self._hub.keys.exchange(key), self._hub.keys, time.time())
        except TokenRefusedError as error:
            raise AnsweredError(json_answer({"message": "Unauthorized"}, 401)) from error
        if self._hub.settings.is_suspended:
            raise AnsweredError(json_answer({"message": "Tenant is suspended"}, 403))
        return token

    async def _rights(self, subtopic: str, token: Token) -> Rights:
        try:
            return await rights(self._hub.policies, subtopic, token.principal)
        except UnanswerableError:
            return NOTHING

    async def _strict_rights(self, subtopic: str, token: Token) -> Rights:
        try:
            return await strict_rights(self._hub.policies, subtopic, token.principal)
        except PolicyFailedError as error:
            raise AnsweredError(json_answer({"message": "RLS policy error"}, 422)) from error
        except UnanswerableError as error:
            raise AnsweredError(json_answer({"message": words_of(str(error))}, 422)) from error


def _retention(request: Request, *, is_private: bool) -> Retention | None:
    """Return how long the query asks to store the message, None if it does not."""
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
        raise AnsweredError(refused({"persist": [PUBLIC]}))
    try:
        return retention_of(persist)
    except NotStoredError as error:
        raise AnsweredError(refused({"persist": [INVALID]})) from error


def _segments(raw_path: str) -> list[str]:
    """Return the segments of the path after `broadcast`, percent-encoded because they may contain `/`."""
    return [part for part in raw_path.removeprefix(PATH + "/broadcast").split("/") if part]


async def _ping(_: Request) -> Response:
    return json_answer({"message": "Success"}, 200)


async def _not_found(_: Request) -> Response:
    return text_answer("Not Found", 404)
