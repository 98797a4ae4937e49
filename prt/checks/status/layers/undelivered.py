"""Whether the database's changes reach clients at all, examined while we are subscribed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from prt.checks import delivery
from prt.checks.delivery import Delivery
from prt.checks.status.layers.evidence import SIGN_IN
from prt.checks.status.layers.source_listener import SourceListener
from prt.inputs import filled
from prt.results import Cause, Finding

SLOT_LOOKS: Final = 8
SLOT_PAUSE_SECONDS = 0.5
"""The pause between two looks for the slot, which Realtime creates with the first subscription."""
COUNT_SECONDS = 1.2
"""A wait that is long enough for PostgreSQL's counts of changed rows, which are up to a second late."""
TRAFFIC_SECONDS = 3.0
"""How long to wait for a change if rows are being changed."""


async def examine(
    listener: SourceListener,
    read: Callable[[], Awaitable[Delivery | None]],
    before: Delivery,
    *,
    passes_row_security: bool,
    is_filtered: bool,
) -> Finding | None:
    """Return what keeps changes from clients: a missing slot, the filters of others, or an exceeded rate.

    Args:
        listener: A source that is READY.
        read: Reads the state of the database again.
        before: The state of the database before the source was opened.
        passes_row_security: Whether the identity bypasses policies, so that they can't be the cause.
        is_filtered: Whether filters may keep changes of the watched tables back.
    """
    found = await read()
    for _ in range(SLOT_LOOKS):
        if found is None or found.has_slot:
            break
        await asyncio.sleep(SLOT_PAUSE_SECONDS)
        found = await read()
    if found is not None and found.changed == before.changed and found.subscribers is not None:
        await asyncio.sleep(COUNT_SECONDS)
        found = await read()
    if found is None:
        return None
    silent = 0
    if found.changed > before.changed and not is_filtered:
        came = len(listener.received.events)
        if not await listener.until(lambda received: len(received.events) > came, TRAFFIC_SECONDS):
            after = await read()
            silent = 0 if after is None else after.changed - found.changed
    return judge(found, silent=silent, passes_row_security=passes_row_security)


def judge(found: Delivery, *, silent: int, passes_row_security: bool) -> Finding | None:
    """Return what keeps changes from all clients although subscriptions are READY; None if nothing does.

    Args:
        found: The state of the database while we were subscribed.
        silent: How many rows changed without any change arriving.
        passes_row_security: Whether the identity bypasses policies, so that they can't be the cause.
    """
    causes, figure = delivery.causes_of(found), "changes do not reach clients"
    if causes:
        if not found.has_slot:
            figure = "no replication slot is read"
        return Finding(layer="database", state="failed", figure=figure, causes=causes, check="delivery")
    if not silent:
        return None
    hiding = Cause("policies hide those rows from this identity", filled(SIGN_IN))
    causes = (delivery.LIMIT,) if passes_row_security else (delivery.LIMIT, hiding)
    figure = f"{silent:,} rows changed and nothing came"
    return Finding(layer="database", state="warning", figure=figure, causes=causes, check="delivery")
