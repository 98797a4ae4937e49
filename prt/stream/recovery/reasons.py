"""The reasons why a gap was not recovered completely, as one line of text for any number of tables."""

from __future__ import annotations

from collections.abc import Collection

TABLES_NAMED = 4
"""The most tables that a reason names; the others are counted."""


class Reasons:
    """A collection of reasons, each with the tables that it concerns, in the order of their first mention."""

    def __init__(self) -> None:
        self._tables: dict[str, set[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._tables)

    def add(self, reason: str, table: str) -> None:
        """Note why a table's gap is not complete.

        Args:
            reason: The reason, as users read it.
            table: The table as `schema.table`.
        """
        self._tables.setdefault(reason, set()).add(table)

    def text(self, concerned: Collection[str]) -> str:
        """Return all reasons in one line, each with its tables unless it applies to every concerned table.

        Args:
            concerned: All tables of the gap, as `schema.table`.
        """
        return "; ".join(
            reason if tables >= set(concerned) else f"{reason} ({_named(sorted(tables))})"
            for reason, tables in self._tables.items()
        )

    def by_reason(self) -> list[tuple[str, list[str]]]:
        """Return pairs of a reason and its tables, which are sorted."""
        return [(reason, sorted(tables)) for reason, tables in self._tables.items()]


def _named(tables: list[str]) -> str:
    more = len(tables) - TABLES_NAMED
    return ", ".join(tables[:TABLES_NAMED]) + (f" and {more} more" if more > 0 else "")
