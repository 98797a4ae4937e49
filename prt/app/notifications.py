"""Sending notifications and marking them as read, with the requests for both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw, Struct

from prt.app.lines import write_line, write_text
from prt.app.sources.refusals import ExplainingSource, Remedies
from prt.clock import wall_clock
from prt.decoding import decoded_row
from prt.errors import PrtError, RefusedError, UsageError
from prt.inputs import Input
from prt.state.notifications import READ, read_column, shown
from prt.stream.binding import Binding
from prt.stream.filters import grammar, postgrest
from prt.stream.filters.postgrest import Parameters
from prt.stream.live.listener import Echoes, echoing
from prt.stream.live.source import Live
from prt.stream.rest.answers import UnknownColumnError, UnknownTableError
from prt.stream.rest.client import Rest
from prt.stream.rest.session import Endpoint, Session, session_of, user_of
from prt.views.drawing.cells import safe
from prt.views.drawing.figures import counted, milliseconds
from prt.views.sinks.form import is_terminal
from prt.views.sinks.ndjson import timestamp

if TYPE_CHECKING:
    from prt.config.project import Project

ID = "id"
TIME = "_at"
"""The end of the name of a column that holds a time."""
AT_ONCE = 100
"""How many ids a request has at most, because the length of a URL is limited."""
NOW = "now"
"""PostgreSQL's word for the start of the transaction, by the server's clock instead of ours."""


class NotificationTable(Struct, frozen=True, kw_only=True):
    """The table of notifications; `column` holds the user."""

    schema: str
    table: str
    column: str

    @property
    def name(self) -> str:
        """The name as `schema.table`."""
        return f"{self.schema}.{self.table}"

    def bindings(self, user: str) -> list[Binding]:
        """Return the bindings of one channel: for new notifications, those marked as read, and removed ones.

        The DELETEs are not filtered, because they only have the key, and a filter on another column would
        drop them.
        """
        own = Binding(
            schema=self.schema, table=self.table, event="INSERT", filter=grammar.equals(self.column, user)
        )
        return [
            own,
            msgspec.structs.replace(own, event="UPDATE"),
            msgspec.structs.replace(own, event="DELETE", filter=None),
        ]

    def of_user(self, user: str) -> tuple[str, str]:
        """Return the query parameter that selects the notifications of one user."""
        return postgrest.condition(self.column, f"eq.{user}")


def remedies() -> Remedies:
    """Return what can be done about a refused table of notifications, whose default is the demo's."""
    return Remedies(command=f"prt notify {Input.TABLE}", missing=_name_table(), column=_name_column())


def _name_table() -> str:
    return f"name the table of your notifications with {Input.TABLE}"


def _name_column() -> str:
    return f"name the column that holds the user's id with {Input.USER_COLUMN}"


@contextmanager
def _explained() -> Iterator[None]:
    """Give an error of REST about an unknown table or column a hint that names the option for it."""
    try:
        yield
    except UnknownTableError as exc:
        raise UnknownTableError(exc.message, f"{_name_table()}; {exc.hint}", exc.near) from exc
    except UnknownColumnError as exc:
        raise UsageError(exc.message, _name_column()) from exc


def user_of_session(endpoint: Endpoint, user: str | None) -> str:
    """Return the given user, otherwise the session's own.

    Raises:
        UsageError: The session has no user, or the given one is empty.
    """
    if user is not None and not user.strip():
        raise UsageError(f"{Input.USER} is empty", "leave it out for the session's own")
    own = user or user_of(endpoint)
    if own is None:
        raise UsageError(
            "this session does not belong to a user",
            f"name one with {Input.USER} ID, or sign in with {Input.IDENTITY} EMAIL",
        )
    return own


class SendRequest(Struct, frozen=True, kw_only=True):
    """The request to write a notification; `user` None is the session's own."""

    project: Project
    target: NotificationTable
    user: str | None
    columns: dict[str, Any]
    seconds: float
    """How long to wait for the echo."""
    is_awaited: bool = True
    is_json: bool = False


class MarkRequest(Struct, frozen=True, kw_only=True):
    """The request to mark notifications as read: those with these ids, otherwise all of a user's."""

    project: Project
    target: NotificationTable
    ids: Sequence[str] = ()
    user: str | None = None
    is_json: bool = False


def send_one(request: SendRequest) -> int:
    """Write the notification, print the result, and return the exit code.

    Raises:
        PrtError: The notification couldn't be written, or its echo didn't arrive.
    """
    target = request.target

    async def main() -> tuple[Sent, PrtError | None]:
        async with session_of(request.project) as session:
            values = {target.column: user_of_session(session.endpoint, request.user), **request.columns}
            return await send(session, target, values, seconds=request.seconds, is_awaited=request.is_awaited)

    with _explained():
        one, error = asyncio.run(main())
    write_sent(one, is_json=request.is_json)
    if error is not None:
        raise error
    return 0


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

    with _explained():
        marked = asyncio.run(main())
    write_marked(marked, is_json=request.is_json)
    if marked.unknown:
        raise PrtError(
            f"no notification {', '.join(marked.unknown)}",
            "none with this id, or none that this identity may see",
        )
    return 0


class Sent(Struct, frozen=True, kw_only=True):
    """A notification that was written; times are in ms since the request.

    `id` and `row` are None if the row can't be read back.
    """

    at: int
    id: str | None
    row: Raw | None
    written_ms: float
    echoed_ms: float | None = None


async def send(
    session: Session,
    target: NotificationTable,
    values: Mapping[str, Any],
    *,
    seconds: float,
    is_awaited: bool,
) -> tuple[Sent, PrtError | None]:
    """Write a notification once the subscription is READY.

    Args:
        session: The session to write with.
        target: The table.
        values: The values by column, the user among them.
        seconds: How long to wait for the echo.
        is_awaited: Whether to subscribe and wait for the echo.

    Returns:
        The notification, and the error if its echo was awaited and didn't arrive.
    """
    import httpx  # noqa: F401, PLC0415 - imported now, so that its time isn't measured

    async with Rest(lambda: session.endpoint) as rest:
        if not is_awaited:
            return await _written(rest, target, values), None
        binding = target.bindings(str(values[target.column]))[0]
        live = ExplainingSource(Live(session, [binding]), rest, remedies=remedies())
        async with echoing(live) as echoes:
            one = await _written(rest, target, values)
            if one.id is None:
                return one, PrtError(
                    "the notification was written, and row-level security hides it from this identity: "
                    "no echo can come",
                    f"who may SELECT it hears it; {Input.NO_WAIT} doesn't wait",
                )
            change = await echoes.of(lambda change: _id_of(change.new) == one.id, seconds)
            if change is None:
                return one, await _unheard(rest, target, one.id, echoes, seconds)
            return msgspec.structs.replace(one, echoed_ms=(change.at - one.at) / 1000), None


async def _written(rest: Rest, target: NotificationTable, values: Mapping[str, Any]) -> Sent:
    started = wall_clock()
    try:
        (row,) = await rest.insert(target.schema, target.table, [values])
    except RefusedError as exc:
        # Writing a row and reading it back need two rights, but both have the same error message.
        try:
            await rest.insert(target.schema, target.table, [values], returning=False)
        except PrtError:
            raise exc from None
        row = None
    took = (wall_clock() - started) / 1000
    return Sent(at=started, id=None if row is None else _id_of(row), row=row, written_ms=took)


async def _unheard(
    rest: Rest, target: NotificationTable, its_id: str, echoes: Echoes, seconds: float
) -> PrtError:
    message = f"{its_id} was written, and no echo came in {seconds:g} s"
    if echoes.interruption is not None:
        return PrtError(message, f"the connection was interrupted: {echoes.interruption}")
    select = [postgrest.condition(ID, f"eq.{its_id}"), ("select", ID)]
    if not (await rest.read(target.schema, target.table, select)).rows:
        return PrtError(
            message, "it can't be read any more: was it deleted, or may this identity not see it?"
        )
    return PrtError(
        message, f"does the publication supabase_realtime have INSERT of {target.name}? prt status"
    )


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
                for row in map(_decode, (await rest.read(target.schema, target.table, where)).rows)
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
    return await _mark(rest, target, _read_column(target, _decode(rows[0])), where) if rows else []


async def mark_all_as_read(session: Session, target: NotificationTable, user: str | None) -> Marked:
    """Mark all notifications of a user as read; `user` None is the session's own.

    Raises:
        PrtError: The request failed, or the table has no column for it.
    """
    async with Rest(lambda: session.endpoint) as rest:
        where = [target.of_user(user_of_session(session.endpoint, user))]
        rows = (await rest.read(target.schema, target.table, [*where, ("limit", "1")])).rows
        column = _read_column(target, _decode(rows[0])) if rows else None
        now = [] if column is None else await _mark(rest, target, column, where)
        return Marked(now=now, before=[], unknown=[])


async def _mark(rest: Rest, target: NotificationTable, column: str, where: Parameters) -> list[str]:
    is_time = column.endswith(TIME)
    unread = postgrest.condition(column, "is.null" if is_time else "not.is.true")
    rows = await rest.update(
        target.schema, target.table, [*where, unread, ("select", ID)], {column: NOW if is_time else True}
    )
    return [_id_of(row) for row in rows]


def _read_column(target: NotificationTable, row: Mapping[str, Any]) -> str:
    column = read_column(row)
    if column is None:
        raise PrtError(
            f"no column of {target.name} says whether one was read", f"known are {', '.join(READ)}"
        )
    return column


def _decode(row: Raw) -> dict[str, Any]:
    return decoded_row(row)


def _id_of(row: Raw) -> str:
    return shown(_decode(row).get(ID))


def write_sent(one: Sent, *, is_json: bool) -> None:
    """Print the result: a line of text on a terminal, otherwise a line of JSON."""
    if is_json or not is_terminal():
        write_line(
            {
                "type": "sent",
                "at": timestamp(one.at),
                "id": one.id,
                "written_ms": round(one.written_ms, 3),
                "echoed_ms": None if one.echoed_ms is None else round(one.echoed_ms, 3),
                "row": one.row,
            }
        )
        return
    echoed = "" if one.echoed_ms is None else f", echoed after {milliseconds(one.echoed_ms)}"
    write_text(f"{safe(one.id or 'sent')}: written in {milliseconds(one.written_ms)}{echoed}")


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
