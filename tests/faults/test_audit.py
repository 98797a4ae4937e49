"""`prt audit` on a project like a hosted one, against the database's own count."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from prt.local.project.attach import ephemeral
from tests.running import PATIENCE, of_project, piped

QUICK = {"rate_seconds": 0.2}
"""A minute's average in 2.4 s, so that a burst is above the rate while it lasts."""
STATEMENTS, ROWS = 20, 500
BURST = STATEMENTS * ROWS


@pytest.fixture
def lossy() -> Iterator[dict[str, str]]:
    """A project with the limits of the free plan, which drops changes above them."""
    with ephemeral(seed=False, plan="free", poll_seconds=0.1, realtime=QUICK) as environment:
        yield environment


@pytest.fixture
def connection(lossy: dict[str, str]) -> Iterator[Connection[Any]]:
    with psycopg.connect(lossy["SUPABASE_DB_URL"], autocommit=True) as opened:
        for query in (
            "create table burst (id int primary key, step int not null default 0)",
            "grant select on burst to anon, authenticated, service_role",
            f"insert into burst select n from generate_series(1, {ROWS}) n",
            "alter publication supabase_realtime add table burst",
        ):
            opened.execute(query)  # type: ignore[arg-type]
        yield opened


def test_the_account_of_a_burst_is_what_the_database_counts(
    lossy: dict[str, str], connection: Connection[Any]
) -> None:
    """10,000 updates: each is in one part of the account, and each lost one has its key and its cause."""
    environment = of_project(lossy, SUPABASE_DB_URL=lossy["SUPABASE_DB_URL"])
    with piped("audit", "burst", "--duration", "12s", "--json", environment=environment) as run:
        run.until_ready()
        for _ in range(STATEMENTS):
            connection.execute("update burst set step = step + 1")
            # Longer in all than the server's average: what comes in one bucket of it is within the rate.
            connection.execute("select pg_sleep(0.15)")
        counted = connection.execute("select sum(step) from burst").fetchone()
        code, lines, _ = run.finish()
    assert counted == (BURST,)
    (account,) = [line for line in lines if line["type"] == "audit"]
    losses = [line for line in lines if line["type"] == "loss"]
    parts = ("arrived", "hidden", "filtered", "cut", "lost", "unknown")
    assert account["committed"] == BURST == sum(account[part] for part in parts), account
    assert account["arrived"] == lines[-1]["events"]
    assert account["lost"] == len(losses) > 0, account
    assert (code, lines[-1]["exit_code"]) == (1, 1)
    assert all(loss["cause"].startswith("the rate:") for loss in losses)
    assert {int(loss["key"]) for loss in losses} <= set(range(1, ROWS + 1))


def test_no_slot_is_left_when_it_is_killed_in_a_burst(
    lossy: dict[str, str], connection: Connection[Any]
) -> None:
    environment = of_project(lossy, SUPABASE_DB_URL=lossy["SUPABASE_DB_URL"])
    slots = "select slot_name from pg_replication_slots where slot_name like 'prt_audit%'"
    with piped("audit", "burst", "--duration", "1h", "--json", environment=environment) as run:
        run.until_ready()
        connection.execute("update burst set step = step + 1")
        assert len(connection.execute(slots).fetchall()) == 1
        run.process.send_signal(signal.SIGKILL)
        run.process.communicate()
    end = time.monotonic() + PATIENCE
    while connection.execute(slots).fetchall():
        assert time.monotonic() < end, "the slot stayed"
