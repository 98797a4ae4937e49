"""The seed's tables and the identifiers of its rows, as `sql/seed/rows.sql` makes them."""

from __future__ import annotations

TABLES = (
    *(
        "organizations",
        "workspaces",
        "user_roles",
        "activities",
        "comments",
        "user_presence",
        "notifications",
    ),
    *("productions", "project_tasks", "project_milestones", "events", "run_of_show", "bookings", "incidents"),
    *(
        "personnel",
        "teams",
        "time_entries",
        "assets",
        "asset_transactions",
        "locations",
        "files",
        "companies",
    ),
    *("budgets", "financial_transactions", "invoices", "purchase_orders", "approval_requests"),
    *("community_posts", "connections", "marketplace_orders"),
)


def seeded(table: str, number: int) -> str:
    """The id of the seed's row `number`, from 1."""
    return f"5eed0000-00{TABLES.index(table) + 1:02x}-4000-8000-{number:012x}"
