"""The demo traffic: a simulated day of a production, written to an embedded project at a given rate.

It uses psycopg, a PostgreSQL driver, whose client cursor sends several statements in one round trip.
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
"""The time whose steps are sent and committed together; this matters above 50 changes a second."""

DEBT_SECONDS = 1.0
"""How far behind its rate the traffic may be and still catch up."""

# Another client has removed or locked the rows: the step is skipped, and the traffic continues.
LOST = (psycopg.errors.IntegrityError, psycopg.errors.DeadlockDetected)


async def play(conninfo: str, url: str, key: str, *, rate: float = 2.0, seed: int | None = None) -> None:
    """Change rows as `run` does, and simulate the colleagues, who connect to the project's Realtime.

    Args:
        conninfo: The connection string of the database.
        url: The URL of the project.
        key: The API key with which the colleagues connect.
        rate: The row changes per second.
        seed: The seed of the random generators; None for a different course each time.

    Raises:
        UsageError: The rate is invalid, or the seed's tables do not exist.
        UnreachableError: The database can't be reached, or the connection was lost.
    """
    people = asyncio.create_task(colleagues.run(url, key, rate=rate, seed=seed))
    try:
        await run(conninfo, rate=rate, seed=seed)
    finally:
        people.cancel()
        await asyncio.gather(people, return_exceptions=True)


async def run(conninfo: str, *, rate: float = 2.0, seed: int | None = None) -> None:
    """Change rows of the seed's tables until cancelled.

    `rate` is the number of row changes per second. With the same `seed`, the same rows are changed in the
    same way.

    Raises:
        UsageError: The rate is not above 0, or the seed's tables do not exist.
        UnreachableError: The database can't be reached, or the connection was lost.
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
        batch, changes = _next_batch(steps, rate * BATCH_SECONDS)
        await _send(connection, batch)
        due = _due(due, changes, rate, now())
        await asyncio.sleep(due - now())


def _due(due: float, changes: int, rate: float, now: float) -> float:
    """Return the time of the next batch, after a batch of `changes` changes that was due at `due`."""
    return max(due + changes / rate, now - DEBT_SECONDS)


def _next_batch(steps: Iterator[Step], wanted: float) -> tuple[list[Step], int]:
    """Return the next steps that together make `wanted` changes, at least one, and the number of changes."""
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
        # The whole batch was one transaction and is rolled back. Each step is tried alone instead.
        for step in batch:
            with suppress(*LOST):
                await _execute(connection, [step])


async def _execute(connection: AsyncConnection[Any], batch: Sequence[Step]) -> None:
    statements = ";".join(step.sql for step in batch)
    parameters = [parameter for step in batch for parameter in step.parameters]
    await connection.execute(statements.encode(), parameters)
