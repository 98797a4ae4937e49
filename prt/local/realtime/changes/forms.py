"""The JSON of a change, in each form in which subscribers may see it. Pure.

A form is a set of visible columns. A change is encoded once per form, and the text is put into the frame of
each subscriber. The keys of rows are in the order of `jsonb`, and those of the payload in the server's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from prt.local.realtime.changes.decoding import jsonb, values
from prt.local.realtime.changes.decoding.catalog import Table
from prt.local.realtime.changes.decoding.values import Convert
from prt.postgres.pgoutput import UNCHANGED, Change, Row

LARGEST_RECORD = 1024 * 1024
LARGEST_KEPT_VALUE = 64

NO_PRIMARY_KEY = "Error 400: Bad Request, no primary key"
UNAUTHORIZED = "Error 401: Unauthorized"
TOO_LARGE = "Error 413: Payload Too Large"

# The bytes that wal2json adds to values. The server measures the size of a change by wal2json's output.
_BYTES_A_COLUMN = 80
_BYTES_A_CHANGE = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Cell(Struct, frozen=True):
    """A visible column: the index of its value, its key with the colon, and the conversion to JSON."""

    index: int
    key: str
    convert: Convert


class Form:
    """The JSON form of a table's changes for subscribers that see the same columns."""

    def __init__(self, table: Table, visible: frozenset[str]) -> None:
        shown = [column for column in table.columns if column.name in visible]
        listed = ", ".join(
            f'{{"name": {jsonb.string(column.name)}, "type": {jsonb.string(column.type.name)}}}'
            for column in shown
        )
        self._head = f'{{"table":{jsonb.string(table.name)},"type":"'
        self._columns = f',"columns":[{listed}],"errors":'
        self._schema = f',"schema":{jsonb.string(table.schema)},"commit_timestamp":"'
        order = {column.name: index for index, column in enumerate(table.columns)}
        cells = {
            column.name: Cell(
                order[column.name],
                f"{jsonb.string(column.name)}: ",
                values.converter(column.type.oid, table.types),
            )
            for column in sorted(shown, key=lambda column: jsonb.key_order(column.name))
        }
        self._cells = list(cells.values())
        self._identity = [cells[c.name] for c in table.columns if c.is_identity and c.name in cells]
        self._identity.sort(key=self._cells.index)
        # Row security can't be checked for a deleted row, so only its primary key is sent.
        is_primary = {order[column.name] for column in table.primary_key}
        self._deleted = (
            [cell for cell in self._identity if cell.index in is_primary]
            if table.has_row_security
            else self._identity
        )

    def encode(self, change: Change, committed: str, *, is_too_large: bool) -> str:
        """Return the payload's `data` as JSON text.

        `committed` is the time of the commit as the server prints it. If the change is too large, values of
        more than 64 bytes are left out.
        """
        errors = f'["{TOO_LARGE}"]' if is_too_large else "null"
        encode = _small_values if is_too_large else _values
        pieces = [self._head, change.event, '"']
        if change.new is not None:
            # Unchanged values are not completed in a change that is too large: they are long and left out.
            is_whole = change.old is None or is_too_large
            record = change.new if is_whole else _completed(change.new, change.old or [])
            pieces += ',"record":', encode(self._cells, record)
        pieces += self._columns, errors, self._schema, committed, '"'
        if change.event == "DELETE":
            pieces += ',"old_record":', encode(self._deleted, change.old or [])
        elif change.event == "UPDATE":
            # Without an old row, the identity did not change, so it is read from the new row.
            pieces += ',"old_record":', encode(self._identity, change.old or change.new or [])
        pieces.append("}")
        return "".join(pieces)


def refusal(table: Table, event: str, error: str) -> str:
    """Return the `data` of a change that a subscriber may not see."""
    old = ',"old_record":{}' if event == "UPDATE" else ""
    return (
        f'{{"table":{jsonb.string(table.name)},"type":"{event}","record":{{}},"columns":[],'
        f'"errors":["{error}"],"schema":{jsonb.string(table.schema)},"commit_timestamp":null{old}}}'
    )


def timestamp(microseconds: int) -> str:
    """Return a commit's time as the server prints it, in UTC with milliseconds that are rounded down."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def is_too_large(table: Table, change: Change) -> bool:
    """Return whether wal2json's output for the change would be larger than 1 MiB, approximately."""
    size = _BYTES_A_CHANGE
    for row in (change.new, change.old):
        for column, value in zip(table.columns, row or [], strict=False):
            size += _BYTES_A_COLUMN
            if isinstance(value, str):
                size += len(values.converter(column.type.oid, table.types)(value).encode())
    return size > LARGEST_RECORD


def _completed(new: Row, old: Row) -> Row:
    """Return the new row. Values that were not sent because they are unchanged come from the old row."""
    if UNCHANGED not in new:
        return new
    return [
        former if value is UNCHANGED and former is not None else value
        for value, former in zip(new, old, strict=True)
    ]


def _values(cells: list[Cell], row: Row) -> str:
    pieces = []
    for cell in cells:
        value = row[cell.index]
        if value is None:
            pieces.append(f"{cell.key}null")
        elif value is not UNCHANGED:
            pieces.append(cell.key + cell.convert(value))
    return f"{{{', '.join(pieces)}}}"


def _small_values(cells: list[Cell], row: Row) -> str:
    """Return the row as JSON without long values, and without nulls, which the server leaves out as well."""
    pieces = []
    for cell in cells:
        value = row[cell.index]
        if isinstance(value, str):
            converted = cell.convert(value)
            if len(converted.encode()) <= LARGEST_KEPT_VALUE:
                pieces.append(cell.key + converted)
    return f"{{{', '.join(pieces)}}}"
