"""What a client's filter costs, that client pays alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from prt.local.postgres.session import Connection, Session, Sessions
from prt.local.realtime import Settings
from prt.local.realtime.changes import lanes
from prt.local.realtime.changes.filters.conditions import AskedCondition
from tests.local.realtime.serving import Backend, Client, Running
from tests.local.realtime.test_service import ME, run
from tests.running import PATIENCE

TODOS = {"event": "*", "schema": "public", "table": "todos"}
ITEMS = {"event": "*", "schema": "public", "table": "rls_items"}

ENDLESS = r"^(a+)(a+)(a+)(a+)\1\2\3\4$"
"""PostgreSQL tries every way to part a text, and there is none for an odd number of characters."""
FATAL_TEXT = "a" * 1001
SLOW = {**TODOS, "filter": f"task=match.{ENDLESS}"}

WITHOUT_END = Settings(filter_seconds=3600.0)
EVALUATING = (
    "select pid, query_start, pg_sleep(0.01) from pg_stat_activity"
    " where application_name = 'prt_realtime_filters' and state = 'active'"
    " and clock_timestamp() - query_start > interval '0.1 s'"
)
"""Quick ones are left out: they may be those of a client whose filter is a good one."""


async def evaluating(backend: Backend) -> set[tuple[Any, ...]]:
    """What PostgreSQL is evaluating for filters now."""
    return set(await asyncio.to_thread(lambda: backend.sql.execute(EVALUATING).fetchall()))


async def until_evaluating(backend: Backend, count: int) -> set[tuple[Any, ...]]:
    async with asyncio.timeout(PATIENCE):
        while len(found := await evaluating(backend)) != count:
            pass
    return found


def insert(backend: Backend, *tasks: str) -> None:
    backend.sql.cursor().executemany("insert into todos (task) values (%s)", [(task,) for task in tasks])


async def tasks_of(client: Client, count: int) -> list[Any]:
    return [change["record"]["task"] for change in await client.changes(count)]


@pytest.mark.parametrize(
    "binding",
    [TODOS, {**TODOS, "filter": "task=match.^b"}, {**TODOS, "filter": "task=ilike.B%"}, ITEMS],
    ids=["no filter", "a regular expression", "a pattern", "another table"],
)
def test_changes_of_others_arrive_while_a_filter_is_being_evaluated(
    backend: Backend, binding: dict[str, Any]
) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as good, running.client() as bad:
            await good.subscribe("realtime:a", binding, token=backend.user(1))
            await bad.subscribe("realtime:a", SLOW)
            insert(backend, FATAL_TEXT)
            evaluated = await until_evaluating(backend, 1)
            insert(backend, "b1", "b2")
            backend.sql.execute("insert into rls_items (id, owner) values (1, %s), (2, %s)", [ME, ME])
            wanted = 2 + (binding is TODOS)
            assert len(await good.changes(wanted)) == wanted
            # A join with a filter is not held up either.
            await good.subscribe("realtime:b", {**TODOS, "filter": "task=match.x"})
            assert evaluated <= await evaluating(backend)
            await bad.push("phoenix", "heartbeat", {})
            assert (await bad.receive_json())["event"] == "phx_reply"

    run(backend, scenario, WITHOUT_END)


def test_a_filter_beyond_its_budget_loses_its_subscription_and_no_other(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as good, running.client() as bad:
            await good.subscribe("realtime:a", TODOS)
            await bad.subscribe("realtime:a", {**TODOS, "filter": "id=gt.0"}, SLOW)
            await bad.subscribe("realtime:b", {**TODOS, "filter": "task=match.^b"})
            insert(backend, FATAL_TEXT)
            reported = await bad.expect("system")
            assert (reported["channel"], reported["status"]) == ("a", "error")
            assert "An exception happened" in reported["message"]
            assert 'filters: [{"task", "match", ' in reported["message"]
            assert reported["message"].endswith(f"Exception: {lanes.TIMED_OUT}")
            insert(backend, "b")
            assert await tasks_of(good, 2) == [FATAL_TEXT, "b"]
            assert await tasks_of(bad, 1) == ["b"]
            await running.delivered()
            for client in (good, bad):  # neither is told that changes were lost, for none were
                await client.expect_nothing_more()

    with caplog.at_level(logging.WARNING, "prt.local.realtime"):
        run(backend, scenario, Settings(filter_seconds=0.5))
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("a filter of 'realtime:a' was refused, because it takes longer than 0.5 s: ")


def test_the_budget_holds_where_no_single_query_is_too_long(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answered(_: AskedCondition, connection: Connection, values: object) -> AskedCondition:
        while True:
            await connection.execute("select pg_sleep(0.01)")

    monkeypatch.setattr(AskedCondition, "answered", answered)

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", SLOW)
            insert(backend, "a")
            assert (await client.expect("system"))["message"].endswith(f"Exception: {lanes.TIMED_OUT}")

    run(backend, scenario, Settings(filter_seconds=0.5))


def test_a_subscription_that_is_gone_stops_its_filter(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as left, running.client() as closed:
            for client in (left, closed):
                await client.subscribe("realtime:a", SLOW)
            insert(backend, FATAL_TEXT)
            await until_evaluating(backend, 2)
            await left.push("realtime:a", "phx_leave", {}, join_ref="1")
            await until_evaluating(backend, 1)
        await until_evaluating(backend, 0)

    run(backend, scenario, WITHOUT_END)


def test_the_server_stops_while_a_filter_is_being_evaluated(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", SLOW)
            insert(backend, FATAL_TEXT)
            await until_evaluating(backend, 1)
            await running.realtime.stop()
            assert await client.closed() == 1012
        await until_evaluating(backend, 0)

    run(backend, scenario, WITHOUT_END)


def test_changes_keep_their_order_when_only_some_wait_for_postgresql(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe(
                "realtime:a", ITEMS, {**TODOS, "filter": "task=match.^b"}, token=backend.user(1)
            )
            for number in range(200):
                backend.sql.execute(
                    "insert into todos (id, task) values (%s, %s)", [number, "b" if number % 3 else "c"]
                )
                backend.sql.execute("insert into rls_items (id, owner) values (%s, %s)", [number, ME])
            expected = [
                (table, number)
                for number in range(200)
                for table in ("todos", "rls_items")
                if table == "rls_items" or number % 3
            ]
            changes = await client.changes(len(expected))
            assert [(change["table"], change["record"]["id"]) for change in changes] == expected

    run(backend, scenario)


def test_a_value_for_which_a_filter_raises_hides_no_other(backend: Backend) -> None:
    """A pattern that ends with a backslash raises for the texts that get so far."""

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", {**TODOS, "filter": "task=not.like.b\\"})
            insert(backend, "a")
            assert await tasks_of(client, 1) == ["a"]
            backend.sql.execute("insert into todos (task) values ('bx'), ('c'), ('by'), ('d')")
            assert await tasks_of(client, 2) == ["c", "d"]

    run(backend, scenario)


def test_a_lane_that_falls_behind_is_emptied_and_its_subscription_is_notified(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "BACKLOG", 10_000)

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", SLOW)
            insert(backend, FATAL_TEXT)
            await until_evaluating(backend, 1)
            insert(backend, "x" * 11_000)
            reported = await client.expect("system")
            assert (reported["status"], reported["message"]) == ("ok", "Subscribed to PostgreSQL")

    run(backend, scenario, WITHOUT_END)


def test_who_has_taken_the_least_time_gets_the_next_connection(backend: Backend) -> None:
    async def scenario() -> None:
        sessions = Sessions(lambda: Session(backend.conninfo, "prt_test", statement_seconds=10), 1)
        order: list[str] = []
        started, free = asyncio.Event(), asyncio.Event()

        def named(name: str) -> Callable[[Any], Awaitable[None]]:
            async def work(_: Any) -> None:
                order.append(name)
                started.set()
                await free.wait()

            return work

        tasks = [
            asyncio.create_task(sessions.run(named(name), spent_seconds=spent))
            for name, spent in (("first", 9.0), ("slow", 5.0), ("left", 0.0), ("quick", 0.1), ("new", 0.0))
        ]
        await started.wait()
        tasks[2].cancel()
        free.set()
        await asyncio.wait(tasks)
        await sessions.close()
        assert order == ["first", "new", "quick", "slow"]

    asyncio.run(scenario())


def test_what_a_filter_has_taken_counts_at_its_next_change(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: list[float] = []
    run_session = Sessions.run

    async def recorded(sessions: Sessions, work: Any, *, spent_seconds: float) -> None:
        spent.append(spent_seconds)
        await run_session(sessions, work, spent_seconds=spent_seconds)

    monkeypatch.setattr(Sessions, "run", recorded)

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", {**TODOS, "filter": "task=match.^b"})
            for task in ("b1", "b2", "b3"):
                insert(backend, task)
                assert await tasks_of(client, 1) == [task]
        assert 0.0 == spent[0] < spent[1] < spent[2]

    run(backend, scenario)
