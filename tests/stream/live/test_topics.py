"""Topics against a scripted server: what is asked of it, what is reported of it, and what we send.

The hazards of the SDK that concern sending and presence each have their test here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec import Raw

from prt.errors import PrtError, RefusedError, UnreachableError, UsageError
from prt.events import Broadcast, Event, Gap, Malformed, Presence, Status, Vitals
from prt.stream.binding import Binding
from prt.stream.live.source import Live
from prt.stream.live.supervisor import Policy
from prt.stream.rest.session import Endpoint, Session
from prt.stream.socket.wire import Frame
from prt.stream.timing import Timing
from prt.stream.topic import Replay, TopicSettings
from tests.fakes import SUBSCRIBED, Peer, Script, scripted_server

TOPIC = "realtime:room"
PATIENCE = 60


class Watch:
    """A live topic and its events in their order."""

    def __init__(self, live: Live, batches: AsyncIterator[list[Event]]) -> None:
        self.live = live
        self.events: list[Event] = []
        self._batches = batches

    async def until(self, wanted: Callable[[list[Event]], bool]) -> list[Event]:
        async with asyncio.timeout(PATIENCE):
            while not wanted(self.events):
                batch = await anext(self._batches)
                self.events += [event for event in batch if not isinstance(event, Vitals)]
        return self.events

    async def until_ready(self, times: int = 1) -> None:
        await self.until(lambda events: statuses(events).count("READY") >= times)

    async def end(self) -> PrtError:
        """What it ended with."""
        with pytest.raises(PrtError) as raised:
            await self.until(lambda _: False)
        return raised.value


@asynccontextmanager
async def entered(
    script: Script,
    settings: TopicSettings,
    bindings: tuple[Binding, ...] = (),
    *,
    policy: Policy | None = None,
    timing: Timing | None = None,
    refuse_only: str | None = None,
) -> AsyncIterator[Watch]:
    refuse = None if refuse_only is None else (403, "")
    async with scripted_server(script, refuse=refuse, refuse_only=refuse_only or "") as url:
        live = Live(
            Session(Endpoint(url=url, key="key", token="token")),
            bindings,
            settings=settings,
            policy=policy or Policy(max_reconnects=0),
            timing=timing or Timing(first_pause=0.01),
        )
        async with live as batches:
            yield Watch(live, batches)


def statuses(events: list[Event]) -> list[str]:
    return [event.status for event in events if isinstance(event, Status)]


def broadcasts(events: list[Event]) -> list[Broadcast]:
    return [event for event in events if isinstance(event, Broadcast)]


def presences(events: list[Event]) -> list[Presence]:
    return [event for event in events if isinstance(event, Presence)]


async def say(peer: Peer, event: str, payload: Any = None, **more: Any) -> None:
    message = {"type": "broadcast", "event": event, "payload": payload or {}, **more}
    await peer.send(None, None, TOPIC, "broadcast", message)


async def diff(peer: Peer, joins: dict[str, str], leaves: dict[str, str]) -> None:
    """One meta a key, by its ref."""
    parts = {
        name: {key: {"metas": [{"phx_ref": ref, "n": int(ref)}]} for key, ref in refs.items()}
        for name, refs in (("joins", joins), ("leaves", leaves))
    }
    await peer.send(None, None, TOPIC, "presence_diff", parts)


async def state(peer: Peer, frame: list[Any], **refs: str) -> None:
    metas = {key: {"metas": [{"phx_ref": ref, "n": int(ref)}]} for key, ref in refs.items()}
    await peer.send(frame[0], None, TOPIC, "presence_state", metas)


def shown(**refs: str) -> dict[str, list[dict[str, Any]]]:
    return {key: [{"n": int(ref), "presence_ref": ref}] for key, ref in refs.items()}


def test_the_join_carries_the_settings_of_the_topic() -> None:
    joins: list[Any] = []

    async def script(peer: Peer) -> None:
        joins.append((await peer.accept_join())[4]["config"])
        await peer.until_closed()

    async def main(settings: TopicSettings) -> Any:
        async with entered(script, settings) as watch:
            await watch.until_ready()
            assert statuses(watch.events) == ["SUBSCRIBED", "READY"]
        return joins.pop()

    quiet = {"ack": False, "self": False}
    assert asyncio.run(main(TopicSettings(topic="room"))) == {
        "broadcast": quiet,
        "presence": {"key": "", "enabled": False},
        "private": False,
        "postgres_changes": [],
    }
    everything = TopicSettings(
        topic="room",
        is_private=True,
        is_echoed=True,
        is_acknowledged=True,
        replay=Replay(since=5, limit=3),
        has_presence=True,
        key="me",
    )
    assert asyncio.run(main(everything)) == {
        "broadcast": {"ack": True, "self": True, "replay": {"since": 5, "limit": 3}},
        "presence": {"key": "me", "enabled": True},
        "private": True,
        "postgres_changes": [],
    }
    assert TopicSettings(topic="room", tracked={}).to_wire(None)["presence"]["enabled"]


def test_tables_share_a_topic_with_broadcasts() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        assert [binding["table"] for binding in frame[4]["config"]["postgres_changes"]] == ["todos"]
        assert frame[4]["config"]["broadcast"]["ack"]
        await say(peer, "early")
        await peer.system(frame, SUBSCRIBED)
        await peer.change(frame[2])
        await peer.until_closed()

    async def main() -> list[str]:
        settings = TopicSettings(topic="room", is_acknowledged=True)
        async with entered(script, settings, (Binding(table="todos"),)) as watch:
            await watch.until(lambda events: type(events[-1]).__name__ == "Change" if events else False)
            return [getattr(event, "status", type(event).__name__) for event in watch.events]

    assert asyncio.run(main()) == ["SUBSCRIBED", "Broadcast", "READY", "Change"]


def test_broadcasts_arrive_by_name_raw_and_in_order() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept_join()
        for n in range(3):
            await say(peer, "cursor-move", {"n": n})
            await say(peer, "chatter", {"n": n})
        binary = bytes((4, len(TOPIC), 11, 0, 0)) + TOPIC.encode() + b"cursor-move" + b"\x00\xff"
        await peer.raw(binary)
        await peer.raw(f'[null,null,"{TOPIC}","broadcast",{{"event":"cursor-move","payload":1.0}}]')
        await peer.until_closed()

    async def main() -> list[Broadcast]:
        async with entered(script, TopicSettings(topic="room", events=("cursor-move", "other"))) as watch:
            return broadcasts(await watch.until(lambda events: len(broadcasts(events)) == 5))

    *moves, binary, number = asyncio.run(main())
    assert [json.loads(bytes(move.payload)) for move in moves] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert {(move.topic, move.event) for move in moves} == {("room", "cursor-move")}
    assert (binary.binary, bytes(number.payload)) == (b"\x00\xff", b"1.0")


def test_broadcasts_are_dropped_unless_the_topic_asks_for_them() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        if frame[4]["config"]["postgres_changes"]:
            await peer.system(frame, SUBSCRIBED)
        await peer.send(None, None, frame[2], "broadcast", {"event": "e", "payload": {}})
        await peer.send(frame[0], "77", frame[2], "phx_reply", "the end")
        await peer.until_closed()

    def is_over(events: list[Event]) -> bool:
        return any(isinstance(event, Malformed) for event in events)

    async def main() -> None:
        async with entered(script, TopicSettings(topic="room", events=())) as watch:
            assert broadcasts(await watch.until(is_over)) == []
        async with scripted_server(script) as url:
            live = Live(Session(Endpoint(url=url, key="key")), [Binding(table="todos")])
            async with live as batches:
                assert broadcasts(await Watch(live, batches).until(is_over)) == []

    asyncio.run(main())


def test_presence_is_emitted_as_syncs_joins_leaves_and_updates() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        await diff(peer, {"early": "1"}, {})
        await state(peer, frame, a="2")
        await diff(peer, {"b": "3"}, {})
        await diff(peer, {"a": "4"}, {"a": "2"})
        await diff(peer, {}, {"b": "3", "early": "1"})
        await peer.send(None, None, TOPIC, "presence_diff", "not a diff")
        await state(peer, frame, a="4")
        await peer.until_closed()

    async def main() -> list[Event]:
        async with entered(script, TopicSettings(topic="room", has_presence=True)) as watch:
            return await watch.until(lambda events: len(presences(events)) == 6)

    events = asyncio.run(main())
    first, *steps, last = presences(events)
    assert (first.event, first.state) == ("sync", shown(a="2", early="1"))
    assert [(step.event, {step.key: step.presences}) for step in steps] == [
        ("join", shown(b="3")),
        ("update", shown(a="4")),
        ("leave", shown(b="3")),
        ("leave", shown(early="1")),
    ]
    assert (last.event, last.state) == ("sync", shown(a="4"))
    (unreadable,) = [event for event in events if isinstance(event, Malformed)]
    assert unreadable.reason.startswith("presence_diff")


def test_presence_that_nobody_asked_for_is_not_emitted() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        await diff(peer, {"a": "1"}, {})
        await state(peer, frame, a="1")
        await say(peer, "end")
        await peer.until_closed()

    async def main() -> None:
        async with entered(script, TopicSettings(topic="room")) as watch:
            assert presences(await watch.until(lambda events: len(broadcasts(events)) == 1)) == []

    asyncio.run(main())


def test_a_join_that_is_repeated_for_its_tables_begins_a_new_roster() -> None:
    bindings = (Binding(table="bad"), Binding(table="good"))

    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        await state(peer, frame, ghost="1")
        named = "[event: *, schema: public, table: bad, filters: [], select: nil]"
        await peer.system(frame, f"Unable to subscribe to changes with given parameters: {named}", "error")
        frame = await peer.accept_join()
        # Before its state, which knows of it already.
        await diff(peer, {"a": "2"}, {})
        await state(peer, frame, a="2")
        await peer.system(frame, SUBSCRIBED)
        await peer.until_closed()

    async def main() -> list[Event]:
        async with entered(script, TopicSettings(topic="room", has_presence=True), bindings) as watch:
            await watch.until_ready()
            return watch.events

    emitted = [(event.event, event.state) for event in presences(asyncio.run(main()))]
    assert emitted == [("sync", shown(ghost="1")), ("sync", shown(a="2"))]


def test_after_a_loss_we_track_again_and_no_ghosts_stay() -> None:
    """The SDK does neither."""
    tracked: list[Any] = []

    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        number = len(tracked) + 1
        await state(peer, frame, **({"ghost": "1", "stays": "2"} if number == 1 else {"stays": "2"}))
        push = await peer.receive()
        tracked.append(push[4])
        await peer.reply(push, {})
        if number < 3:
            await peer.connection.close(1012)
        await say(peer, "end")
        await peer.until_closed()

    async def main() -> list[Event]:
        settings = TopicSettings(topic="room", key="me", tracked={"at": "desk"})
        async with entered(script, settings, policy=Policy()) as watch:
            return await watch.until(lambda events: len(broadcasts(events)) == 1)

    events = asyncio.run(main())
    assert tracked == [{"type": "presence", "event": "track", "payload": {"at": "desk"}}] * 3
    states = [event.state for event in presences(events) if event.event == "sync"]
    assert states[:2] == [shown(ghost="1", stays="2"), shown(stays="2")]
    lost = [event for event in events if isinstance(event, Status) and event.status == "CLOSED"]
    assert all("what is sent to room meanwhile is lost" in (status.reason or "") for status in lost)


def test_what_was_tracked_last_is_tracked_again_and_nothing_after_untrack() -> None:
    pushes: list[Any] = []
    connections: list[Peer] = []

    async def script(peer: Peer) -> None:
        await peer.accept_join()
        connections.append(peer)
        while True:
            push = await peer.receive()
            pushes.append((len(connections), push[4]["event"], push[4].get("payload")))
            await peer.reply(push, {})
            await say(peer, "answered")

    async def main() -> None:
        settings = TopicSettings(topic="room", has_presence=True)
        async with entered(script, settings, policy=Policy()) as watch:
            await watch.until_ready()
            await watch.live.track({"n": 1})
            await watch.live.track({"n": 2})
            await connections[-1].connection.close(1012)
            await watch.until(lambda events: len(broadcasts(events)) == 3)
            await watch.live.untrack()
            await connections[-1].connection.close(1012)
            await watch.until_ready(3)
            await watch.live.untrack()

    asyncio.run(main())
    assert pushes == [
        (1, "track", {"n": 1}),
        (1, "track", {"n": 2}),
        (2, "track", {"n": 2}),
        (2, "untrack", None),
        (3, "untrack", None),
    ]


def test_a_refused_track_is_reported_with_the_reason_and_events_go_on() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept_join()
        await peer.reply(await peer.receive(), {}, "error")
        await say(peer, "after")
        await peer.until_closed()

    async def main() -> list[Event]:
        async with entered(script, TopicSettings(topic="room", tracked={"at": 1}, is_private=True)) as watch:
            return await watch.until(
                lambda events: len(broadcasts(events)) == 1 and len(statuses(events)) == 3
            )

    emitted = [event for event in asyncio.run(main()) if isinstance(event, Status) and event.reason]
    assert [(status.status, status.reason) for status in emitted] == [
        ("READY", "not on the roster: room refused to track us")
    ]
    assert (emitted[0].hint or "").startswith('create policy "anon sends to room"')


@pytest.mark.parametrize(
    ("is_private", "hint"), [(True, 'create policy "anon hears room"'), (False, "is presence switched on")]
)
def test_a_missing_roster_is_reported(is_private: bool, hint: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.accept_join()
        await peer.until_closed()

    async def main() -> list[Event]:
        settings = TopicSettings(topic="room", has_presence=True, is_private=is_private)
        async with entered(script, settings, timing=Timing(answer=0.02)) as watch:
            return await watch.until(lambda events: len(statuses(events)) == 3)

    (emitted,) = [event for event in asyncio.run(main()) if isinstance(event, Status) and event.reason]
    assert (emitted.status, emitted.reason) == ("READY", "no roster came: room keeps its presence to itself")
    assert (emitted.hint or "").startswith(hint)


def test_a_channel_that_the_server_has_just_closed_takes_nothing_more() -> None:
    got: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.accept_join()
        while True:
            got.append((await peer.receive())[3])

    async def main() -> None:
        async with entered(script, TopicSettings(topic="room")) as watch:
            await watch.until_ready()
            subscription = watch.live._joined()
            subscription.on_frame(Frame(None, None, TOPIC, "phx_close", Raw(b"{}")))
            with pytest.raises(UnreachableError, match="room is not joined"):
                await watch.live.send("e")
            await watch.end()

    asyncio.run(main())
    assert "broadcast" not in got


async def acknowledging(peer: Peer) -> None:
    """Joins, and answers everything ok."""
    await peer.accept_join()
    while True:
        await peer.reply(await peer.receive(), {})


ACKNOWLEDGED = TopicSettings(topic="room", is_acknowledged=True)


def test_a_broadcast_goes_out_as_it_is_and_its_acknowledgement_is_timed() -> None:
    pushes: list[Any] = []

    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        while True:
            push = await peer.receive()
            assert push[0] == frame[0]
            if push[3] == "broadcast":  # not the leave
                pushes.append(push[4])
            await peer.reply(push, {})

    async def main(vsn: str | None) -> None:
        async with entered(script, ACKNOWLEDGED, refuse_only=vsn) as watch:
            await watch.until_ready()
            ms = await watch.live.send("cursor-move", b'{"x": 1.0}')
            assert ms is not None
            assert 0 < ms < PATIENCE * 1000
            await watch.live.send("e" * 300, b"[1]")
            if vsn is None:
                await watch.live.send("bytes", b"\x00\xff", binary=True)
            else:
                with pytest.raises(PrtError, match=r"vsn 1\.0\.0 can't carry bytes"):
                    await watch.live.send("bytes", b"\x00\xff", binary=True)

    asyncio.run(main(None))
    assert pushes == [
        {"event": "cursor-move", "payload": {"x": 1.0}},
        {"type": "broadcast", "event": "e" * 300, "payload": [1]},
        {"event": "bytes", "payload": b"\x00\xff"},
    ]
    pushes.clear()
    asyncio.run(main("vsn=2.0.0"))
    assert pushes == [
        {"type": "broadcast", "event": "cursor-move", "payload": {"x": 1.0}},
        {"type": "broadcast", "event": "e" * 300, "payload": [1]},
    ]


def test_a_topic_without_acknowledgements_waits_for_none() -> None:
    got: list[Any] = []

    async def script(peer: Peer) -> None:
        await peer.accept_join()
        got.append(await peer.receive())
        await say(peer, "got it")
        await peer.until_closed()

    async def main() -> None:
        async with entered(script, TopicSettings(topic="room")) as watch:
            await watch.until_ready()
            assert await watch.live.send("e") is None
            await watch.until(lambda events: len(broadcasts(events)) == 1)

    asyncio.run(main())
    assert got[0][4] == {"event": "e", "payload": {}}


@pytest.mark.parametrize(
    ("is_private", "hint"),
    [
        (True, 'create policy "anon sends to room" on realtime.messages for insert'),
        (False, "is the server busy?"),
    ],
)
def test_no_acknowledgement_is_an_error_with_the_likely_reason(is_private: bool, hint: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.accept_join()
        await peer.until_closed()

    async def main() -> PrtError:
        settings = TopicSettings(topic="room", is_acknowledged=True, is_private=is_private)
        async with entered(script, settings) as watch:
            await watch.until_ready()
            with pytest.raises(PrtError) as raised:
                await watch.live.send("e", timeout=0.02)
            return raised.value

    error = asyncio.run(main())
    assert (error.exit_code, error.message) == (1, "no acknowledgement of e to room in 0.02 s")
    assert hint in (error.hint or "")


@pytest.mark.parametrize(
    ("response", "words"),
    [("payload_size_exceeded", "payload_size_exceeded"), ({"reason": "unmatched topic"}, "unmatched topic")],
)
def test_a_refused_broadcast_has_the_servers_words(response: Any, words: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.accept_join()
        await peer.reply(await peer.receive(), response, "error")
        await peer.until_closed()

    async def main() -> None:
        async with entered(script, ACKNOWLEDGED) as watch:
            await watch.until_ready()
            with pytest.raises(PrtError, match=f"refused the broadcast e: {words}"):
                await watch.live.send("e")

    asyncio.run(main())


def test_nothing_is_sent_unless_the_topic_is_joined() -> None:
    """The SDK reports nothing: it keeps what is pushed while down, and drops pushes to a closed channel."""
    pushes: list[Any] = []
    may_answer: list[asyncio.Event] = []

    async def script(peer: Peer) -> None:
        frame = await peer.receive()
        pushes.append(frame[3])
        await may_answer[0].wait()
        await peer.reply(frame, {"postgres_changes": []})
        await peer.receive()
        await peer.send(frame[0], frame[0], TOPIC, "phx_close", {})
        pushes.append((await peer.receive())[3])

    async def main() -> None:
        may_answer.append(asyncio.Event())
        async with entered(script, TopicSettings(topic="room")) as watch:
            live = watch.live
            with pytest.raises(UnreachableError, match="room is not joined"):
                await live.send("before")
            may_answer[0].set()
            await watch.until_ready()
            await live.send("while joined")
            error = await watch.end()
            assert "closed the channel" in error.message
            for late in (live.send("late"), live.track({}), live.untrack()):
                with pytest.raises(UnreachableError, match="room is not joined"):
                    await late

    asyncio.run(main())
    assert pushes[0] == "phx_join"
    assert pushes[1:] in ([], ["phx_leave"])


def test_a_connection_that_is_lost_meanwhile_leaves_the_answer_open() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept_join()
        await peer.receive()
        peer.connection.transport.abort()

    async def main() -> None:
        async with entered(script, ACKNOWLEDGED) as watch:
            await watch.until_ready()
            with pytest.raises(UnreachableError, match="lost before the answer"):
                await watch.live.send("e")

    asyncio.run(main())


def test_an_unreadable_answer_is_malformed_and_the_topic_goes_on() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept_join()
        push = await peer.receive()
        await peer.send(push[0], push[1], TOPIC, "phx_reply", "what?")
        await peer.reply(push, {})
        await peer.until_closed()

    async def main() -> None:
        async with entered(script, ACKNOWLEDGED) as watch:
            await watch.until_ready()
            assert await watch.live.send("e") is not None
            await watch.until(lambda events: any(isinstance(event, Malformed) for event in events))

    asyncio.run(main())


def test_limits_are_looked_at_before_the_server_is_asked() -> None:
    async def main() -> None:
        async with entered(acknowledging, ACKNOWLEDGED) as watch:
            await watch.until_ready()
            live = watch.live
            with pytest.raises(UsageError, match="3,001 KB is above the limit of 3,000 KB") as raised:
                await live.send("e", b" " * 3_001_000)
            assert "256 KB" in (raised.value.hint or "")
            with pytest.raises(UsageError, match="is not valid JSON"):
                await live.send("e", b'{"x": ')
            with pytest.raises(UsageError, match="10 keys, this one has 11"):
                await live.track({str(n): n for n in range(11)})
            for n in range(5):
                await live.track({"n": n})
            with pytest.raises(PrtError, match="5 times in 30 s") as refused:
                await live.untrack()
            assert refused.value.hint in ("again in 30 s", "again in 29 s")

    asyncio.run(main())


def test_a_refused_private_topic_names_the_policies_that_decide() -> None:
    words = "Unauthorized: You do not have permissions to read from this Channel topic: room:it's"

    async def script(peer: Peer) -> None:
        await peer.reply(await peer.receive(), {"reason": words}, "error")
        await peer.until_closed()

    async def main() -> tuple[PrtError, list[Event]]:
        async with entered(script, TopicSettings(topic="room:it's", is_private=True)) as watch:
            return await watch.end(), watch.events

    error, events = asyncio.run(main())
    assert error.exit_code == RefusedError.exit_code
    assert words in error.message
    assert error.hint == (
        'create policy "anon hears room:it\'s" on realtime.messages for select to anon '
        "using (realtime.topic() = 'room:it''s');"
    )
    assert [(event.status, event.topic) for event in events if isinstance(event, Status)] == [
        ("CHANNEL_ERROR", "room:it's")
    ]


def test_after_a_loss_the_replay_is_asked_for_and_emitted_once() -> None:
    asked: list[Any] = []

    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        asked.append(frame[4]["config"]["broadcast"]["replay"])
        if len(asked) == 1:
            for n in (1, 2):
                await say(peer, "e", {"n": n}, meta={"id": str(n), "replayed": True})
            await say(peer, "e", {"n": 3}, meta={"id": "3"})
            await peer.connection.close(1012)
        else:
            for n in (2, 3, 4):
                await say(peer, "e", {"n": n}, meta={"id": str(n), "replayed": True})
            await say(peer, "e", {"n": 5}, meta={"odd": True})
        await peer.until_closed()

    async def main() -> list[Event]:
        settings = TopicSettings(topic="room", is_private=True, replay=Replay(since=1_000, limit=2))
        async with entered(script, settings, policy=Policy()) as watch:
            return await watch.until(lambda events: len(broadcasts(events)) == 5)

    events = asyncio.run(main())
    assert [json.loads(bytes(each.payload))["n"] for each in broadcasts(events)] == [1, 2, 3, 4, 5]
    first, second = asked
    assert first == {"since": 1_000, "limit": 2}
    assert second["limit"] == 25
    lost_ms = (
        next(event.at for event in events if isinstance(event, Status) and event.status == "CLOSED") // 1000
    )
    assert 0 <= lost_ms - 60_000 - second["since"] < PATIENCE * 1000
    assert not any("is lost" in (event.reason or "") for event in events if isinstance(event, Status))


def gaps(events: list[Event]) -> list[Gap]:
    return [event for event in events if isinstance(event, Gap)]


def gap_of(settings: TopicSettings, *, replayed: int = 0) -> Gap:
    """The gap of an outage after which the server replays so many messages; the first one is known."""
    joins = 0

    async def script(peer: Peer) -> None:
        nonlocal joins
        await peer.accept_join()
        joins += 1
        if joins == 1:
            await say(peer, "e", {"n": 0}, meta={"id": "0"})
            await peer.connection.close(1012)
        for n in range(replayed):
            await say(peer, "e", {"n": n}, meta={"id": str(n), "replayed": True})
        await peer.until_closed()

    async def main() -> Gap:
        timing = Timing(first_pause=0.01, gathering=0.05)
        async with entered(script, settings, policy=Policy(), timing=timing) as watch:
            events = await watch.until(lambda events: bool(gaps(events)))
            (gap,) = gaps(events)
            ends = [event.at for event in events if isinstance(event, Status) and event.status == "READY"]
            assert gap.start < gap.end
            assert gap.end >= ends[-1]
            return gap

    return asyncio.run(main())


PAST = Replay(since=1_000, limit=2)


@pytest.mark.parametrize(
    ("settings", "replayed", "recovered", "is_complete", "words"),
    [
        (TopicSettings(topic="room"), 0, 0, False, "closed the connection"),
        (TopicSettings(topic="room", events=(), has_presence=True), 0, 0, False, "closed the connection"),
        (
            TopicSettings(topic="room", is_private=True, replay=PAST),
            0,
            0,
            True,
            "only what was stored is replayed",
        ),
        (
            TopicSettings(topic="room", is_private=True, replay=PAST),
            24,
            23,
            True,
            "only what was stored is replayed",
        ),
        (TopicSettings(topic="room", is_private=True, replay=PAST), 25, 24, False, "25 messages at most"),
    ],
    ids=["broadcasts", "presence", "nothing was sent", "all was replayed", "a full replay"],
)
def test_an_outage_of_a_topic_is_a_gap(
    settings: TopicSettings, replayed: int, recovered: int, words: str, *, is_complete: bool
) -> None:
    gap = gap_of(settings, replayed=replayed)
    assert (gap.tables, gap.topics) == ([], ["room"])
    assert (gap.recovered, gap.complete) == (recovered, is_complete)
    assert words in gap.cause


def test_an_outage_that_lasts_until_the_end_is_a_gap_too() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept_join()
        await peer.connection.close(1012)

    async def main() -> list[Event]:
        events: list[Event] = []
        async with scripted_server(script) as url:
            live = Live(
                Session(Endpoint(url=url, key="key")),
                (),
                settings=TopicSettings(topic="room"),
                policy=Policy(),
            )
            async with live as batches:
                async for batch in batches:
                    events += batch
                    if "CLOSED" in statuses(events):
                        break
            async for batch in batches:
                events += batch
        return events

    (gap,) = gaps(asyncio.run(main()))
    assert gap.topics == ["room"]
    assert "the watch ended before" in gap.cause


def test_a_topic_without_broadcasts_and_presence_has_no_gap() -> None:
    joins = 0

    async def script(peer: Peer) -> None:
        nonlocal joins
        await peer.accept_join()
        joins += 1
        if joins == 1:
            await peer.connection.close(1012)
        await peer.until_closed()

    async def main() -> list[Event]:
        async with entered(script, TopicSettings(topic="room", events=()), policy=Policy()) as watch:
            await watch.until_ready(2)
            return watch.events

    assert gaps(asyncio.run(main())) == []
