from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from prt.events import Change
from prt.state.budget import NEWEST, Budgets
from tests.views import story

OPENED = "2026-11-22T16:00:00+00:00"


def budget(
    spent: Any, *, commit: str | None = None, written: str = OPENED, number: int = 1, **columns: Any
) -> Change:
    """As the stream delivers it if there is a commit, else as it was read."""
    row = {"id": number, "name": f"Budget {number}", "amount": 1000, "spent": spent, "committed": 100}
    row |= {"currency": "EUR", "updated_at": written, **columns}
    if commit is None:
        return reported(story.change("INSERT", "budgets", new=row, source="snapshot", lag=None), None)
    return reported(story.change("UPDATE", "budgets", new=row, old={"id": number}), commit)


def transaction(
    amount: Any, *, commit: str | None, created: str = OPENED, number: int = 1, **columns: Any
) -> Change:
    row = {"id": number, "budget_id": 1, "amount": amount, "type": "expense", "status": "posted"}
    row |= {"description": f"item {number}", "created_at": created, **columns}
    source = "snapshot" if commit is None else "stream"
    return reported(story.change("INSERT", "financial_transactions", new=row, source=source), commit)


def reported(change: Change, commit: str | None) -> Change:
    return replace(change, commit_timestamp=commit)


def at(second: int) -> str:
    return f"2026-11-22T16:45:{second:02}.000000Z"


def budgets_of(*changes: Change) -> Budgets:
    budgets = Budgets()
    for change in changes:
        budgets.apply(change)
    return budgets


def figures(budgets: Budgets) -> tuple[Decimal, Decimal, Decimal]:
    (one,) = budgets.budgets()
    return one.spent, one.pending, one.remaining


def test_what_is_left_counts_what_is_committed() -> None:
    assert figures(budgets_of(budget("250.50"))) == (Decimal("250.50"), Decimal(0), Decimal("649.50"))


def test_a_transaction_that_the_row_does_not_know_is_pending_on_top() -> None:
    budgets = budgets_of(budget(200), transaction("50.10", commit=at(5), created=at(5)))
    assert figures(budgets) == (Decimal(200), Decimal("50.10"), Decimal("649.90"))
    assert budgets.is_pending(budgets.transactions[0])


def test_a_transaction_is_not_counted_twice_where_a_trigger_books_it() -> None:
    """One commit contains the transaction and then its budget."""
    budgets = budgets_of(
        budget(200),
        transaction(50, commit=at(5), created=at(5)),
        budget(250, commit=at(5), written=at(5)),
    )
    assert figures(budgets) == (Decimal(250), Decimal(0), Decimal(650))


def test_nor_if_the_budget_arrived_first() -> None:
    budgets = budgets_of(
        budget(200), budget(250, commit=at(5), written=at(5)), transaction(50, commit=at(5), created=at(5))
    )
    assert figures(budgets)[1] == 0


def test_a_budget_written_before_does_not_know_a_later_transaction() -> None:
    budgets = budgets_of(
        budget(200),
        transaction(50, commit=at(5), created=at(5)),
        transaction(7, commit=at(8), created=at(8), number=2),
        budget(250, commit=at(6), written=at(6)),
    )
    assert figures(budgets)[:2] == (Decimal(250), Decimal(7))


def test_of_a_snapshot_the_database_s_own_dates_decide() -> None:
    known = budgets_of(transaction(50, commit=None), budget(200))
    unknown = budgets_of(transaction(50, commit=None, created=at(9)), budget(200))
    assert (figures(known)[1], figures(unknown)[1]) == (Decimal(0), Decimal(50))


@pytest.mark.parametrize(
    ("columns", "effect"),
    [
        ({"type": "refund"}, -50),
        ({"type": "income"}, 0),
        ({"type": "transfer"}, 0),
        ({"status": "draft"}, 0),
        ({"type": None, "status": None}, 50),
    ],
    ids=["refund", "income", "transfer", "draft", "a table without either"],
)
def test_what_a_transaction_does_to_a_budget(columns: dict[str, Any], effect: int) -> None:
    budgets = budgets_of(budget(200), transaction(50, commit=at(5), created=at(5), **columns))
    assert figures(budgets)[1] == effect


def test_a_transaction_without_its_budget_is_on_the_only_one_of_its_production() -> None:
    own = {"budget_id": None, "production_id": "p1"}
    paid = transaction(50, commit=at(5), created=at(5), **own)
    assert figures(budgets_of(budget(0, production_id="p1"), paid))[1] == 50
    assert figures(budgets_of(paid, budget(0, production_id="p1")))[1] == 50
    two = budgets_of(budget(0, production_id="p1"), budget(0, number=2, production_id="p1"), paid)
    assert [one.pending for one in two.budgets()] == [0, 0]


def test_a_transaction_that_is_gone_is_not_pending() -> None:
    gone = story.change("DELETE", "financial_transactions", old={"id": 1})
    assert figures(budgets_of(budget(200), transaction(50, commit=at(5), created=at(5)), gone))[1] == 0


def test_the_newest_transactions_stay_in_their_order() -> None:
    moments = [*range(50), *range(59, 49, -1)]
    budgets = budgets_of(
        *(transaction(n, commit=at(n), created=at(n), number=n) for n in moments),
        *(transaction(n, commit=None, number=100 + n) for n in range(NEWEST)),
    )
    assert len(budgets.transactions) == NEWEST
    assert [one.amount for one in budgets.transactions][-60:] == list(range(60))
    assert budgets.seen == 60


def test_many_that_nobody_books_are_still_counted() -> None:
    budgets = budgets_of(
        budget(0), *(transaction(1, commit=at(5), created=at(5), number=n) for n in range(3000))
    )
    assert figures(budgets)[1] == 3000


def test_the_fullest_come_first() -> None:
    budgets = budgets_of(budget(10, number=1), budget(900, number=2), budget(500, number=3))
    assert [one.name for one in budgets.budgets()] == ["Budget 2", "Budget 3", "Budget 1"]


def test_a_currency_of_which_the_server_left_one_letter_is_made_whole() -> None:
    budgets = budgets_of(budget(1, commit=at(1), currency="E"), budget(1, number=2))
    assert {one.currency for one in budgets.budgets()} == {"EUR"}


def test_money_is_exact_and_what_is_no_number_is_none() -> None:
    budgets = budgets_of(
        budget("0.10", amount="0.30", committed="0.20"), budget("NaN", number=2, amount=None)
    )
    first = next(one for one in budgets.budgets() if one.name == "Budget 1")
    assert (first.remaining, first.share) == (Decimal("0.00"), Decimal("0.10") / Decimal("0.30"))


def test_other_tables_and_schemas_pass_by() -> None:
    other = story.change("INSERT", "budgets", schema="archive", new={"id": 1, "amount": 1})
    assert len(budgets_of(other, story.change("INSERT", "productions", new={"id": 1}))) == 0


def test_a_currency_stays_whole_when_every_row_has_streamed() -> None:
    budgets = budgets_of(
        budget(1), budget(1, number=2, currency="EGP"), budget(2, commit=at(1), currency="E")
    )
    assert sorted(one.currency for one in budgets.budgets()) == ["EGP", "EUR"]


def test_a_transaction_in_other_money_is_no_part_of_its_budget() -> None:
    foreign = transaction(70, commit=at(5), created=at(5), currency="USD")
    for changes in ([budget(200), foreign], [foreign, budget(200)]):
        budgets = budgets_of(*changes)
        assert figures(budgets)[1] == 0
        assert budgets.is_foreign(budgets.transactions[0])
    cut = budgets_of(budget(200), transaction(70, commit=at(5), created=at(5), currency="E"))
    assert figures(cut)[1] == 70


def test_of_nothing_whatever_is_used_is_too_much_and_what_was_never_set_is_no_limit() -> None:
    budgets = budgets_of(
        budget(5, amount=0),
        budget(0, amount=0, number=2),
        budget(7, amount=None, number=3),
        budget(900, number=4),
    )
    assert [(one.key, one.share) for one in budgets.budgets()] == [
        (b"1", Decimal("Infinity")),
        (b"4", Decimal("0.9")),
        (b"2", Decimal(0)),
        (b"3", Decimal(0)),
    ]
    assert budgets.budgets()[-1].remaining is None


def test_what_is_not_booked_has_its_status() -> None:
    first, second = budgets_of(
        transaction(1, commit=at(1), status="draft"), transaction(2, commit=at(2), number=2, type="refund")
    ).transactions
    assert (first.draft, first.effect, first.sign) == ("draft", 0, 1)
    assert (second.draft, second.effect, second.sign) == ("", -2, -1)
