"""The server's words of refusal: what they mean, and which binding they name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prt.errors import ProtocolError, PrtError, RefusedError, UnreachableError
from prt.local.realtime.protocol import bindings
from prt.stream.binding import Binding
from prt.stream.socket import refusals

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"


def steps_of(name: str) -> list[dict[str, Any]]:
    text = (TRANSCRIPTS / "v2" / f"{name}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("status", "body", "error", "is_retryable"),
    [
        (401, b'{"error":"API key is missing"}', RefusedError, False),
        (401, b'{"error":"Failed to validate JWT signature"}', RefusedError, False),
        (403, b'{"error":"Realtime was disabled for this tenant"}', UnreachableError, False),
        (404, b'{"error":"Tenant not found"}', UnreachableError, False),
        (429, b'{"error":"Too many connected users"}', UnreachableError, True),
        (500, b'{"error":"Error connecting to Realtime"}', UnreachableError, True),
        (502, b"<html>Bad Gateway</html>", UnreachableError, True),
        (200, b"<html>hello</html>", ProtocolError, False),
    ],
)
def test_a_refused_handshake(status: int, body: bytes, error: type[PrtError], is_retryable: bool) -> None:
    found = refusals.of_handshake(status, body)
    assert (found.error, found.is_retryable) == (error, is_retryable)
    assert found.hint
    assert ("which is down or restarting" in found.hint) == (status == 502)
    assert str(status) in found.reason


def test_every_recorded_refusal_of_a_handshake_is_final() -> None:
    bodies = [s["body"] for s in steps_of("connect_errors") if s["dir"] == "open" and s["status"] == 401]
    assert len(bodies) >= 8
    for body in bodies:
        found = refusals.of_handshake(401, body.encode())
        assert found.error is RefusedError
        assert json.loads(body)["error"] in found.reason


@pytest.mark.parametrize(
    ("reason", "error", "is_retryable"),
    [
        ("InvalidJWTToken: Token has expired 5 seconds ago", RefusedError, False),
        ("JwtSignatureError: Failed to validate JWT signature", RefusedError, False),
        ("Unauthorized: You do not have permissions to read from this Channel topic: x", RefusedError, False),
        ("ClientJoinRateLimitReached: Too many joins per second", UnreachableError, True),
        ("MissingPartition: Realtime was unable to find the partition", UnreachableError, True),
        ("MusterJoinError: timed out after 4000ms", UnreachableError, True),
        ("UnableToSetPolicies: error", UnreachableError, True),
        ("Realtime was unable to connect to the project database", UnreachableError, True),
        ("PostgresChangesSubscribeTimeout: Timed out after 20ms waiting", UnreachableError, True),
        ("RealtimeDisabledForConfiguration: Unable to subscribe to changes", UnreachableError, False),
        ("InvalidJoinPayload: the join can't be read", UnreachableError, False),
        ("RealtimeRestarting: Realtime is restarting, please standby", UnreachableError, True),
        ("UnknownErrorOnChannel: expected a map", UnreachableError, False),
        ("unmatched topic", UnreachableError, False),
    ],
)
def test_a_refused_join(reason: str, error: type[PrtError], is_retryable: bool) -> None:
    found = refusals.of_join({"reason": reason})
    assert (found.error, found.is_retryable, found.reason) == (error, is_retryable, reason)


def test_a_join_may_be_answered_with_anything() -> None:
    assert refusals.of_join("payload_size_exceeded").reason == "payload_size_exceeded"
    assert refusals.of_join({"odd": 1}).reason == '{"odd":1}'
    assert refusals.of_join(None).reason == "null"


UNPUBLISHED = (
    "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given "
    "connect parameters: [event: *, schema: public, table: not_published, filters: [], select: nil]"
)
BAD_VALUE = (
    "Unable to subscribe to changes with given parameters. An exception happened so please check your "
    "connect parameters: [event: *, schema: public, table: todos, filters: "
    '[{"priority", "eq", "abc", false}], select: nil]. Exception: ERROR 22P02 (invalid_text_representation) '
    'invalid input syntax for type integer: "abc"'
)


def test_an_unpublished_table_is_named_with_the_sql_that_publishes_it() -> None:
    bindings = [Binding(table=table) for table in ("todos", "not_published")]
    assert refusals.named(bindings, UNPUBLISHED) == [bindings[1]]
    found = refusals.of_binding(bindings[1], UNPUBLISHED)
    assert found.hint == "alter publication supabase_realtime add table public.not_published;"
    assert "not_published" in found.reason
    odd = Binding(schema="My Schema", table='a"b')
    assert refusals.of_binding(odd, UNPUBLISHED).hint == (
        'alter publication supabase_realtime add table "My Schema"."a""b";'
    )


def test_two_bindings_of_a_table_are_distinguished_by_their_filters() -> None:
    plain = Binding(table="todos")
    good = Binding(table="todos", filter="priority=eq.1")
    bad = Binding(table="todos", filter="priority=eq.abc")
    assert refusals.named([plain, good, bad], BAD_VALUE) == [bad]
    found = refusals.of_binding(bad, BAD_VALUE)
    assert "22P02" in found.reason
    assert found.hint == "check the filter priority=eq.abc"


def test_every_recorded_refusal_of_a_binding_is_recognised() -> None:
    seen = 0
    for name in ("pg_bad_table", "pg_bad_filter"):
        for step in steps_of(name):
            if step["dir"] != "in" or '"system"' not in step["frame"]:
                continue
            payload = json.loads(step["frame"])[4]
            if payload["status"] == "error":
                assert refusals.is_of_bindings(payload["message"]), payload["message"]
                seen += 1
    assert seen >= 20


def test_a_parse_error_names_no_binding() -> None:
    message = "Error parsing `filter` params: `in` filter value must be wrapped by parentheses"
    assert refusals.named([Binding(table="a"), Binding(table="b")], message) == []


@pytest.mark.parametrize(
    ("message", "error", "is_retryable"),
    [
        ("Token has expired 0 seconds ago", RefusedError, False),
        ("The token provided is not a valid JWT", RefusedError, False),
        ("Too many messages per second", UnreachableError, True),
        ("Realtime was unable to connect to the project database", UnreachableError, True),
    ],
)
def test_a_system_error_that_ends_a_channel(message: str, error: type[PrtError], is_retryable: bool) -> None:
    found = refusals.of_system(message)
    assert (found.error, found.is_retryable) == (error, is_retryable)
    assert not refusals.is_of_bindings(message)


def test_bindings_are_distinguished_by_the_filter_as_the_server_prints_it() -> None:
    listed = Binding(table="todos", filter='task=not.in.(al,"be,ta")')
    like = Binding(table="todos", filter="task=like.al%")
    printed = bindings.parse(listed.to_wire()).described()
    message = f"{BAD_VALUE.partition('[')[0]}[{printed}]. Exception: …"
    assert refusals.named([like, listed], message) == [listed]
