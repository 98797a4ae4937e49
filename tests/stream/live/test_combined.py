"""Several topics as one source: what is reported of each, what is left out, and their shared state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from prt.errors import PrtError, RefusedError, UnreachableError
from prt.events import Broadcast, Event, Gap, Presence, Status, Vitals
from prt.stream.live.combined import CombinedSource
from prt.stream.live.source import Live
from prt.stream.live.supervisor import Policy
from prt.stream.rest.session import Endpoint, Session
from prt.stream.socket.queue import EventQueue
from prt.stream.timing import Timing
from prt.stream.topic import TopicSettings
from tests.fakes import Peer, Script, scripted_server

PATIENCE = 60
DENIED = "Unauthorized: You do not have permissions to read from this Channel topic: secret"


async def combined(
    script: Script,
    topics: Sequence[str],
    until: Callable[[list[Event]], bool],
) -> tuple[list[Event], PrtError | None]:
    """All events until `until` holds, or until the end, with its error."""
    events: list[Event] = []
    async with scripted_server(script) as url, asyncio.timeout(PATIENCE):
        session = Session(Endpoint(url=url, key="key"))
        policy = Policy(max_reconnects=0)
        lives = [Live(session, [], settings=TopicSettings(topic=topic), policy=policy) for topic in topics]
        async with CombinedSource(lives) as batches:
            try:
                async for batch in batches:
                    events += batch
                    if until(events):
                        return events, None
            except PrtError as exc:
                return events, exc
    return events, None


class Impatient(EventQueue):
    """Waits for its reader no longer than a moment, where a live one has an interval of heartbeats."""

    async def wait_for_space(self, patience: float) -> None:
        await super().wait_for_space(patience / 1000)


def never(_: list[Event]) -> bool:
    return False


def broadcasts(events: list[Event]) -> list[str]:
    return [event.topic for event in events if isinstance(event, Broadcast)]


def emitted(events: list[Event]) -> list[tuple[str | None, str]]:
    return [(event.topic, event.status) for event in events if isinstance(event, Status)]


async def refusing(peer: Peer) -> None:
    """Refuses `secret`, ends `brief` once it was READY, and talks to all others."""
    frame = await peer.receive()
    topic = frame[2]
    if topic == "realtime:secret":
        await peer.reply(frame, {"reason": DENIED}, "error")
    else:
        await peer.reply(frame, {"postgres_changes": []})
        await peer.send(None, None, topic, "broadcast", {"event": "e", "payload": {}})
        if topic == "realtime:brief":
            await peer.connection.close(1012)
    await peer.until_closed()


def test_a_refused_topic_is_reported_and_left_out() -> None:
    def is_all(events: list[Event]) -> bool:
        return len(broadcasts(events)) == 2 and ("secret", "CHANNEL_ERROR") in emitted(events)

    events, error = asyncio.run(combined(refusing, ["a", "secret", "b"], is_all))
    assert error is None
    assert sorted(broadcasts(events)) == ["a", "b"]
    (refused,) = [event for event in events if isinstance(event, Status) and event.topic == "secret"]
    assert DENIED in (refused.reason or "")
    assert "realtime.messages" in (refused.hint or "")


def test_it_ends_with_an_error_only_when_nothing_is_left() -> None:
    events, error = asyncio.run(combined(refusing, ["secret", "brief"], never))
    assert {status for status in emitted(events) if status[1] in ("CLOSED", "CHANNEL_ERROR")} == {
        ("secret", "CHANNEL_ERROR"),
        ("brief", "CLOSED"),
    }
    assert error is not None
    _, alone = asyncio.run(combined(refusing, ["secret"], never))
    assert alone is not None
    assert alone.exit_code == RefusedError.exit_code


def test_an_end_without_a_status_is_reported_once() -> None:
    """Where a project isn't there the error of the whole is enough for one topic, but not among others."""

    def ends(events: list[Event]) -> list[Status]:
        return [
            event
            for event in events
            if isinstance(event, Status) and event.topic == "away" and "trying" not in (event.reason or "")
        ]

    async def main() -> list[Event]:
        async with scripted_server(Peer.until_closed) as gone:
            pass
        events: list[Event] = []
        async with scripted_server(refusing) as here, asyncio.timeout(PATIENCE):
            away, there = (Session(Endpoint(url=url, key="key")) for url in (gone, here))
            lives = [
                Live(away, [], settings=TopicSettings(topic="away"), timing=Timing(up=1.0, first_pause=0.01)),
                Live(there, [], settings=TopicSettings(topic="a")),
            ]
            async with CombinedSource(lives) as batches:
                async for batch in batches:
                    events += batch
                    if ends(events) and broadcasts(events):
                        return events
        raise AssertionError

    (last,) = ends(asyncio.run(main()))
    assert last.status == "CHANNEL_ERROR"
    assert "can't connect" in (last.reason or "")


def test_nothing_at_all_ends_at_once() -> None:
    async def main() -> list[list[Event]]:
        async with CombinedSource([]) as batches:
            return [batch async for batch in batches]

    assert asyncio.run(main()) == []


def test_the_connection_shown_is_the_worst_of_all() -> None:
    sources: Any = [object(), object(), object()]
    combined = CombinedSource(sources)
    one, two, three = sources

    def vitals(phase: str, **more: Any) -> Vitals:
        return Vitals(at=1, phase=phase, since=0, **more)

    assert combined.merged(one, vitals("ready", reconnects=1, round_trip_ms=5.0)).phase == "ready"
    shown = combined.merged(two, vitals("waiting", retry_at=9, reconnects=2, token_expires_at=70))
    assert (shown.phase, shown.retry_at, shown.reconnects, shown.round_trip_ms) == ("waiting", 9, 3, 5.0)
    shown = combined.merged(three, vitals("degraded", round_trip_ms=7.0, token_expires_at=60))
    assert (shown.phase, shown.round_trip_ms, shown.token_expires_at) == ("waiting", 7.0, 60)
    assert combined.merged(two, vitals("ended")).phase == "degraded"


def test_all_share_one_bounded_queue_and_dropped_events_are_reported() -> None:
    count = 300

    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        await peer.send(frame[0], None, frame[2], "presence_state", {"a": {"metas": [{"phx_ref": "1"}]}})
        for n in range(count):
            body = {"event": "e", "payload": {"n": n, "body": "x" * 4000}}
            await peer.send(None, None, frame[2], "broadcast", body)
        await peer.send(None, None, frame[2], "broadcast", {"event": "last", "payload": {}})
        await peer.until_closed()

    async def main() -> list[Event]:
        events: list[Event] = []
        async with scripted_server(script) as url, asyncio.timeout(PATIENCE):
            lives = [
                Live(
                    Session(Endpoint(url=url, key="key")),
                    [],
                    settings=TopicSettings(topic=topic, has_presence=True),
                )
                for topic in ("a", "b")
            ]
            queue = Impatient(max_events=50)
            dropped = asyncio.Event()
            queue.on_drop.append(dropped.set)
            async with CombinedSource(lives, queue=queue) as batches:
                await dropped.wait()
                async for batch in batches:
                    events += batch
                    ends = [e for e in events if isinstance(e, Broadcast) and e.event == "last"]
                    if len(ends) == 2:
                        return events
        raise AssertionError

    events = asyncio.run(main())
    gaps = [event for event in events if isinstance(event, Gap)]
    assert gaps
    assert all("the reader of our output is too slow" in gap.cause and not gap.tables for gap in gaps)
    told_dropped = sum(int(gap.cause.split(": ")[1].split()[0]) for gap in gaps)
    syncs = [event for event in events if isinstance(event, Presence) and event.event == "sync"]
    assert {sync.topic for sync in syncs} == {"a", "b"}
    assert all(sync.state == {"a": [{"presence_ref": "1"}]} for sync in syncs)
    kept = sum(isinstance(event, Broadcast) for event in events)
    # Each topic's first sync may be among what was dropped; it was told again.
    assert 2 * (count + 1) <= kept + told_dropped <= 2 * (count + 1) + 2 + len(syncs)
    assert kept < 2 * (count + 1)


@pytest.mark.parametrize("times", [1, 3])
def test_leaving_it_leaves_every_topic(times: int) -> None:
    left: list[str] = []

    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        await peer.send(None, None, frame[2], "broadcast", {"event": "e", "payload": {}})
        assert (await peer.receive())[3] == "phx_leave"
        left.append(frame[2])

    topics = [f"t{n}" for n in range(times)]
    asyncio.run(combined(script, topics, lambda events: len(broadcasts(events)) == times))
    assert sorted(left) == [f"realtime:{topic}" for topic in topics]


def test_sending_goes_to_the_topic_it_is_meant_for() -> None:
    got: list[Any] = []

    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        push = await peer.receive()
        got.append((frame[2], push[4]["payload"]))
        await peer.reply(push, {})
        await peer.until_closed()

    async def main() -> None:
        async with scripted_server(script) as url, asyncio.timeout(PATIENCE):
            session = Session(Endpoint(url=url, key="key"))
            topics = [TopicSettings(topic=topic, is_acknowledged=True) for topic in ("a", "b")]
            lives = [Live(session, [], settings=topic) for topic in topics]
            ready: set[str | None] = set()
            async with CombinedSource(lives) as batches:
                async for batch in batches:
                    ready |= {e.topic for e in batch if isinstance(e, Status) and e.status == "READY"}
                    if len(ready) == 2:
                        break
                for live in lives:
                    await live.send("e", b'"%b"' % live.topic.encode())
            with pytest.raises(UnreachableError):
                await lives[0].send("e")

    asyncio.run(main())
    assert sorted(got) == [("realtime:a", "a"), ("realtime:b", "b")]
