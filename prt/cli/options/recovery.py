"""The options of what is read over REST: the backfill of a gap, a snapshot, the time before the start."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from prt.app.watch_request import KeyColumns, RecoveryRequest
from prt.errors import UsageError
from prt.state.conditions.bounds import parse_duration


def parse_recovery(
    *, backfill: bool, snapshot: bool, since: str | None, cursor: str | None, keys: Iterable[str]
) -> RecoveryRequest:
    """Return the checked options. Raise UsageError if one can't be read."""
    return RecoveryRequest(
        backfill=backfill,
        snapshot=snapshot,
        since=None if since is None else moment_of(since, "--since").isoformat(),
        cursor=cursor,
        keys=tuple(map(_key, keys)),
    )


def _key(text: str) -> KeyColumns:
    """Return what `[TABLE:]COLUMN,COLUMN` says."""
    table, colon, columns = text.rpartition(":")
    names = tuple(column.strip() for column in columns.split(","))
    if not all(names):
        raise UsageError(f"--key can't read {text}", "write COLUMN,COLUMN or TABLE:COLUMN,COLUMN")
    return KeyColumns(table if colon else None, names)


def moment_of(text: str, option: str) -> datetime:
    """A timestamp in UTC, or a pause such as 5m as that long ago; UsageError names the option."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.now(UTC) - timedelta(seconds=parse_duration(text, option))
    if moment.tzinfo is None:
        raise UsageError(f"{option} has no time zone: {text}", "write 5m, or as 2026-11-22T16:48:47Z")
    return moment.astimezone(UTC)
