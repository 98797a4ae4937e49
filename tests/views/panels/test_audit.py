"""The view of an audit: progress, each table's account, and what is left of it as a summary."""

from __future__ import annotations

import pytest

from prt.events import Account, Loss, LossCause
from prt.state.audit.accounting import Audit
from prt.stream.database.values import AuditedTable, Column, LoggedChange
from prt.views.panels.audit import AuditView

SECOND = 1_000_000
START = 1_780_000_000 * SECOND


def table(name: str) -> AuditedTable:
    return AuditedTable(
        oid=1,
        schema="public",
        table=name,
        kind="r",
        has_row_security=False,
        is_published=True,
        key=("id",),
        columns=(Column("id", "integer"),),
    )


TASKS, NOTES = table("project_tasks"), table("notes")


def commit(audit: Audit, number: int, at: int, to: AuditedTable = TASKS) -> None:
    audit.apply(
        LoggedChange(
            number=number,
            table=to,
            event="INSERT",
            committed=at,
            transaction=number,
            key=(str(number),),
            row={"id": str(number)},
        )
    )


@pytest.fixture
def audit() -> Audit:
    made = Audit([NOTES, TASKS], late_after=SECOND)
    made.begin(START)
    return made


def drawn(view: AuditView, width: int, height: int, now: int) -> list[str]:
    lines = view.lines(width, height, now)
    assert len(lines) <= height
    assert all(line.cell_len <= width for line in lines)
    return [line.plain for line in lines]


def test_before_ready_it_names_what_it_waits_for(audit: Audit) -> None:
    view = AuditView(audit, role="anon", duration=60)
    assert drawn(view, 80, 20, START)[0] == "waiting for READY, as anon, log decoded with …"


def test_it_shows_the_progress_and_every_table_in_80_columns(audit: Audit) -> None:
    view = AuditView(audit, role="anon", duration=60)
    view.began, view.plugin = START, "wal2json"
    commit(audit, 1, START + 29 * SECOND)
    progress, _, heading, first, second = drawn(view, 80, 20, START + 30 * SECOND)
    assert progress == "━━━━━━━━━━────────── 30.0 s of 1 min 00 s, as anon, log decoded with wal2json"
    assert heading.split() == [
        "table",
        "committed",
        "arrived",
        "late",
        "hidden",
        "filtered",
        "cut",
        "lost",
        "unknown",
    ]
    assert first.split()[:3] == ["✓", "project_tasks", "1"]
    assert second.split() == ["✓", "notes", *"00000000"]


def test_what_is_on_its_way_is_not_lost_yet(audit: Audit) -> None:
    view = AuditView(audit, role="anon", duration=60)
    view.began = START
    commit(audit, 1, START + SECOND)
    line = drawn(view, 120, 20, START + 2 * SECOND)[3]
    assert line.split() == ["✓", "project_tasks", *"10000000", *["1", "on", "their", "way"]]


def test_many_tables_are_cut_to_the_screen() -> None:
    view = AuditView(Audit([table(f"t{n}") for n in range(40)], late_after=1), role="anon", duration=1)
    lines = drawn(view, 80, 10, START)
    assert lines[-1] == "  and 34 tables more"


def account(name: str, **counts: int) -> Account:
    zero = dict.fromkeys(Account.__struct_fields__[2:], 0)
    return Account(at=START, table=name, **{**zero, **counts})


def loss(key: str, at: int, cause: LossCause) -> Loss:
    return Loss(
        at=START, table="public.project_tasks", committed=at, event_type="INSERT", key=key, cause=cause
    )


def test_the_summary_has_each_cause_once_with_its_time(audit: Audit) -> None:
    view = AuditView(audit, role="anon", duration=60)
    view.apply(account("public.project_tasks", committed=12_345, arrived=12_342, lost=3))
    rate = LossCause(code="rate", at=START, rate=400.0, average=120.5)
    view.apply(loss("1", START, rate))
    view.apply(loss("2", START + SECOND, rate))
    slot = LossCause(code="slot", at=START + 9 * SECOND)
    view.apply(loss("3", START + 8 * SECOND, slot))
    heading, line, *causes = view.summary()
    assert heading.split()[0] == "table"
    assert line.split() == ["✗", "project_tasks", "12,345", "12,342", "0", "0", "0", "0", "3", "0"]
    assert causes == [
        "✗ public.project_tasks: 2 changes lost from 2026-05-28T20:26:40.000Z to 2026-05-28T20:26:41.000Z: "
        "the rate: 400/s committed, 120/s over the minute; above the project's messages a second the "
        "server drops changes",
        "✗ public.project_tasks: 1 change lost at 2026-05-28T20:26:48.000Z: "
        "Realtime's replication slot was replaced, seen at 2026-05-28T20:26:49.000Z",
    ]


def test_names_from_the_database_are_shown_safely(audit: Audit) -> None:
    view = AuditView(audit, role="anon", duration=60)
    view.apply(account("public.a\x1b[31m", committed=1, lost=1))
    view.apply(loss("1", START, LossCause(code="structured_filter", subject="a\x1b[31m")))
    assert all("\x1b" not in line for line in view.summary())
