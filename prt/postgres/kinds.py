"""The kinds of relations whose changes PostgreSQL does not publish."""

from __future__ import annotations

from typing import Final

UNPUBLISHABLE: Final = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}
"""The name of each kind by its `pg_class.relkind`."""
