"""Whether changes of the database reach clients at all, looked at while we are subscribed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from prt.checks import delivery
from prt.checks.delivery import Delivery
from prt.checks.status.layers.evidence import SIGN_IN
from prt.checks.status.layers.hearing import Ear
from prt.inputs import filled
from prt.results import Cause, Finding

SLOT_LOOKS: Final = 8
SLOT_PAUSE_SECONDS = 0.5
"""How far apart the slot is looked for: Realtime makes it with the first subscription."""
COUNT_SECONDS = 1.2
"""PostgreSQL counts rows that change up to a second late."""
TRAFFIC_SECONDS = 3.0
"""How long a change is awaited if rows change."""


async def examine(
    ear: Ear,
    read: Callable[[], Awaitable[Delivery | None]],
    before: Delivery,
    *,
    passes_row_security: bool,
    is_filtered: bool,
) -> Finding | None:
    """Return what keeps changes away: no slot, the filters of others, or a rate that is exceeded.

    Args:
        ear: A source that is READY.
        read: Reads the database anew.
        before: What it said before the source was opened.
        passes_row_security: Whether policies can't be the reason.
        is_filtered: Whether changes of the watched tables need not come.
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
        came = len(ear.heard.events)
        if not await ear.until(lambda heard: len(heard.events) > came, TRAFFIC_SECONDS):
            after = await read()
            silent = 0 if after is None else after.changed - found.changed
    return judge(found, silent=silent, passes_row_security=passes_row_security)


def judge(found: Delivery, *, silent: int, passes_row_security: bool) -> Finding | None:
    """Return what keeps changes from everybody while subscriptions are READY; None if nothing does.

    Args:
        found: What the database says of delivery while we were subscribed.
        silent: How many rows changed of which nothing came.
        passes_row_security: Whether policies can't be the reason.
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
