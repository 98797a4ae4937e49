"""The reason why an expected change does not arrive.

Most of it is found by asking what the same identity can read over REST.
"""

from __future__ import annotations

from msgspec import structs

from prt import quoting
from prt.checks import delivery
from prt.checks.test.context import Context
from prt.checks.test.identities import Who
from prt.checks.test.outcomes import FailedError
from prt.checks.test.rows import Row, is_readable
from prt.checks.test.watcher import Watcher
from prt.errors import PrtError
from prt.events import Change
from prt.inputs import Input
from prt.results import Cause, Failure
from prt.stream.socket import refusal_codes


async def expect_change(
    context: Context, watcher: Watcher, event_type: str, row: Row, who: Who = "self"
) -> Change:
    """Wait for the change of a row and return it.

    Args:
        context: The context of the check.
        watcher: The connection on which the change must arrive.
        event_type: INSERT, UPDATE or DELETE.
        row: The row as it is after the write.
        who: The identity of the connection, as which REST is asked for the reason if no change comes.

    Raises:
        FailedError: The change did not come, or came without its row. The failure includes the likely cause.
    """
    try:
        change = await watcher.change(event_type, row)
    except FailedError as exc:
        if exc.failure.cause is not None or watcher.error is not None:
            raise
        cause, remedy = await _why_unseen(context, event_type, row, who)
        raise FailedError(structs.replace(exc.failure, cause=cause, remedy=remedy), exc.found) from exc
    if change.errors:
        raise FailedError(_came_with_errors(context, change))
    return change


def _came_with_errors(context: Context, change: Change) -> Failure:
    words = "; ".join(change.errors or ())
    table = f"{quoting.identifier(context.settings.schema)}.{quoting.identifier(context.settings.table)}"
    cause, remedy = {
        "unauthorized": (
            "this identity's role may not select from the table",
            f"grant select on {table} to …;",
        ),
        "no_primary_key": ("the table has no primary key", f"alter table {table} add primary key (…);"),
        "too_large": ("the row is larger than 1 MiB", "read it over REST when its change comes"),
    }[refusal_codes.of_row(change.errors or [])]
    return Failure(
        expected=f"{change.event_type} of our row, whole",
        came="a change without its row",
        server=words,
        cause=cause,
        remedy=remedy,
    )


async def _why_unseen(context: Context, event_type: str, row: Row, who: Who) -> tuple[str, str]:
    table = f"{quoting.identifier(context.settings.schema)}.{quoting.identifier(context.settings.table)}"
    known = await _known_obstacle(context)
    if known is not None:
        return known.why, known.remedy or ""
    if event_type == "DELETE":
        return (
            f"the publication leaves out deletes, or {table} has no primary key",
            "alter publication supabase_realtime set (publish = 'insert, update, delete, truncate');",
        )
    try:
        is_shown = await is_readable(await context.identities.rest(who), context.settings, row)
    except PrtError:
        is_shown = False
    if not is_shown:
        return (
            "row level security hides the row from this identity: REST does not show it either",
            f"create policy … on {table} for select to authenticated using (…); "
            f"or take another {Input.IDENTITY}",
        )
    return (
        f"REST shows the row to this identity, so it is not row level security: the publication leaves out "
        f"{event_type}s, the server dropped it above its rate of messages a second, another client filters "
        "on an array or composite column, or Realtime has no replication slot",
        "alter publication supabase_realtime set (publish = 'insert, update, delete, truncate'); "
        "else look for MessagePerSecondRateLimitReached in the project's Realtime logs, or let `prt status` "
        "look into the database (SUPABASE_DB_URL)",
    )


async def _known_obstacle(context: Context) -> Cause | None:
    """Return a cause that keeps changes from every client, if the database can be asked and shows one."""
    secret = context.project.database_url
    found = None if secret is None else await delivery.read(secret.reveal())
    return None if found is None else next(iter(delivery.causes_of(found)), None)
