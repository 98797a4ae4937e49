"""Whether a transaction that the stream has reported is already visible to queries.

PostgreSQL flushes the log and sends its changes a moment before the committing backend makes them visible. A
query in that moment would not find the change.
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
    """The patience for one question about a snapshot. `wait` returns False when no patience remains."""

    def __init__(self) -> None:
        self._end = time.monotonic() + PATIENCE_SECONDS

    async def wait(self) -> bool:
        """Pause, and return whether to ask again."""
        await asyncio.sleep(PAUSE_SECONDS)
        return time.monotonic() < self._end


async def wait_for(connection: AsyncConnection[Any], transaction: int) -> None:
    """Wait until the effects of a transaction are visible, but at most for `PATIENCE_SECONDS`."""
    not_yet = NotYet()
    while True:
        cursor = await connection.execute("select pg_current_snapshot()::text")
        row = await cursor.fetchone()
        if row is None or are_visible(row[0], [transaction]) or not await not_yet.wait():
            return


def are_visible(snapshot: str, transactions: Iterable[int]) -> bool:
    """Return whether all the transactions are visible in a snapshot.

    Args:
        snapshot: The text of pg_current_snapshot(), `xmin:xmax:running`, with ids of 64 bits.
        transactions: The stream's transaction ids, which have 32 bits.
    """
    lowest, limit, running = snapshot.split(":")
    xmin, xmax = int(lowest), int(limit)
    in_progress = {int(each) for each in running.split(",") if each}
    return all(
        full < xmin or (full < xmax and full not in in_progress)
        for full in (_widened(transaction, xmax) for transaction in transactions)
    )


def _widened(transaction: int, near: int) -> int:
    """Return the 64-bit id that is closest to `near` among those whose lower 32 bits are `transaction`."""
    distance = (transaction - near + 2**31) % 2**32 - 2**31
    return near + distance
