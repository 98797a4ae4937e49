"""The options of a watch's recovery, as one value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from msgspec import Struct

from prt.clock import wall_clock
from prt.events import Status
from prt.stream.recovery.table_progress import Table

SETTLE_SECONDS = 1.0
"""Default of `Options.settle_seconds`: a server that polls needs half a second from a commit to its
delivery."""
ROWS_LIMIT = 10_000
"""Default of `Options.limit`."""


class Options(Struct, frozen=True, kw_only=True):
    """The settings that decide how a watch recovers what its stream missed.

    Attributes:
        settle_seconds: How long rows that were read are held back, in case the stream still delivers them.
        is_backfilling: Whether the rows of a gap are read over REST.
        is_verifying: Whether the rows of the tables are compared with the emitted ones all the time.
        keeps_snapshot: The tables whose present rows are emitted first and whose keys are kept in memory;
            True for all tables, False for none.
        since: An RFC 3339 timestamp. Rows that were written after it, but before the start, are emitted too.
        cursor: The column that dates the rows of every table; None to look for `updated_at`, then
            `created_at`.
        keys: The key columns by table, for tables whose key can't be learned from the stream.
        limit: The most rows of one table that are read for one gap or one snapshot.
        topic: The topic that the emitted rows carry.
        now: The clock that dates emitted events, in µs since the epoch.
    """

    settle_seconds: float = SETTLE_SECONDS
    is_backfilling: bool = True
    is_verifying: bool = False
    keeps_snapshot: bool | Collection[Table] = False
    since: str | None = None
    cursor: str | None = None
    keys: Mapping[Table, tuple[str, ...]] = {}
    limit: int = ROWS_LIMIT
    topic: str = "prt-watch"
    now: Callable[[], int] = wall_clock

    def keeps(self, table: Table) -> bool:
        """Return whether the present rows of the table are emitted first and its keys kept in memory."""
        kept = self.keeps_snapshot
        return kept if isinstance(kept, bool) else table in kept

    def status(self, reason: str, tables: list[str]) -> Status:
        """Return the status event that reports what can't be read of tables while they are READY."""
        return Status(at=self.now(), status="READY", topic=self.topic, tables=tables, reason=reason)
