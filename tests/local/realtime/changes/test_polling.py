"""Polls as the real server makes them: `short_lived_rows`, `silent_filter_blocks`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from prt.local.realtime import Settings
from prt.local.realtime.changes.polling import BACKLOG, Intervals, Poller
from tests.local.realtime.serving import Backend, Client, Running
from tests.local.realtime.test_losses import ids, insert
from tests.local.realtime.test_service import ME, OTHER, TODOS, run

POLLED = Settings(poll_seconds=0.01, longest_poll_seconds=0.01)


def items(table: str) -> dict[str, str]:
    return {"event": "*", "schema": "public", "table": table}


def test_the_pauses_double_while_nothing_comes() -> None:
    intervals = Intervals(0.1, 0.5)
    assert [intervals.after(has_changes=False) for _ in range(5)] == [0.1, 0.2, 0.4, 0.5, 0.5]
    # A row now and then meets the longest pause each time; only a busy database shortens it.
    assert [intervals.after(has_changes=True), intervals.after(has_changes=False)] == [0.0, 0.5]
    assert [intervals.after(has_changes=True), intervals.after(has_changes=True)] == [0.0, 0.0]
    assert intervals.after(has_changes=False) == 0.1


BEGIN, INSERT, COMMIT = b"B", b"I", b"C"


class Polls:
    """What was handed on, poll by poll; `first` is set with the first one."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.first = asyncio.Event()

    async def deliver(self, batch: list[bytes]) -> None:
        self.batches.append(batch)
        self.first.set()


def polled(*messages: list[bytes]) -> list[list[bytes]]:
    """Put messages as they come from the stream, then poll until the first poll that brings nothing."""

    async def main() -> list[list[bytes]]:
        polls = Polls()
        poller = Poller(polls.deliver, lambda: None, Intervals(1e6, 1e6))
        for batch in messages:
            await poller.put(batch)
        running = asyncio.create_task(poller.run())
        await polls.first.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        running.cancel()
        return polls.batches

    return asyncio.run(main())


def test_a_poll_takes_whole_transactions_until_they_are_many_changes() -> None:
    large = [BEGIN, *[INSERT] * 150, COMMIT]
    small = [BEGIN, INSERT, COMMIT]
    assert polled(large, small, small, [BEGIN, INSERT]) == [large, small + small]


def test_a_transaction_in_pieces_is_polled_when_it_is_whole() -> None:
    small = [BEGIN, INSERT, COMMIT]
    assert polled(small, [BEGIN, INSERT], [INSERT, COMMIT]) == [[*small, BEGIN, INSERT, INSERT, COMMIT]]


def test_what_waits_for_a_poll_is_lost_with_its_slot() -> None:
    """The new slot describes all relations anew, after the last poll of the former one."""
    small = [BEGIN, INSERT, COMMIT]
    calls: list[object] = []

    async def main() -> None:
        polls = Polls()
        poller = Poller(polls.deliver, lambda: calls.append("reset"), Intervals(1e6, 1e6))
        await poller.put([*small, BEGIN, INSERT])
        poller.clear()
        await poller.put(small)
        running = asyncio.create_task(poller.run())
        await polls.first.wait()
        running.cancel()
        calls.extend(polls.batches)

    asyncio.run(main())
    assert calls == ["reset", small]


def test_the_stream_waits_where_polls_do_not_keep_up() -> None:
    async def main() -> None:
        polls = Polls()
        poller = Poller(polls.deliver, lambda: None, Intervals(1e6, 1e6))
        putting = asyncio.create_task(poller.put([BEGIN, INSERT + b"x" * BACKLOG, COMMIT]))
        await asyncio.sleep(0)
        assert not putting.done()
        running = asyncio.create_task(poller.run())
        await putting
        running.cancel()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("table", "who", "is_seen"), [("todos", 1, True), ("rls_items", 1, False), ("rls_full", 0, False)]
)
def test_row_security_looks_at_a_row_as_it_is_at_the_poll(
    backend: Backend, table: str, who: int, is_seen: bool
) -> None:
    """Also for service_role, which every policy lets through: the row is gone."""
    column = "task" if table == "todos" else "owner"

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            token = backend.user(who) if who else backend.keys.service_role
            await client.subscribe("realtime:r", items(table), token=token)
            # In one message, so that both are committed before any poll.
            backend.sql.execute(
                f"begin; insert into {table} (id, {column}) values (1, '{ME}'); commit;"
                f"begin; delete from {table} where id = 1; commit;"
            )
            found = [(await client.changes(1))[0]["type"] for _ in range(2 if is_seen else 1)]
            assert found == (["INSERT", "DELETE"] if is_seen else ["DELETE"])
            await client.expect_nothing_more()

    run(backend, scenario, Settings(poll_seconds=0.5))


def test_a_row_that_changes_hands_before_the_poll_shows_its_former_owner_nothing(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:r", items("rls_items"), token=backend.user(1))
            backend.sql.execute(
                f"begin; insert into rls_items (id, owner) values (1, '{ME}'); commit;"
                f"begin; update rls_items set owner = '{OTHER}' where id = 1; commit;"
                f"begin; insert into rls_items (id, owner) values (2, '{ME}'); commit;"
            )
            assert await ids(client, 1) == [2]

    run(backend, scenario, Settings(poll_seconds=0.5))


@pytest.fixture
def structured(backend: Backend) -> Any:
    backend.sql.execute(
        "create extension if not exists hstore with schema extensions;"
        "create type public.tma_pair as (a int, b int);"
        "create table public.tma (id int primary key, ea text[], pa public.tma_pair, hs extensions.hstore);"
        "alter publication supabase_realtime add table public.tma"
    )
    yield
    backend.sql.execute("drop table public.tma; drop type public.tma_pair")


@pytest.mark.parametrize("filter_", ["ea=eq.{sad}", 'pa=eq."(1,2)"', "hs=eq.a=>1"])
@pytest.mark.usefixtures("structured")
def test_another_clients_filter_on_a_structured_column_loses_the_poll_for_everybody(
    backend: Backend, filter_: str
) -> None:
    def write(number: int) -> None:
        with backend.sql.transaction():
            insert(backend, number)
            backend.sql.execute("insert into tma values (%s, array['sad'], row(1, 2), 'a=>1')", [number])

    async def scenario(running: Running) -> None:
        async with running.client() as victim, running.client() as other:
            await victim.subscribe("realtime:t", TODOS)
            await other.subscribe("realtime:arr", {**items("tma"), "filter": filter_})
            write(1)
            await running.delivered()
            insert(backend, 2)
            assert await ids(victim, 1) == [2]
            backend.sql.execute("insert into tma values (3)")  # null is compared with nothing
            insert(backend, 3)
            assert await ids(victim, 1) == [3]
            await leave(other, "realtime:arr")
            write(4)
            assert await ids(victim, 1) == [4]

    run(backend, scenario, POLLED)


async def leave(client: Client, topic: str) -> None:
    await client.push(topic, "phx_leave", {}, join_ref="1")
    await client.expect("phx_reply")
    await client.expect("phx_close")
