"""Sending a notification: written over REST, and awaited as a change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw, Struct

from prt.app.lines import write_line, write_text
from prt.app.notifications.table import ID, NotificationTable, explained, id_of, remedies, user_of_session
from prt.app.sources.refusals import ExplainingSource
from prt.clock import wall_clock
from prt.errors import PrtError, RefusedError
from prt.inputs import Input
from prt.stream.filters import postgrest
from prt.stream.live.listener import Echoes, echoing
from prt.stream.live.source import Live
from prt.stream.rest.client import Rest
from prt.stream.rest.session import Session, session_of
from prt.views.drawing.cells import safe
from prt.views.drawing.figures import milliseconds
from prt.views.sinks.form import is_terminal
from prt.views.sinks.ndjson import timestamp

if TYPE_CHECKING:
    from prt.config.project import Project


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

    with explained():
        one, error = asyncio.run(main())
    write_sent(one, is_json=request.is_json)
    if error is not None:
        raise error
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
                    f"whoever may SELECT it receives it; {Input.NO_WAIT} sends without waiting for the echo",
                )
            change = await echoes.of(lambda change: id_of(change.new) == one.id, seconds)
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
    return Sent(at=started, id=None if row is None else id_of(row), row=row, written_ms=took)


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
        message, f"`prt status` shows whether the publication supabase_realtime has INSERT of {target.name}"
    )


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
