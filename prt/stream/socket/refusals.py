"""The refusals of the server: their meaning and their remedies, found by the server's own texts.

Sources: the server's error codes, and recorded handshakes, joins and system messages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from prt import quoting
from prt.config.secret import malformed_key_hint
from prt.errors import ProtocolError, PrtError, RefusedError, UnreachableError
from prt.inputs import Input, filled
from prt.redaction import redact
from prt.stream.binding import Binding
from prt.stream.filters import grammar
from prt.stream.filters.grammar import Condition, FilterError
from prt.stream.socket import refusal_codes
from prt.stream.socket.refusal_codes import Code

MESSAGE_SHOWN = 400
"""The most characters of a server's text that are shown."""
RATE_LIMIT_SECONDS = 30
"""The pause that a rate limit requires before the next attempt."""


class Refusal(Struct, frozen=True, kw_only=True):
    """A refusal of the server.

    Attributes:
        error: The type of the error that the refusal becomes.
        reason: The server's text.
        code: The meaning of the text.
        subject: The column that the refusal of a binding is about, or None.
        hint: What the user can do about it, or None.
        is_retryable: Whether another attempt may succeed.
        wait_seconds: The least pause before another attempt makes sense.
    """

    error: type[PrtError]
    reason: str
    code: Code = "other"
    subject: str | None = None
    hint: str | None = None
    is_retryable: bool = False
    wait_seconds: float = 0

    @property
    def is_of_token(self) -> bool:
        """Whether the token was refused, or in a handshake the project's key."""
        return self.code.startswith("token_")


_NEW_KEY = "copy the key anew from the project's settings (API keys), and check that it belongs to this URL"
_SIGN_IN = "sign in again (`{IDENTITY} EMAIL`), or give a fresh token in PRT_TOKEN"
_LATER = "try again in half a minute; `{WAIT_FOR_SERVER}` goes on trying"

_HANDSHAKE_HINTS = {
    "API key is missing": "set SUPABASE_PUBLISHABLE_KEY or SUPABASE_ANON_KEY",
    "Token has expired": _NEW_KEY,
    "Fields `role` and `exp` are required in JWT": "the key is a JWT of another kind: use the anon key",
    "The token provided is not a valid JWT": "a publishable key needs Supabase's gateway; on a bare server "
    "use the anon JWT",
    "Failed to validate JWT signature": "the key belongs to another project, or its JWT secret was rotated: "
    "copy it anew",
    "Invalid API key": _NEW_KEY,
}

_STATUS_HINTS = {
    403: "is Realtime enabled in the project's settings?",
    404: "check the project's URL",
    429: _LATER,
}
_REALTIME_DOWN = (
    "the gateway answered for Realtime, which is down or restarting; `prt status` shows what REST and the "
    "database answer"
)
_NO_PROJECT = "is this a Supabase project's URL?"

_JOIN_CODES: dict[str, tuple[type[PrtError], str | None, bool, float]] = {
    "InvalidJWTToken": (RefusedError, _SIGN_IN, False, 0),
    "MalformedJWT": (RefusedError, _SIGN_IN, False, 0),
    "JwtSignatureError": (RefusedError, "the token belongs to another project: " + _SIGN_IN, False, 0),
    "JwtSignerError": (RefusedError, "no key of the project signed the token: " + _SIGN_IN, False, 0),
    "Unauthorized": (RefusedError, "add a SELECT policy on realtime.messages for this topic", False, 0),
    "UnableToReplayMessages": (RefusedError, "only private topics are replayed: use `{PRIVATE}`", False, 0),
    "PrivateOnly": (RefusedError, "the project allows private channels only: use `{PRIVATE}`", False, 0),
    "ChannelRateLimitReached": (UnreachableError, "100 channels a socket are the limit", False, 0),
    "ConnectionRateLimitReached": (UnreachableError, _LATER, True, RATE_LIMIT_SECONDS),
    "ClientJoinRateLimitReached": (UnreachableError, _LATER, True, RATE_LIMIT_SECONDS),
    "DatabaseConnectionRateLimitReached": (UnreachableError, _LATER, True, RATE_LIMIT_SECONDS),
    "DatabaseLackOfConnections": (UnreachableError, "the database has no free connections", True, 5),
    "IncreaseConnectionPool": (UnreachableError, "raise Realtime's connection pool size", True, 5),
    "UnableToConnectToProject": (UnreachableError, "is the project paused?", True, 5),
    "InitializingProjectConnection": (UnreachableError, None, True, 1),
    "RealtimeRestarting": (UnreachableError, None, True, 1),
    "TimeoutOnRpcCall": (UnreachableError, None, True, 1),
    "ErrorOnRpcCall": (UnreachableError, None, True, 1),
    "QueryCanceled": (UnreachableError, "a policy on realtime.messages is too slow", True, 5),
    # The server sends no code if it could not evaluate the policies for a join.
    "Realtime was unable to connect to the project database": (
        UnreachableError,
        "is the project paused?",
        True,
        5,
    ),
    "UnableToSetPolicies": (UnreachableError, "the policies on realtime.messages can't be asked", True, 5),
    "MissingPartition": (UnreachableError, "the server makes the partitions of realtime.messages", True, 5),
    "MusterJoinError": (UnreachableError, None, True, 1),
    "PostgresChangesSubscribeTimeout": (UnreachableError, "is the database busy?", True, 1),
    "RealtimeDisabledForConfiguration": (UnreachableError, "check table, filter and columns", False, 0),
    "InvalidJoinPayload": (UnreachableError, "the server does not take this client's join", False, 0),
    "TenantNotFound": (UnreachableError, "check the project's URL", False, 0),
    "RealtimeDisabledForTenant": (UnreachableError, "enable Realtime in the project's settings", False, 0),
}

_NOT_PUBLISHED = "Please check Realtime is enabled"
_TOKEN_WORDS = ("Token has expired", "not a valid JWT", "required in JWT", "JWT signature")


def of_handshake(status: int, body: bytes, key: str | None = None) -> Refusal:
    """Return the refusal of a handshake that was answered with an HTTP status instead of 101.

    Args:
        status: The HTTP status.
        body: The body of the answer.
        key: The project's key that was sent; a refused key that can't be one is named as the cause.
    """
    words = words_of(body)
    reason = f"HTTP {status}" + (f", {words}" if words else "")
    code = refusal_codes.of_handshake(status, words)
    if status == 401:
        hint = (key and malformed_key_hint(key)) or filled(_HANDSHAKE_HINTS.get(words, _NEW_KEY))
        return Refusal(error=RefusedError, reason=reason, code=code, hint=hint)
    if code == "realtime_down":
        hint = _REALTIME_DOWN
    else:
        hint = "is the project paused?" if status >= 500 else filled(_STATUS_HINTS.get(status, _NO_PROJECT))
    if status >= 500 or status in _STATUS_HINTS:
        return Refusal(
            error=UnreachableError,
            reason=reason,
            code=code,
            hint=hint,
            is_retryable=status >= 500 or status == 429,
            wait_seconds=RATE_LIMIT_SECONDS if status == 429 else 0,
        )
    return Refusal(error=ProtocolError, reason=f"{reason} instead of a websocket", code=code, hint=hint)


def of_join(response: Any) -> Refusal:
    """Return the refusal of a join, from the `response` of the server's reply."""
    reason = response.get("reason") if isinstance(response, dict) else response
    text = _cut(reason if isinstance(reason, str) else msgspec.json.encode(response).decode())
    error, hint, is_retryable, wait = _JOIN_CODES.get(
        text.partition(":")[0], (UnreachableError, None, False, 0.0)
    )
    return Refusal(
        error=error,
        reason=text,
        code=refusal_codes.of_words(text),
        hint=None if hint is None else filled(hint),
        is_retryable=is_retryable,
        wait_seconds=wait,
    )


def of_system(message: str) -> Refusal:
    """Return the refusal that a `system` error means, which ends a channel or all of its bindings."""
    reason, code = _cut(message), refusal_codes.of_words(message)
    if any(words in message for words in _TOKEN_WORDS):
        return Refusal(error=RefusedError, reason=reason, code=code, hint=filled(_SIGN_IN))
    if code == "unauthorized":
        return Refusal(error=RefusedError, reason=reason, code=code, hint="add a policy on realtime.messages")
    if message.startswith("Too many"):
        return Refusal(
            error=UnreachableError,
            reason=reason,
            code=code,
            hint=filled(_LATER),
            is_retryable=True,
            wait_seconds=RATE_LIMIT_SECONDS,
        )
    return Refusal(error=UnreachableError, reason=reason, code=code, is_retryable=True)


def of_expired(*, is_key: bool) -> Refusal:
    """Return a `Refusal` for a token or key whose `exp` has passed; the server need not be asked."""
    hint = _NEW_KEY if is_key else filled(_SIGN_IN)
    return Refusal(error=RefusedError, reason="Token has expired", code="token_expired", hint=hint)


def of_binding(binding: Binding, message: str) -> Refusal:
    """Return the refusal of a binding, with the remedy.

    Args:
        binding: The binding.
        message: The text of the server's `system` error.
    """
    if _NOT_PUBLISHED in message and "An exception happened" not in message:
        target = f"{quoting.identifier(binding.schema)}.{quoting.identifier(binding.table)}"
        return Refusal(
            error=UnreachableError,
            code="unpublished",
            reason=f"{binding.name} is not in the publication supabase_realtime, or does not exist (for "
            "a partitioned table, its partitions are in it; a view can't be)",
            hint=f"alter publication supabase_realtime add table {target};",
        )
    exception = message.partition("Exception: ")[2]
    if exception:
        code, subject = refusal_codes.of_exception(_cut(exception))
        return Refusal(
            error=UnreachableError,
            code=code,
            subject=subject,
            reason=f"{binding.name}: {_cut(exception)}",
            hint=_exception_hint(binding, exception),
        )
    return Refusal(
        error=UnreachableError,
        reason=f"{binding.name}: {_cut(message)}",
        hint=f"check `{Input.FILTER}` and `{Input.SELECT}`",
    )


def is_of_bindings(message: str) -> bool:
    """Return whether the text of a `system` error refuses bindings, rather than ending the channel."""
    return message.startswith(
        (
            "Unable to subscribe to changes",
            "Error parsing `filter` params",
            "Error parsing `select` params",
            "Column selection is not supported",
            "No subscription params provided",
        )
    )


_PARAMETERS = re.compile(
    r"\[event: (?P<event>.*?), schema: (?P<schema>.*?), table: (?P<table>.*?), filters: (?P<filters>\[.*?\])"
    r", select: (?P<select>.*?)\](?:\.|$)",
    re.DOTALL,
)


_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def named(bindings: Sequence[Binding], message: str) -> list[Binding]:
    """Return the bindings that the text of a `system` error may mean.

    That is one binding if the text describes it completely, several if it can't tell them apart, and none if
    it describes none.
    """
    found = _PARAMETERS.search(message)
    if found is None:
        return []
    meant = [
        binding
        for binding in bindings
        if (binding.event, binding.schema, binding.table) == found.group("event", "schema", "table")
    ]
    if len(meant) > 1:
        filters = found["filters"]
        meant = [binding for binding in meant if _is_filter_of(binding, filters)] or meant
    return meant


def _is_filter_of(binding: Binding, filters: str) -> bool:
    try:
        conditions = grammar.read(binding.filter)
    except FilterError:
        return False
    return filters == f"[{', '.join(map(_inspected, conditions))}]"


def _inspected(one: Condition) -> str:
    """Return a condition as the server prints it, an Elixir tuple: {"priority", "eq", "abc", false}."""
    value = f"{{{one.value}}}" if one.operator == "in" else one.value
    texts = (f'"{text.translate(_ESCAPES)}"' for text in (one.column, one.operator, value))
    return f"{{{', '.join(texts)}, {'true' if one.is_negated else 'false'}}}"


def _exception_hint(binding: Binding, exception: str) -> str:
    if "42704" in exception and "role" in exception:
        return "the token's role does not exist in the database"
    if binding.filter is not None:
        return f"check the filter {binding.filter}"
    return f"check `{Input.FILTER}` and `{Input.SELECT}`"


def words_of(body: bytes) -> str:
    """Return the error message in the body of an HTTP answer, in one line; empty if there is none."""
    try:
        answer = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return ""
    if isinstance(answer, dict):
        for key in ("error", "message", "msg"):
            if isinstance(answer.get(key), str):
                return _cut(answer[key])
        if "errors" in answer:
            return _cut(msgspec.json.encode(answer["errors"]).decode())
    return ""


def _cut(text: str) -> str:
    # Redact before cutting, so that no part of a secret remains.
    line = " ".join(redact(text).split())
    return line if len(line) <= MESSAGE_SHOWN else line[: MESSAGE_SHOWN - 1] + "…"
