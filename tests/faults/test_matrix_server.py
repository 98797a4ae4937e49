"""The matrix, fifth part: what the server loses while the connection stays, on either kind of project."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

import pytest
from psycopg import AsyncConnection

from prt.local.postgres.server import SUPERUSER
from prt.local.project.attach import ephemeral
from prt.stream.binding import Binding
from prt.stream.rest.session import Session
from tests.faults.ledger import Ledger
from tests.faults.staging import Account, Stage, play
from tests.faults.watching import hurried, watching
from tests.local.databases import superuser_of
from tests.local.processes import listener_of

Project = dict[str, str]

SETTLED = {"settle_seconds": 1.0, "is_verifying": True}
"""A server that polls streams a row up to 0.6 s after READY, though it was committed before."""

QUICK = {"publication_seconds": 0.2, "rate_seconds": 0.2}
"""A minute's look at the publication, and a minute's average, in as short a time as a test may take."""


@pytest.mark.parametrize(
    ("fault", "which"),
    [
        ("slot-killed", "application_name = 'prt_realtime_stream'"),
        ("backends-killed", "application_name like 'prt_realtime%%'"),
    ],
)
def test_a_new_slot_starts_at_the_present(either: Project, account: Account, fault: str, which: str) -> None:
    async def script(stage: Stage) -> None:
        ledger = stage.ledger
        async with ledger.no_new_slot():
            await ledger.end_backends(which)
            await ledger.insert(3)
            await ledger.insert(2, table=1)
        await ledger.until_streamed()
        await stage.settle_loss()
        assert stage.proxy.joins == 1

    play(either, script, account, fault, **SETTLED)


def test_a_crash_of_one_backend_restarts_the_database(either: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        ledger = stage.ledger
        (walsender,) = await ledger.execute(
            "select pid from pg_stat_replication where application_name = 'prt_realtime_stream'"
        )
        # A backend that dies makes PostgreSQL end all of them and recover, as after a crash.
        os.kill(walsender[0], signal.SIGKILL)
        await ledger.reconnect_soon()
        async with ledger.no_new_slot():
            await ledger.end_backends("application_name = 'prt_realtime_stream'")
            await ledger.insert(5)
        await ledger.until_streamed()
        await stage.settle_loss()

    play(either, script, account, "postgres", **SETTLED)


def test_a_closed_database_is_found_again(either: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        ledger = stage.ledger
        # Only a superuser closes the database that it is in.
        close = "update pg_database set datallowconn = %s where datname = current_database()"
        conninfo = superuser_of(either["SUPABASE_DB_URL"])
        async with await AsyncConnection.connect(conninfo, autocommit=True) as superuser:
            await superuser.execute(close, [False])
            try:
                await ledger.end_backends(f"datname = current_database() and usename <> '{SUPERUSER}'")
                await ledger.insert(5)
            finally:
                await superuser.execute(close, [True])
        await ledger.until_streamed()
        await stage.settle_loss()

    play(either, script, account, "database-closed", **SETTLED)


@asynccontextmanager
async def unpublished(ledger: Ledger) -> AsyncIterator[None]:
    """Within the block the publication is made anew, and has no tables yet."""
    rows = await ledger.execute(
        "select format('%%I.%%I', schemaname, tablename) from pg_publication_tables"
        " where pubname = 'supabase_realtime'"
    )
    await ledger.execute("drop publication supabase_realtime")
    try:
        await ledger.execute("create publication supabase_realtime")
        yield
    finally:
        tables = ", ".join(name for (name,) in rows)
        await ledger.execute(f"alter publication supabase_realtime add table {tables}")


def test_a_publication_recreated_within_a_minute_reports_nothing(either: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        async with unpublished(stage.ledger):
            await stage.ledger.insert(2)
            await stage.ledger.insert(1, table=1)
        await stage.settle_loss()
        assert stage.proxy.joins == 1

    play(either, script, account, "publication-recreated", **SETTLED)


@contextmanager
def own(mode: str) -> Iterator[Project]:
    """A project whose minutes are short."""
    hosted = {"plan": "free", "poll_seconds": 0.1} if mode == "hosted" else {}
    with ephemeral(seed=False, realtime=QUICK, **hosted) as environment:  # type: ignore[arg-type]
        yield environment


@pytest.mark.parametrize("mode", ["embedded", "hosted"])
def test_a_table_that_leaves_the_publication_takes_its_neighbours_along(mode: str, account: Account) -> None:
    async def script(stage: Stage) -> None:
        ledger = stage.ledger
        await ledger.execute("alter publication supabase_realtime drop table {other}")
        await ledger.insert(3, table=1)
        kept = ledger.names[:1]
        await stage.watch.until(lambda watch: kept in [each.tables for each in watch.statuses("READY")])
        await ledger.execute("alter publication supabase_realtime add table {other}")
        await ledger.insert(2, table=1)
        await stage.settle_loss()

    with own(mode) as project:
        play(project, script, account, "table-removed", **SETTLED)


def test_a_table_that_came_back_is_verified_again(account: Account) -> None:
    async def script(stage: Stage) -> None:
        ledger, watch, (kept, other) = stage.ledger, stage.watch, stage.ledger.names
        await ledger.execute("alter publication supabase_realtime drop table {other}")
        await watch.until(lambda watch: [kept] in [each.tables for each in watch.statuses("READY")])
        await ledger.execute("alter publication supabase_realtime add table {other}")
        await watch.until(lambda watch: [other] in [each.tables for each in watch.statuses("READY")])
        await stage.settle_loss()
        # The times of a gap that was verified are known to two seconds.
        await ledger.execute("select pg_sleep(2.5)")
        stage.proxy.loses = lambda data: data["table"] == other.partition(".")[2]
        await ledger.insert(2, table=1)
        await stage.proxy.until(lambda proxy: proxy.dropped_changes == 2)
        stage.proxy.loses = None
        await stage.settle_loss()

    with own("embedded") as project:
        play(project, script, account, "table-removed", **SETTLED)


@pytest.mark.parametrize("plan", ["free", "pro"])
def test_above_the_rate_of_a_plan_changes_are_dropped(plan: str, account: Account) -> None:
    """A burst still comes; what is written after it does not, until the average has fallen."""

    async def script(stage: Stage) -> None:
        await stage.ledger.flood(6000 if plan == "pro" else 2000, size=1)
        await _until_again(stage)
        await stage.settle_loss()

    with ephemeral(seed=False, plan=plan, poll_seconds=0.1, realtime=QUICK) as project:
        play(project, script, account, "rate", **SETTLED)


async def _until_again(stage: Stage) -> None:
    """Write rows, until one is lost and a later one comes."""
    keys: list[int] = []
    while not _has_hole(keys, stage.watch.keys("stream")):
        keys += await stage.ledger.insert()
        await asyncio.sleep(0.02)


def _has_hole(written: list[int], seen: list[int]) -> bool:
    """Whether one is missing and a later one is there."""
    arrived = [key in seen for key in written]
    return False in arrived and True in arrived[arrived.index(False) :]


def test_another_clients_filter_loses_the_polls_of_everybody(hosted: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        ledger = stage.ledger
        await ledger.execute("alter table {other} add column tags text[]")
        filtered = Binding(table=ledger.tables[1], filter="tags=eq.{sad}")
        session = Session(stage.session.endpoint)
        async with watching(session, [filtered], timing=hurried()) as other:
            await other.until_ready()
            async with ledger.transaction():
                await ledger.insert(4)
                (key,) = await ledger.insert(table=1)
                await ledger.execute("update {other} set tags = array['sad'] where id = %s", key)
            await _until_again(stage)
            await stage.settle_loss()

    play(hosted, script, account, "filter-blocks", **SETTLED)


def test_a_server_that_was_stopped_loses_nothing(either: Project, account: Account) -> None:
    server = listener_of(urlsplit(either["SUPABASE_URL"]).port or 0)

    async def script(stage: Stage) -> None:
        os.kill(server, signal.SIGSTOP)
        try:
            await stage.ledger.insert(10)
            await stage.ledger.insert(10, table=1)
        finally:
            os.kill(server, signal.SIGCONT)
        await stage.settle(gaps=0)

    verdict = play(either, script, account, "server-stalled", **SETTLED)
    assert (verdict.delivered, verdict.gaps) == (verdict.writes, 0)
