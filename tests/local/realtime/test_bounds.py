"""What one client can take of Realtime. The limits are the real server's, or documented as our own."""

from __future__ import annotations

import asyncio
import gc
import json
import struct
from functools import partial
from typing import Any

import pytest

from prt.local.postgres.session import Connection, Session, Sessions
from prt.local.realtime import Settings
from prt.local.realtime.changes.decoding import replication
from prt.local.realtime.channels import connection as connection_module
from prt.local.realtime.channels import presence
from prt.local.realtime.protocol import frames
from prt.postgres import pgoutput
from prt.postgres.pgoutput import UNCHANGED, Shortened, shortened
from tests.local.realtime.channels.test_presence import OK, TOPIC, called, entered, tracked
from tests.local.realtime.serving import Backend, Running
from tests.local.realtime.test_service import TODOS, run
from tests.running import PATIENCE


def test_a_socket_has_a_hundred_channels(backend: Backend) -> None:
    """`limit_channels`, at the real server's own number, without a plan."""

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            for number in range(connection_module.MOST_CHANNELS):
                await client.join(f"realtime:{number}")
            refused = await client.enter("realtime:more")
            assert refused["response"] == {"reason": "ChannelRateLimitReached: Too many channels"}
            assert (await client.enter("realtime:0"))["status"] == "ok"  # a topic again is none more

    run(backend, scenario)


def test_a_socket_that_rejoins_without_end_is_closed_and_no_other(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`limit_joins`: 1001 behind the refusal."""

    async def scenario(running: Running) -> None:
        async with running.client() as good, running.client() as hostile:
            for number in range(6):
                answer = await hostile.enter("realtime:a")
                assert answer["status"] == "ok"
                if number:
                    await hostile.expect("phx_close")
            answer = await hostile.enter("realtime:a")
            assert answer["response"] == {"reason": "ClientJoinRateLimitReached: Too many joins per second"}
            assert await hostile.closed() == connection_module.GOING_AWAY
            await good.join("realtime:a")

    monkeypatch.setattr(connection_module, "MOST_JOINS", 6 / PATIENCE)
    run(backend, scenario, Settings(rate_seconds=PATIENCE))


@pytest.mark.parametrize(
    "payload",
    [
        {"x": [[]] * (frames.MOST_CONTAINERS + 1)},
        {"x": [{}] * (frames.MOST_CONTAINERS + 1)},
        {f"name {number}": 0 for number in range(frames.MOST_NAMES + 1)},
    ],
    ids=["lists", "objects", "names"],
)
def test_a_frame_that_takes_too_long_to_be_read_closes_its_socket(
    backend: Backend, payload: dict[str, Any]
) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as good, running.client() as hostile:
            await good.join(TOPIC)
            await hostile.join(TOPIC)
            await hostile.push(TOPIC, "broadcast", payload)
            assert await hostile.closed() == connection_module.TOO_BIG
            await good.expect_nothing_more()

    run(backend, scenario)


def test_a_large_frame_of_ordinary_values_is_none_of_these() -> None:
    rows = [{"id": number, "title": "Hang the truss", "done": False} for number in range(40_000)]
    assert not frames.is_too_complex(json.dumps({"x": rows, "numbers": list(range(100_000))}))
    assert not frames.is_too_complex(b"[" * 1000)


def test_who_joins_a_crowded_topic_gets_a_state_that_a_client_can_read(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that track much the one goes that tracks most, and nobody who tracks little."""
    monkeypatch.setattr(presence, "LARGEST_STATE", 3000)

    async def scenario(running: Running) -> None:
        async with running.client() as good, running.client() as one, running.client() as other:
            await entered(good, "good")
            await tracked(good, x="small")
            for client, size in ((one, 1000), (other, 1900)):
                await entered(client, str(size))
                assert await called(client, "track", payload={"x": "x" * size}) == OK
                await client.expect("presence_diff")
                await good.expect("presence_diff")
            await one.expect("presence_diff")
            # A newcomer that is the largest goes itself, and the others stay.
            async with running.client() as third:
                await entered(third, "third")
                await third.push(TOPIC, "presence", {"event": "track", "payload": {"x": "x" * 2000}}, "1")
                assert (await third.expect("system"))["message"] == "Track message size exceeded"
                await third.expect("phx_close")
            # Who tracks little takes the place of the one that tracks most.
            async with running.client() as fourth:
                assert len(json.dumps(await entered(fourth, "fourth"))) < 4000
                await fourth.push(TOPIC, "presence", {"event": "track", "payload": {"x": "x" * 500}}, "1")
                assert (await other.expect("system"))["message"] == "Track message size exceeded"
                await other.expect("phx_close")
            async with running.client() as late:
                state = await entered(late, "late")
                assert {"good", "1000"} <= set(state)
                assert "1900" not in state

    run(backend, scenario)


def test_to_track_anew_counts_once(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "LARGEST_STATE", 1000)

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await entered(client)
            for letter in "ab":
                await tracked(client, x=letter * 900)

    run(backend, scenario)


def change(*values: str | None, old: tuple[str | None, ...] | None = None) -> bytes:
    """Return a change as pgoutput words it."""

    def row(kind: bytes, found: tuple[str | None, ...]) -> bytes:
        parts = [
            b"n" if value is None else b"t" + struct.pack("!I", len(value)) + value.encode()
            for value in found
        ]
        return kind + struct.pack("!H", len(found)) + b"".join(parts)

    head = struct.pack("!I", 7)
    if old is None:
        return b"I" + head + row(b"N", values)
    return b"U" + head + row(b"O", old) + row(b"N", values)


def test_a_change_loses_its_longest_values_alone() -> None:
    long = "x" * 50
    for data in (change("1", long, None, "end"), change("1", long, "2", old=("1", long, None))):
        short = shortened(memoryview(data), 40)
        assert isinstance(short, Shortened)
        whole, left = pgoutput.decode(data), pgoutput.decode(short)
        assert isinstance(whole, pgoutput.Change)
        assert isinstance(left, pgoutput.Change)
        for row, kept in ((whole.new, left.new), (whole.old, left.old)):
            expected = None if row is None else [UNCHANGED if value == long else value for value in row]
            assert kept == expected
    assert type(shortened(memoryview(change("1", "x")), 40)) is bytes
    assert type(shortened(memoryview(b"B" + b"x" * 50), 40)) is bytes


def test_a_value_that_became_megabytes_holds_up_nobody_and_is_left_out(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pg_big`, for a value that isn't even copied. Another client's filter on it finds nothing."""
    monkeypatch.setattr(replication, "LONGEST_VALUE", 2_000_000)

    async def scenario(running: Running) -> None:
        async with running.client() as all_of_it, running.client() as some:
            await all_of_it.subscribe("realtime:a", TODOS)
            await some.subscribe("realtime:a", {**TODOS, "filter": "task=like.x%"})
            backend.sql.execute("insert into todos (task) values (repeat('x', 3000000))")
            backend.sql.execute("insert into todos (task) values ('xyz')")
            first, second = await all_of_it.changes(2)
            assert first["errors"] == ["Error 413: Payload Too Large"]
            assert "task" not in first["record"]
            assert second["record"]["task"] == "xyz"
            assert [found["record"]["task"] for found in await some.changes(1)] == ["xyz"]

    run(backend, scenario)


def test_the_error_of_work_for_somebody_who_left_is_not_called_a_bug(backend: Backend) -> None:
    """A client may leave while its binding is refused. Python reports an error that nobody has looked at."""
    reported: list[dict[str, Any]] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        sessions = Sessions(partial(Session, backend.conninfo, "prt_test", statement_seconds=60.0), 1)
        asked, gate = asyncio.Event(), asyncio.Event()

        async def work(_: Connection) -> None:
            asked.set()
            await gate.wait()
            raise ValueError("refused")

        leaving = asyncio.create_task(sessions.finish(work))
        await asked.wait()
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        gate.set()
        with pytest.raises(ValueError, match="refused"):
            await sessions.finish(work)
        await sessions.close()

    asyncio.run(scenario())
    gc.collect()
    assert reported == []


def test_what_is_short_is_finished_for_nobody_rather_than_broken_off(backend: Backend) -> None:
    """A client that rejoins without end would cost a new connection to PostgreSQL each time."""

    async def scenario() -> None:
        sessions = Sessions(partial(Session, backend.conninfo, "prt_test", statement_seconds=60.0), 1)
        asked, gate, pids = asyncio.Event(), asyncio.Event(), []

        async def work(connection: Connection) -> None:
            pids.append(connection.info.backend_pid)
            asked.set()
            await gate.wait()
            pids.append((await (await connection.execute("select pg_backend_pid()")).fetchall())[0][0])

        leaving = asyncio.create_task(sessions.finish(work))
        await asked.wait()
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        waiting = asyncio.create_task(sessions.finish(work))
        gate.set()
        await waiting
        await sessions.close()
        assert len(pids) == 4
        assert len(set(pids)) == 1

    asyncio.run(scenario())
