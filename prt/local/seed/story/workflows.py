"""Rows that pass through stages: bookings, incidents, approvals, orders and working hours."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from msgspec import Struct

from prt.local.seed.people import MEMBER
from prt.local.seed.story import words
from prt.local.seed.story.messages import Messages
from prt.local.seed.story.steps import NOW, Scene, Shelf, Step, forget
from prt.local.seed.tables import seeded

Columns = dict[str, object]


class Kind(Struct, frozen=True):
    """A kind of workflow: a table whose rows pass through stages.

    Attributes:
        table: The name of the table.
        size: The most rows that the story keeps in the table.
        stages: The values of the column `status` at each stage; one of several is chosen at random.
        opened: Returns the columns of a new row.
        columns: Further columns that change when a status is reached.
        notices: The title of the notification for a status, if there is one.
    """

    table: str
    size: int
    stages: tuple[tuple[str, ...], ...]
    opened: Callable[[Random], Columns]
    columns: dict[str, Columns] = {}
    notices: dict[str, str] = {}


def _production(random: Random) -> str:
    return seeded("productions", random.randint(1, 12))


def _person(random: Random) -> str:
    return seeded("personnel", random.randint(1, 18))


def _booking(random: Random) -> Columns:
    title, kind = random.choice(words.BOOKINGS)
    return {
        "production_id": _production(random),
        "company_id": seeded("companies", random.randint(1, 12)),
        "title": title,
        "type": kind,
        "amount": random.randint(8, 400) * 10,
    }


def _incident(random: Random) -> Columns:
    title, kind, severity = random.choice(words.INCIDENTS)
    return {
        "production_id": seeded("productions", 1),
        "event_id": seeded("events", 1),
        "location_id": seeded("locations", random.randint(1, 2)),
        "title": title,
        "type": kind,
        "severity": severity,
        "reported_by": _person(random),
    }


def _approval(random: Random) -> Columns:
    return {
        "production_id": _production(random),
        "title": random.choice(words.APPROVALS),
        "amount": random.randint(10, 250) * 10,
        "requested_by": _person(random),
    }


def _order(random: Random) -> Columns:
    quantity = random.randint(1, 60)
    return {
        "production_id": _production(random),
        "company_id": seeded("companies", 9),
        "title": random.choice(words.ORDERS),
        "quantity": quantity,
        "amount": quantity * 12,
    }


def _hours(random: Random) -> Columns:
    return {
        "production_id": _production(random),
        "task_id": seeded("project_tasks", random.randint(1, 48)),
        "personnel_id": _person(random),
        "hours": random.randint(1, 20) / 2,
        "rate": random.randint(28, 65),
    }


DECIDED: Columns = {"decided_at": NOW, "decided_by": MEMBER.id}

BOOKINGS = Kind(
    table="bookings",
    size=24,
    stages=(("requested",), ("tentative",), ("confirmed", "confirmed", "cancelled")),
    opened=_booking,
    notices={"confirmed": "Booking confirmed", "cancelled": "Booking cancelled"},
)
INCIDENTS = Kind(
    table="incidents",
    size=12,
    stages=(("open",), ("investigating",), ("resolved",), ("closed",)),
    opened=_incident,
    columns={"resolved": {"resolved_at": NOW}},
    notices={"open": "Incident reported", "resolved": "Incident resolved"},
)
APPROVALS = Kind(
    table="approval_requests",
    size=12,
    stages=(("pending",), ("approved", "approved", "rejected")),
    opened=_approval,
    columns={"approved": DECIDED, "rejected": DECIDED},
    notices={"pending": "Approval wanted"},
)
ORDERS = Kind(
    table="marketplace_orders",
    size=16,
    stages=(("pending",), ("paid",), ("shipped",), ("delivered",)),
    opened=_order,
    columns={"delivered": {"delivered_at": NOW}},
)
HOURS = Kind(
    table="time_entries",
    size=40,
    stages=(("draft",), ("submitted",), ("approved",)),
    opened=_hours,
)


class Workflow:
    """The simulated work on one table: rows are added, and each passes through all stages, oldest first."""

    def __init__(self, random: Random, kind: Kind, messages: Messages) -> None:
        self._random = random
        self._kind = kind
        self._messages = messages
        self._shelf = Shelf(kind.table, kind.size)
        self._titles: dict[str, str] = {}

    def opening(self) -> list[Step]:
        """Return the statements that remove what an earlier run of the demo has left in the tables."""
        return [forget(self._kind.table)]

    def go_on(self) -> Scene:
        """Yield the statements that move the oldest unfinished row to its next stage, or that add a row."""
        last = len(self._kind.stages) - 1
        stage_of = {status: stage for stage, names in enumerate(self._kind.stages) for status in names}
        waiting = [row for row, status in self._shelf.rows.items() if stage_of[status] < last]
        # The probability of a new row lets each one pass all its stages, so that none accumulate.
        if not waiting or self._random.random() < 1 / (last + 2):
            (status,) = self._kind.stages[0]
            columns = {**self._kind.opened(self._random), "status": status}
            yield from self._shelf.add(self._random, columns)
            row = next(reversed(self._shelf.rows))
            self._titles = {kept: title for kept, title in self._titles.items() if kept in self._shelf.rows}
            self._titles[row] = str(columns.get("title", ""))
        else:
            row = waiting[0]
            status = self._random.choice(self._kind.stages[stage_of[self._shelf.rows[row]] + 1])
            yield self._shelf.move(row, status, **self._kind.columns.get(status, {}))
        if status in self._kind.notices:
            yield from self._messages.notify(self._kind.table, self._kind.notices[status], self._titles[row])
