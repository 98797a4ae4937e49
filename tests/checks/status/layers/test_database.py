from __future__ import annotations

from typing import Any

import pytest

from prt.checks.status.layers.catalog import Database, Publication, Server
from prt.checks.status.layers.database import is_unusable, judge, judge_absence, judge_failure
from prt.errors import RefusedError, UnreachableError
from prt.results import Finding


def database(**changed: Any) -> Database:
    given: dict[str, Any] = {
        "version": "17.4",
        "wal_level": "logical",
        "slots": 1,
        "max_slots": 10,
        "idle_slots": (),
        "connections": 8,
        "max_connections": 60,
        "publication": Publication(True, True, True),
        "has_role": True,
        "passes_row_security": False,
    }
    return Database(milliseconds=1.0, server=Server(**{**given, **changed}), relations={}, others=())


def judged(**changed: Any) -> list[Finding]:
    return judge(database(**changed), "anon")


def test_a_good_one() -> None:
    (found,) = judged()
    assert (found.state, found.figure) == (
        "ok",
        "PostgreSQL 17.4 · 1 of 10 replication slots · 8 of 60 connections",
    )
    assert not is_unusable(database())


@pytest.mark.parametrize(
    ("changed", "state", "check", "remedy", "is_fatal"),
    [
        ({"wal_level": "replica"}, "failed", "wal_level", "set wal_level = logical", True),
        ({"publication": None}, "failed", "publication", "create publication", True),
        ({"has_role": False}, "failed", "role", "--as EMAIL", True),
        ({"slots": 10}, "warning", "slots", "select slot_name, active", False),
        ({"slots": 10, "idle_slots": ("old",)}, "warning", "slots", "pg_drop_replication_slot('old')", False),
        ({"connections": 54}, "warning", "connections", "pg_stat_activity", False),
        ({"publication": Publication(True, False, False)}, "warning", "publication", "set (publish", False),
    ],
)
def test_one_thing_wrong(
    changed: dict[str, Any], state: str, check: str, remedy: str, is_fatal: bool
) -> None:
    (found,) = judged(**changed)
    assert (found.state, found.check) == (state, check)
    assert remedy in (found.causes[0].remedy or "")
    assert is_unusable(database(**changed)) == is_fatal


def test_nobody_to_ask() -> None:
    without, unable = (judge_absence(is_configured=is_configured) for is_configured in (False, True))
    assert (without.state, unable.state) == ("skipped", "skipped")
    assert "SUPABASE_DB_URL is not set" in without.causes[0].why
    assert unable.causes[0].remedy == "pip install 'prt-realtime[local]'"


def test_no_answer_or_no_right() -> None:
    away = judge_failure(UnreachableError("no answer in 10 s"), "SUPABASE_DB_URL in .env")
    assert away.causes[0].why.startswith("SUPABASE_DB_URL in .env leads to no database")
    closed = judge_failure(RefusedError("permission denied", "be postgres"), "SUPABASE_DB_URL")
    assert (closed.state, closed.causes[0].remedy) == ("warning", "be postgres")
