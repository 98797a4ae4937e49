"""`rls`: the same writes watched by several identities; who saw what, against what REST lets each read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from prt.checks.test.causes import seen
from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.identities import Who
from prt.checks.test.outcomes import FailedError, Found, SkippedError
from prt.checks.test.rows import Row, Rows
from prt.checks.test.watcher import Watcher, all_ready
from prt.results import Failure

WATCHED: tuple[Who, ...] = ("service", "member", "stranger", "anon")
Watchers = dict[Who, Watcher]


async def visibility(context: Context) -> Found:
    """INSERT and UPDATE come to those who may read the row, and to nobody else."""
    async with _watchers(context) as watchers:
        rows = await _writer(context, watchers)
        row = await rows.insert("rls")
        readers = await _readers(context, rows, watchers, row)
        await _all_see(context, watchers, readers, "INSERT", row)
        states, kept = [row], ""
        try:
            states.append(await rows.update(row, "rls, updated"))
            await _all_see(context, watchers, readers, "UPDATE", states[-1])
        except SkippedError as exc:  # a table to which rows are only added can leak too
            kept = f"; INSERT alone: {exc.reason}"
        await _all_hear_of_the_end(context, watchers, states[-1])
        for who, watcher in watchers.items():
            shown = [
                change.event_type
                for state in states
                for change in watcher.changes(state)
                if change.event_type != "DELETE"
            ]
            if who not in readers and shown:
                raise FailedError(_leak(context, who, shown[0]))
    hidden = [who for who in watchers if who not in readers]
    note = f"seen by {', '.join(readers)}" + f"; hidden from {', '.join(hidden) or 'nobody'}{kept}"
    return Found(note=note, figures={"identities": len(watchers), "readers": len(readers)})


async def deletes(context: Context) -> Found:
    """A DELETE reaches everyone, and must tell those who may not read the row no more than its key."""
    async with _watchers(context) as watchers:
        rows = await _writer(context, watchers)
        row = await rows.insert("rls, delete")
        readers = await _readers(context, rows, watchers, row)
        await _all_see(context, watchers, readers, "INSERT", row)
        heard = await _all_hear_of_the_end(context, watchers, row)
        if not set(heard) & set(readers):
            raise FailedError(_unheard(context, readers))
        for who in heard:
            old = watchers[who].changes(row)[-1].old_row()
            if who not in readers and row.column in old:
                raise FailedError(_leak(context, who, "DELETE"))
    return Found(note=f"only the key came to {', '.join(heard)}", figures={"identities": len(heard)})


@asynccontextmanager
async def _watchers(context: Context) -> AsyncIterator[Watchers]:
    """All that keys and passwords allow, READY. Raises SkippedError where there is nobody to compare."""
    async with AsyncExitStack() as stack:
        watchers: Watchers = {}
        missing = []
        for who in WATCHED:
            try:
                await context.identities.session(who)
            except SkippedError as exc:
                missing.append(f"{who} {exc.reason}")
                continue
            watchers[who] = await stack.enter_async_context(context.watch([context.binding()], who=who))
        if len(watchers) < 2:
            raise SkippedError(f"needs two identities to compare: {'; '.join(missing)}")
        await all_ready(list(watchers.values()), context.table)
        yield watchers


async def _writer(context: Context, watchers: Watchers) -> Rows:
    """The member where there is one, as an application's user is."""
    order: tuple[Who, ...] = ("member", "service", "stranger", "anon")
    return await context.rows(next(who for who in order if who in watchers))


async def _readers(context: Context, rows: Rows, watchers: Watchers, row: Row) -> list[Who]:
    """Whom REST lets read the row."""
    found = []
    for who in watchers:
        if await rows.read(await context.identities.rest(who), row) is not None:
            found.append(who)
    if not found:
        raise SkippedError(f"nobody may read the row over REST: {', '.join(watchers)}")
    return found


async def _all_see(
    context: Context, watchers: Watchers, readers: list[Who], event_type: str, row: Row
) -> None:
    """Wait until every reader has the change, before the row changes again: delivery judges who sees it."""
    await asyncio.gather(*(seen(context, watchers[who], event_type, row, who) for who in readers))


async def _all_hear_of_the_end(context: Context, watchers: Watchers, row: Row) -> list[Who]:
    """Deletes the row, which everyone is told: what comes before it has come by then. Who was told.

    Where a server tells fewer, the wait for the others ends with the time that there is.
    """

    async def hears(watcher: Watcher) -> bool:
        try:
            await watcher.change("DELETE", row)
        except FailedError:
            return False
        return True

    await (await context.sweeper()).sweep_own(context.run)
    told = await asyncio.gather(*(hears(watcher) for watcher in watchers.values()))
    return [who for who, was_told in zip(watchers, told, strict=True) if was_told]


def _unheard(context: Context, readers: list[Who]) -> Failure:
    return Failure(
        expected=f"DELETE of our row as {' or '.join(readers)}",
        came="none",
        cause="the publication leaves out deletes",
        remedy="alter publication supabase_realtime set (publish = 'insert, update, delete, truncate');",
    )


def _leak(context: Context, who: Who, event_type: str) -> Failure:
    return Failure(
        expected=f"no {event_type} for {who}, whom REST does not let read the row",
        came=f"the {event_type} with its values: a leak",
        cause=f"a policy of {context.table} answers Realtime otherwise than REST (it depends on the "
        "request), or row level security is off and only REST hides the table",
        remedy=f"alter table {context.table} enable row level security; and let its SELECT policies depend "
        "on auth.uid() and the row alone",
    )


SUITE = Suite(
    name="rls",
    line="who sees which row live, against what REST lets each read",
    needs="two of: server key, user ({IDENTITY}, PRT_TOKEN), stranger ({STRANGER}, SUPABASE_JWT_SECRET), "
    "client key; {ALLOW_WRITES} away from this machine",
    checks=(
        Check(suite="rls", name="visibility", run=visibility),
        Check(suite="rls", name="deletes", run=deletes),
    ),
    writes=True,
)
