"""The options of what is read over REST: the backfill of a gap, a snapshot, the time before the start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from prt.errors import UsageError
from prt.state.conditions.bounds import parse_duration
from prt.stream.binding import Binding

Keys = dict[tuple[str, str], tuple[str, ...]]
"""Key columns by (schema, table)."""


class Recovering(Struct, frozen=True, kw_only=True):
    """`since` is an RFC 3339 moment; `keys` are as typed until the tables are known."""

    backfill: bool = True
    snapshot: bool | frozenset[tuple[str, str]] = False
    """Of every table, of none, or of these."""
    since: str | None = None
    cursor: str | None = None
    keys: tuple[str, ...] = ()

    def keys_of(self, bindings: Sequence[Binding]) -> Keys:
        """`[TABLE:]COLUMN,COLUMN` for the tables that are watched; UsageError where one is not."""
        found: Keys = {}
        for text in self.keys:
            table, colon, columns = text.rpartition(":")
            names = tuple(column.strip() for column in columns.split(","))
            if not all(names):
                raise UsageError(f"--key can't read {text}", "write COLUMN,COLUMN or TABLE:COLUMN,COLUMN")
            meant = [one for one in bindings if not colon or table in (one.table, one.name)]
            if not meant:
                raise UsageError(f"--key names {table}, which is not watched", "add it to the tables")
            found.update({(one.schema, one.table): names for one in meant if one.table != "*"})
        return found


def parse_recovering(
    *, backfill: bool, snapshot: bool, since: str | None, cursor: str | None, keys: Iterable[str]
) -> Recovering:
    """The options as they were typed; UsageError where `since` is no time."""
    return Recovering(
        backfill=backfill,
        snapshot=snapshot,
        since=None if since is None else moment_of(since, "--since").isoformat(),
        cursor=cursor,
        keys=tuple(keys),
    )


def moment_of(text: str, option: str) -> datetime:
    """A timestamp in UTC, or a pause such as 5m as that long ago; UsageError names the option."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.now(UTC) - timedelta(seconds=parse_duration(text, option))
    if moment.tzinfo is None:
        raise UsageError(f"{option} has no time zone: {text}", "write 5m, or as 2026-11-22T16:48:47Z")
    return moment.astimezone(UTC)
