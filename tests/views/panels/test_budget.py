"""What budgets show of amounts that no budget should have."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from prt.state.budget import Budgets
from prt.views.panels.budget import BudgetView
from tests.views import story


def view_of(*rows: dict[str, Any], transactions: tuple[dict[str, Any], ...] = ()) -> BudgetView:
    view = BudgetView(Budgets(), tz=UTC)
    for number, row in enumerate(rows):
        new = {"id": number, "name": f"b{number}", "committed": 0, "currency": "EUR", **row}
        view.apply(story.change("INSERT", "budgets", new=new, source="snapshot"))
    for number, row in enumerate(transactions):
        new = {"id": number, "budget_id": 0, "status": "posted", **row}
        view.apply(story.change("INSERT", "financial_transactions", new=new))
    return view


def lines_of(view: BudgetView, width: int = 80) -> list[str]:
    return [line.plain.rstrip() for line in view.lines(width, 20, story.NOW)]


@pytest.mark.parametrize(
    ("amount", "spent", "share"),
    [
        (1000, 999.9, " 99 %"),
        (1000, 1000, "! 100 %"),
        (3, "100000", "! >10,000 %"),
        (0, 5, "! ∞ %"),
        (0, 0, " 0 %"),
        (None, 5, "– %"),
        (100, -50, " -50 %"),
    ],
)
def test_a_share_is_never_rounded_up(amount: Any, spent: Any, share: str) -> None:
    assert share in lines_of(view_of({"amount": amount, "spent": spent}))[1]


@pytest.mark.parametrize("width", [40, 70, 80, 100, 120, 200])
def test_a_sum_that_is_too_long_takes_nothing_from_the_others(width: int) -> None:
    odd = {"amount": "12345678901234567890.12", "spent": "9999999999999999999.99"}
    lines = lines_of(view_of(odd, {"amount": 1000, "spent": 500}), width)
    assert all(len(line) <= width for line in lines)
    assert lines[1].endswith("2.346e+18")
    assert lines[2].endswith(" left    500.00")
    assert "█" in lines[2]


def test_the_cents_of_a_column_stand_below_each_other() -> None:
    lines = lines_of(view_of({"amount": 1000, "spent": "900.50"}, {"amount": 2000, "spent": 7}))
    assert lines[1].endswith("900.50 of 1,000  left    99.50")
    assert lines[2].endswith("  7.00 of 2,000  left 1,993.00")


def test_no_bar_where_nothing_is_used_or_no_amount_was_set() -> None:
    lines = lines_of(view_of({"amount": 0, "spent": 0}, {"amount": None, "spent": 9}))
    assert "█" not in "".join(lines)
    assert lines[2].endswith("9 of –  left –")


def test_transactions_are_signed_and_show_why_they_do_not_count() -> None:
    rows: tuple[dict[str, Any], ...] = (
        {"amount": 10, "type": "expense", "status": "draft"},
        {"amount": 20, "type": "refund", "status": "draft"},
        {"amount": 30, "type": "income"},
        {"amount": 40, "type": "expense", "currency": "USD"},
    )
    lines = lines_of(view_of({"amount": 100, "spent": 0}, transactions=rows))
    reported = sorted(line[11:].strip().removesuffix("  b0") for line in lines[3:])
    assert reported == ["+30", "10 draft", "40 USD", "−20 draft"]


def test_a_letter_is_no_currency() -> None:
    assert (
        lines_of(view_of({"amount": 9, "spent": 1, "currency": "E"}))[0] == "1 budget · 1 of 9 spent, 8 left"
    )


def test_the_totals_leave_out_their_cents_before_a_narrow_terminal_cuts_an_amount() -> None:
    view = view_of({"amount": 370_656.25, "spent": 357_636.75, "currency": "EUR"})
    assert lines_of(view, 80)[0] == "1 budget · EUR 357,636.75 of 370,656.25 spent, 13,019.50 left"
    assert lines_of(view, 60)[0] == "1 budget · EUR 357,637 of 370,656 spent, 13,020 left"
