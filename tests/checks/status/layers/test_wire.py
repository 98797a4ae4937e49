from __future__ import annotations

import pytest

from prt.checks.status.layers.source_listener import Received
from prt.checks.status.layers.wire import (
    join_causes,
    judge_handshake,
    judge_heartbeat,
    judge_join,
    judge_system,
)
from prt.config.secret import KeyFacts
from prt.errors import PrtError, UnreachableError
from prt.events import ChannelStatus, Status, Vitals
from prt.results import Finding
from prt.stream.socket import refusals
from prt.stream.socket.failures import EndedError, HandshakeRefusedError


def handshake(status: int, words: str, *, is_bare: bool = False, kind: str = "jwt") -> Finding:
    body = f'{{"error":"{words}"}}'.encode() if words else b""
    error = HandshakeRefusedError("h", refusals.of_handshake(status, body))
    facts = KeyFacts(kind)  # type: ignore[arg-type]
    return judge_handshake(error, host="h", facts=facts, key_origin="KEY", is_bare=is_bare)


def ended(reason: str) -> EndedError:
    return EndedError("the join was refused", refusals.of_join({"reason": reason}))


@pytest.mark.parametrize(
    ("status", "words", "why", "code"),
    [
        (401, "Token has expired", "the key of KEY has expired", 3),
        (401, "The token provided is not a valid JWT", "KEY is not a whole JWT", 3),
        (401, "Fields `role` and `exp` are required in JWT", "KEY is a JWT without `role`", 3),
        (401, "API key is missing", "something on the way drops the query", 3),
        (401, "of tomorrow", "HTTP 401, of tomorrow", 3),
        (429, "Too many joins per second", "the project's rate limit of joins", 4),
        (540, "", "Realtime can't reach the project's database", 4),
        (400, "", "a proxy between here and h", 4),
        (404, "", "Realtime of a self-hosted", 4),
    ],
)
def test_refused_handshakes(status: int, words: str, why: str, code: int) -> None:
    found = handshake(status, words)
    assert found.causes[0].why.startswith(why)
    assert (found.state, found.exit_code) == ("failed", code)
    assert all(cause.remedy for cause in found.causes)


def test_the_likelier_of_two_depends_on_whether_a_gateway_was_seen() -> None:
    words = "The token provided is not a valid JWT"
    bare, behind = (
        [cause.why for cause in handshake(401, words, is_bare=is_bare, kind="publishable").causes]
        for is_bare in (True, False)
    )
    assert bare == behind[::-1]
    assert "bare Realtime server" in bare[0]
    assert "not a Supabase project" in handshake(404, "", is_bare=True).causes[0].why


def test_what_else_keeps_from_a_socket() -> None:
    facts = KeyFacts("jwt")
    refused = UnreachableError("can't connect to h: connection refused", "is it up?")
    found = judge_handshake(refused, host="h", facts=facts, key_origin="KEY", is_bare=False)
    assert (found.causes[0].why, found.causes[0].remedy) == (refused.message, refused.hint)


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        (
            "Unauthorized: You do not have permissions to read",
            "no policy on realtime.messages lets anon into t",
        ),
        ("InvalidJWTToken: Fields `role` and `exp` are required in JWT", "the token has no `role`"),
        ("InvalidJWTToken: Token has expired 3 seconds ago", "the token has expired"),
        ("JwtSignatureError: Failed to validate JWT signature", "the token was signed by another project"),
        ("ConnectionRateLimitReached: Too many connected users", "every connection slot"),
        ("UnableToConnectToProject: Realtime was unable", "Realtime can't reach the database"),
        ("DatabaseLackOfConnections: no", "the database has no connection left"),
        ("IncreaseConnectionPool: no", "the database has no connection left"),
        ("SomethingNew: of tomorrow", "the join was refused"),
    ],
)
def test_refused_joins(reason: str, why: str) -> None:
    assert join_causes(ended(reason), role="anon", topic="t")[0].why.startswith(why)
    found = judge_join("join", ended(reason), role="anon", topic="t")
    assert (found.state, found.figure) == ("failed", reason)


def test_a_join_without_an_answer() -> None:
    found = judge_join("table", None, role="anon", topic="t")
    assert (found.figure, found.causes[0].remedy) == (
        "no answer to the join",
        "is the project's database up?",
    )


@pytest.mark.parametrize(
    ("round_trip", "state"), [(None, "failed"), (12.0, "ok"), (1000.0, "ok"), (1000.1, "warning")]
)
def test_heartbeats(round_trip: float | None, state: str) -> None:
    assert judge_heartbeat(round_trip).state == state


@pytest.mark.parametrize(
    ("status", "error", "figure", "state"),
    [
        ("READY", None, "connected", "ok"),
        ("READY", UnreachableError("gone"), "disconnected", "failed"),
        ("CHANNEL_ERROR", UnreachableError("gone"), "error", "failed"),
        ("TIMED_OUT", UnreachableError("gone"), "timeout", "failed"),
        ("CLOSED", None, "disconnected", "failed"),
    ],
)
def test_the_four_states_of_the_system_channel(
    status: ChannelStatus, error: PrtError | None, figure: str, state: str
) -> None:
    received = Received()
    received.status, received.error = status, error
    found = judge_system(received)
    assert (found.figure, found.state) == (figure, state)


def test_received_events_are_recorded() -> None:
    received = Received()
    for phase, since in (("connecting", 0), ("joining", 4_000), ("joining", 9_000)):
        received.apply(Vitals(at=since, phase=phase, since=since, round_trip_ms=1.0))
    received.apply(Status(at=1, status="CHANNEL_ERROR", tables=["public.a"], reason="no"))
    received.apply(Status(at=2, status="READY", tables=["public.b"]))
    assert received.milliseconds("connecting", "joining") == 4.0
    assert received.milliseconds("joining", "ready") is None
    assert ([one.tables for one in received.refused], received.status) == ([["public.a"]], "READY")
