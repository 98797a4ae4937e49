"""Suites run in this process, against a project or a server that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from prt.checks.test.context import Context
from prt.checks.test.identities import identities_of
from prt.checks.test.plan import chosen, steps_of
from prt.checks.test.rows import Swept, this_run
from prt.checks.test.runner import Engine
from prt.checks.test.settings import MARK, Settings
from prt.checks.test.suites.registry import SUITES
from prt.config.project import Project, resolve
from prt.errors import PrtError
from prt.results import Result
from tests.local.databases import superuser_of
from tests.running import PATIENCE

SOON = 4.0
"""How long a check waits for what a broken project will never send; enough for all that it does send."""


class Nobody:
    """An observer who looks away."""

    def started(self, check: str) -> None: ...

    def finished(self, result: Result) -> None: ...


class Ran:
    """What came of a run."""

    def __init__(self, results: Sequence[Result], gate_error: PrtError | None) -> None:
        self.results = results
        self.gate_error = gate_error
        self.outcomes = {f"{result.suite} {result.name}": result.outcome for result in results}

    def __getitem__(self, name: str) -> Result:
        return next(result for result in self.results if f"{result.suite} {result.name}" == name)


def run_suites(
    environment: Mapping[str, str],
    *suites: str,
    only: Sequence[str] | None = None,
    may_write: bool = True,
    as_: str | None = None,
    stranger: str | None = None,
    **settings: Any,
) -> Ran:
    """Runs them as `prt test` does; `only` keeps some checks by name, beside the handshake."""
    project: Project = resolve(local=environment, as_=as_)

    async def main() -> Ran:
        async with identities_of(project, stranger) as identities:
            asked = Settings(**{"wait_seconds": PATIENCE, **settings})
            context = Context(project, identities, asked, this_run(), is_loopback=True)
            engine = Engine(context, Nobody())
            steps = steps_of(chosen(SUITES, suites, ()), may_write=may_write, host="far.example", rounds=1)
            kept = [
                step
                for step in steps
                if (only is None and step.suite.name in suites)
                or step.check.name == "handshake"
                or (only is not None and step.check.name in only)
            ]
            await engine.run(kept)
            assert await context.sweep() is None
            return Ran(engine.results, engine.gate_error)

    return asyncio.run(main())


def cleaned(environment: Mapping[str, str], *, is_gentle: bool, as_: str | None = None) -> Swept:
    """What `prt test --clean` removes, and can't."""
    project = resolve(local=environment, as_=as_)

    async def main() -> Swept:
        async with identities_of(project, None) as identities:
            context = Context(project, identities, Settings(), this_run(), is_loopback=not is_gentle)
            return await (await context.sweeper()).sweep_all()

    return asyncio.run(main())


@contextmanager
def made(project: Mapping[str, str], create: str, drop: str) -> Iterator[None]:
    """SQL of a test, run as the superuser and undone afterwards."""
    with psycopg.connect(superuser_of(project["SUPABASE_DB_URL"]), autocommit=True) as connection:
        connection.execute(create.encode())
        try:
            yield
        finally:
            connection.execute(drop.encode())


def marked_rows(project: Mapping[str, str], table: str = "notifications") -> int:
    """How many rows of test runs there are."""
    return count_of(project, f"title like '{MARK}%'", table)


def count_of(project: Mapping[str, str], condition: str, table: str = "notifications") -> int:
    with psycopg.connect(project["SUPABASE_DB_URL"]) as connection:
        row = connection.execute(f"select count(*) from {table} where {condition}".encode()).fetchone()
        assert row is not None
        return int(row[0])


def row_of(project: Mapping[str, str], condition: str, table: str = "notifications") -> dict[str, Any]:
    """Return the one row as JSON has it."""
    with psycopg.connect(project["SUPABASE_DB_URL"]) as connection:
        row = connection.execute(f"select to_jsonb(t) from {table} t where {condition}".encode()).fetchone()
        assert row is not None
        return dict(row[0])
