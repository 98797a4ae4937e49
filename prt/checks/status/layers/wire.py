"""Findings about the websocket: the handshake, a heartbeat, the join, and why one of them failed."""

from __future__ import annotations

from prt.checks.status.layers.source_listener import Received
from prt.config.secret import KeyFacts
from prt.errors import ProtocolError, PrtError, RefusedError, UnreachableError
from prt.events import CONNECTION_OF
from prt.results import Cause, Finding, Layer
from prt.stream.socket.failures import EndedError, HandshakeRefusedError, NoAnswerError, RefusedByServerError
from prt.views.drawing import refusal_causes

PULSE_SECONDS = 10.0
SLOW_MS = 1000.0


def is_realtime_down(error: PrtError) -> bool:
    """Return whether the gateway refused the handshake because Realtime did not answer."""
    return isinstance(error, HandshakeRefusedError) and error.refused.code == "realtime_down"


def is_key_foreign(error: PrtError) -> bool:
    """Return whether Realtime could not verify the signature of the API key."""
    return isinstance(error, HandshakeRefusedError) and error.refused.code in (
        "token_foreign",
        "token_refused",
    )


def judge_handshake(
    error: PrtError, *, host: str, facts: KeyFacts, key_origin: str, is_bare: bool, others: str = ""
) -> Finding:
    """Return the finding that the websocket did not open although HTTP answers.

    Args:
        error: The error that ended the handshake.
        host: The project's host.
        facts: What the key itself shows.
        key_origin: Where the key comes from, for messages.
        is_bare: Whether there is no gateway in front of Realtime.
        others: The answers of the other services, if they were asked.
    """
    if isinstance(error, HandshakeRefusedError):
        refused = error.refused
        return Finding(
            layer="handshake",
            state="failed",
            figure=f"{refused.reason} · {others}" if others else refused.reason,
            causes=refusal_causes.of_handshake(
                refused, host=host, origin=key_origin, kind=facts.kind, is_bare=is_bare
            ),
            exit_code=(RefusedError if refused.is_of_token else UnreachableError).exit_code,
        )
    if isinstance(error, ProtocolError | NoAnswerError):
        causes = refusal_causes.no_websocket(host)
        return Finding(layer="handshake", state="failed", figure=error.message, causes=causes)
    cause = Cause(error.message, error.hint)
    return Finding(layer="handshake", state="failed", figure="no socket", causes=(cause,))


def judge_heartbeat(round_trip_ms: float | None) -> Finding:
    """Return the finding about a heartbeat; `round_trip_ms` is None if it was not answered."""
    if round_trip_ms is None:
        return Finding(
            layer="heartbeat",
            state="failed",
            figure=f"no answer in {PULSE_SECONDS:g} s",
            causes=(
                Cause(
                    "the socket is open, but nothing passes through it: a proxy holds frames back",
                    "turn off the proxy's buffering of /realtime/v1 (nginx: proxy_buffering off;)",
                ),
                Cause("Realtime hangs", "restart the project's Realtime"),
            ),
        )
    if round_trip_ms > SLOW_MS:
        cause = Cause(
            "the way to the project is slow, and every change takes as long", "choose a nearer region"
        )
        return Finding(layer="heartbeat", state="warning", causes=(cause,), milliseconds=round_trip_ms)
    return Finding(layer="heartbeat", state="ok", milliseconds=round_trip_ms)


def judge_join(layer: Layer, error: PrtError | None, *, role: str, topic: str) -> Finding:
    """Return the finding about a join that was not accepted.

    Args:
        layer: The layer that the channel belongs to.
        error: The error of the join; None if it was not answered in time.
        role: The database role of the identity, for messages.
        topic: The name of the topic, for messages.
    """
    if error is None:
        error = UnreachableError("no answer to the join", "is the project's database up?")
    return Finding(
        layer=layer,
        state="failed",
        figure=reason_of(error),
        causes=join_causes(error, role=role, topic=topic),
        exit_code=error.exit_code,
    )


def reason_of(error: PrtError) -> str:
    """Return the reason that the server gave, or else the error's own message."""
    return error.refused.reason if isinstance(error, EndedError) else error.message


def join_causes(error: PrtError, *, role: str, topic: str) -> tuple[Cause, ...]:
    """Return why a join was refused, or why its channel ended."""
    code = error.refused.code if isinstance(error, RefusedByServerError) else "other"
    return refusal_causes.of_join(code, role=role, topic=topic) or (Cause(error.message, error.hint),)


def judge_system(received: Received) -> Finding:
    """Return the finding about the connection's state at the end of the diagnosis.

    It names one of the seed's four states, and is that of the channel that was open all the time.
    """
    connection = CONNECTION_OF[received.status]
    if connection == "connected" and not received.is_over:
        return Finding(layer="system", state="ok", figure=connection)
    if connection == "connected":
        connection = "disconnected"
    error = received.error or UnreachableError("the channel was closed")
    cause = Cause(f"the channel did not last: {error.message}", error.hint)
    return Finding(layer="system", state="failed", figure=connection, causes=(cause,))
