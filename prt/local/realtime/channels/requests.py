"""Parsing and validation of HTTP requests that broadcast, and their answers.

Requests and responses are starlette's. Messages and statuses are those of the recorded server. `api.py`
checks the right to send.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from prt.local.realtime.protocol.frames import encoded, is_too_complex

LARGEST_BODY = 8_000_000

BLANK, INVALID = "can't be blank", "is invalid"
TOO_LARGE = "Payload size exceeds tenant limit"
UNSUPPORTED = "Unsupported Media Type. Use application/json or application/octet-stream"

JSON, BYTES, FORM = "application/json", "application/octet-stream", "application/x-www-form-urlencoded"

_JSON = re.compile(r"application/(?:[^/]+\+)?json")
_TRUTHS = {True: True, "true": True, "1": True, False: False, "false": False, "0": False, None: False}


class AnsweredError(Exception):
    """A request that ends early, with this response."""

    def __init__(self, response: Response) -> None:
        self.response = response


class Posted(Struct, frozen=True, kw_only=True):
    """One message of a request."""

    topic: str
    event: str
    payload: dict[str, Any]
    id: str | None
    is_private: bool

    def content(self) -> str:
        """Return the payload of the broadcast as JSON text."""
        meta = {"meta": {"id": self.id}} if self.id is not None else {}
        return encoded({"event": self.event, **meta, "payload": self.payload, "type": "broadcast"})


def check_accepted(request: Request, *kinds: str) -> None:
    """Raise AnsweredError (406) unless the client accepts an answer of one of these media types."""
    header = request.headers.get("accept", "*/*")
    wanted = {part.partition(";")[0].strip().lower() for part in header.split(",")}
    if "*/*" not in header and not wanted & {*kinds, "application/*"}:
        raise AnsweredError(text_answer("Not Acceptable", 406))


async def body_of(request: Request) -> bytes:
    """Return the body. Raise AnsweredError (413) if it is too large or too complex."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise AnsweredError(text_answer("Request Entity Too Large", 413))
    if is_too_complex(bytes(body)):
        raise AnsweredError(text_answer("Request Entity Too Large", 413))
    return bytes(body)


def kind_of(request: Request) -> str | None:
    """Return the media type of the body without its parameters, None if there is no `Content-Type`."""
    header = request.headers.get("content-type")
    return None if header is None else header.partition(";")[0].strip().lower()


def parameters(body: bytes, kind: str | None) -> dict[str, Any]:
    """Return the parameters in a body of JSON or a form; an empty object for other media types.

    JSON that is not an object is returned as the parameter `_json`. Raise AnsweredError if JSON is invalid.
    """
    if kind == FORM:
        fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in fields.items()}
    if not body or kind is None or not _JSON.fullmatch(kind):
        return {}
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AnsweredError(text_answer("Bad Request", 400)) from error
    return found if isinstance(found, dict) else {"_json": found}


def messages_of(found: dict[str, Any], largest: int) -> list[Posted]:
    """Return the messages in the parameters of a request. Raise AnsweredError if one is invalid.

    `largest` is the largest payload, in bytes of JSON.
    """
    messages = found.get("messages", [])
    if isinstance(messages, dict):  # a form has a list as an object with indices as names
        messages = [messages[index] for index in sorted(messages, key=_index_order)]
    if messages == []:
        raise AnsweredError(refused({"messages": [BLANK]}))
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise AnsweredError(refused({"messages": [INVALID]}))
    errors = [_errors(message, largest) for message in messages]
    if any(errors):
        raise AnsweredError(refused({"messages": errors}))
    return [
        Posted(
            topic=message["topic"],
            event=message["event"],
            payload=message["payload"],
            id=None if is_blank(message.get("id")) else message["id"],
            is_private=_TRUTHS.get(message.get("private"), False),
        )
        for message in messages
    ]


def _index_order(key: str) -> tuple[bool, int, str]:
    is_number = key.isascii() and key.isdecimal() and len(key) < 20
    return not is_number, int(key) if is_number else 0, key


def _errors(message: dict[str, Any], largest: int) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for name, kind in (("event", str), ("id", str), ("payload", dict), ("topic", str)):
        value = message.get(name)
        if is_blank(value):
            if name != "id":
                errors[name] = [BLANK]
        elif not isinstance(value, kind):
            errors[name] = [INVALID]
    private = message.get("private")
    if not is_blank(private) and not (isinstance(private, bool | str) and private in _TRUTHS):
        errors["private"] = [INVALID]
    if "payload" not in errors and len(encoded(message["payload"]).encode()) > largest:
        errors["payload"] = [TOO_LARGE]
    return errors


def is_blank(value: Any) -> bool:
    """Return whether a field counts as missing: null, or text of white space only."""
    return value is None or (isinstance(value, str) and not value.strip())


def refused(errors: dict[str, Any]) -> Response:
    """Return the answer (422) to a request with invalid fields."""
    return json_answer({"errors": errors}, 422)


def json_answer(content: dict[str, Any], status: int) -> Response:
    """Return a response with a JSON body."""
    return Response(encoded(content), status, media_type="application/json; charset=utf-8")


def text_answer(words: str, status: int) -> Response:
    """Return a response with a text body."""
    return Response(words, status, media_type="text/html")
