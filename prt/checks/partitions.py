"""Warnings of a watch about partitioned tables, whose changes never come under the requested name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from prt.checks import delivery
from prt.clock import wall_clock
from prt.config.secret import Secret
from prt.events import Event, Status
from prt.stream.binding import Binding

TOPIC = "prt-watch"


@asynccontextmanager
async def partition_notices(
    database: Secret | None, bindings: Sequence[Binding], put: Callable[[Event], None]
) -> AsyncIterator[None]:
    """Look for partitioned tables while the block runs, and give `put` a status with a remedy for each.

    Only a direct connection can recognise such tables. Without a database nothing is reported.
    """
    names = [(one.schema, one.table) for one in bindings if one.table != "*"]
    if database is None or not names:
        yield
        return
    task = asyncio.create_task(_look(database, names, put))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _look(database: Secret, names: Sequence[tuple[str, str]], put: Callable[[Event], None]) -> None:
    found = await delivery.read(database.reveal(), names)
    for root in () if found is None else found.roots:
        cause = delivery.partition_cause(root)
        put(
            Status(
                at=wall_clock(),
                status="CHANNEL_ERROR",
                topic=TOPIC,
                tables=[f"{root.schema}.{root.name}"],
                reason=cause.why,
                hint=cause.remedy,
            )
        )
