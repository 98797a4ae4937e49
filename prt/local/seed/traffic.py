"""Plays a day of the production into an embedded project, at a rate, until it is cancelled.

psycopg is PostgreSQL's client; its client cursor sends many steps as one query, in one round trip.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from random import Random
from typing import Any

import psycopg
from psycopg import AsyncClientCursor, AsyncConnection

from prt.config.environment import LIBPQ, withdraw
from prt.errors import UnreachableError, UsageError
from prt.inputs import Input
from prt.local.seed import colleagues
from prt.local.seed.story import Step, story

BATCH_SECONDS = 0.02
"""Above 50 changes a second, the steps of this time go together and commit together."""

DEBT_SECONDS = 1.0
"""How far behind its rate it may fall and still catch up."""

# Rows that somebody else removed or locked: the step is lost, the day goes on.
LOST = (psycopg.errors.IntegrityError, psycopg.errors.DeadlockDetected)


async def play(conninfo: str, url: str, key: str, *, rate: float = 2.0, seed: int | None = None) -> None:
    """Play the changes of the tables, and the colleagues, who come by the project's `url` with its `key`.

    Raises what `run` raises.
    """
    people = asyncio.create_task(colleagues.run(url, key, rate=rate, seed=seed))
    try:
        await run(conninfo, rate=rate, seed=seed)
    finally:
        people.cancel()
        await asyncio.gather(people, return_exceptions=True)


async def run(conninfo: str, *, rate: float = 2.0, seed: int | None = None) -> None:
    """`rate` is row changes a second. The same `seed` makes the same changes to the same rows.

    Raises UsageError where the seed's tables are not there, UnreachableError without a database.
    """
    if not rate > 0:
        raise UsageError(f"the rate must be above 0, not {rate:g}", "it is changes a second")
    withdraw(LIBPQ)
    steps = story(Random(seed))  # noqa: S311 - a story, not a secret
    try:
        connection = await AsyncConnection.connect(
            conninfo, autocommit=True, application_name="prt traffic", cursor_factory=AsyncClientCursor
        )
        async with connection:
            await _write(connection, steps, rate)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as exc:
        raise UsageError(
            f"the traffic needs the seed's tables: {exc.diag.message_primary}",
            f"it is for projects started without {Input.MIGRATIONS} and {Input.NO_SEED}",
        ) from exc
    except psycopg.OperationalError as exc:
        raise UnreachableError("the project's database went away", "look at `prt local status`") from exc


async def _write(connection: AsyncConnection[Any], steps: Iterator[Step], rate: float) -> None:
    now = asyncio.get_running_loop().time
    due = now()
    while True:
        batch, changes = _taken(steps, rate * BATCH_SECONDS)
        await _send(connection, batch)
        due = _due(due, changes, rate, now())
        await asyncio.sleep(due - now())


def _due(due: float, changes: int, rate: float, now: float) -> float:
    """When the next batch is to go, after `changes` that were due at `due`."""
    return max(due + changes / rate, now - DEBT_SECONDS)


def _taken(steps: Iterator[Step], wanted: float) -> tuple[list[Step], int]:
    """Return as many steps as make `wanted` changes, and how many they make: at least one."""
    batch: list[Step] = []
    changes = 0
    for step in steps:
        batch.append(step)
        changes += step.changes
        if changes and changes >= wanted:
            break
    return batch, changes


async def _send(connection: AsyncConnection[Any], batch: Sequence[Step]) -> None:
    try:
        await _execute(connection, batch)
    except LOST:
        # One query is one transaction, and is undone: each for itself, without the lost ones.
        for step in batch:
            with suppress(*LOST):
                await _execute(connection, [step])


async def _execute(connection: AsyncConnection[Any], batch: Sequence[Step]) -> None:
    statements = ";".join(step.sql for step in batch)
    parameters = [parameter for step in batch for parameter in step.parameters]
    await connection.execute(statements.encode(), parameters)
