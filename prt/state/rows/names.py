"""Names for ids: the name in the row that an id refers to."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from prt.state.rows.cache import Rows
from prt.state.rows.difference import value_text
from prt.state.rows.present import values_of

NAMES = ("name", "full_name", "display_name", "title", "label", "username", "email")

_UUID_LENGTH = 36


class Names:
    """Looks up names in the last known rows when they are needed, so that changes cost nothing."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def of(self, column: str, value: str) -> str:
        """Return the name of the row that `column` refers to by `value`, or `value` if no name is known.

        A UUID is looked up in all tables, and any other id in the table that the column is named after.
        """
        if not column.endswith(("_id", "_by", "Id")) or not value:
            return value
        is_unique = is_uuid(value)
        key = msgspec.json.encode(value) if is_unique else value.encode()
        stem = column.removesuffix("_id").removesuffix("Id")
        for schema, table in self._rows.tables:
            if not is_unique and table not in {stem, f"{stem}s", f"{stem}es", f"{stem.removesuffix('y')}ies"}:
                continue
            row = self._rows.row(schema, table, key)
            name = None if row is None else name_of(row)
            if name:
                return name
        return value


def is_uuid(text: str) -> bool:
    """Return whether a text has the shape of a UUID."""
    return len(text) == _UUID_LENGTH and text.count("-") == 4


def name_of(row: bytes | Raw) -> str:
    """Return the name in a row, or "" if the row has no name."""
    values = values_of(row, NAMES) or ()
    return next((value_text(Raw(value)) for value in values if value and value != b"null"), "")
