"""The suite `rls`: several identities watch the same writes, and receive what REST lets each of them read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from prt import quoting
from prt.checks.test.causes import expect_change
from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.contract.arrivals import Conditions, arrivals
from prt.checks.test.contract.observations import Subscribed
from prt.checks.test.contract.terms import Event, Identity, TableTerms
from prt.checks.test.outcomes import FailedError, Found, SkippedError
from prt.checks.test.rows import Row, is_readable
from prt.checks.test.samples import Sample, written
from prt.checks.test.watcher import Watcher, all_ready
from prt.results import Failure
from prt.stream.socket.failures import NothingAcceptedError

WATCHED: tuple[Identity, ...] = ("service", "member", "stranger", "anon")
Watchers = dict[Identity, Watcher]


async def visibility(context: Context, agreed: TableTerms | None = None) -> Found:
    """INSERT and UPDATE reach the identities that may read the row, and no others.

    With the terms of a contract, events that are agreed not to arrive are not required, and rows for the
    agreed conditions are written too.
    """
    if agreed is None:
        await context.require_table()
    asked = set() if agreed is None else agreed.conditions()
    async with _watchers(context, least=2 if agreed is None else 1) as watchers:
        samples = await written(context, await _writing(context, watchers), watchers, asked)
        for sample in samples:
            sample.readers = await _readers(context, watchers, sample.row)
        if agreed is None and not any(sample.readers for sample in samples):
            raise SkippedError(f"nobody may read the row over REST: {', '.join(watchers)}")
        held = Conditions()
        await held.read(context, watchers, samples, asked)
        failures = await _all_come(context, watchers, samples, "INSERT", agreed)
        kept = ""
        try:
            for sample in samples:
                sample.states.append(await sample.rows.update(sample.row, "rls, updated"))
        except SkippedError as exc:  # a table that allows no UPDATE can leak too
            kept = f"; INSERT alone: {exc.reason}"
        failures += await _all_come(context, watchers, samples, "UPDATE", agreed)
        await _delete_and_await(context, watchers, [sample.row for sample in samples])
        failures += _leaks(context, watchers, samples)
        found = Found(
            note=_note(watchers, samples) + kept,
            figures={"identities": len(watchers), "readers": len(samples[0].readers)},
            observed=(
                Subscribed(context.table, True),
                *arrivals(context.table, watchers, samples, held, agreed),
            ),
        )
    if failures:
        raise FailedError(failures[0], found)
    return found


async def observe(context: Context, agreed: TableTerms) -> Found:
    """Observe who receives what from a contract's table, or that the table is not published."""
    of_table = context.of_table(agreed.schema, agreed.table, agreed.marker)
    try:
        return await visibility(of_table, agreed)
    except FailedError as exc:
        error = exc.__cause__
        if not isinstance(error, NothingAcceptedError) or error.code != "unpublished":
            raise
        found = Found(note="not published", observed=(Subscribed(of_table.table, False),))
        if agreed.is_published is False:
            return found
        await of_table.require_table()
        raise FailedError(exc.failure, found) from error


async def deletes(context: Context) -> Found:
    """A DELETE reaches every identity, but shows only the key to an identity that may not read the row."""
    await context.require_table()
    async with _watchers(context) as watchers:
        rows = await context.rows(await _writing(context, watchers))
        row = await rows.insert("rls, delete")
        readers = await _readers(context, watchers, row)
        if not readers:
            raise SkippedError(f"nobody may read the row over REST: {', '.join(watchers)}")
        await asyncio.gather(*(expect_change(context, watchers[who], "INSERT", row, who) for who in readers))
        receivers = await _delete_and_await(context, watchers, [row])
        if not set(receivers) & set(readers):
            raise FailedError(_unheard(context, readers))
        for who in receivers:
            old = watchers[who].changes(row)[-1].old_row()
            if who not in readers and row.column in old:
                raise FailedError(_leak(context, who, "DELETE"))
    return Found(note=f"only the key came to {', '.join(receivers)}", figures={"identities": len(receivers)})


@asynccontextmanager
async def _watchers(context: Context, *, least: int = 2) -> AsyncIterator[Watchers]:
    """Open a READY connection for each identity that the keys and passwords allow, for the block.

    Raises:
        SkippedError: There are fewer than `least` identities.
        FailedError: A connection did not become READY.
    """
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
        if len(watchers) < least:
            raise SkippedError(f"needs two identities to compare: {'; '.join(missing)}")
        await all_ready(list(watchers.values()), context.table)
        yield watchers


async def _writing(context: Context, watchers: Watchers) -> Identity:
    """Return the identity that writes: the member if possible, because an application's users write too.

    Raises:
        SkippedError: No identity can write to the table.
    """
    order: tuple[Identity, ...] = ("member", "service", "stranger", "anon")
    hindrances = []
    for who in order:
        if who in watchers:
            try:
                await context.rows(who)
            except SkippedError as exc:
                hindrances.append(exc)
            else:
                return who
    raise hindrances[0]


async def _readers(context: Context, watchers: Watchers, row: Row) -> list[Identity]:
    """Return the identities that can read the row over REST."""
    return [
        who
        for who in watchers
        if await is_readable(await context.identities.rest(who), context.settings, row)
    ]


async def _all_come(
    context: Context,
    watchers: Watchers,
    samples: Sequence[Sample],
    event: Event,
    agreed: TableTerms | None,
) -> list[Failure]:
    """Return failures for the events that did not reach the identities that may read the rows.

    The events must arrive before the rows change again, because the server asks who may see a row when it
    delivers the change.
    """

    async def missed(who: Identity, sample: Sample) -> Failure | None:
        try:
            await expect_change(context, watchers[who], event, sample.row, who)
        except FailedError as exc:
            return exc.failure
        return None

    found = await asyncio.gather(
        *(
            missed(who, sample)
            for sample in samples
            if sample.has(event)
            for who in sample.readers
            if agreed is None or not agreed.is_silent(who, event)
        )
    )
    return [failure for failure in found if failure is not None]


async def _delete_and_await(context: Context, watchers: Watchers, rows: Sequence[Row]) -> list[Identity]:
    """Delete the rows, and return the identities that received the DELETEs.

    A server sends a DELETE to everybody, so all earlier changes have arrived by then. If a server sends it to
    fewer identities, the wait for the others ends after the waiting time.
    """

    async def receives(watcher: Watcher) -> bool:
        try:
            for row in rows:
                await watcher.change("DELETE", row)
        except FailedError:
            return False
        return True

    await (await context.sweeper()).sweep_own(context.run)
    received = await asyncio.gather(*(receives(watcher) for watcher in watchers.values()))
    return [who for who, has_received in zip(watchers, received, strict=True) if has_received]


def _leaks(context: Context, watchers: Watchers, samples: Sequence[Sample]) -> list[Failure]:
    """Return failures for the events that reached identities which may not read the row over REST."""
    found = []
    for who, watcher in watchers.items():
        shown = [
            change.event_type
            for sample in samples
            if who not in sample.readers
            for state in sample.states
            for change in watcher.changes(state)
            if change.event_type != "DELETE"
        ]
        found += [_leak(context, who, event) for event in shown[:1]]
    return found


def _note(watchers: Watchers, samples: Sequence[Sample]) -> str:
    """Return in words which identities see the rows, and how many rows if not all."""
    counts = {who: sum(who in sample.readers for sample in samples) for who in watchers}
    seeing = [
        who if count == len(samples) else f"{who} ({count} of {len(samples)} rows)"
        for who, count in counts.items()
        if count
    ]
    hidden = [who for who, count in counts.items() if not count]
    return f"seen by {', '.join(seeing) or 'nobody'}; hidden from {', '.join(hidden) or 'nobody'}"


def _unheard(context: Context, readers: Sequence[Identity]) -> Failure:
    return Failure(
        expected=f"DELETE of our row as {' or '.join(readers)}",
        came="none",
        cause="the publication leaves out deletes",
        remedy="alter publication supabase_realtime set (publish = 'insert, update, delete, truncate');",
    )


def _leak(context: Context, who: Identity, event_type: str) -> Failure:
    return Failure(
        expected=f"no {event_type} for {who}, whom REST does not let read the row",
        came=f"the {event_type} with its values: a leak",
        cause=f"a policy of {context.table} answers Realtime otherwise than REST (it depends on the "
        "request), or row level security is off and only REST hides the table",
        remedy=f"alter table {quoting.qualified(context.table)} enable row level security; and let its "
        "SELECT policies depend on auth.uid() and the row alone",
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
