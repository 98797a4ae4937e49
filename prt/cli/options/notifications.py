"""The options that select the table of notifications."""

from __future__ import annotations

from prt.app.notifications.table import NotificationTable
from prt.cli.options.targets import WILDCARD, parse_targets
from prt.errors import UsageError


def notification_table(table: str, schema: str, column: str) -> NotificationTable:
    """Return the table of notifications.

    Args:
        table: TABLE or SCHEMA.TABLE.
        schema: The schema of a table without one.
        column: The column that holds the user.

    Raises:
        UsageError: It's not a single table, or the column is empty.
    """
    bindings = parse_targets([table], schema=schema).bindings
    one = bindings[0]
    if len(bindings) > 1 or one.table == WILDCARD or one.event != "*":
        raise UsageError(f"--table names no single table: {table}", "as in --table notifications")
    if not column.strip():
        raise UsageError("--user-column is empty", "as in --user-column recipient_id")
    return NotificationTable(schema=one.schema, table=one.table, column=column)
