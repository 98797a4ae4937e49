"""The suite `reconnect`: a row is written while the connection is cut, and is recovered afterwards."""

from __future__ import annotations

import time

from msgspec import structs

from prt.checks.test.causes import expect_change
from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.outcomes import FailedError, Found, SkippedError
from prt.checks.test.settings import KEY
from prt.errors import ProtocolError
from prt.events import Gap, Vitals
from prt.inputs import Input
from prt.results import Failure
from prt.stream.live.supervisor import Policy
from prt.stream.recovery.backfill import Recovery
from prt.stream.recovery.options import SETTLE_SECONDS
from prt.stream.rest.pages import CREATED, UPDATED, shape_of
from prt.stream.rest.session import Session
from prt.stream.timing import Timing

NOWHERE = "http://127.0.0.1:9"
"""The URL of the port `discard`, where no server listens. It simulates a server that is down."""
HASTE = Timing(first_pause=0.1, longest_pause=0.5)


async def recovered(context: Context) -> Found:
    """A row that is written while the connection is cut arrives exactly once, within a declared gap."""
    rows = await context.rows()
    await _require_shape(context)
    own = await context.identities.session("self")
    session = Session(own.endpoint)
    rest = await context.identities.rest("self")
    column = await rows.column()
    # Only our own rows need to be recovered, and deletes can't be read afterwards.
    binding = context.binding(event="INSERT", filter=f"{column}=like.{context.run.mark}%")
    recovery = Recovery(rest, [binding])
    async with context.watch(
        [binding], session=session, recovery=recovery, policy=Policy(), timing=HASTE
    ) as watcher:
        await watcher.ready(context.table)
        await expect_change(context, watcher, "INSERT", await rows.insert("reconnect, before"))
        session.endpoint = structs.replace(own.endpoint, url=NOWHERE)
        cut = len(watcher.events)
        started = time.perf_counter()
        watcher.live.cut()
        await watcher.until(
            Vitals, lambda event: event.phase == "waiting", "the loss to be noticed", start=cut
        )
        missed = await rows.insert("reconnect, meanwhile")
        session.endpoint = own.endpoint
        gap = await watcher.until(Gap, lambda _: True, "a gap", start=cut)
        ms = (time.perf_counter() - started) * 1000
        await expect_change(context, watcher, "INSERT", await rows.insert("reconnect, after"))
        if not gap.complete or len(watcher.changes(missed)) != 1:
            raise FailedError(not_whole(gap, len(watcher.changes(missed))))
    return Found(
        note="gap declared, the row brought back once", figures={"outage_ms": ms, "recovered": gap.recovered}
    )


async def _require_shape(context: Context) -> None:
    """Look for the columns by which missed rows are read.

    Raises:
        SkippedError: The table lacks them.
        PrtError: REST failed.
    """
    rest = await context.identities.rest("self")
    try:
        shape = await shape_of(rest, context.binding(), (KEY,), None)
    except ProtocolError as exc:
        reason = f"{context.table} has no column {KEY}, which tells rows apart when missed ones are read"
        raise SkippedError(reason) from exc
    if shape.written is None:
        raise SkippedError(
            f"{context.table} has no column {UPDATED} or {CREATED}, by which missed rows are found"
        )


def not_whole(gap: Gap, times: int) -> Failure:
    """Return the failure that the gap is not complete, or that its row came `times` times instead of once."""
    if not gap.complete:
        cause = "the table has no column that says when a row changed, or REST can't read it"
        remedy = f"an updated_at with a trigger, or {Input.CURSOR} COLUMN for `prt watch`"
    elif times:
        cause = (
            f"the server streamed the row more than {SETTLE_SECONDS:g} s after READY, "
            "though it was committed before: it is slow to read the database's changes"
        )
        remedy = "try again when there is less traffic; look into the project's Realtime logs"
    else:
        cause = "REST did not return the row: a policy hides it, or its date is not the time of the write"
        remedy = "prt status shows what this identity may read; else name the column that dates its rows"
    return Failure(
        expected="a complete gap, and the row of the outage once",
        came=f"{'a complete' if gap.complete else 'an incomplete'} gap ({gap.cause}), the row {times} times",
        cause=cause,
        remedy=remedy,
    )


SUITE = Suite(
    name="reconnect",
    line="cut by us: the gap is declared, the rows of the outage come back",
    needs="a table with id and updated_at or created_at that is published, writable and readable ({TABLE}); "
    "{ALLOW_WRITES} away from this machine",
    checks=(Check(suite="reconnect", name="recovered", run=recovered),),
    writes=True,
)
