"""The suite `presence`: everybody on a topic sees a client appear, change its state and disappear."""

from __future__ import annotations

import asyncio
import time

from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.outcomes import FailedError, Found
from prt.checks.test.watcher import Watcher
from prt.events import Presence
from prt.results import Failure
from prt.stream.topic import TopicSettings

CAUSE = (
    "the server sends no presence to this channel, or drops it above its rate of presence messages a second",
    "enable presence in the project's Realtime settings; slow down other clients",
)


async def track(context: Context) -> Found:
    """Tracking, changing and untracking a presence are all reported.

    These are three of the five calls that the server accepts in half a minute.
    """
    topic = context.topic("presence")
    async with context.watch(settings=TopicSettings(topic=topic, has_presence=True, key="one")) as one:
        await one.ready()
        started = time.perf_counter()
        await one.live.track({"step": 1})
        await expect_presence(one, "join", "one", step=1)
        ms = (time.perf_counter() - started) * 1000
        await one.live.track({"step": 2})
        await expect_presence(one, "update", "one", step=2)
        await one.live.untrack()
        await expect_presence(one, "leave", "one")
        return Found(note="joined, updated, left", figures={"track_ms": ms})


async def two_clients(context: Context) -> Found:
    """A client that joins later receives the presences so far, and the others see a client leave."""
    topic = context.topic("presence")
    async with context.watch(settings=TopicSettings(topic=topic, has_presence=True, key="two")) as two:
        async with context.watch(settings=TopicSettings(topic=topic, has_presence=True, key="one")) as one:
            await asyncio.gather(one.ready(), two.ready())
            await one.live.track({"step": 1})
            await expect_presence(two, "join", "one", step=1)
            async with context.watch(
                settings=TopicSettings(topic=topic, has_presence=True, key="late")
            ) as late:
                await late.ready()
                sync = await late.until(
                    Presence,
                    lambda event: event.event == "sync" and "one" in (event.state or {}),
                    "a roster with who is there",
                    cause_of=lambda: CAUSE,
                )
        # The connection of `one` is closed now, which removes its presence.
        await expect_presence(two, "leave", "one")
        return Found(note="seen to come, and to go", figures={"roster": len(sync.state or {})})


async def expect_presence(watcher: Watcher, event: str, key: str, step: int | None = None) -> Presence:
    """Wait for a presence event of a key and return it.

    Args:
        watcher: The connection on which the event must arrive.
        event: sync, join, leave or update.
        key: The key of the presence.
        step: The number that its state must contain; None for any state.

    Raises:
        FailedError: The event did not come in time, or with another state.
    """
    found = await watcher.until(
        Presence,
        lambda one: one.event == event and one.key == key,
        f"presence {event} of {key}",
        cause_of=lambda: CAUSE,
    )
    shown = [presence.get("step") for presence in found.presences or []]
    if step is not None and shown != [step]:
        raise FailedError(
            Failure(expected=f"presence {event} of {key} with what was tracked", came=f"{shown}, not {step}")
        )
    return found


SUITE = Suite(
    name="presence",
    line="track, update, untrack, two clients",
    needs="public channels allowed; presence enabled",
    checks=(
        Check(suite="presence", name="track", run=track),
        Check(suite="presence", name="two clients", run=two_clients),
    ),
)
