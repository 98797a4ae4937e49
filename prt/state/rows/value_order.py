"""The order of values that are steps; PostgreSQL's order of an enum isn't sent over the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

ORDERS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("user_roles", "role"): ("owner", "admin", "manager", "member", "viewer"),
    ("user_presence", "status"): ("online", "away", "busy", "offline"),
    ("productions", "status"): ("planning", "pre_production", "live", "wrap", "archived", "cancelled"),
    ("project_milestones", "status"): ("upcoming", "at_risk", "reached", "missed"),
    ("project_tasks", "status"): ("todo", "in_progress", "review", "done"),
    ("project_tasks", "priority"): ("low", "medium", "high", "urgent"),
    ("run_of_show", "status"): ("pending", "standby", "live", "done", "skipped"),
    ("bookings", "status"): ("requested", "tentative", "confirmed", "cancelled"),
    ("incidents", "status"): ("open", "investigating", "resolved", "closed"),
    ("incidents", "severity"): ("minor", "moderate", "major", "critical"),
    ("assets", "status"): ("available", "reserved", "checked_out", "maintenance", "retired"),
    ("financial_transactions", "type"): ("expense", "income", "refund", "transfer"),
    ("invoices", "status"): ("draft", "sent", "overdue", "paid", "void"),
    ("purchase_orders", "status"): ("draft", "submitted", "approved", "received", "cancelled"),
    ("approval_requests", "status"): ("pending", "approved", "rejected", "withdrawn"),
    ("connections", "status"): ("pending", "accepted", "declined"),
    ("marketplace_orders", "status"): ("pending", "paid", "shipped", "delivered", "cancelled"),
}
"""The enums of the seed by table and column."""

_USUAL: Final = (
    *("backlog", "todo", "to_do", "open", "planned", "blocked", "doing", "in_progress", "started"),
    *("testing", "review", "in_review", "approved", "done", "completed", "closed", "archived", "cancelled"),
)
_RANK: Final = {name: rank for rank, name in enumerate(_USUAL)}


def ordered(given: Sequence[str], table: str, column: str, seen: Sequence[str]) -> tuple[str, ...]:
    """Return the values of a column, such as `todo`, `doing`, `done`, in the order in which views list them.

    If `given` is empty, the order is that of the demo's enum in `ORDERS`, if the column has one. A value that
    this order lacks and that is common elsewhere, such as `blocked`, stands between its usual neighbours.
    All other values come last, in the order in which they were seen.

    Args:
        given: The values that the user wants first; all others follow in the order in which they were seen.
        table: The name of the table.
        column: The name of the column.
        seen: The values of the column so far, in the order in which they were seen.
    """
    first = tuple(given) or ORDERS.get((table, column), ())
    rest = [value for value in seen if value not in first]
    if given:
        return (*first, *rest)
    names = list(first)
    for value in rest:
        names.insert(_index_for(value, names), value)
    return tuple(names)


def _index_for(value: str, names: Sequence[str]) -> int:
    rank = _RANK.get(value)
    if rank is None:
        return len(names)
    later = (index for index, name in enumerate(names) if _RANK.get(name, -1) > rank)
    return next(later, len(names))
