"""Marking notifications as read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from prt.app.lines import write_line, write_text
from prt.app.notifications.table import ID, NotificationTable, explained, id_of, user_of_session
from prt.decoding import decoded_row
from prt.errors import PrtError
from prt.state.notifications import READ, read_column, shown
from prt.stream.filters import postgrest
from prt.stream.filters.postgrest import Parameters
from prt.stream.rest.client import Rest
from prt.stream.rest.session import Session, session_of
from prt.views.drawing.figures import counted
from prt.views.sinks.form import is_terminal

if TYPE_CHECKING:
    from prt.config.project import Project

TIME = "_at"
"""The end of the name of a column that holds a time."""
AT_ONCE = 100
"""How many ids a request has at most, because the length of a URL is limited."""
NOW = "now"
"""PostgreSQL's word for the start of the transaction, by the server's clock instead of ours."""


class MarkRequest(Struct, frozen=True, kw_only=True):
    """The request to mark notifications as read: those with these ids, otherwise all of a user's."""

    project: Project
    target: NotificationTable
    ids: Sequence[str] = ()
    user: str | None = None
    is_json: bool = False


def mark(request: MarkRequest) -> int:
    """Mark the notifications as read, print which, and return the exit code.

    Raises:
        PrtError: They couldn't be marked, or an id is unknown.
    """

    async def main() -> Marked:
        async with session_of(request.project) as session:
            if request.ids:
                return await mark_as_read(session, request.target, request.ids)
            return await mark_all_as_read(session, request.target, request.user)

    with explained():
        marked = asyncio.run(main())
    write_marked(marked, is_json=request.is_json)
    if marked.unknown:
        raise PrtError(
            f"no notification {', '.join(marked.unknown)}",
            "none with this id, or none that this identity may see",
        )
    return 0


class Marked(Struct, frozen=True, kw_only=True):
    """The ids of notifications: those marked now, those read before, and those that aren't visible to us."""

    now: list[str]
    before: list[str]
    unknown: list[str]


async def mark_as_read(session: Session, target: NotificationTable, ids: Sequence[str]) -> Marked:
    """Mark the notifications with these ids as read.

    Raises:
        PrtError: The request failed, or the table has no column for it.
    """
    async with Rest(lambda: session.endpoint) as rest:
        column = None
        now, before, unknown = [], [], []
        for start in range(0, len(ids), AT_ONCE):
            chunk = list(dict.fromkeys(ids[start : start + AT_ONCE]))
            where = [postgrest.one_of([ID], [[one] for one in chunk])]
            found = {
                shown(row.get(ID)): row
                for row in map(decoded_row, (await rest.read(target.schema, target.table, where)).rows)
            }
            unknown += [one for one in chunk if one not in found]
            if found:
                column = column or _read_column(target, next(iter(found.values())))
                before += [one for one, row in found.items() if row[column]]
                now += await _mark(rest, target, column, where)
        return Marked(now=now, before=before, unknown=unknown)


async def mark_rows(rest: Rest, target: NotificationTable, ids: Sequence[str]) -> list[str]:
    """Mark the notifications with these ids as read, and return the ids of those that were unread.

    Raises:
        PrtError: The request failed, or the table has no column for it.
    """
    where = [postgrest.one_of([ID], [[one] for one in ids])]
    rows = (await rest.read(target.schema, target.table, [*where, ("limit", "1")])).rows
    return await _mark(rest, target, _read_column(target, decoded_row(rows[0])), where) if rows else []


async def mark_all_as_read(session: Session, target: NotificationTable, user: str | None) -> Marked:
    """Mark all notifications of a user as read; `user` None is the session's own.

    Raises:
        PrtError: The request failed, or the table has no column for it.
    """
    async with Rest(lambda: session.endpoint) as rest:
        where = [target.of_user(user_of_session(session.endpoint, user))]
        rows = (await rest.read(target.schema, target.table, [*where, ("limit", "1")])).rows
        column = _read_column(target, decoded_row(rows[0])) if rows else None
        now = [] if column is None else await _mark(rest, target, column, where)
        return Marked(now=now, before=[], unknown=[])


async def _mark(rest: Rest, target: NotificationTable, column: str, where: Parameters) -> list[str]:
    is_time = column.endswith(TIME)
    unread = postgrest.condition(column, "is.null" if is_time else "not.is.true")
    rows = await rest.update(
        target.schema, target.table, [*where, unread, ("select", ID)], {column: NOW if is_time else True}
    )
    return [id_of(row) for row in rows]


def _read_column(target: NotificationTable, row: Mapping[str, Any]) -> str:
    column = read_column(row)
    if column is None:
        raise PrtError(
            f"no column of {target.name} marks a notification as read",
            f"prt recognises columns with these names: {', '.join(READ)}",
        )
    return column


def write_marked(marked: Marked, *, is_json: bool) -> None:
    """Print the result: a line of text on a terminal, otherwise a line of JSON."""
    if is_json or not is_terminal():
        write_line(
            {
                "type": "read",
                "marked": len(marked.now),
                "ids": marked.now,
                "read_before": marked.before,
                "unknown": marked.unknown,
            }
        )
        return
    before = f", {len(marked.before):,} had been read before" if marked.before else ""
    write_text(f"{counted(len(marked.now), 'notification')} marked as read{before}")
