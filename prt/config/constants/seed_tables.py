"""The tables of the seed, and the groups of tables that the command line accepts."""

from __future__ import annotations

from typing import Final

CORE: Final = (
    "organizations",
    "workspaces",
    "user_roles",
    "activities",
    "comments",
    "user_presence",
    "notifications",
)
MODULE: Final = (
    "productions",
    "project_tasks",
    "project_milestones",
    "events",
    "run_of_show",
    "bookings",
    "incidents",
    "personnel",
    "teams",
    "time_entries",
    "assets",
    "asset_transactions",
    "locations",
    "files",
    "companies",
    "budgets",
    "financial_transactions",
    "invoices",
    "purchase_orders",
    "approval_requests",
    "community_posts",
    "connections",
    "marketplace_orders",
)
TABLES: Final = CORE + MODULE
"""All tables; the position of a table is part of the ids of its rows."""
GROUPS: Final[dict[str, tuple[str, ...]]] = {"core": CORE, "module": MODULE, "all": TABLES}
