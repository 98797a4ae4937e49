from __future__ import annotations

from typing import Any

import pytest

from prt.app.watch_request import RecoveryRequest
from prt.cli.options.targets import parse_targets
from prt.cli.options.views import ViewSelection, check_rules, checked_severity, parse_rules, parse_views
from prt.config.profiles import Defaults
from prt.errors import UsageError
from prt.state.screen import Screen
from prt.stream.binding import Binding
from prt.views.panels.registry import ViewOptions


def watched(viewing: ViewSelection, *tables: str) -> list[Binding]:
    """The bindings of `prt watch TABLE… --view …`."""
    bindings = parse_targets(viewing.words(tables)).bindings
    return [*bindings, *viewing.companions(bindings)]


def names(viewing: ViewSelection, *tables: str) -> list[str]:
    return [f"{one.table}:{one.event}" for one in watched(viewing, *tables)]


def test_a_board_brings_its_table_and_the_people_on_its_cards() -> None:
    board = parse_views("board")
    assert names(board) == ["project_tasks:*", "personnel:*"]
    assert names(board, "bookings") == ["bookings:*"]
    assert names(board, "project_tasks:UPDATE", "personnel") == ["project_tasks:UPDATE", "personnel:*"]


def test_budgets_are_subscribed_to_as_the_seed_does() -> None:
    budget = parse_views("budget")
    assert names(budget) == ["budgets:UPDATE", "financial_transactions:INSERT"]
    assert names(budget, "budgets") == ["budgets:*", "financial_transactions:INSERT"]
    assert names(budget, "notifications") == [
        "notifications:*",
        "budgets:UPDATE",
        "financial_transactions:INSERT",
    ]
    assert len(names(budget, "all")) == 30


def test_a_view_of_anything_watches_what_was_asked_for() -> None:
    assert len(names(parse_views("feed"))) == 30
    assert len(names(parse_views("board,budget,feed"))) == 30
    assert names(parse_views("stats"), "events") == ["events:*"]


def test_a_filter_of_every_table_leaves_the_people_alone() -> None:
    board = parse_views("board")
    bindings = parse_targets(board.words([]), filters=["production_id=eq.1"]).bindings
    assert [one.filter for one in [*bindings, *board.companions(bindings)]] == ["production_id=eq.1", None]


@pytest.mark.parametrize(
    ("view", "options", "tables", "snapshot"),
    [
        ("board", {}, (), {("public", "project_tasks"), ("public", "personnel")}),
        ("board", {}, ("app.parts",), {("app", "parts")}),
        ("budget", {}, (), {("public", "budgets"), ("public", "financial_transactions")}),
        ("feed", {}, (), False),
        ("stats", {"wants_rows": True}, (), True),
        (None, {"wants_rows": True}, ("events",), True),
        (None, {}, (), False),
    ],
)
def test_the_rows_that_views_need_are_loaded(
    view: str | None, options: dict[str, Any], tables: tuple[str, ...], snapshot: object
) -> None:
    viewing = parse_views(view, **options)
    assert viewing.recovery(RecoveryRequest(), watched(viewing, *tables)).snapshot == snapshot


def test_a_snapshot_that_was_asked_for_is_of_every_table() -> None:
    board = parse_views("board")
    assert board.recovery(RecoveryRequest(snapshot=True), watched(board)).snapshot is True


@pytest.mark.parametrize(
    ("tables", "wants_rows", "sheet"),
    [
        (("events",), True, ("public", "events")),
        (("events:INSERT,UPDATE",), True, ("public", "events")),
        (("events", "files"), True, None),
        (("*",), True, None),
        (("events",), False, None),
    ],
)
def test_the_rows_of_one_table_stand_in_the_table_view(
    tables: tuple[str, ...], wants_rows: bool, sheet: object
) -> None:
    viewing = parse_views("table", wants_rows=wants_rows)
    assert viewing.options(ViewOptions(), watched(viewing, *tables)).sheet == sheet


def test_details_stand_beside_whatever_is_shown() -> None:
    for view, shown in ((None, ["Table", "DetailsView"]), ("feed", ["FeedView", "DetailsView"])):
        viewing = parse_views(view, details=True)
        make = viewing.views_of(ViewOptions(), watched(viewing, "events"))
        assert [type(each).__name__ for each in make(Screen())] == shown
    (alone,) = parse_views().views_of(ViewOptions(), watched(parse_views(), "events"))(Screen())
    assert type(alone).__name__ == "Table"


def test_wishes_of_a_board() -> None:
    viewing = parse_views("board", group_by="colour", columns="red, blue", wip=["red=3", "a=b=2"])
    options = viewing.options(ViewOptions(), watched(viewing, "parts", "app.other"))
    assert (options.board, options.group_by, options.columns) == (
        ("public", "parts"),
        "colour",
        ("red", "blue"),
    )
    assert options.limits == {"red": 3, "a=b": 2}


def test_a_profile_fills_what_the_command_line_leaves_open() -> None:
    defaults = Defaults(views=("board", "feed"), feed={"events": "{new[title]}"})
    assert parse_views().given(defaults).names == ("board", "feed")
    assert parse_views("stats").given(defaults).names == ("stats",)
    assert parse_views().given(defaults).feed == {"events": "{new[title]}"}


def test_budgets_have_their_rules_and_others_replace_them() -> None:
    budget = parse_views("budget")
    assert [(rule.table, rule.severity) for rule in parse_rules((), budget)] == [
        ("budgets", "warn"),
        ("budgets", "critical"),
    ]
    assert [rule.text for rule in parse_rules(["a>1"], budget)] == ["a>1"]
    assert parse_rules((), parse_views("board")) == []


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"view": "bord"}, 'unknown view "bord"'),
        ({"view": " , "}, "--view names no view"),
        ({"view": "board", "wip": ["todo"]}, "--wip can't read todo"),
        ({"view": "board", "wip": ["todo=0"]}, "--wip can't read todo=0"),
        ({"view": "stats", "plan": "team"}, 'unknown plan "team"'),
    ],
)
def test_what_can_t_be_read(options: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        parse_views(options.pop("view"), **options)


def test_a_severity_that_is_none() -> None:
    assert checked_severity("warn") == "warn"
    with pytest.raises(UsageError, match="--fail-on-alert: unknown severity loud"):
        checked_severity("loud")


@pytest.mark.parametrize(
    ("rule", "tables", "is_watched"),
    [
        ("budgets: spent>1", ("budgets",), True),
        ("public.budgets: spent>1", ("budgets",), True),
        ("spent>1", ("events",), True),
        ("budgets: spent>1", ("*",), True),
        ("budgets: spent>1", ("events",), False),
        ("app.budgets: spent>1", ("budgets",), False),
    ],
)
def test_a_rule_is_for_what_is_watched(rule: str, tables: tuple[str, ...], is_watched: bool) -> None:
    rules, bindings = parse_rules([rule], parse_views()), parse_targets(tables).bindings
    if is_watched:
        check_rules(rules, bindings)
        return
    with pytest.raises(UsageError, match="its table is not watched"):
        check_rules(rules, bindings)
