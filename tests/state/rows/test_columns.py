"""Some columns of a row, whatever their names and whatever else is in the row."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from prt.state.rows.columns import reader_of

NAMES = ('we"ird', "back\\slash", "\\", '"', "new\nline", "\x1b[31m", "\x00", "ünï", "a,b", "", "id")


@pytest.mark.parametrize("name", NAMES)
def test_a_column_of_any_name_is_read(name: str) -> None:
    row = Raw(msgspec.json.encode({"other": 1, name: "value", "more": [1]}))
    assert [bytes(value) for value in reader_of((name, "more"))(row) or ()] == [b'"value"', b"[1]"]
    assert [bytes(value) for value in reader_of((name,))(b'{"x":1}') or ()] == [b""]


def test_a_column_may_be_named_twice() -> None:
    assert [bytes(value) for value in reader_of(("a", "a"))(b'{"a":1}') or ()] == [b"1", b"1"]


@pytest.mark.parametrize("names", [("id",), ('we"ird',)])
@pytest.mark.parametrize(
    "row", [b"[1]", b"null", b"{", b'{"we\\ud800": 1}', b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}"]
)
def test_a_row_that_cannot_be_read_has_none(row: bytes, names: tuple[str, ...]) -> None:
    assert reader_of(names)(row) is None
