from __future__ import annotations

from typing import Any

import pytest

from prt.events import Change
from prt.state.feed import ABOUT, INSERT_COLUMNS, NOUNS, VERBS, Feed
from prt.state.rows.cache import Rows
from prt.state.rows.names import Names
from tests.views import story

ID = "5eed0000-000f-4000-8000-000000000003"


def sentences(*changes: Change, **options: Any) -> list[str]:
    """The sentences, oldest first."""
    feed = Feed(**options)
    return [feed.sentence(change).text for change in changes]


def came(table: str, **columns: Any) -> Change:
    return story.change("INSERT", table, new={"id": 1, **columns})


def changed(table: str, **columns: Any) -> Change:
    return story.change("UPDATE", table, new={"id": 1, **columns}, old={"id": 1})


def test_a_task_moves() -> None:
    assert sentences(
        came("project_tasks", title="Rig truss", status="todo", priority="high"),
        changed("project_tasks", title="Rig truss", status="done", completed_at="2026-11-22T16:45:20+00:00"),
    ) == ["task 'Rig truss' was added, priority high", "task 'Rig truss' moved todo → done"]


def test_other_changes_are_described_column_by_column() -> None:
    before = {"title": "A", "position": 1, "priority": "low", "estimate_hours": 2, "labels": []}
    after = {"title": "A", "position": 2, "priority": "high", "estimate_hours": 3, "labels": ["x"]}
    assert sentences(came("project_tasks", **before), changed("project_tasks", **after))[1] == (
        "task 'A' priority low → high, position 1 → 2, estimate hours 2 → 3 and 1 more"
    )


def test_a_row_that_goes_has_the_name_it_had() -> None:
    gone = story.change("DELETE", "project_tasks", old={"id": 1})
    assert sentences(came("project_tasks", title="A"), gone)[1] == "task 'A' was removed"
    assert sentences(gone) == ["task '1' was removed"]


def test_a_row_of_which_nothing_was_known_changed() -> None:
    assert sentences(changed("project_tasks", title="A", status="done")) == ["task 'A' changed"]


def test_only_insignificant_columns_changed() -> None:
    row = {"title": "A", "status": "todo"}
    assert (
        sentences(came("project_tasks", **row), changed("project_tasks", **row))[1]
        == "task 'A' was written again"
    )


def test_names_stand_for_ids_where_rows_are_known() -> None:
    rows = Rows()
    rows.apply(story.change("INSERT", "personnel", new={"id": ID, "name": "Noor Haddad"}))
    feed = Feed(named=Names(rows).of)
    feed.sentence(came("project_tasks", title="A", assignee_id=None))
    sentence = feed.sentence(changed("project_tasks", title="A", assignee_id=ID))
    assert sentence.text == "task 'A' assignee none → Noor Haddad"


def test_ids_that_nobody_knows_are_short_or_left_out() -> None:
    row = {"title": "A", "priority": "high", "assignee_id": None}
    assert sentences(
        came("project_tasks", **row | {"assignee_id": ID}),
        changed("project_tasks", **row),
        story.change("DELETE", "comments", old={"id": ID}),
    ) == [
        "task 'A' was added, priority high",
        f"task 'A' assignee {ID[:4]}…{ID[-4:]} → none",
        f"comment '{ID[:4]}…{ID[-4:]}' was deleted",
    ]


def test_an_id_that_is_no_uuid_belongs_to_the_table_of_its_column() -> None:
    rows = Rows()
    for table, name in (("companies", "Acme"), ("teams", "Night crew")):
        rows.apply(story.change("INSERT", table, new={"id": 7, "name": name}))
    names = Names(rows)
    assert [names.of(column, "7") for column in ("company_id", "team_id", "asset_id", "quantity")] == [
        "Acme",
        "Night crew",
        "7",
        "7",
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (came("comments", body="A440 or A442?"), "comment 'A440 or A442?' was written"),
        (
            came("financial_transactions", description="Hire", amount=12.5, budget_id="b"),
            "transaction 'Hire' was booked, amount 12.5, budget b",
        ),
        (came("marketplace_orders", title="Mugs", amount=9), "order 'Mugs' came in, amount 9"),
        (came("parts_of_it", name="Bolt"), "parts of it 'Bolt' was added"),
        (came("boxes", name="Box 3"), "box 'Box 3' was added"),
        (
            story.change("INSERT", "invoices", errors=["Error 401: Unauthorized"]),
            "invoice changed unseen: Error 401: Unauthorized",
        ),
    ],
)
def test_a_table_s_own_words(change: Change, sentence: str) -> None:
    assert sentences(change) == [sentence]


def test_the_seed_s_tables_all_have_their_word() -> None:
    from prt.config.constants.seed_tables import TABLES

    assert set(NOUNS) == set(TABLES)
    assert {*VERBS, *ABOUT, *INSERT_COLUMNS} <= set(NOUNS)


def test_a_template_writes_the_whole_sentence() -> None:
    templates = {"t": lambda change: f"any {change.table}", "t:DELETE": lambda _: "gone"}
    assert sentences(came("t"), story.change("DELETE", "t", old={"id": 1}), templates=templates) == [
        "any t",
        "gone",
    ]


def test_one_letter_of_a_char_is_no_change() -> None:
    """Realtime casts `char(3)` without its length."""
    assert (
        sentences(
            came("budgets", name="B", currency="EUR", spent=1),
            changed("budgets", name="B", currency="E", spent=2),
        )[1]
        == "budget 'B' spent 1 → 2"
    )
