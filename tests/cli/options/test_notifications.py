from __future__ import annotations

import pytest

from prt.app.notifications import Place
from prt.cli.options.notifications import place_of
from prt.errors import UsageError


@pytest.mark.parametrize("table", ["core", "*", "notes:INSERT", "a.b.c", ""])
def test_a_table_that_is_not_one(table: str) -> None:
    with pytest.raises(UsageError):
        place_of(table, "public", "user_id")


def test_where_they_are() -> None:
    assert place_of("app.notes", "public", "to") == Place(schema="app", table="notes", column="to")
    filters = [binding.filter for binding in place_of("notes", "app", "to").bindings('a,"b"')]
    assert filters == ['to=eq."a,\\"b\\""'] * 2 + [None]
