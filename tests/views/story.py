"""A scripted stream: everything that a live view can receive, with hostile and foreign text in it."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from prt.events import Change, End, Event, Gap, Malformed, Status, Vitals

BEGIN = 1_795_365_914_976_427
"""2026-11-22 16:45:14.976427 UTC in µs."""

NOW = BEGIN + 8_000_000
TABLES = ["public.budgets", "public.notifications", "public.productions", "public.project_tasks"]
TASK = "5eed0000-0000-4000-8000-000000000101"


def raw(row: dict[str, Any]) -> Raw:
    return Raw(json.dumps(row, ensure_ascii=False).encode())


def change(
    event_type: Any,
    table: str,
    *,
    at: int = BEGIN,
    new: Any = None,
    old: Any = None,
    lag: float | None = 43.25,
    **more: Any,
) -> Change:
    """`at` is where prt received it; the commit was `lag` ms before."""
    return Change(
        at=at,
        topic="prt",
        event_type=event_type,
        schema=more.pop("schema", "public"),
        table=table,
        commit_timestamp="2026-11-22T16:45:14.933Z",
        new=raw(new or {}),
        old=raw(old or {}),
        lag_ms=lag,
        **more,
    )


def task(**columns: Any) -> dict[str, Any]:
    row = {
        "id": TASK,
        "production_id": "5eed0000-0000-4000-8000-000000000010",
        "title": "Rig the front truss",
        "status": "todo",
        "priority": 2,
        "assignee_id": None,
        "created_at": "2026-11-22T16:00:00+00:00",
        "updated_at": "2026-11-22T16:00:00+00:00",
    }
    return row | columns


def connecting() -> list[Event]:
    """Until changes flow: one table of five is not published."""
    return [
        Status(at=BEGIN, status="SUBSCRIBED", topic="prt", tables=[*TABLES, "public.secrets"]),
        Status(
            at=BEGIN + 100_000,
            status="CHANNEL_ERROR",
            topic="prt",
            tables=["public.secrets"],
            reason="not in the publication supabase_realtime",
            hint="alter publication supabase_realtime add table public.secrets;",
        ),
        Status(at=BEGIN + 200_000, status="SUBSCRIBED", topic="prt", tables=TABLES),
        Status(at=BEGIN + 400_000, status="READY", topic="prt", tables=TABLES),
    ]


def changes() -> list[Event]:
    at = iter(range(BEGIN + 1_000_000, NOW, 417_003))
    later = {"updated_at": "2026-11-22T16:45:20+00:00"}
    return [
        change("INSERT", "project_tasks", at=next(at), new=task()),
        change(
            "UPDATE",
            "project_tasks",
            at=next(at),
            new=task(status="doing", **later),
            old={"id": TASK},
            lag=4.2,
        ),
        change(
            "UPDATE",
            "productions",
            at=next(at),
            new={"id": 7, "name": "Aïda — 日本公演 🎭", "status": "live", "capacity": 12000},
            old={"id": 7},
            lag=-12.0,
        ),
        change(
            "UPDATE",
            "budgets",
            at=next(at),
            new={"id": 3, "name": "Lights", "spent": 12500.50, "currency": "EUR", "total": 20000},
            old={"id": 3, "name": "Lights", "spent": 11000.25, "currency": "EUR", "total": 18000},
            lag=1234.5,
        ),
        change(
            "INSERT",
            "notifications",
            at=next(at),
            new={
                "id": "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
                "title": "\x1b[2J\x1b[31mred [bold]alert[/bold] \u202egnp.exe 👨\u200d👩\u200d👧",
                "message": "line one\nline two\ttabbed \x9b1m",
            },
        ),
        change("DELETE", "project_tasks", at=next(at), old={"id": TASK}, lag=61.0),
        change(
            "DELETE", "budgets", at=next(at), old={"id": 9, "name": "Catering", "spent": 80.00, "total": 100}
        ),
        change("DELETE", "project_tasks", at=next(at), old={"id": "5eed0000-0000-4000-8000-000000000999"}),
        change(
            "UPDATE",
            "documents",
            at=next(at),
            schema="archive",
            new={
                "id": 12,
                "body": "The quick brown fox jumps over the lazy dog, and then it sleeps until noon.",
            },
            old={
                "id": 12,
                "body": "The quick brown fox jumps over the lazy cat, and then it sleeps until noon.",
            },
        ),
        change("INSERT", "invoices", at=next(at), lag=None, errors=["Error 401: Unauthorized"]),
        change(
            "INSERT",
            "a_table_with_a_name_of_more_than_forty_letters",
            at=next(at),
            new={"id": 1, "e\u0301tat": "\u0301combining"},
        ),
        change(
            "INSERT",
            "project_tasks",
            at=next(at),
            source="backfill",
            new=task(id="t-2", title="مرحبا بالعالم", status=None),
        ),
        change("INSERT", "entries", at=next(at), new={"entry": 5, "title": "no key in this one"}),
    ]


def trouble() -> list[Event]:
    return [
        Gap(
            at=NOW - 2_000_000,
            start=NOW - 5_000_000,
            end=NOW - 3_000_000,
            tables=TABLES,
            cause="the connection was lost",
            recovered=3,
        ),
        Malformed(
            at=NOW - 1_000_000,
            frame='{"event":"postgres_changes","payload":',
            reason="Input data was truncated",
        ),
    ]


def vitals(phase: str, at: int = NOW, **more: Any) -> Vitals:
    return Vitals(at=at, phase=phase, **{"since": at, **more})


def healthy(**more: Any) -> Vitals:
    """READY, an hour before its session ends."""
    health = {"phase": "ready", "since": BEGIN + 400_000, "round_trip_ms": 41.7}
    return vitals(**health | {"token_expires_at": NOW + 3_540_000_000} | more)


def lost(*, failures: int = 3) -> list[Event]:
    """The stream breaks off, and the server is not back yet."""
    at = BEGIN + 3_000_000
    return [
        *connecting(),
        *changes()[:5],
        Status(
            at=at,
            status="CLOSED",
            topic="prt",
            tables=TABLES,
            reason="the connection was closed with 1012: service restart; trying again",
        ),
        vitals(
            "waiting",
            since=at + 2_000_000,
            retry_at=NOW + 3_200_000,
            reconnects=failures,
            failures=failures,
            round_trip_ms=41.7,
            token_expires_at=NOW + 3_540_000_000,
        ),
    ]


def expiring() -> list[Event]:
    """The session is nearly over, and nobody can renew it."""
    return [
        *connecting(),
        *changes()[:5],
        healthy(token_expires_at=NOW + 298_000_000),
        Status(
            at=NOW - 2_000_000,
            status="READY",
            topic="prt",
            tables=TABLES,
            reason="the token expires in 5 min and can't be renewed",
            hint="sign in with --as EMAIL, or start again with a fresh PRT_TOKEN",
        ),
    ]


def degraded() -> list[Event]:
    """A heartbeat has had no answer."""
    return [*connecting(), *changes()[:5], healthy(phase="degraded", since=NOW - 4_200_000)]


def healed() -> list[Event]:
    """Two gaps: one that is whole again, one that can't be, with rows that were read instead."""
    at = BEGIN + 3_000_000
    missed = [
        change(
            "UPDATE",
            "project_tasks",
            at=at + 2_020_000,
            new=task(status="done", updated_at="2026-11-22T16:45:21+00:00"),
            lag=None,
            source="backfill",
        ),
        change(
            "INSERT",
            "budgets",
            at=at + 2_030_000,
            new={"id": 4, "name": "Sound"},
            lag=None,
            source="backfill",
        ),
    ]
    return [
        change("INSERT", "budgets", new={"id": 2, "name": "Video"}, lag=None, source="snapshot"),
        *lost(),
        Status(at=at + 2_000_000, status="READY", topic="prt", tables=TABLES),
        healthy(reconnects=3),
        *missed,
        Gap(
            at=at + 2_050_000,
            start=at - 5_000_000,
            end=at + 2_000_000,
            tables=TABLES,
            cause="the connection was closed with 1012: service restart; deletes of 4 tables can't be asked "
            "for without --snapshot, and budgets has neither updated_at nor created_at",
            recovered=2,
        ),
        changes()[10],
        changes()[12],
        Gap(
            at=NOW - 600_000,
            start=NOW - 900_000,
            end=NOW - 700_000,
            tables=["public.project_tasks", "archive.documents"],
            cause="the queue was full",
            recovered=0,
            complete=True,
        ),
        change("DELETE", "budgets", at=NOW - 100_000, old={"id": 2}),
    ]


def ending() -> End:
    return End(
        at=NOW,
        reason="signal",
        exit_code=130,
        events=12,
        gaps=1,
        lag_ms={"p50": 43.25, "p95": 1234.5, "p99": 1234.5, "max": 1234.5},
    )


def story() -> list[Event]:
    return [*connecting(), *changes(), *trouble()]
