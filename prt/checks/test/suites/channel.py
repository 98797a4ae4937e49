"""The suite `channel`: a topic is joined, left and joined again on one connection."""

from __future__ import annotations

import time

from prt.checks.test.bare_connection import line
from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.outcomes import Found
from prt.stream.live.bare_connection import is_close_of


async def join(context: Context) -> Found:
    """The server accepts the join of a topic."""
    topic = context.topic("channel")
    async with line(await context.identities.session("self"), context.trace) as opened:
        started = time.perf_counter()
        await opened.join(topic)
        return Found(note="accepted", figures={"join_ms": (time.perf_counter() - started) * 1000})


async def leave(context: Context) -> Found:
    """The server closes the channel after a leave."""
    topic = context.topic("channel")
    async with line(await context.identities.session("self"), context.trace) as opened:
        await opened.join(topic)
        started = time.perf_counter()
        await opened.leave(topic)
        await opened.until(
            lambda frame: is_close_of(topic, frame),
            "phx_close after the leave",
            context.settings.wait_seconds,
        )
        return Found(note="closed", figures={"leave_ms": (time.perf_counter() - started) * 1000})


async def rejoin(context: Context) -> Found:
    """The server accepts the join of a topic that was left."""
    topic = context.topic("channel")
    async with line(await context.identities.session("self"), context.trace) as opened:
        await opened.join(topic)
        await opened.leave(topic)
        started = time.perf_counter()
        await opened.join(topic)
        return Found(
            note="accepted on the same connection",
            figures={"rejoin_ms": (time.perf_counter() - started) * 1000},
        )


SUITE = Suite(
    name="channel",
    line="a topic joined, left, and joined anew",
    needs="a client key; public channels allowed",
    checks=(
        Check(suite="channel", name="join", run=join),
        Check(suite="channel", name="leave", run=leave),
        Check(suite="channel", name="rejoin", run=rejoin),
    ),
)
