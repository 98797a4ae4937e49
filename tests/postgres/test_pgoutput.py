from __future__ import annotations

import struct

import pytest

from prt.postgres import pgoutput
from prt.postgres.pgoutput import (
    UNCHANGED,
    Begin,
    Change,
    Commit,
    Relation,
    RelationColumn,
    Row,
)


def row(*values: str | pgoutput.Unchanged | None) -> bytes:
    """A TupleData of the protocol."""
    data = struct.pack("!H", len(values))
    for value in values:
        if value is None:
            data += b"n"
        elif value is UNCHANGED:
            data += b"u"
        else:
            assert isinstance(value, str)
            data += b"t" + struct.pack("!I", len(value.encode())) + value.encode()
    return data


TABLE = struct.pack("!I", 16384)

CASES: list[tuple[str, bytes, pgoutput.Message | None]] = [
    ("begin", b"B" + struct.pack("!QqI", 7, 1_000_000, 42), Begin(946_684_801_000_000, 42)),
    ("commit", b"C" + struct.pack("!BQQq", 0, 7, 9, 0), Commit(9)),
    ("insert", b"I" + TABLE + b"N" + row("1", None, "é"), Change(16384, "INSERT", ["1", None, "é"], None)),
    ("empty text", b"I" + TABLE + b"N" + row(""), Change(16384, "INSERT", [""], None)),
    ("update", b"U" + TABLE + b"N" + row("1", UNCHANGED), Change(16384, "UPDATE", ["1", UNCHANGED], None)),
    (
        "update of the key",
        b"U" + TABLE + b"K" + row("1", None) + b"N" + row("2", "b"),
        Change(16384, "UPDATE", ["2", "b"], ["1", None]),
    ),
    (
        "update with the whole old row",
        b"U" + TABLE + b"O" + row("1", "a") + b"N" + row("1", "b"),
        Change(16384, "UPDATE", ["1", "b"], ["1", "a"]),
    ),
    ("delete", b"D" + TABLE + b"K" + row("1", None), Change(16384, "DELETE", None, ["1", None])),
    (
        "relation",
        b"R" + TABLE + b"public\0Mixed Case\0d" + struct.pack("!H", 2)
        + b"\1id\0" + struct.pack("!Ii", 20, -1) + b"\0tag\0" + struct.pack("!Ii", 1043, 24),
        Relation(
            16384,
            "public",
            "Mixed Case",
            "d",
            (RelationColumn("id", 20, -1, True), RelationColumn("tag", 1043, 24, False)),
        ),
    ),
    ("truncate", b"T" + struct.pack("!IBI", 1, 0, 16384), None),
    ("origin", b"O" + struct.pack("!Q", 7) + b"elsewhere\0", None),
    ("type", b"Y" + TABLE + b"public\0mood\0", None),
]  # fmt: skip


@pytest.mark.parametrize(("data", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_decodes(data: bytes, message: pgoutput.Message | None) -> None:
    assert pgoutput.decode(data) == message


def test_refuses_binary_values() -> None:
    with pytest.raises(ValueError, match="kind 98"):
        pgoutput.decode(b"I" + TABLE + b"N" + struct.pack("!H", 1) + b"b" + struct.pack("!I", 0))


def test_keeps_the_order_of_columns() -> None:
    values: Row = [str(number) for number in range(300)]
    message = pgoutput.decode(b"I" + TABLE + b"N" + row(*values))
    assert isinstance(message, Change)
    assert message.new == values
