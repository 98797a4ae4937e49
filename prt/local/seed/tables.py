"""The ids of the seed's rows, as `sql/seed/rows.sql` generates them."""

from __future__ import annotations

from prt.config.constants.seed_tables import TABLES


def seeded(table: str, number: int) -> str:
    """Return the id of a table's row `number`; the rows of the seed are numbered from 1."""
    return f"5eed0000-00{TABLES.index(table) + 1:02x}-4000-8000-{number:012x}"
