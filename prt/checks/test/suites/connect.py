"""The suite `connect`: the connection to the server, and the time that a message takes on it."""

from __future__ import annotations

import time

from prt.checks.test.bare_connection import line
from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.outcomes import FailedError, Found, failure_of
from prt.errors import PrtError
from prt.state.figures.lag import Lag
from prt.stream.timing import Timing

HEARTBEATS = 3
PULSE = Timing(heartbeat=1.0)
"""A short interval of heartbeats. Two unanswered ones end a connection, so it must not be too short."""


async def handshake(context: Context) -> Found:
    """A connection opens; the version of the protocol is noted."""
    try:
        session = await context.identities.session("self")
        started = time.perf_counter()
        async with line(session, context.trace) as opened:
            ms = (time.perf_counter() - started) * 1000
            vsn = opened.connection.vsn
    except PrtError as exc:
        expected = f"a websocket at {context.project.host}"
        raise FailedError(failure_of(exc, expected)) from exc
    return Found(note=f"{context.project.host}, vsn {vsn}", figures={"handshake_ms": ms})


async def heartbeat(context: Context) -> Found:
    """The server answers heartbeats; their round trip is measured."""
    lag = Lag()
    session = await context.identities.session("self")
    async with line(session, context.trace, PULSE) as opened:
        for _ in range(HEARTBEATS):
            lag.add(await opened.next_pulse(context.settings.wait_seconds))
    p50 = lag.percentile(0.5) or 0.0
    return Found(
        note=f"{HEARTBEATS} answered", figures={"rtt_ms": p50, "rtt_max_ms": lag.percentile(1) or p50}
    )


SUITE = Suite(
    name="connect",
    line="the handshake, and the round trip of heartbeats",
    needs="a client key",
    checks=(
        Check(suite="connect", name="handshake", run=handshake),
        Check(suite="connect", name="heartbeat", run=heartbeat),
    ),
)
