"""Whether a transaction that the stream has told of is visible yet.

The log is flushed, and its changes are sent, a moment before the committing backend makes them
visible. Who asks the database about a change in that moment would find that it never happened.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from psycopg import AsyncConnection

PAUSE_SECONDS = 0.0005
PATIENCE_SECONDS = 5.0


class NotYet:
    """Counts the patience for one question; `wait` is False when there is none left."""

    def __init__(self) -> None:
        self._end = time.monotonic() + PATIENCE_SECONDS

    async def wait(self) -> bool:
        """Pause, and return whether to ask again."""
        await asyncio.sleep(PAUSE_SECONDS)
        return time.monotonic() < self._end


async def wait_for(connection: AsyncConnection[Any], transaction: int) -> None:
    """Returns when what the transaction did can be seen."""
    not_yet = NotYet()
    while True:
        cursor = await connection.execute("select pg_current_snapshot()::text")
        row = await cursor.fetchone()
        if row is None or are_visible(row[0], [transaction]) or not await not_yet.wait():
            return


def are_visible(snapshot: str, transactions: Iterable[int]) -> bool:
    """`snapshot` as pg_current_snapshot prints it, `xmin:xmax:running`; the stream's ids have 32 bits."""
    lowest, limit, running = snapshot.split(":")
    xmin, xmax = int(lowest), int(limit)
    in_progress = {int(each) for each in running.split(",") if each}
    return all(
        full < xmin or (full < xmax and full not in in_progress)
        for full in (_widened(transaction, xmax) for transaction in transactions)
    )


def _widened(transaction: int, near: int) -> int:
    """The 64-bit id, of the 2³² that end so, which is closest to one that is near."""
    distance = (transaction - near + 2**31) % 2**32 - 2**31
    return near + distance
