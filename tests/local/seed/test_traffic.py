from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection, sql

from prt.config.constants.seed_tables import TABLES
from prt.errors import UnreachableError, UsageError
from prt.local.postgres.server import Postgres
from prt.local.seed import schema, traffic
from prt.local.seed.story import Step
from tests.local.databases import bootstrapped, database, values
from tests.running import PATIENCE

TEMPLATE = "traffic_template"
TIMES = {"created_at", "updated_at", "occurred_at", "last_seen_at", "work_date", "number"}


@pytest.fixture(scope="module")
def template(postgres: Postgres) -> Iterator[str]:
    with bootstrapped(postgres, TEMPLATE) as connection:
        schema.seed(connection)
        # A template may have no connection; the fixture's own database stays until the module ends.
        connection.close()
        yield TEMPLATE


@pytest.fixture
def conninfo(postgres: Postgres, template: str) -> Iterator[str]:
    with database(postgres, "traffic", template) as conninfo:
        yield conninfo


class Counted:
    """Ends a run after so many changes: the steps that a database gets are then the same every time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, changes: int) -> None:
        self._left = changes
        self.batches: list[list[Step]] = []
        self._send = traffic._send
        monkeypatch.setattr(traffic, "_send", self)

    async def __call__(self, connection: Any, batch: list[Step]) -> None:
        self._left -= sum(step.changes for step in batch)
        await self._send(connection, batch)
        self.batches.append(batch)
        if self._left <= 0:
            raise asyncio.CancelledError


def run_counted(monkeypatch: pytest.MonkeyPatch, conninfo: str, changes: int, **options: Any) -> Counted:
    counted = Counted(monkeypatch, changes)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(traffic.run(conninfo, **options))
    monkeypatch.undo()
    return counted


def rows(connection: Connection[Any], table: str) -> list[dict[str, Any]]:
    """Except for what the clock and sequences produce."""
    query = sql.SQL("select to_jsonb(t) from public.{} as t order by id").format(sql.Identifier(table))
    return [
        {name: value for name, value in row.items() if name not in TIMES and not name.endswith("_at")}
        for (row,) in connection.execute(query)
    ]


def everything(conninfo: str) -> dict[str, list[dict[str, Any]]]:
    with psycopg.connect(conninfo) as connection:
        return {table: rows(connection, table) for table in TABLES}


def test_same_seed_same_rows(postgres: Postgres, template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = []
    for seed in (11, 11, 12):
        with database(postgres, "traffic_twice", template) as conninfo:
            run_counted(monkeypatch, conninfo, 400, rate=20_000, seed=seed)
            ends.append(everything(conninfo))
    assert ends[0] == ends[1]
    assert ends[0] != ends[2]


def test_it_opens_where_the_seed_ends(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(conninfo)
    # The opening is sent with the first change, to a task.
    run_counted(monkeypatch, conninfo, 1, rate=1, seed=1)
    after = everything(conninfo)
    assert {table for table in TABLES if before[table] != after[table]} == {"project_tasks"}
    changed = [
        row for row, was in zip(after["project_tasks"], before["project_tasks"], strict=True) if row != was
    ]
    assert len(changed) == 1


def test_a_second_day_undoes_the_first(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(conninfo)
    run_counted(monkeypatch, conninfo, 1500, rate=20_000, seed=1)
    first = everything(conninfo)
    run_counted(monkeypatch, conninfo, 1, rate=1, seed=2)
    second = everything(conninfo)
    assert {table: len(found) for table, found in second.items()} == {
        table: len(found) for table, found in before.items()
    }
    assert sum(map(len, first.values())) > sum(map(len, before.values())) + 100
    assert second["budgets"] == before["budgets"]
    assert second["run_of_show"] == before["run_of_show"]


def test_steps_claim_the_changes_that_they_make(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("create table private.seen (n bigint generated always as identity)")
        connection.execute(
            "create function private.see() returns trigger language plpgsql as "
            "'begin insert into private.seen default values; return null; end'"
        )
        for table in TABLES:
            connection.execute(
                sql.SQL(
                    "create trigger see after insert or update or delete on public.{} "
                    "for each row execute function private.see()"
                ).format(sql.Identifier(table))
            )
        counted = run_counted(monkeypatch, conninfo, 3000, rate=20_000, seed=5)
        made = values(connection, "select count(*) from private.seen")[0]
    claimed = sum(step.changes for batch in counted.batches for step in batch)
    # A comment's or an hour's task that is removed changes a row more, now and then.
    assert claimed <= made <= claimed * 1.02


def test_growth_is_bounded(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for seed in (1, 2):
        run_counted(monkeypatch, conninfo, 8000, rate=20_000, seed=seed)
        sizes.append({table: len(found) for table, found in everything(conninfo).items()})
    assert sizes[0] == sizes[1]


def test_money_adds_up(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the story believes is spent is what the trigger booked: the next day has nothing to put right."""
    counted = run_counted(monkeypatch, conninfo, 2500, rate=20_000, seed=9)
    alerts = [step for batch in counted.batches for step in batch if "Budget at 100 %" in step.parameters]
    assert alerts
    for message in {str(step.parameters[-1]) for step in alerts}:
        spent, amount = (float(word) for word in message.split(": ")[1].split(" EUR")[0].split(" of "))
        assert spent >= amount
    with psycopg.connect(conninfo) as connection:
        assert connection.execute("select count(*) from budgets where spent > amount * 1.2").fetchone() == (
            0,
        )


def test_batches_go_when_they_are_due() -> None:
    assert traffic._due(10.0, 1, 2.0, now=10.001) == 10.5
    assert traffic._due(10.0, 20, 1000.0, now=10.015) == 10.02
    # A little late is made up for, long lost is lost.
    assert traffic._due(10.0, 1, 2.0, now=11.0) == 10.5
    assert traffic._due(10.0, 1, 2.0, now=60.0) == 60.0 - traffic.DEBT_SECONDS


def test_it_waits_between_changes(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(traffic.asyncio, "sleep", noted)
    run_counted(monkeypatch, conninfo, 100, rate=0.1, seed=1)
    # Nobody slept, so the pauses add up: ten seconds a change, less what the statements took.
    assert 950 < pauses[-1] <= 1000


@pytest.mark.parametrize(("rate", "largest"), [(2, 1), (50, 1), (1000, 20), (5000, 100)])
def test_steps_go_together_only_where_the_rate_asks(rate: float, largest: int) -> None:
    steps = iter([Step("select 1", ()) for _ in range(1000)])
    batch, changes = traffic._next_batch(steps, rate * traffic.BATCH_SECONDS)
    assert len(batch) == changes == largest


def test_rows_that_others_removed_do_not_stop_it(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        # Half of what the story refers to: its inserts break foreign keys, one by one and in batches.
        connection.execute("delete from productions where code < 'L'")
        connection.execute("delete from personnel where name < 'L'")
        before = everything(conninfo)
        run_counted(monkeypatch, conninfo, 600, rate=2000, seed=1)
        assert len(everything(conninfo)["bookings"]) > len(before["bookings"])
        run_counted(monkeypatch, conninfo, 50, rate=1000, seed=1)


def test_without_the_seeds_tables(postgres: Postgres) -> None:
    with bootstrapped(postgres, "traffic_bare"):
        with pytest.raises(UsageError, match="needs the seed's tables") as caught:
            asyncio.run(traffic.run(postgres.conninfo(dbname="traffic_bare")))
        assert "--no-seed" in str(caught.value.hint)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_is_above_nothing(rate: float) -> None:
    with pytest.raises(UsageError, match="above 0"):
        asyncio.run(traffic.run("host=127.0.0.1", rate=rate))


def test_a_database_that_is_gone(postgres: Postgres, conninfo: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        asyncio.run(traffic.run(postgres.conninfo(dbname="no_such_database")))
    assert postgres.password not in f"{caught.value.message}{caught.value.hint}"

    end_it = (
        b"select pg_terminate_backend(pid) from pg_stat_activity "
        b"where application_name = 'prt traffic' and datname = 'traffic'"
    )

    async def main() -> None:
        day = asyncio.create_task(traffic.run(conninfo, rate=500, seed=1))
        async with await psycopg.AsyncConnection.connect(postgres.conninfo(), autocommit=True) as other:
            while not await (await other.execute(end_it)).fetchone():
                pass
        with pytest.raises(UnreachableError):
            await day

    asyncio.run(asyncio.wait_for(main(), PATIENCE))
