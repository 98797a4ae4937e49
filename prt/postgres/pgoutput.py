"""Decoding of the messages of the logical decoding plugin `pgoutput`, protocol version 1 with values as text.

Source: PostgreSQL's documentation, "Logical Replication Message Formats".
"""

from __future__ import annotations

import enum
import struct
from datetime import UTC, datetime

from msgspec import Struct


class Unchanged(enum.Enum):
    """A value that is stored out of line (TOAST) and not sent, because the UPDATE did not change it."""

    VALUE = "u"


UNCHANGED = Unchanged.VALUE

Value = str | None | Unchanged
Row = list[Value]

POSTGRES_EPOCH = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())


class Begin(Struct, frozen=True, gc=False):
    """The beginning of a transaction.

    Attributes:
        committed: The time of its commit, in microseconds since the Unix epoch.
        transaction: Its id, of 32 bits.
    """

    committed: int
    transaction: int


class Commit(Struct, frozen=True, gc=False):
    """The end of a transaction. `end` is the position in the WAL after it."""

    end: int


class RelationColumn(Struct, frozen=True, gc=False):
    """A column of a relation, as the stream describes it."""

    name: str
    type_oid: int
    modifier: int
    is_identity: bool


class Relation(Struct, frozen=True, gc=False):
    """The description of a table, sent before its first change and again after the table was altered.

    `identity` is the replica identity: d (default), f (full), n (nothing) or i (an index).
    """

    oid: int
    schema: str
    name: str
    identity: str
    columns: tuple[RelationColumn, ...]


class Change(Struct, frozen=True, gc=False):
    """The change of one row.

    Attributes:
        relation: The oid of the table.
        event: INSERT, UPDATE or DELETE.
        new: The values of the new row, in the order of the relation's columns; None for a DELETE.
        old: The values of the old row that the replica identity provides; None if it was not sent.
    """

    relation: int
    event: str
    new: Row | None
    old: Row | None


Message = Begin | Commit | Relation | Change

_int16 = struct.Struct("!H").unpack_from
_int32 = struct.Struct("!I").unpack_from
_begin = struct.Struct("!QqI").unpack_from
_commit = struct.Struct("!BQQq").unpack_from
_column = struct.Struct("!Ii").unpack_from

_INSERT, _UPDATE, _DELETE = b"IUD"
_NULL, _UNCHANGED_VALUE, _TEXT = b"nut"
_NEW = ord("N")


def decode(data: bytes) -> Message | None:
    """Return the decoded message, or None for kinds that Realtime does not use.

    These are TRUNCATE, origins, types and logical messages.
    """
    kind = data[0]
    if kind == _INSERT:
        return Change(_int32(data, 1)[0], "INSERT", _row(data, 6)[0], None)
    if kind == _UPDATE:
        return _update(data)
    if kind == _DELETE:
        return Change(_int32(data, 1)[0], "DELETE", None, _row(data, 6)[0])
    if kind == ord("B"):
        _, committed, transaction = _begin(data, 1)
        return Begin(committed + POSTGRES_EPOCH * 1_000_000, transaction)
    if kind == ord("C"):
        return Commit(_commit(data, 1)[2])
    if kind == ord("R"):
        return _relation(data)
    return None


class Shortened(bytes):
    """The bytes of a change whose longest values were removed and marked as unchanged."""


def shortened(data: memoryview, longest: int) -> bytes:
    """Return a message as bytes, without copying values of more than `longest` bytes.

    In a change such values are marked as unchanged, and the result is a `Shortened`.
    """
    if len(data) <= longest or data[0] not in b"IUD":
        return bytes(data)
    pieces: list[bytes | memoryview] = []
    start, at = 0, 5
    while at < len(data):
        (count,) = _int16(data, at + 1)  # after the byte that names the kind of row
        at += 3
        for _ in range(count):
            size = _int32(data, at + 1)[0] if data[at] == _TEXT else -1
            if size > longest:
                pieces += [data[start:at], bytes([_UNCHANGED_VALUE])]
                start = at + 5 + size
            at += 5 + size if size >= 0 else 1
    return Shortened(b"".join([*pieces, data[start:]]))


def is_change(data: bytes) -> bool:
    """Return whether a message is the change of a row, without decoding it."""
    return data[0] in b"IUD"


def is_commit(data: bytes) -> bool:
    """Return whether a message ends a transaction, without decoding it."""
    return data[0] == ord("C")


def _update(data: bytes) -> Change:
    relation, at, old = _int32(data, 1)[0], 5, None
    if data[at] != _NEW:  # K: the old key, because it changed; O: the whole old row
        old, at = _row(data, at + 1)
    return Change(relation, "UPDATE", _row(data, at + 1)[0], old)


def _row(data: bytes, at: int) -> tuple[Row, int]:
    (count,) = _int16(data, at)
    at += 2
    row: Row = []
    for _ in range(count):
        kind = data[at]
        if kind == _TEXT:
            end = at + 5 + _int32(data, at + 1)[0]
            row.append(data[at + 5 : end].decode())
            at = end
        elif kind == _NULL:
            row.append(None)
            at += 1
        elif kind == _UNCHANGED_VALUE:
            row.append(UNCHANGED)
            at += 1
        else:
            raise ValueError(f"a value of kind {kind} was not asked for")
    return row, at


def _relation(data: bytes) -> Relation:
    (oid,) = _int32(data, 1)
    schema, at = _text(data, 5)
    name, at = _text(data, at)
    identity = chr(data[at])
    (count,) = _int16(data, at + 1)
    at += 3
    columns = []
    for _ in range(count):
        is_identity = bool(data[at] & 1)
        column, at = _text(data, at + 1)
        type_oid, modifier = _column(data, at)
        at += 8
        columns.append(RelationColumn(column, type_oid, modifier, is_identity))
    # pgoutput sends an empty name for the schema pg_catalog.
    return Relation(oid, schema or "pg_catalog", name, identity, tuple(columns))


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(0, at)
    return data[at:end].decode(), end + 1
