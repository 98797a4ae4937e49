"""The options of a watch's recovery, as one value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from msgspec import Struct

from prt.clock import wall_clock
from prt.stream.recovery.table_progress import Table

SETTLE_SECONDS = 1.0
"""A polling server takes half a second from a commit to us."""
ROWS_LIMIT = 10_000


class Options(Struct, frozen=True, kw_only=True):
    """How a watch recovers what its stream missed.

    Attributes:
        settle_seconds: How long rows that were read wait for the stream to bring them.
        is_backfilling: Whether the rows of a gap are read.
        is_verifying: Whether the rows are compared with what was emitted, all the time.
        keeps_snapshot: The tables whose present rows are emitted first and whose keys are held; or all,
            or none.
        since: An RFC 3339 moment from which on rows are emitted that were written before the start.
        cursor: The column that dates the rows of every table, unless it is one of the usual ones.
        keys: Key columns by table, where they can't be learned.
        limit: The most rows of one table that are read for one gap or one snapshot.
        topic: The topic that emitted rows carry.
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
        """Return whether the table's present rows are asked for."""
        kept = self.keeps_snapshot
        return kept if isinstance(kept, bool) else table in kept
