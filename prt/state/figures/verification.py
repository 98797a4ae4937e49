"""When each table was last verified."""

from __future__ import annotations

from prt.events import TableVerification, Verified

_MOST_TABLES = 1_000
_SECOND = 1_000_000


class Verification:
    """The last verification of each table, by `schema.table`."""

    def __init__(self) -> None:
        self.tables: dict[str, Verified] = {}

    def apply(self, event: Verified) -> None:
        """Keep the last verification of a table."""
        if event.table in self.tables or len(self.tables) < _MOST_TABLES:
            self.tables[event.table] = event

    @property
    def verified(self) -> list[Verified]:
        """The tables that are verified, at least in part; the oldest verification comes first."""
        found = [one for one in self.tables.values() if one.scope != "none" and one.verified_at is not None]
        return sorted(found, key=lambda one: one.verified_at or 0)

    @property
    def limited(self) -> list[Verified]:
        """The tables that are not verified, or only in part, by name."""
        found = [one for one in self.tables.values() if one.reason is not None]
        return sorted(found, key=lambda one: one.table)

    def ages(self, now: int) -> dict[str, TableVerification]:
        """Return how long ago each table was verified at `now` (µs)."""
        return {
            name: TableVerification(
                age_seconds=None if one.verified_at is None else max(now - one.verified_at, 0) / _SECOND,
                scope=one.scope,
                reason=one.reason,
            )
            for name, one in sorted(self.tables.items())
        }
