"""Sentences for changes, such as `task 'Rig truss' moved todo → done`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Raw, Struct

from prt.events import Alert, Change
from prt.state.rows.cache import Rows
from prt.state.rows.difference import Cell, Line, line_of, value_text
from prt.state.rows.names import is_uuid, name_of
from prt.state.rows.present import values_of

MOST_CELLS = 3
"""How many changed columns a sentence names."""

NOUNS: Final[dict[str, str]] = {
    "organizations": "organization",
    "workspaces": "workspace",
    "user_roles": "role",
    "activities": "activity",
    "comments": "comment",
    "user_presence": "presence",
    "notifications": "notification",
    "productions": "production",
    "project_tasks": "task",
    "project_milestones": "milestone",
    "events": "event",
    "run_of_show": "cue",
    "bookings": "booking",
    "incidents": "incident",
    "personnel": "crew member",
    "teams": "team",
    "time_entries": "time entry",
    "assets": "asset",
    "asset_transactions": "hand-over",
    "locations": "location",
    "files": "file",
    "companies": "company",
    "budgets": "budget",
    "financial_transactions": "transaction",
    "invoices": "invoice",
    "purchase_orders": "purchase order",
    "approval_requests": "approval request",
    "community_posts": "post",
    "connections": "connection",
    "marketplace_orders": "order",
}
"""Nouns for the rows of the seed's tables."""

VERBS: Final[dict[str, tuple[str, str]]] = {
    "activities": ("happened", "was forgotten"),
    "comments": ("was written", "was deleted"),
    "notifications": ("was sent", "was deleted"),
    "bookings": ("was requested", "was removed"),
    "incidents": ("was reported", "was removed"),
    "personnel": ("joined", "left"),
    "time_entries": ("was entered", "was removed"),
    "asset_transactions": ("was noted", "was removed"),
    "files": ("was uploaded", "was deleted"),
    "financial_transactions": ("was booked", "was removed"),
    "invoices": ("was drawn up", "was removed"),
    "purchase_orders": ("was drawn up", "was removed"),
    "approval_requests": ("was made", "was withdrawn"),
    "community_posts": ("was posted", "was deleted"),
    "marketplace_orders": ("came in", "was removed"),
}
"""Verbs for an INSERT and a DELETE, if `was added` and `was removed` don't fit."""

ABOUT: Final[dict[str, tuple[str, ...]]] = {
    "activities": ("summary", "action"),
    "comments": ("body",),
    "user_presence": ("device", "location"),
    "user_roles": ("role", "user_id"),
    "run_of_show": ("title", "cue"),
    "time_entries": ("task_id", "personnel_id", "hours"),
    "asset_transactions": ("asset_id", "type"),
    "financial_transactions": ("description", "category", "reference"),
    "invoices": ("number",),
    "purchase_orders": ("title", "number"),
    "marketplace_orders": ("title", "number"),
    "connections": ("requester_id", "recipient_id"),
}
"""Columns that name a row; the first one with a value is used. Other tables use a name or a title."""

INSERT_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "notifications": ("message",),
    "financial_transactions": ("amount", "budget_id"),
    "time_entries": ("hours", "personnel_id"),
    "asset_transactions": ("type", "personnel_id"),
    "bookings": ("amount",),
    "incidents": ("severity",),
    "project_tasks": ("priority", "assignee_id"),
    "purchase_orders": ("amount", "status"),
    "invoices": ("amount",),
    "marketplace_orders": ("amount",),
    "approval_requests": ("amount",),
    "files": ("size_bytes",),
}
"""Columns that a sentence about an INSERT adds."""

STEPS: Final = ("status", "state", "stage", "phase")
"""Columns whose change is called a move."""

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_LONGEST: Final = 40

Named = Callable[[str, str], str]
Write = Callable[[Change], str]


class Sentence(Struct, frozen=True, kw_only=True):
    """The sentence of a change. `row` is the row's name, or None; `happened` is plain text without it."""

    at: int
    noun: str
    row: str | None
    happened: str

    @property
    def text(self) -> str:
        """The sentence as one text."""
        quoted = f" '{self.row}'" if self.row else ""
        return f"{self.noun}{quoted} {self.happened}".rstrip()


class Feed:
    """A writer of sentences.

    `named` returns a name for a column and an id; `templates` write whole sentences, by `TABLE` or
    `TABLE:EVENT`.
    """

    def __init__(
        self,
        *,
        rows: Rows | None = None,
        named: Named = lambda _, value: value,
        templates: Mapping[str, Write] | None = None,
    ) -> None:
        """Create a feed.

        Args:
            rows: Rows that the caller applies changes to; None keeps own rows.
            named: Returns a name for a column and an id.
            templates: Functions that write a sentence, by `TABLE` or `TABLE:EVENT`.
        """
        self._rows = rows or Rows()
        self._named = named
        self._templates = dict(templates or {})

    def sentence(self, change: Change) -> Sentence:
        """Return the sentence of a change, and keep its row."""
        return self.sentence_of(change, self._rows.apply(change))

    def sentence_of(self, change: Change, previous: bytes | None) -> Sentence:
        """Return the sentence of a change, given the row before the change as raw JSON, or None."""
        table = change.table
        write = self._templates.get(f"{table}:{change.event_type}") or self._templates.get(table)
        if write is not None:
            return Sentence(at=change.at, noun=write(change), row=None, happened="")
        line = line_of(change, previous, self._rows.key_columns(change.schema, table))
        return Sentence(
            at=change.at,
            noun=NOUNS.get(table) or _singular(table),
            row=self._name(change, previous) or _shortened(line.key) or None,
            happened=self._happened(line, change),
        )

    def _name(self, change: Change, previous: bytes | None) -> str:
        for row in (change.new, previous, change.old):
            if row is None:
                continue
            values = columns_of(row, ABOUT.get(change.table, ()))
            for column, value in values.items():
                return _shortened(self._named(column, value))
            name = name_of(row)
            if name:
                return name
        return ""

    def _happened(self, line: Line, change: Change) -> str:
        if line.errors:
            return f"changed unseen: {', '.join(line.errors)}"
        came, went = VERBS.get(line.table, ("was added", "was removed"))
        if line.event_type == "DELETE":
            return went
        if line.event_type == "INSERT":
            added = columns_of(change.new, INSERT_COLUMNS.get(line.table, ()))
            named = {column: self._named(column, value) for column, value in added.items()}
            # An id without a known name means nothing to a person.
            parts = [f"{_words(column)} {name}" for column, name in named.items() if not is_uuid(name)]
            return f"{came}, {', '.join(parts)}" if parts else came
        if not line.cells:
            return "was written again"
        if line.origin == "unknown":
            return "changed"
        return self._changed(line.cells)

    def _changed(self, cells: tuple[Cell, ...]) -> str:
        steps = [cell for cell in cells if cell.column in STEPS]
        # The time and author of a step are left out, because the sentence appears when it happens.
        rest = [
            cell
            for cell in cells
            if cell not in steps and not (steps and cell.column.endswith(("_at", "_by")))
        ]
        parts = [
            f"moved {self._value(cell, cell.before)} → {self._value(cell, cell.after)}" for cell in steps
        ]
        shown = rest[: max(MOST_CELLS - len(parts), 0)]
        parts += [
            f"{_words(cell.column)} {self._value(cell, cell.before)} → {self._value(cell, cell.after)}"
            for cell in shown
        ]
        more = f" and {len(rest) - len(shown)} more" if len(rest) > len(shown) else ""
        return ", ".join(parts) + more

    def _value(self, cell: Cell, value: str | None) -> str:
        if value is None:
            return "?"
        if value == "null":
            return "none"
        if _MOMENT.match(value):
            return value[:16].replace("T", " ")
        named = _shortened(self._named(cell.column, value))
        return named if len(named) <= _LONGEST else f"{named[: _LONGEST - 1]}…"


def alert_text(alert: Alert) -> str:
    """Return an alert as `critical: budget 'Tour, travel' spent/amount>=1 (1.04)`."""
    table = alert.table.rpartition(".")[2]
    name = name_of(alert.row)
    rule = alert.rule.removesuffix(f":{alert.severity}").rpartition(":")[2].strip()
    quoted = f" '{name}'" if name else ""
    return f"{alert.severity}: {NOUNS.get(table) or _singular(table)}{quoted} {rule} ({alert.value})"


def columns_of(row: bytes | Raw, columns: tuple[str, ...]) -> dict[str, str]:
    """Return the values of these columns as text; columns that are null are left out."""
    values = values_of(row, columns) if columns else None
    pairs = zip(columns, values or (), strict=False)
    return {column: value_text(Raw(value)) for column, value in pairs if value and value != b"null"}


def _shortened(text: str) -> str:
    """Shorten a UUID to its first and last four characters."""
    return f"{text[:4]}…{text[-4:]}" if is_uuid(text) else text


def _words(column: str) -> str:
    return column.removesuffix("_id").removesuffix("_at").replace("_", " ")


def _singular(table: str) -> str:
    name = table.replace("_", " ")
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    if name.endswith(("xes", "ches", "shes", "sses")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name
