"""The suite `changes`: every change of a table arrives as it was requested.

The first check is the test of the seed's own application.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack

from msgspec import Struct

from prt.checks.test.causes import expect_change
from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.outcomes import FailedError, Found, SkippedError
from prt.checks.test.rows import Row
from prt.checks.test.settings import KEY
from prt.checks.test.watcher import Watcher
from prt.events import Change
from prt.results import Failure
from prt.stream import values
from prt.stream.socket.failures import NothingAcceptedError


async def insert(context: Context) -> Found:
    """The INSERT of a row arrives."""
    rows = await context.rows()
    started = time.perf_counter()
    async with context.watch([context.binding()]) as watcher:
        await watcher.ready(context.table)
        ready_ms = (time.perf_counter() - started) * 1000
        change = await expect_change(context, watcher, "INSERT", await rows.insert("insert"))
        return Found(note=f"into {context.table}", figures={"ready_ms": ready_ms, **_lag(change)})


async def update(context: Context) -> Found:
    """The UPDATE of a row arrives."""
    rows = await context.rows()
    async with context.watch([context.binding()]) as watcher:
        await watcher.ready(context.table)
        row = await rows.insert("update")
        await expect_change(context, watcher, "INSERT", row)
        change = await expect_change(context, watcher, "UPDATE", await rows.update(row, "updated"))
        return Found(
            note=f"old has {len(change.old_row())} of {len(row.values)} columns", figures=_lag(change)
        )


async def delete(context: Context) -> Found:
    """The DELETE of a row arrives."""
    rows = await context.rows()
    async with context.watch([context.binding()]) as watcher:
        await watcher.ready(context.table)
        row = await rows.insert("delete")
        # The server reads a row when it delivers the change: a deleted row is shown to nobody.
        await expect_change(context, watcher, "INSERT", row)
        await rows.delete(row)
        change = await expect_change(context, watcher, "DELETE", row)
        return Found(note=f"old has {', '.join(change.old_row())}"[:60], figures=_lag(change))


class Operator(Struct, frozen=True):
    """An operator of filters, with the rows that must pass it.

    Attributes:
        filter: The filter as a template: {c} is the column, {a} and {b} are the marks of two rows, {A} is {a}
            in capitals.
        sees: The letters of the rows that must pass.
    """

    name: str
    filter: str
    sees: str


OPERATORS = (
    Operator("eq", "{c}=eq.{a}", "a"),
    Operator("neq", "{c}=neq.{a}", "b"),
    Operator("lt", "{c}=lt.{b}", "a"),
    Operator("lte", "{c}=lte.{a}", "a"),
    Operator("gt", "{c}=gt.{a}", "b"),
    Operator("gte", "{c}=gte.{b}", "b"),
    Operator("in", '{c}=in.("{a}","nothing")', "a"),
    Operator("like", "{c}=like.{a}%", "a"),
    Operator("ilike", "{c}=ilike.{A}", "a"),
    Operator("is", "{c}=not.is.null", "ab"),
    Operator("match", "{c}=match.^{a}$", "a"),
    Operator("imatch", "{c}=imatch.^{A}$", "a"),
    Operator("isdistinct", "{c}=isdistinct.{a}", "b"),
    Operator("not", "{c}=not.eq.{a}", "b"),
    Operator("AND", "{c}=gte.{a},{c}=lt.{b}", "a"),
)


async def filters(context: Context) -> Found:
    """Each operator lets exactly the right rows through.

    Each operator's filter has its own connection. A last row that passes every filter shows that the earlier
    rows have arrived.
    """
    rows = await context.rows()
    column = await rows.column()
    base = rows.next_mark("filters")
    a, b, end = f"{base} a", f"{base} b", f"{base} z"
    async with AsyncExitStack() as stack:
        watchers: list[Watcher] = []
        for operator in OPERATORS:
            text = operator.filter.format(c=column, a=a, b=b, A=a.upper())
            bindings = [
                context.binding(event="INSERT", filter=text),
                context.binding(event="INSERT", filter=f"{column}=eq.{end}"),
            ]
            watchers.append(await stack.enter_async_context(context.watch(bindings)))
        await asyncio.gather(
            *(_accepts(operator, watcher) for operator, watcher in zip(OPERATORS, watchers, strict=True))
        )
        written = {letter: await rows.insert("", mark) for letter, mark in (("a", a), ("b", b), ("z", end))}
        for operator, watcher in zip(OPERATORS, watchers, strict=True):
            await expect_change(context, watcher, "INSERT", written["z"])
            came = "".join(letter for letter in "ab" if watcher.has_come(written[letter]))
            if came != operator.sees:
                raise FailedError(_wrongly_filtered(operator, came))
    return Found(
        note=", ".join(operator.name for operator in OPERATORS), figures={"operators": len(OPERATORS)}
    )


async def _accepts(operator: Operator, watcher: Watcher) -> None:
    try:
        await watcher.ready(f"a filter with {operator.name}")
    except FailedError as exc:
        error = watcher.error
        if not isinstance(error, NothingAcceptedError) or error.code == "unpublished":
            raise
        raise FailedError(
            Failure(
                expected=f"the operator {operator.name} to be taken",
                came="a refusal",
                server=watcher.server_words(),
                cause="the server is too old for it",
                remedy="update a self-hosted Realtime, or filter in the client",
            )
        ) from exc


def _wrongly_filtered(operator: Operator, came: str) -> Failure:
    named = {"": "neither row", "a": "the first row", "b": "the second row", "ab": "both rows"}
    return Failure(
        expected=f"{named[operator.sees]} through {operator.filter.partition('=')[2]}",
        came=named[came],
        cause=f"the server evaluates the operator {operator.name} otherwise",
        remedy="filter in the client",
    )


async def select(context: Context) -> Found:
    """A subscription to some columns receives no others, except those of the key, which the server adds."""
    rows = await context.rows()
    column = await rows.column()
    first = await rows.insert("select, before")
    wanted = [name for name in (KEY, column) if name in first.values]
    async with context.watch([context.binding(event="INSERT", select=tuple(wanted))]) as watcher:
        await watcher.ready(context.table)
        change = await expect_change(context, watcher, "INSERT", await rows.insert("select"))
        came = set(change.new_row())
        if came == set(first.values) != set(wanted) and KEY not in wanted:
            raise SkippedError(
                f"every column of {context.table} may belong to its key, and a key is always sent"
            )
        if not came >= set(wanted) or came == set(first.values) != set(wanted):
            raise FailedError(
                Failure(
                    expected=f"the columns {', '.join(sorted(wanted))}",
                    came=", ".join(sorted(came)),
                    cause="the server does not support `select`",
                    remedy="update a self-hosted Realtime",
                )
            )
        return Found(note=", ".join(wanted), figures=_lag(change))


async def two_bindings(context: Context) -> Found:
    """Two bindings of a channel keep their own events and filters.

    One of them must not let through what the other drops.
    """
    rows = await context.rows()
    column = await rows.column()
    base = rows.next_mark("bindings")
    bindings = [
        context.binding(event="INSERT", filter=f"{column}=eq.{base} a"),
        context.binding(event="UPDATE"),
    ]
    async with context.watch(bindings) as watcher:
        await watcher.ready(context.table)
        wanted = await rows.insert("", f"{base} a")
        await expect_change(context, watcher, "INSERT", wanted)
        other = await rows.insert("", f"{base} b")
        await expect_change(context, watcher, "UPDATE", await rows.update(other, "bindings, updated"))
        if watcher.has_come(other):
            raise FailedError(
                Failure(
                    expected="no INSERT that the filter of its binding keeps out",
                    came="one, through the other binding",
                    cause="the server mixes the bindings of a channel",
                    remedy="one channel for each binding",
                )
            )
    return Found(note="INSERT with a filter beside UPDATE without")


async def types(context: Context) -> Found:
    """Every column of a change has the value that REST reads, or what the server leaves of it."""
    rows = await context.rows()
    async with context.watch([context.binding(event="INSERT")]) as watcher:
        await watcher.ready(context.table)
        row = await rows.insert("types")
        new = (await expect_change(context, watcher, "INSERT", row)).new_row()
    missing = sorted(row.values.keys() - new.keys())
    wrong = sorted(name for name, value in new.items() if name in row.values and not _same(value, row, name))
    if missing or wrong:
        parts = [f"without {', '.join(missing)}"] * bool(missing) + [f"other {', '.join(wrong)}"] * bool(
            wrong
        )
        raise FailedError(
            Failure(
                expected="the columns and values that REST reads",
                came="; ".join(parts),
                cause="column privileges of this role"
                if missing
                else "types that the server prints otherwise",
                remedy="grant select on the table, or name the columns with `select`",
            )
        )
    return Found(note=_type_note(new, row), figures={"columns": len(new)})


def _type_note(new: Mapping[str, object], row: Row) -> str:
    """Return a note that names the columns whose values the server cuts, because nothing else shows it."""
    cut = [name for name, value in row.values.items() if values.is_cut(new.get(name), value)]
    if not cut:
        return f"{len(new)} columns as REST reads them"
    return (
        f"{len(new)} columns; the server sends only the first character of {', '.join(cut)} (char(n), bit(n))"
    )


def _same(value: object, row: Row, name: str) -> bool:
    return values.is_same(value, row.values[name])


def _lag(change: Change) -> dict[str, float]:
    return {} if change.lag_ms is None else {"lag_ms": change.lag_ms}


SUITE = Suite(
    name="changes",
    line="INSERT, UPDATE, DELETE, every filter, select, two bindings, types",
    needs="a table that is published, writable and readable ({TABLE}); {ALLOW_WRITES} away from this machine",
    checks=tuple(
        Check(suite="changes", name=name, run=run)
        for name, run in (
            ("insert", insert),
            ("update", update),
            ("delete", delete),
            ("filters", filters),
            ("select", select),
            ("two bindings", two_bindings),
            ("types", types),
        )
    ),
    writes=True,
)
