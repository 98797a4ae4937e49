from __future__ import annotations

import pytest

from prt.app.notifications.table import NotificationTable
from prt.cli.options.notifications import notification_table
from prt.errors import UsageError


@pytest.mark.parametrize("table", ["core", "*", "notes:INSERT", "a.b.c", ""])
def test_a_table_that_is_not_one(table: str) -> None:
    with pytest.raises(UsageError):
        notification_table(table, "public", "user_id")


def test_where_they_are() -> None:
    assert notification_table("app.notes", "public", "to") == NotificationTable(
        schema="app", table="notes", column="to"
    )
    filters = [binding.filter for binding in notification_table("notes", "app", "to").bindings('a,"b"')]
    assert filters == ['to=eq."a,\\"b\\""'] * 2 + [None]
