"""Values of the direct connection: tables, logged changes, judgements and the server's state."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import msgspec
from msgspec import Raw, Struct

from prt.events import EventType
from prt.stream.values import moment, timestamp

Texts = Mapping[str, str | None]
"""A row as PostgreSQL prints its values. Columns that the log left out are absent."""
Key = tuple[str, ...]
"""The comparable texts of a row's primary key, in the order of its columns."""

_NUMBERS = ("numeric", "real", "double precision")
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode


class Column(Struct, frozen=True, array_like=True):
    """A column of a table.

    Attributes:
        name: Its name.
        type: Its type, as `format_type` prints it.
        is_structured: Whether the type is an array or composite.
    """

    name: str
    type: str
    is_structured: bool = False


class AuditedTable(Struct, frozen=True, kw_only=True):
    """A table whose changes are accounted for.

    Attributes:
        oid: Its object id.
        schema: Its schema.
        table: Its name.
        kind: `r` for an ordinary table, `p` for a partitioned one.
        has_row_security: Whether row level security is enabled.
        is_published: Whether it is in the publication.
        key: The columns of the primary key, in the order of the table.
        columns: All columns, in the order of the table.
    """

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
        """The table as `schema.table`."""
        return f"{self.schema}.{self.table}"

    def type_of(self, column: str) -> str | None:
        """Return the type of a column; None if there is no such column."""
        return next((one.type for one in self.columns if one.name == column), None)

    def key_of(self, row: Texts) -> Key | None:
        """Return the key of a logged row; None if a value of it is missing, or if the table has no key."""
        values = [row.get(name) for name in self.key]
        if not values or None in values:
            return None
        return tuple(
            comparable(value, self.type_of(name) or "")
            for name, value in zip(self.key, values, strict=True)
            if value is not None
        )

    def key_of_json(self, row: Raw) -> Key | None:
        """Return the key of a row that Realtime sent; None as for `key_of`."""
        members = _decode_members(row)
        return self.key_of({name: json_text(members[name]) for name in self.key if name in members})


class LoggedChange(Struct, frozen=True, kw_only=True, gc=False):
    """A change of a row as the database's log has it.

    Attributes:
        number: The number of the change in this audit.
        table: The table.
        event: The event.
        committed: When it was committed (µs since the epoch, by the database's clock).
        transaction: The transaction id, of 32 bits.
        key: The key of the row; None if the log does not have it.
        row: The new row; for a DELETE the old one.
        is_asked: Whether a binding asks for this kind of event.
    """

    number: int
    table: AuditedTable
    event: EventType
    committed: int
    transaction: int
    key: Key | None
    row: Texts
    is_asked: bool = True


class Judgement(Struct, frozen=True, kw_only=True, gc=False):
    """The database's answers to the questions about a change. An answer is None if the database failed.

    Attributes:
        number: The number of the change.
        at: The moment that the answers are about (µs since the epoch, by the database's clock).
        is_matching: Whether the filter of the binding matches the row.
        is_visible: Whether the audited identity may see the row as it was at that moment.
    """

    number: int
    at: int
    is_matching: bool | None
    is_visible: bool | None


class ServerState(Struct, frozen=True, kw_only=True):
    """The parts of the database's state that can explain a lost change.

    Attributes:
        at: When the state was read (µs since the epoch, by the database's clock).
        clock_ahead: How far our clock is ahead of the database's (µs).
        started: When PostgreSQL was started (µs since the epoch).
        slots: Realtime's replication slots, each with the process that reads it, or None.
        publication: The audited tables in the publication, as `schema.table`.
        publication_oid: The object id of the publication, or None.
        policies: A hash of the policies of each audited table.
        structured_filters: Columns of array and composite types that clients filter by, as `table.column`.
        retained: The bytes of WAL that our own slot holds back; None if the slot is gone.
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
    """Return one text for all forms in which the log and Realtime print a value of this type."""
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
    """Return a JSON value as text: the content of a string, None for null, else the JSON itself."""
    data = bytes(value)
    if data == b"null":
        return None
    return msgspec.json.decode(data, type=str) if data.startswith(b'"') else data.decode()
