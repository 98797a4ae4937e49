"""The live source against a scripted server: joins, READY, refusals, ends, and a server that misbehaves.

The hazards of the SDK that `prt/stream/socket/client.py` guards against each have their test here.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from itertools import groupby
from typing import Any

import jwt
import pytest
from websockets.frames import Frame, Opcode

from prt.errors import ProtocolError, PrtError, UnreachableError
from prt.events import Change, Event, Gap, Malformed, Status, Vitals
from prt.stream.binding import Binding
from prt.stream.live import source
from prt.stream.live.source import Live
from prt.stream.live.supervisor import Policy
from prt.stream.recovery.backfill import Recovery
from prt.stream.recovery.gaps import Accounting
from prt.stream.recovery.options import Options
from prt.stream.rest.session import Endpoint, Session
from prt.stream.socket.queue import EventQueue
from prt.stream.timing import Timing
from tests.fakes import SUBSCRIBED, Peer, Script, change_data, scripted_server
from tests.running import PATIENCE

TODOS = [Binding(table="todos")]
NO_RECONNECT = Policy(max_reconnects=0)
HURRIED = Timing(first_pause=0.01)


class Clock:
    """Stands for `time` where the source reads it; what a first connection may take can pass at once."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(source, "time", clock)
    return clock


async def watched(
    script: Script,
    bindings: list[Binding] | None = None,
    *,
    until: Callable[[list[Event]], bool] = lambda _: False,
    refuse: tuple[int, str] | None = None,
    queue: EventQueue | None = None,
    policy: Policy = NO_RECONNECT,
    timing: Timing | None = None,
) -> tuple[list[Event], PrtError | None]:
    """All events until `until` holds or the source raises, and what it raised."""
    events: list[Event] = []
    async with scripted_server(script, refuse=refuse) as url:
        session = Session(Endpoint(url=url, key="key", token="token"))
        wanted = TODOS if bindings is None else bindings
        async with Live(session, wanted, policy=policy, queue=queue, timing=timing) as batches:
            try:
                async with asyncio.timeout(PATIENCE):
                    async for batch in batches:
                        events += [event for event in batch if not isinstance(event, Vitals)]
                        if until(events):
                            return events, None
            except PrtError as exc:
                return events, exc
    return events, None


def run(
    script: Script, bindings: list[Binding] | None = None, **more: Any
) -> tuple[list[Event], PrtError | None]:
    return asyncio.run(watched(script, bindings, **more))


def statuses(events: list[Event]) -> list[str]:
    return [event.status for event in events if isinstance(event, Status)]


def changes(events: list[Event]) -> list[Change]:
    return [event for event in events if isinstance(event, Change)]


def has_change(events: list[Event]) -> bool:
    return any(isinstance(event, Change) for event in events)


def test_join_ready_and_changes_in_order() -> None:
    joins: list[Any] = []

    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        joins.append((peer.path, frame))
        await peer.change(frame[2], record={"id": 7})
        await peer.until_closed()

    bindings = [
        Binding(table="todos", event="INSERT", filter="id=eq.7"),
        Binding(table="*", schema="other"),
        Binding(table="notes", select=("id", "text")),
    ]
    events, error = run(script, bindings, until=has_change)
    assert error is None
    assert statuses(events) == ["SUBSCRIBED", "READY"]
    (change,) = changes(events)
    assert (change.topic, change.new_row()) == ("prt-watch", {"id": 7})
    ((path, join),) = joins
    assert "apikey=key" in path
    assert join[4]["access_token"] == "token"
    assert join[4]["config"]["postgres_changes"] == [
        {"event": "INSERT", "schema": "public", "table": "todos", "filter": "id=eq.7"},
        {"event": "*", "schema": "other", "table": "*"},
        {"event": "*", "schema": "public", "table": "notes", "select": ["id", "text"]},
    ]


def test_the_channel_is_left_and_the_socket_closed_at_the_end() -> None:
    farewell: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.accept()
        farewell.append((await peer.receive())[3])
        await peer.connection.wait_closed()
        farewell.append(str(peer.connection.close_code))

    run(script, until=lambda events: "READY" in statuses(events))
    assert farewell == ["phx_leave", "1000"]


def test_ready_waits_for_the_system_message() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept_join()
        await peer.change(frame[2])
        await peer.system(frame, SUBSCRIBED)
        await peer.until_closed()

    events, _ = run(script, until=lambda events: "READY" in statuses(events))
    kinds = [event.status if isinstance(event, Status) else "change" for event in events]
    assert kinds == ["SUBSCRIBED", "change", "READY"]


def test_vsn_1_is_spoken_where_2_is_refused() -> None:
    async def main() -> list[Event]:
        paths: list[str] = []

        async def script(peer: Peer) -> None:
            paths.append(peer.path)
            frame = await peer.accept()
            await peer.change(frame[2])
            await peer.until_closed()

        events: list[Event] = []
        async with (
            scripted_server(script, refuse=(403, ""), refuse_only="vsn=2.0.0") as url,
            Live(Session(Endpoint(url=url, key="key")), TODOS) as batches,
        ):
            async for batch in batches:
                events += batch
                if has_change(events):
                    break
        assert ["vsn=1.0.0" in path for path in paths] == [True]
        return events

    assert statuses(asyncio.run(main())) == ["SUBSCRIBED", "READY"]


@pytest.mark.parametrize(
    ("status", "body", "error", "exit_code"),
    [
        (401, '{"error":"Failed to validate JWT signature"}', PrtError, 3),
        (404, '{"error":"Tenant not found"}', PrtError, 4),
        (403, '{"error":"Realtime was disabled for this tenant"}', PrtError, 4),
        (400, "no", PrtError, 5),
    ],
)
def test_a_refused_handshake_is_final(status: int, body: str, error: type[PrtError], exit_code: int) -> None:
    async def never(_: Peer) -> None:
        raise AssertionError("no handshake was accepted")

    events, raised = run(never, refuse=(status, body))
    assert events == []
    assert isinstance(raised, error)
    assert raised.exit_code == exit_code
    assert raised.hint


def test_a_refused_connection_is_reported_at_once_and_ends_as_unreachable(clock: Clock) -> None:
    async def main() -> tuple[list[Event], PrtError | None]:
        async with scripted_server(Peer.until_closed) as url:
            pass
        events: list[Event] = []
        try:
            session = Session(Endpoint(url=url, key="key"))
            async with Live(session, TODOS, timing=HURRIED) as batches:
                async for batch in batches:
                    events += batch
                    # The time is up once it was said.
                    clock.ahead = 60.0 if statuses(events) else 0.0
        except UnreachableError as exc:
            return events, exc
        return events, None

    events, error = asyncio.run(main())
    assert statuses(events) == ["CHANNEL_ERROR"]
    assert error is not None
    assert "can't connect to 127.0.0.1" in error.message
    assert "key" not in error.message


def test_a_server_that_speaks_something_else_is_a_protocol_error() -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"220 mail.example.com ESMTP\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            async with Live(Session(Endpoint(url=f"http://127.0.0.1:{port}", key="key")), TODOS) as batches:
                async for _ in batches:
                    pass
        finally:
            server.close()

    with pytest.raises(ProtocolError):
        asyncio.run(main())


def refusing(*bad: str) -> Script:
    """A server that refuses a join which binds any of `bad`, naming it as the real one does."""

    async def script(peer: Peer) -> None:
        while True:
            frame = await peer.accept_join()
            tables = [binding["table"] for binding in frame[4]["config"]["postgres_changes"]]
            named = next((table for table in tables if table in bad), None)
            if named is None:
                await peer.system(frame, SUBSCRIBED)
                await peer.change(frame[2], table=tables[0])
                await peer.until_closed()
                return
            message = (
                "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for "
                f"the given connect parameters: [event: *, schema: public, table: {named}, filters: [], "
                "select: nil]"
            )
            await peer.system(frame, message, "error")

    return script


def test_the_good_bindings_stream_and_the_bad_ones_are_named() -> None:
    bindings = [Binding(table=table) for table in ("a", "b", "c", "d", "e")]
    events, error = run(refusing("b", "d"), bindings, until=has_change)
    assert error is None
    refused = [e for e in events if isinstance(e, Status) and e.status == "CHANNEL_ERROR"]
    assert [(status.tables, status.hint) for status in refused] == [
        (["public.b"], "alter publication supabase_realtime add table public.b;"),
        (["public.d"], "alter publication supabase_realtime add table public.d;"),
    ]
    ready = [e for e in events if isinstance(e, Status) and e.status == "READY"]
    assert [status.tables for status in ready] == [["public.a", "public.c", "public.e"]]


def test_a_watch_of_which_no_binding_is_left_ends_as_refused() -> None:
    events, error = run(refusing("a", "b"), [Binding(table="a"), Binding(table="b")])
    assert isinstance(error, UnreachableError)
    assert "all 2 subscriptions were refused" in error.message
    assert "READY" not in statuses(events)
    _, error = run(refusing("a"), [Binding(table="a")])
    assert error is not None
    assert error.hint == "alter publication supabase_realtime add table public.a;"


def test_a_refused_join_ends_with_the_servers_words() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.receive()
        await peer.reply(frame, {"reason": "InvalidJWTToken: Token has expired 5 seconds ago"}, "error")
        await peer.until_closed()

    events, error = run(script)
    assert error is not None
    assert error.exit_code == 3
    assert "Token has expired 5 seconds ago" in error.message
    assert statuses(events) == ["CHANNEL_ERROR"]


def test_a_join_that_is_never_answered_times_out(clock: Clock) -> None:
    async def script(peer: Peer) -> None:
        clock.ahead = 60
        await peer.until_closed()

    events, error = run(script, timing=Timing(join=0.4))
    assert isinstance(error, UnreachableError)
    assert statuses(events) == ["TIMED_OUT"]


def test_a_join_that_never_becomes_ready_times_out(clock: Clock) -> None:
    async def script(peer: Peer) -> None:
        clock.ahead = 60
        await peer.accept_join()
        await peer.until_closed()

    events, error = run(script, timing=Timing(join=0.4))
    assert isinstance(error, UnreachableError)
    assert statuses(events) == ["SUBSCRIBED", "TIMED_OUT"]


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012])
def test_a_closed_connection_is_reported_with_its_code(code: int) -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        await peer.change(frame[2])
        await peer.connection.close(code)

    events, error = run(script)
    assert statuses(events) == ["SUBSCRIBED", "READY", "CLOSED"]
    assert len(changes(events)) == 1
    assert isinstance(error, UnreachableError)
    assert f"({code})" in error.message


def test_a_cut_connection_ends_as_unreachable() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.connection.transport.abort()

    events, error = run(script)
    assert statuses(events) == ["SUBSCRIBED", "READY", "CLOSED"]
    assert isinstance(error, UnreachableError)


def test_heartbeats_without_an_answer_mean_a_dead_link() -> None:
    refs: list[Any] = []

    async def script(peer: Peer) -> None:
        await peer.accept()
        while True:
            frame = json.loads(await peer.connection.recv())
            if frame[3] == "heartbeat":
                refs.append(frame[1])

    events, error = run(script, timing=Timing(heartbeat=0.25))
    assert statuses(events)[-1] == "TIMED_OUT"
    assert isinstance(error, UnreachableError)
    assert "heartbeat" in error.message
    assert len(refs) == len(set(refs)) == 2


def test_answered_heartbeats_keep_it_up_and_are_timed() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        for _ in range(4):
            beat = json.loads(await peer.connection.recv())
            await peer.send(None, beat[1], "phoenix", "phx_reply", {"status": "ok", "response": {}})
        await peer.change(frame[2])
        await peer.until_closed()

    async def main() -> list[Vitals]:
        async with (
            scripted_server(script) as url,
            Live(Session(Endpoint(url=url, key="key")), TODOS, timing=Timing(heartbeat=0.25)) as batches,
        ):
            events: list[Event] = []
            async for batch in batches:
                events += batch
                if has_change(batch):
                    break
            return [event for event in events if isinstance(event, Vitals)]

    vitals = asyncio.run(main())
    # One that is late on a busy machine shows as degraded until the next.
    phases = [phase for phase, _ in groupby(one.phase for one in vitals if one.phase != "degraded")]
    assert phases == ["connecting", "joining", "subscribed", "ready"]
    assert vitals[-1].round_trip_ms is not None
    assert vitals[-1].round_trip_ms > 0
    assert vitals[-1].phase == "ready"


def test_a_token_that_expires_ends_the_watch_as_refused() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        await peer.system(frame, "Token has expired 0 seconds ago", "error")
        await peer.send(frame[0], frame[0], frame[2], "phx_close", {})
        await peer.until_closed()

    events, error = run(script)
    assert error is not None
    assert error.exit_code == 3
    assert statuses(events) == ["SUBSCRIBED", "READY", "CHANNEL_ERROR"]


def test_a_crashed_channel_ends_the_watch() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        await peer.send(frame[0], frame[0], frame[2], "phx_error", {})
        await peer.until_closed()

    events, error = run(script)
    assert statuses(events) == ["SUBSCRIBED", "READY", "CHANNEL_ERROR"]
    assert error is not None
    assert error.exit_code == 4
    assert "crashed" in error.message


def test_a_stale_close_of_a_former_join_is_dropped() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        await peer.send("99", "99", frame[2], "phx_close", {})
        await peer.change(frame[2])
        await peer.until_closed()

    events, error = run(script, until=has_change)
    assert error is None
    assert statuses(events) == ["SUBSCRIBED", "READY"]


def test_frames_that_cannot_be_read_are_events_and_the_stream_goes_on() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        await peer.raw("garbage")
        await peer.raw(b"\xff\xfe")
        await peer.send(frame[0], None, frame[2], "system", {"status": 5})
        await peer.send(frame[0], "999", frame[2], "phx_reply", "not a reply")
        await peer.change(frame[2])
        await peer.until_closed()

    events, error = run(script, until=has_change)
    assert error is None
    assert sum(isinstance(event, Malformed) for event in events) == 4


def test_changes_that_the_sdk_would_drop_arrive() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        await peer.change(frame[2], record={}, commit_timestamp=None, errors=["Error 401: Unauthorized"])
        await peer.send(
            None, None, frame[2], "system", {"message": "Server requested disconnect", "status": "ok"}
        )
        await peer.change(frame[2])
        await peer.until_closed()

    events, error = run(script, until=lambda events: len(changes(events)) == 2)
    assert error is None
    assert changes(events)[0].errors == ["Error 401: Unauthorized"]


def test_a_frame_of_five_megabytes_arrives_with_its_neighbours() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        await peer.change(frame[2], record={"id": 1})
        await peer.change(frame[2], record={"id": 2, "body": "x" * 5_000_000})
        await peer.change(frame[2], record={"id": 3})
        await peer.until_closed()

    events, error = run(script, until=lambda events: len(changes(events)) == 3)
    assert error is None
    assert [change.new_row()["id"] for change in changes(events)] == [1, 2, 3]


def test_a_slow_reader_holds_up_the_server_and_loses_nothing() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        for n in range(3_000):
            await peer.change(frame[2], record={"id": n, "body": "x" * 1000})
        await peer.until_closed()

    async def main() -> list[Event]:
        events: list[Event] = []
        async with scripted_server(script) as url:
            queue = EventQueue(max_events=100)
            async with Live(Session(Endpoint(url=url, key="key")), TODOS, queue=queue) as batches:
                async for batch in batches:
                    # What one read of the socket held, 256 KiB at most, comes on top of the bound.
                    assert len(batch) <= 100 + 256
                    events += batch
                    if len(changes(events)) == 3_000:
                        return events
        return events

    events = asyncio.run(main())
    assert [change.new_row()["id"] for change in changes(events)] == list(range(3_000))
    assert not any(isinstance(event, Gap) for event in events)


def test_the_numbers_of_a_change_are_not_touched_by_the_sdk() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        data = json.dumps(change_data(record={"n": 0})).replace('{"n": 0}', '{"n": 12345678901234567890.123}')
        await peer.raw(f'[null,null,"{frame[2]}","postgres_changes",{{"data":{data},"ids":[1]}}]')
        await peer.until_closed()

    events, _ = run(script, until=has_change)
    assert bytes(changes(events)[0].new) == b'{"n": 12345678901234567890.123}'


def test_messages_arrive_whole_however_they_are_cut() -> None:
    """Fragments, pings between them, frames in one packet or a byte at a time, short and long headers."""

    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        topic = frame[2]

        def text(n: int, size: int) -> str:
            data = change_data(record={"id": n, "body": "x" * size})
            return json.dumps([None, None, topic, "postgres_changes", {"data": data, "ids": [1]}])

        def whole(n: int, size: int) -> bytes:
            return Frame(Opcode.TEXT, text(n, size).encode()).serialize(mask=False)

        async def parts(message: str) -> AsyncIterator[str]:
            for start in range(0, len(message), 100):
                yield message[start : start + 100]

        transport = peer.connection.transport
        transport.write(whole(1, 1) + whole(2, 500) + whole(3, 70_000))
        await peer.connection.send(parts(text(4, 1000)))
        transport.write(Frame(Opcode.PING, b"beat").serialize(mask=False) + whole(5, 1))
        for byte in whole(6, 200):
            transport.write(bytes([byte]))
            await asyncio.sleep(0)
        transport.write(whole(7, 1_200_000) + whole(8, 1))
        await peer.until_closed()

    events, error = run(script, until=lambda events: len(changes(events)) == 8)
    assert error is None
    assert [change.new_row()["id"] for change in changes(events)] == list(range(1, 9))
    assert not any(isinstance(event, Malformed) for event in events)


def test_a_masked_frame_of_a_server_closes_the_connection_as_the_library_does() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.connection.transport.write(Frame(Opcode.TEXT, b"{}").serialize(mask=True))
        await peer.until_closed()

    events, error = run(script)
    assert isinstance(error, UnreachableError)
    assert statuses(events)[-1] == "CLOSED"


def test_after_a_loss_it_reconnects_and_reports_what_may_be_missing() -> None:
    connections: list[Peer] = []

    async def script(peer: Peer) -> None:
        connections.append(peer)
        frame = await peer.accept()
        await peer.change(frame[2], record={"id": len(connections)})
        if len(connections) < 3:
            await peer.connection.close(1012)
        await peer.until_closed()

    events, error = run(
        script, until=lambda events: len(changes(events)) == 3, policy=Policy(), timing=HURRIED
    )
    assert error is None
    once = ["SUBSCRIBED", "READY"]
    assert statuses(events) == [*once, "CLOSED", *once, "CLOSED", *once]
    found = [event for event in events if isinstance(event, Gap)]
    assert len(found) == 2
    for gap in found:
        assert gap.start < gap.end
        assert gap.tables == ["public.todos"]
        assert "(1012)" in gap.cause
        assert not gap.complete


def test_reconnects_are_bounded_where_asked() -> None:
    seen = 0

    async def script(peer: Peer) -> None:
        nonlocal seen
        seen += 1
        await peer.accept()
        await peer.connection.close(1001)

    events, error = run(script, policy=Policy(max_reconnects=2), timing=HURRIED)
    assert seen == 3
    assert isinstance(error, UnreachableError)
    assert [event.cause for event in events if isinstance(event, Gap)][-1].endswith(
        "before that was recovered"
    )


def test_a_loss_at_the_end_is_a_gap_too() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        peer.connection.transport.abort()

    events, error = run(script)
    assert isinstance(error, UnreachableError)
    assert [type(event) for event in events][-1] is Gap


def test_a_second_subscribed_that_nobody_asked_for_is_a_gap() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        await peer.change(frame[2])
        await peer.system(frame, SUBSCRIBED)
        await peer.change(frame[2])
        await peer.until_closed()

    events, error = run(script, until=lambda events: len(changes(events)) == 2)
    assert error is None
    (gap,) = [event for event in events if isinstance(event, Gap)]
    assert "subscribed anew by itself" in gap.cause


def test_rows_that_the_server_cut_are_a_gap_of_their_table() -> None:
    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        for _ in range(3):
            await peer.change(frame[2], record={"id": 1}, errors=["Error 413: Payload Too Large"])
        await peer.until_closed()

    events, _ = run(script, until=lambda events: any(isinstance(event, Gap) for event in events))
    (gap,) = [event for event in events if isinstance(event, Gap)]
    assert (gap.tables, gap.cause) == (["public.todos"], "the server cut rows above 1 MiB")


def jwt_of(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "a secret that is long enough for HS256")


def test_a_token_is_renewed_ahead_and_its_answer_is_no_gap() -> None:
    pushes: list[str] = []

    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        push = await peer.receive()
        pushes.append(push[4]["access_token"])
        await peer.system(frame, SUBSCRIBED)
        await peer.change(frame[2])
        await peer.until_closed()

    async def main() -> list[Event]:
        now = time.time()
        old = jwt_of({"role": "authenticated", "iat": now - 100, "exp": now + 49})
        new = jwt_of({"role": "anon", "iat": now, "exp": now + 3600})
        events: list[Event] = []
        async with scripted_server(script) as url:

            async def renew() -> Endpoint:
                return Endpoint(url=url, key="key", token=new)

            session = Session(Endpoint(url=url, key="key", token=old), renew)
            async with Live(session, TODOS) as batches:
                async for batch in batches:
                    events += batch
                    if has_change(batch):
                        break
        assert pushes == [new]
        return events

    events = asyncio.run(main())
    assert not any(isinstance(event, Gap) for event in events)
    (emitted,) = [event for event in events if isinstance(event, Status) and event.reason]
    assert emitted.reason == "the token's role changed from authenticated to anon"
    expiries = [event.token_expires_at for event in events if isinstance(event, Vitals)]
    assert expiries[-1] is not None
    assert expiries[-1] - (expiries[0] or 0) > 3_000_000_000


def test_a_token_that_nobody_can_renew_is_announced_ahead() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.until_closed()

    async def main() -> Status:
        now = time.time()
        token = jwt_of({"role": "authenticated", "iat": now - 3600, "exp": now + 200})
        async with (
            scripted_server(script) as url,
            Live(Session(Endpoint(url=url, key="key", token=token)), TODOS) as batches,
        ):
            async for batch in batches:
                for event in batch:
                    if isinstance(event, Status) and event.reason:
                        return event
        raise AssertionError

    emitted = asyncio.run(main())
    assert emitted.connection == "connected"
    assert emitted.reason == "the token expires in 3 min and can't be renewed"
    assert emitted.hint


def test_an_unreadable_broadcast_is_no_lost_change(monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[None] = []
    monkeypatch.setattr(Accounting, "unreadable", lambda _: lost.append(None))

    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        head = f'{{"ref":null,"event":"broadcast","topic":"{frame[2]}"'
        await peer.raw(head + ',"payload":{"event":"bad","payload":{"x":,"type":"broadcast"}}')
        await peer.raw("garbage")
        change = {"data": change_data(), "ids": [1]}
        mixed = {"ref": None, "event": "postgres_changes", "topic": frame[2], "payload": change}
        await peer.raw(json.dumps(mixed))
        await peer.until_closed()

    events, _ = run(script, until=has_change)
    assert sum(isinstance(event, Malformed) for event in events) == 2
    assert len(lost) == 1


@pytest.mark.parametrize(
    ("token", "what"), [("expired", "the token has expired"), (None, "the project's key has expired")]
)
def test_an_expired_token_is_not_shown_to_the_server(token: str | None, what: str) -> None:
    """It would answer a join only after 5 s."""
    stale = jwt.encode({"role": "anon", "exp": int(time.time()) - 60}, "a secret of nobody, thirty-two bytes")

    async def script(peer: Peer) -> None:
        raise AssertionError

    async def main() -> PrtError | None:
        async with scripted_server(script, refuse=(418, "I'm a teapot")) as url:
            session = Session(Endpoint(url=url, key=stale, token=token and stale))
            try:
                async with Live(session, TODOS) as batches, asyncio.timeout(PATIENCE):
                    async for _ in batches:
                        pass
            except PrtError as exc:
                return exc
        return None

    error = asyncio.run(main())
    assert error is not None
    assert (error.message, error.exit_code) == (what, 3)
    assert error.hint


def test_an_expired_token_is_renewed_and_the_watch_goes_on() -> None:
    tokens: list[str] = []

    async def script(peer: Peer) -> None:
        frame = await peer.accept()
        tokens.append(frame[4]["access_token"])
        if len(tokens) == 1:
            await peer.system(frame, "Token has expired 0 seconds ago", "error")
            await peer.send(frame[0], frame[0], frame[2], "phx_close", {})
        else:
            await peer.change(frame[2])
        await peer.until_closed()

    async def main() -> list[Event]:
        events: list[Event] = []
        async with scripted_server(script) as url:

            async def renew() -> Endpoint:
                return Endpoint(url=url, key="key", token="fresh")

            session = Session(Endpoint(url=url, key="key", token="stale"), renew)
            async with Live(session, TODOS, timing=HURRIED) as batches:
                async for batch in batches:
                    events += batch
                    if has_change(batch):
                        break
        return events

    events = asyncio.run(main())
    assert tokens == ["stale", "fresh"]
    assert sum(isinstance(event, Gap) for event in events) == 1


# --- bugs of ours


class Failing(Recovery):
    """A recovery with a bug, which fails in a task of the connection that nobody waits for."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.options = Options()
        self.observe = lambda _: None

    async def begin(self, *_: Any) -> None:
        raise self._error


@pytest.mark.parametrize("error", [KeyError("\x1b[31m"), ExceptionGroup("some", [ValueError("x")])], ids=repr)
def test_the_error_of_a_task_ends_the_source(error: Exception) -> None:
    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.until_closed()

    async def main() -> None:
        async with asyncio.timeout(PATIENCE), scripted_server(script) as url:
            session = Session(Endpoint(url=url, key="key", token="token"))
            async with Live(session, TODOS, policy=NO_RECONNECT, recovery=Failing(error)) as batches:
                async for _ in batches:
                    pass

    with pytest.raises(type(error)) as caught:
        asyncio.run(main())
    assert caught.value is error


def refusal_of(table: str) -> str:
    return (
        "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the "
        f"given connect parameters: [event: *, schema: public, table: {table}, filters: [], select: []]"
    )


def test_a_table_that_left_the_publication_is_joined_again_beside_its_neighbours() -> None:
    """As recorded in publication_table_removed_and_added: the server itself never joins it again."""
    both = [Binding(table="todos"), Binding(table="notes")]
    sockets = asked = 0

    async def script(peer: Peer) -> None:
        nonlocal sockets, asked
        sockets += 1
        if sockets == 1:
            frame = await peer.accept()
            await peer.system(frame, refusal_of("notes"), "error")
            await peer.system(frame, refusal_of("notes"), "error")
            await peer.until_closed()
        while True:
            frame = await peer.accept_join()
            tables = [one["table"] for one in frame[4]["config"]["postgres_changes"]]
            if "again" in frame[2]:
                asked += 1
            if "notes" not in tables:
                await peer.system(frame, SUBSCRIBED)
            elif asked < 3:
                # One for each binding, as the server says it.
                await peer.system(frame, refusal_of("notes"), "error")
                await peer.system(frame, refusal_of("notes"), "error")
            else:
                await peer.system(frame, SUBSCRIBED)
                await peer.change(frame[2], table="notes")
                await peer.change("realtime:prt-watch", table="todos")

    def is_whole(events: list[Event]) -> bool:
        changes = [event.table for event in events if isinstance(event, Change)]
        return {"notes", "todos"} <= set(changes)

    timing = Timing(first_pause=0.01, longest_pause=0.01)
    events, error = run(script, both, until=is_whole, policy=Policy(), timing=timing)
    assert error is None
    assert (sockets, asked) == (2, 3)
    gaps = [event for event in events if isinstance(event, Gap)]
    of_notes = [gap for gap in gaps if "public.notes" in gap.tables]
    assert len(of_notes) == 2
    assert of_notes[1].tables == ["public.notes"]
    assert of_notes[1].start == of_notes[0].start
    assert of_notes[1].end >= of_notes[0].end
    emitted = [event for event in events if isinstance(event, Status) and event.reason]
    assert [status.tables for status in emitted if status.status == "CHANNEL_ERROR"][-1:] == [
        ["public.notes"]
    ]
    assert (emitted[-1].status, emitted[-1].tables) == ("READY", ["public.notes"])


def test_the_end_of_a_channel_of_its_own_renews_the_connection() -> None:
    both = [Binding(table="todos"), Binding(table="notes")]
    sockets = 0

    async def script(peer: Peer) -> None:
        nonlocal sockets
        sockets += 1
        if sockets == 1:
            frame = await peer.accept()
            await peer.system(frame, refusal_of("notes"), "error")
            await peer.until_closed()
        while True:
            frame = await peer.accept_join()
            tables = [one["table"] for one in frame[4]["config"]["postgres_changes"]]
            is_own = "again" in frame[2]
            if "notes" in tables and sockets == 2 and not is_own:
                await peer.system(frame, refusal_of("notes"), "error")
                continue
            await peer.system(frame, SUBSCRIBED)
            if is_own:
                await peer.system(frame, refusal_of("notes"), "error")
            elif sockets == 3:
                await peer.change(frame[2], table="notes")

    timing = Timing(first_pause=0.01, longest_pause=0.01)
    _, error = run(script, both, until=has_change, policy=Policy(), timing=timing)
    assert (error, sockets) == (None, 3)


def test_a_table_that_stays_away_is_missing_until_the_end() -> None:
    both = [Binding(table="todos"), Binding(table="notes")]
    sockets = 0

    async def script(peer: Peer) -> None:
        nonlocal sockets
        sockets += 1
        if sockets == 1:
            frame = await peer.accept()
            await peer.system(frame, refusal_of("notes"), "error")
            await peer.until_closed()
        while True:
            frame = await peer.accept_join()
            tables = [one["table"] for one in frame[4]["config"]["postgres_changes"]]
            if "notes" in tables:
                await peer.system(frame, refusal_of("notes"), "error")
            else:
                await peer.system(frame, SUBSCRIBED)
                await peer.change(frame[2], table="todos")

    async def main() -> list[Event]:
        events: list[Event] = []
        async with scripted_server(script) as url:
            session = Session(Endpoint(url=url, key="key", token="token"))
            async with Live(session, both, policy=Policy(), timing=HURRIED) as batches:
                async for batch in batches:
                    events += batch
                    if has_change(batch):
                        break
            async for batch in batches:
                events += batch
        return events

    gap = [event for event in asyncio.run(main()) if isinstance(event, Gap)][-1]
    assert gap.tables == ["public.notes"]
    assert not gap.complete
