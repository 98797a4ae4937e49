"""A scripted moment of a production: tasks, budgets and what happens to them, some of it hostile."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from prt.events import Alert, Change, Event, Loaded
from tests.views.story import BEGIN, NOW, change, connecting, healthy, raw

HOSTILE = "\x1b[2J\x1b[31mred\u202egnp.exe"
PEOPLE = ("Ines Okafor", "Samuel Berg", "李小龍", "Maya Lindqvist", "Ole Kristiansen")
TITLES = (
    *("Confirm stage plot with headliner", "Advance Oslo load-in times", "日本公演のリハーサルをする"),
    *("Book orchestra pit piano", "Sign four artist contracts", "Tune the organ", HOSTILE),
    *("مرحبا بالعالم", "Rehearse keynote with autocue", "Close the street 👨\u200d👩\u200d👧 to traffic"),
)
BUDGETS = (
    ("Festival, technical", 48000, "24960.00", 4800),
    ("Tour, travel", 26000, "27100.50", 0),
    ("Hamlet, set and costume", 18500, "15170.00", 1850),
    ("日本公演、照明と音響の予算", 31000, "8000.00", 3100),
    ("Sessions, studio", 12000, "0", 0),
)
STATUSES = ("todo", "in_progress", "review", "done")
PRIORITIES = ("low", "medium", "high", "urgent")


def uuid(kind: int, number: int) -> str:
    return f"5eed0000-{kind:04x}-4000-8000-{number:012x}"


def task(number: int, **columns: Any) -> dict[str, Any]:
    row = {
        "id": uuid(9, number),
        "title": TITLES[number % len(TITLES)],
        "status": STATUSES[number // 2 % 4],
        "priority": PRIORITIES[number % 4],
        "assignee_id": uuid(15, number % len(PEOPLE)) if number % 3 else None,
        "due_date": f"2026-12-{number % 28 + 1:02}",
        "position": number,
        "updated_at": "2026-11-22T16:00:00+00:00",
    }
    return row | columns


def budget(number: int, **columns: Any) -> dict[str, Any]:
    name, amount, spent, committed = BUDGETS[number]
    row = {"id": uuid(22, number), "name": name, "amount": amount, "spent": spent, "committed": committed}
    return row | {"currency": "EUR", "updated_at": "2026-11-22T16:45:10+00:00"} | columns


def transaction(number: int, **columns: Any) -> dict[str, Any]:
    row = {
        "id": uuid(23, number),
        "budget_id": uuid(22, number % len(BUDGETS)),
        "amount": 120 + number * 75.5,
    }
    row |= {"type": "expense", "status": "posted", "description": "Fence panels", "currency": "EUR"}
    return row | {"created_at": f"2026-11-22T16:45:{number:02}+00:00"} | columns


def present() -> list[Event]:
    """What a snapshot reads."""
    rows = [
        *(("personnel", {"id": uuid(15, number), "name": name}) for number, name in enumerate(PEOPLE)),
        *(("project_tasks", task(number)) for number in range(22)),
        *(("budgets", budget(number)) for number in range(len(BUDGETS))),
        *(("financial_transactions", transaction(number)) for number in range(6)),
    ]
    read = [
        replace(change("INSERT", table, new=row, lag=None, source="snapshot"), commit_timestamp=None)
        for table, row in rows
    ]
    return [*read, Loaded(at=BEGIN + 600_000, tables=["public.project_tasks"])]


def happening() -> list[Event]:
    """What streams in the last seconds before NOW."""
    at = iter(range(NOW - 5_000_000, NOW, 510_000))

    def update(table: str, row: dict[str, Any], commit: str) -> Change:
        event = change("UPDATE", table, at=next(at), new=row, old={"id": row["id"]})
        return replace(event, commit_timestamp=f"2026-11-22T16:45:{commit}Z")

    booked = transaction(17, budget_id=uuid(22, 0), amount=960, description="Second truck")
    paid = transaction(19, budget_id=uuid(22, 2), amount="75.25", description=HOSTILE)
    refund = transaction(20, budget_id=uuid(22, 1), amount=84, type="refund", description="Refund")
    full = budget(1, spent="27100.50")
    return [
        update("project_tasks", task(3, status="review"), "17"),
        replace(
            change("INSERT", "financial_transactions", at=next(at), new=booked),
            commit_timestamp="2026-11-22T16:45:18Z",
        ),
        update("budgets", budget(0, spent="25920.00", updated_at="2026-11-22T16:45:17+00:00"), "18"),
        Alert(
            at=NOW - 3_000_000,
            rule="budgets: spent/amount>=1:critical",
            severity="critical",
            table="public.budgets",
            value="1.042327",
            limit="1",
            row=raw(full),
        ),
        change("INSERT", "project_tasks", at=next(at), new=task(40, status="todo", title="Swap the lamps")),
        update("project_tasks", task(7, assignee_id=uuid(15, 2)), "19"),
        replace(
            change("INSERT", "financial_transactions", at=next(at), new=paid),
            commit_timestamp="2026-11-22T16:45:19Z",
        ),
        replace(
            change("INSERT", "financial_transactions", at=next(at), new=refund),
            commit_timestamp="2026-11-22T16:45:20Z",
        ),
        update("project_tasks", task(2, status="done", completed_at="2026-11-22T16:45:21+00:00"), "21"),
        change("DELETE", "project_tasks", at=next(at), old={"id": uuid(9, 12)}),
    ]


def day() -> list[Event]:
    return [*connecting(), *present(), healthy(), *happening()]
