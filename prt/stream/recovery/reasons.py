"""Why a gap is not whole, in one line for however many tables."""

from __future__ import annotations

from collections.abc import Collection

TABLES_NAMED = 4


class Reasons:
    """Each reason once, with the tables that it is about, in the order of their first mention."""

    def __init__(self) -> None:
        self._tables: dict[str, set[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._tables)

    def add(self, reason: str, table: str) -> None:
        """Note why a table's gap is not complete."""
        self._tables.setdefault(reason, set()).add(table)

    def text(self, concerned: Collection[str]) -> str:
        """Tables are left out where a reason is about all that are concerned."""
        return "; ".join(
            reason if tables >= set(concerned) else f"{reason} ({_named(sorted(tables))})"
            for reason, tables in self._tables.items()
        )

    def by_reason(self) -> list[tuple[str, list[str]]]:
        """Return each reason with its tables, sorted."""
        return [(reason, sorted(tables)) for reason, tables in self._tables.items()]


def _named(tables: list[str]) -> str:
    more = len(tables) - TABLES_NAMED
    return ", ".join(tables[:TABLES_NAMED]) + (f" and {more} more" if more > 0 else "")
