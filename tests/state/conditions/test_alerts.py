from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prt.errors import UsageError
from prt.events import Change
from prt.state.conditions.alerts import BUDGET_RULES, Alerts, numbers_of, parse_rule, plain
from prt.state.conditions.expression import parse_comparison
from tests.views import story


def budget(
    spent: Any, *, amount: Any = 100, number: int = 1, event: str = "UPDATE", table: str = "budgets"
) -> Change:
    row = {"id": number, "spent": spent, "amount": amount}
    if event == "DELETE":
        return story.change(event, table, old={"id": number})
    return story.change(event, table, new=row, old={"id": number})


def fired(rules: list[str], *changes: Change) -> list[tuple[str, str]]:
    alerts = Alerts(map(parse_rule, rules))
    return [(one.severity, one.value) for change in changes for one in alerts.apply(change)]


def holds(text: str, **numbers: Any) -> bool | None:
    verdict = parse_comparison(text, "--alert").judge({name: Decimal(str(n)) for name, n in numbers.items()})
    return None if verdict is None else verdict.holds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a>1", True),
        ("a >= 2", True),
        ("a<2", False),
        ("a<=2", True),
        ("a=2", True),
        ("a==2", True),
        ("a!=2", False),
        ("a<>2", False),
        ("a+b*2=8", True),
        ("(a+b)*2=10", True),
        ("b-a-1=0", True),
        ("12/b/a=2", True),
        ("-a<0", True),
        ("--a=2", True),
        ("0.1+.2+a=2.3", True),
        ('"odd ""name""">4', True),
        ("a>b", False),
    ],
)
def test_expressions(text: str, expected: bool) -> None:
    assert holds(text, a=2, b=3, **{'odd "name"': 5}) is expected


@pytest.mark.parametrize("text", ["a/b>1", "missing>1", "a>missing"])
def test_what_has_no_value_is_no_verdict(text: str) -> None:
    assert holds(text, a=2, b=0) is None


def test_no_number_is_too_large_to_be_judged() -> None:
    assert holds("a*a*a>1", a="9" * 50) is True


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a>",
        ">1",
        "a>1>2",
        "a>1)",
        "(a>1",
        "1>2",
        "a ? 1",
        "a.b>1",
        "__import__('os')>1",
        "a>1 b",
        "a>>1",
        "(" * 200 + "a>1",
    ],
)
def test_what_is_no_comparison_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--alert can't be read"):
        parse_rule(text)


@given(st.text(alphabet='ab1.+-*/()<>=! "', max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        comparison = parse_comparison(text, "--alert")
    except UsageError:
        return
    comparison.judge({"a": Decimal(1), "b": Decimal(0), "ab": Decimal(2)})


def test_a_rule_names_its_table_and_severity() -> None:
    rule = parse_rule(" budgets: spent/amount>=0.8:critical ")
    assert (rule.schema, rule.table, rule.severity) == (None, "budgets", "critical")
    assert rule.text == "budgets: spent/amount>=0.8:critical"
    assert parse_rule("a>1").severity == "warn"
    assert parse_rule("a>1:info").severity == "info"
    assert (parse_rule("app.t: a>1").schema, parse_rule("app.t: a>1").table) == ("app", "t")
    with pytest.raises(UsageError, match="unknown severity bad"):
        parse_rule("a>1:bad")


def test_it_fires_once_a_crossing_and_again_after_it_fell() -> None:
    rule = "spent/amount>=0.8"
    steps = [budget(spent) for spent in (10, 80, 85, 79, 90, 95)]
    assert fired([rule], *steps) == [("warn", "0.8"), ("warn", "0.9")]


def test_each_row_and_each_rule_crosses_for_itself() -> None:
    steps = [budget(85), budget(85, number=2), budget(100), budget(120)]
    assert fired(list(BUDGET_RULES), *steps) == [("warn", "0.85"), ("warn", "0.85"), ("critical", "1")]


def test_a_row_that_went_and_came_crosses_anew() -> None:
    steps = [budget(90), budget(0, event="DELETE"), budget(90, event="INSERT")]
    assert len(fired(["spent>80"], *steps)) == 2


def test_a_rule_of_a_table_leaves_others_alone_and_one_without_takes_all() -> None:
    assert fired(["budgets: spent>80"], budget(90, table="other")) == []
    assert len(fired(["spent>80"], budget(90, table="other"))) == 1


def test_the_alert_is_exact() -> None:
    (alert,) = Alerts([parse_rule("spent*3>0.3")]).apply(
        story.change("INSERT", "t", new={"id": 1, "spent": 0.11})
    )
    assert (alert.value, alert.limit, alert.table, alert.rule) == ("0.33", "0.3", "public.t", "spent*3>0.3")
    assert bytes(alert.row) == b'{"id": 1, "spent": 0.11}'


@pytest.mark.parametrize(
    "value", ['"NaN"', '"Infinity"', '"text"', "null", "true", "[1]", "1e999999999", "9" * 100]
)
def test_what_is_no_number_raises_nothing(value: str) -> None:
    assert numbers_of(f'{{"spent":{value}}}'.encode(), ("spent",)) == {}


def test_numbers_are_never_floats() -> None:
    row = b'{"a":0.1,"b":"12.30","c":12345678901234567890.123456789}'
    assert numbers_of(row, ("a", "b", "c")) == {
        "a": Decimal("0.1"),
        "b": Decimal("12.30"),
        "c": Decimal("12345678901234567890.123456789"),
    }


@pytest.mark.parametrize(
    ("number", "text"),
    [("1", "1"), ("0.80", "0.8"), ("100", "100"), ("1E+3", "1000"), ("0.123456789", "0.123457")],
)
def test_plain(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text


def test_a_rule_whose_numbers_no_row_has_is_idle() -> None:
    """Else a column that is written wrong would be a watch that never fails."""
    alerts = Alerts(map(parse_rule, ["spend>1", "spent>1", "invoices: spent>1", "spent/amount>1"]))
    alerts.apply(budget(5, amount=None))
    assert [rule.text for rule in alerts.idle_rules()] == ["spend>1", "spent/amount>1"]
    alerts.apply(budget(5))
    assert [rule.text for rule in alerts.idle_rules()] == ["spend>1"]
