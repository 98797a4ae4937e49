"""Values that the direct connection reports: tables, changes of the log, judgements, the server's state."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import msgspec
from msgspec import Raw, Struct

from prt.events import EventType
from prt.stream.values import moment, timestamp

Texts = Mapping[str, str | None]
"""A row as PostgreSQL prints its values; a column that the log left out is absent."""
Key = tuple[str, ...]
"""The comparable texts of a row's primary key, in the order of its columns."""

_NUMBERS = ("numeric", "real", "double precision")
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode


class Column(Struct, frozen=True, array_like=True):
    """A column; `type` is as `format_type` prints it, `is_structured` whether it is an array or composite."""

    name: str
    type: str
    is_structured: bool = False


class AuditedTable(Struct, frozen=True, kw_only=True):
    """A table whose changes are accounted for."""

    oid: int
    schema: str
    table: str
    kind: str
    has_row_security: bool
    is_published: bool
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        """Return `schema.table`."""
        return f"{self.schema}.{self.table}"

    def type_of(self, column: str) -> str | None:
        """Return the type of a column, None if there is no such column."""
        return next((one.type for one in self.columns if one.name == column), None)

    def key_of(self, row: Texts) -> Key | None:
        """Return the key of a row of the log, None if a value of it is missing or the table has no key."""
        values = [row.get(name) for name in self.key]
        if not values or None in values:
            return None
        return tuple(
            comparable(value, self.type_of(name) or "")
            for name, value in zip(self.key, values, strict=True)
            if value is not None
        )

    def key_of_json(self, row: Raw) -> Key | None:
        """Return the key of a row that Realtime sent."""
        members = _decode_members(row)
        return self.key_of({name: json_text(members[name]) for name in self.key if name in members})


class LoggedChange(Struct, frozen=True, kw_only=True, gc=False):
    """A row's change as the database's log has it.

    `number` counts the changes of one audit, `committed` is in µs since the epoch by the database's clock,
    `transaction` is an id of 32 bits. `is_asked` tells whether a binding asks for this kind of event.
    """

    number: int
    table: AuditedTable
    event: EventType
    committed: int
    transaction: int
    key: Key | None
    row: Texts
    """The new row, the old one of a DELETE."""
    is_asked: bool = True


class Judgement(Struct, frozen=True, kw_only=True, gc=False):
    """The database's answers about a change at `at` (µs, its clock).

    Both answers are None if they could not be had. `is_visible` is of the row as it was then.
    """

    number: int
    at: int
    is_matching: bool | None
    is_visible: bool | None


class ServerState(Struct, frozen=True, kw_only=True):
    """The state that can explain a loss, at `at` (µs, the database's clock); `clock_ahead` is ours less its.

    Each part is a value that is equal as long as nothing has changed. `retained` are the bytes of WAL that
    our own slot holds back, None if it is gone.
    """

    at: int
    clock_ahead: int
    started: int
    slots: frozenset[tuple[str, int | None]]
    publication: frozenset[str]
    publication_oid: int | None
    policies: Mapping[str, str]
    structured_filters: tuple[str, ...] = ()
    retained: int | None = None


def comparable(text: str, type_: str) -> str:
    """Return one text for all the ways in which the log and Realtime print a value of this type."""
    if type_ == "boolean":
        return {"t": "true", "f": "false"}.get(text, text)
    if type_.startswith("timestamp"):
        at = moment(text)
        return text if at is None else timestamp(at)
    if type_.startswith(_NUMBERS):
        try:
            return format(Decimal(text).normalize(), "f")
        except InvalidOperation:
            return text
    return text.removeprefix("\\x") if type_ == "bytea" else text


def json_text(value: Raw) -> str | None:
    """Return a JSON value as text: a string's content, anything else as it is written."""
    data = bytes(value)
    if data == b"null":
        return None
    return msgspec.json.decode(data, type=str) if data.startswith(b'"') else data.decode()
