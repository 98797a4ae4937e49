from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from random import Random

import pytest

from prt.config.constants.seed_tables import TABLES
from prt.local.seed.story import Step, story

TABLE = re.compile(r"(insert into|update|delete from) public\.(\w+)")
STILL = {"organizations", "workspaces", "user_roles"}


def reported(seed: int, steps: int) -> list[Step]:
    return list(islice(story(Random(seed)), steps))


def verb_and_table(step: Step) -> tuple[str, str]:
    match = TABLE.match(step.sql)
    assert match is not None
    return match[1], match[2]


def test_same_seed_same_story() -> None:
    assert reported(7, 500) == reported(7, 500)
    assert reported(7, 500) != reported(8, 500)


def test_it_begins_with_a_task_on_its_way() -> None:
    first = next(step for step in story(Random(1)) if step.changes)
    assert verb_and_table(first) == ("update", "project_tasks")
    assert "status" in first.sql


@pytest.mark.parametrize("seed", range(3))
def test_it_touches_every_table_that_lives(seed: int) -> None:
    touched = Counter(verb_and_table(step)[1] for step in reported(seed, 3000) if step.changes)
    assert set(touched) == set(TABLES) - STILL
    # The board and the money are what people look at.
    assert {table for table, _ in touched.most_common(5)} >= {"project_tasks", "financial_transactions"}


def test_tables_keep_their_size() -> None:
    rows: Counter[str] = Counter()
    deleted: set[str] = set()
    most: Counter[str] = Counter()
    for step in reported(3, 20_000):
        if not step.changes:
            continue
        verb, table = verb_and_table(step)
        rows[table] += {"insert into": 1, "update": 0, "delete from": -1}[verb]
        most[table] = max(most[table], rows[table])
        if verb == "delete from":
            deleted.add(table)
    assert max(most.values()) <= 60
    assert {"project_tasks", "notifications", "bookings", "incidents", "financial_transactions"} <= deleted


def test_no_column_of_the_board_runs_empty() -> None:
    arrivals = Counter(
        value
        for step in reported(5, 20_000)
        if step.changes and verb_and_table(step) == ("update", "project_tasks")
        for value in step.parameters
        if value in ("todo", "in_progress", "review", "done")
    )
    assert min(arrivals.values()) > 400
    assert len(arrivals) == 4


def test_budgets_alert_get_more_and_start_again() -> None:
    steps = reported(2, 6000)
    titles = Counter(
        value for step in steps for value in step.parameters if str(value).startswith("Budget at")
    )
    assert titles["Budget at 80 %"] > 3
    assert titles["Budget at 100 %"] > 3
    statuses = Counter(
        value
        for step in steps
        if step.changes and verb_and_table(step) == ("update", "budgets")
        for value in step.parameters
        if value in ("extended", "active")
    )
    assert statuses["extended"] > statuses["active"] > 0


def test_what_is_opened_is_finished() -> None:
    for table, last in (
        ("incidents", "closed"),
        ("marketplace_orders", "delivered"),
        ("time_entries", "approved"),
    ):
        steps = [s for s in reported(4, 6000) if s.changes and verb_and_table(s)[1] == table]
        opened = sum(verb_and_table(step)[0] == "insert into" for step in steps)
        finished = sum(last in step.parameters for step in steps)
        assert opened - 5 < finished <= opened
