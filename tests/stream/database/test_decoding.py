"""Messages of wal2json and pgoutput become the same changes, with keys that Realtime's rows have too."""

from __future__ import annotations

import json
import struct

import pytest
from msgspec import Raw

from prt.stream.database.decoding import PgoutputDecoder, Wal2JsonDecoder
from prt.stream.database.values import AuditedTable, Column, comparable, json_text

COMMITTED = 1_764_471_679_901_631  # 2025-11-30 03:01:19.901631 UTC
POSTGRES_EPOCH = 946_684_800


def table(*key: str) -> AuditedTable:
    return AuditedTable(
        oid=7,
        schema="public",
        table="tasks",
        kind="r",
        has_row_security=False,
        is_published=True,
        key=key or ("id",),
        columns=(Column("id", "bigint"), Column("title", "text"), Column("done", "boolean")),
    )


def wal2json(action: str, **more: object) -> bytes:
    message = {
        "action": action,
        "xid": 9,
        "timestamp": "2025-11-30 03:01:19.901631+00",
        "schema": "public",
        "table": "tasks",
        **more,
    }
    return json.dumps(message).encode()


def test_wal2json_is_read_with_its_transaction_and_time() -> None:
    decoder = Wal2JsonDecoder([table()], lambda _, event: event != "DELETE")
    columns = [
        {"name": "id", "type": "bigint", "value": 9_007_199_254_740_993},
        {"name": "title", "type": "text", "value": 'a "quoted" one'},
        {"name": "done", "type": "boolean", "value": None},
    ]
    identity = [{"name": "id", "type": "bigint", "value": 1}]
    inserted, deleted = decoder.decode(
        [
            wal2json("I", columns=columns),
            wal2json("I", columns=columns, table="others"),
            wal2json("T"),
            wal2json("D", identity=identity),
        ]
    )
    assert (inserted.event, inserted.key, inserted.committed, inserted.transaction) == (
        "INSERT",
        ("9007199254740993",),
        COMMITTED,
        9,
    )
    assert inserted.row == {"id": "9007199254740993", "title": 'a "quoted" one', "done": None}
    assert (deleted.event, deleted.key, deleted.is_asked) == ("DELETE", ("1",), False)
    assert [inserted.number, deleted.number] == [1, 2]


def test_pgoutput_is_read_with_its_transaction_and_time() -> None:
    def text(value: str) -> bytes:
        return b"t" + struct.pack("!I", len(value)) + value.encode()

    relation = b"R" + struct.pack("!I", 7) + b"public\0tasks\0d" + struct.pack("!H", 2)
    relation += b"\x01id\0" + struct.pack("!Ii", 20, -1) + b"\x00title\0" + struct.pack("!Ii", 25, -1)
    begin = b"B" + struct.pack("!QqI", 1, COMMITTED - POSTGRES_EPOCH * 1_000_000, 9)
    row = struct.pack("!H", 2) + text("1")
    decoder = PgoutputDecoder([table()], lambda *_: True)
    updated, deleted = decoder.decode(
        [
            begin,
            relation,
            b"U" + struct.pack("!I", 7) + b"N" + row + b"u",
            b"D" + struct.pack("!I", 7) + b"K" + row + b"n",
        ]
    )
    assert (updated.event, updated.key, updated.committed, updated.transaction) == (
        "UPDATE",
        ("1",),
        COMMITTED,
        9,
    )
    assert updated.row == {"id": "1"}  # a value out of line that did not change is not sent
    assert deleted.row == {"id": "1"}  # nor is anything but the key, under the default identity
    decoder.reset()
    assert list(decoder.decode([b"D" + struct.pack("!I", 7) + b"K" + row + b"n"])) == []


@pytest.mark.parametrize(
    ("type_", "logged", "sent"),
    [
        ("boolean", "t", "true"),
        ("boolean", "true", "true"),
        ("bigint", "9007199254740993", "9007199254740993"),
        ("numeric(10,2)", "1.50", "1.5"),
        ("numeric", "100", "1e2"),
        ("double precision", "0.1", "1e-1"),
        ("text", "2025-11-30 03:01:19", "2025-11-30 03:01:19"),
        ("timestamp with time zone", "2025-11-30 03:01:19.9+00", "2025-11-30T03:01:19.9+00:00"),
        ("timestamp without time zone", "2025-11-30 03:01:19", "2025-11-30T03:01:19"),
        ("timestamp with time zone", "infinity", "infinity"),
        ("bytea", "\\x00ff", "00ff"),
        ("uuid", "8735d2a7-60b8-4921-a183-c4ca2b45e50c", "8735d2a7-60b8-4921-a183-c4ca2b45e50c"),
    ],
)
def test_a_key_has_one_text_however_it_is_printed(type_: str, logged: str, sent: str) -> None:
    assert comparable(logged, type_) == comparable(sent, type_)


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"null", None), (b'"a\\u00e9"', "aé"), (b"1.50", "1.50"), (b"true", "true"), (b'{"a": 1}', '{"a": 1}')],
)
def test_a_json_value_as_text(value: bytes, text: str | None) -> None:
    assert json_text(Raw(value)) == text


def test_a_row_without_its_whole_key_has_none() -> None:
    composite = table("id", "title")
    assert composite.key_of_json(Raw(b'{"title": "b", "id": 1, "done": true}')) == ("1", "b")
    assert composite.key_of_json(Raw(b'{"id": 1}')) is None
    assert composite.key_of_json(Raw(b'{"id": 1, "title": null}')) is None
