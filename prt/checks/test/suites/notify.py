"""The suite `notify`: a notification reaches its user through the subscription of the seed's application."""

from __future__ import annotations

from datetime import UTC, datetime

from prt.checks.test.causes import expect_change
from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.outcomes import Found, SkippedError
from prt.checks.test.row_factory import unread
from prt.errors import PrtError
from prt.stream.rest.answers import UnknownColumnError

SEED = {"type": "test", "title": "Test", "message": "Testing realtime"}


async def own(context: Context) -> Found:
    """The INSERT of a notification reaches its user, whose filter is the own id."""
    user, rows = await _user(context), await context.rows("member")
    binding = context.binding(event="INSERT", filter=f"user_id=eq.{user}")
    async with context.watch([binding], who="member") as watcher:
        await watcher.ready(context.table)
        column = await rows.column()
        row = await rows.insert("notify", user_id=user, **await _known(context, column))
        change = await expect_change(context, watcher, "INSERT", row, "member")
        return Found(
            note="came with its filter", figures={} if change.lag_ms is None else {"lag_ms": change.lag_ms}
        )


async def read(context: Context) -> Found:
    """The UPDATE that marks a notification as read reaches its user, for example on a second device."""
    user, rows = await _user(context), await context.rows("member")
    await _has(context, "read_at", "needs a column read_at")
    async with context.watch([context.binding(filter=f"user_id=eq.{user}")], who="member") as watcher:
        await watcher.ready(context.table)
        row = await rows.insert("notify", user_id=user)
        await expect_change(context, watcher, "INSERT", row, "member")
        row = await rows.update(row, "notify, read", read_at=datetime.now(UTC).isoformat())
        change = await expect_change(context, watcher, "UPDATE", row, "member")
        return Found(note="read_at came", figures={} if change.lag_ms is None else {"lag_ms": change.lag_ms})


async def _user(context: Context) -> str:
    """Return the id of the member.

    Raises:
        SkippedError: There is no member, or the table has no column user_id.
        FailedError: The table does not exist.
    """
    await context.require_table()
    user = context.identities.user_id(await context.identities.session("member"))
    if user is None:
        raise SkippedError("needs a user whose token says who it is (sub)")
    await _has(context, "user_id", f"{context.table} has no column user_id")
    return user


async def _known(context: Context, marked: str) -> dict[str, str]:
    """Return the values of the seed's notification for which a column exists."""
    found = {}
    for name, value in SEED.items():
        if name != marked:
            try:
                await _has(context, name, "")
            except SkippedError:
                continue
            found[name] = value
    return found


async def _has(context: Context, column: str, reason: str) -> None:
    settings = context.settings
    rest = await context.identities.rest("member")
    try:
        await rest.read(settings.schema, settings.table, [("select", column), ("limit", "0")])
    except UnknownColumnError as exc:
        raise SkippedError(reason) from exc
    except PrtError as exc:
        raise unread(exc, context.table) from exc


SUITE = Suite(
    name="notify",
    line="a notification reaches its user, and that it was read",
    needs="a user ({IDENTITY} EMAIL, PRT_TOKEN); a table with user_id ({TABLE}); "
    "{ALLOW_WRITES} away from this machine",
    checks=(
        Check(suite="notify", name="own", run=own),
        Check(suite="notify", name="read", run=read),
    ),
    writes=True,
)
