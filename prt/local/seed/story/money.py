"""Budgets: money is spent until a budget alerts, then the budget is raised, and finally it starts again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from prt.local.seed.story import words
from prt.local.seed.story.messages import Messages
from prt.local.seed.story.steps import Expression, Scene, Shelf, Step, forget, plus, restore, update
from prt.local.seed.tables import seeded

AMOUNTS = (48000, 26000, 18500, 31000, 9000, 12000, 14000, 22000, 7500, 6000, 24000, 8000, 36000, 21000)
CATEGORIES = (
    *("technical", "travel", "art", "artists", "technical", "technical", "hospitality"),
    *("technical", "site", "rights", "artists", "hospitality", "site", "technical"),
)
CENT = Decimal("0.01")
ALERTS = (Decimal("0.8"), Decimal(1))
COMPANIES = 12


@dataclass
class Budget:
    """A budget; `granted` is how many times its amount was raised since it was opened."""

    id: str
    production: str
    category: str
    opened_with: Decimal
    amount: Decimal
    spent: Decimal
    granted: int = 0


def seeded_budgets() -> list[Budget]:
    """Return the seed's budgets, with the money that the seed's transactions have spent."""
    budgets = []
    for number, amount in enumerate(AMOUNTS, 1):
        spent = sum((Decimal(amount * (20 + n % 5 * 6)) / 100 for n in (number, number + 14)), Decimal(0))
        budgets.append(
            Budget(
                id=seeded("budgets", number),
                production=seeded("productions", (number - 1) % 12 + 1),
                category=CATEGORIES[number - 1],
                opened_with=Decimal(amount),
                amount=Decimal(amount),
                spent=spent,
            )
        )
    return budgets


class Books:
    """The production's money: budgets, expenses, refunds, purchase orders and invoices."""

    def __init__(self, random: Random, messages: Messages) -> None:
        self._random = random
        self._messages = messages
        self._budgets = seeded_budgets()
        self._transactions = Shelf("financial_transactions", 60)
        self._orders = Shelf("purchase_orders", 12)
        self._order_of: dict[str, tuple[Budget, Decimal]] = {}

    def opening(self) -> list[Step]:
        """Return the steps that undo what an earlier story did."""
        rows = {b.id: (b.amount, b.opened_with / 10, b.spent, "active") for b in self._budgets}
        return [
            *(forget(table) for table in ("financial_transactions", "purchase_orders")),
            restore(
                "budgets",
                rows,
                ("amount", "committed", "spent", "status"),
                ("numeric", "numeric", "numeric", "text"),
            ),
        ]

    def expense(self) -> Scene:
        """Add an expense to a random budget."""
        budget = self._random.choice(self._budgets)
        share = Decimal(self._random.randint(15, 70)) / 1000
        yield from self._book(budget, (budget.opened_with * share).quantize(CENT))

    def refund(self) -> Scene:
        """Add a refund to a random budget."""
        budget = self._random.choice(self._budgets)
        amount = (budget.opened_with * Decimal(self._random.randint(5, 20)) / 1000).quantize(CENT)
        budget.spent -= amount
        yield from self._transaction(budget, amount, type="refund", description="Refund")

    def purchase(self) -> Scene:
        """Move a purchase order to its next status, or add one.

        An approved order commits its amount in the budget; a received order spends it.
        """
        waiting = [row for row, status in self._orders.rows.items() if status != "received"]
        if not waiting or self._random.random() < 0.2:
            budget = self._random.choice(self._budgets)
            amount = Decimal(self._random.randint(80, 900))
            if len(self._orders.rows) == self._orders.size:
                self._order_of.pop(next(iter(self._orders.rows)), None)
            yield from self._orders.add(
                self._random,
                {
                    "status": "draft",
                    "production_id": budget.production,
                    "budget_id": budget.id,
                    "company_id": self._company(),
                    "title": self._random.choice(words.PURCHASES),
                    "amount": amount,
                },
            )
            self._order_of[next(reversed(self._orders.rows))] = (budget, amount)
            return
        row = waiting[0]
        budget, amount = self._order_of[row]
        match self._orders.rows[row]:
            case "draft":
                yield self._orders.move(row, "submitted")
            case "submitted":
                yield self._orders.move(row, "approved")
                yield update("budgets", budget.id, committed=plus("committed", amount))
            case _:
                yield self._orders.move(row, "received")
                less = Expression("greatest(committed - %s, 0)", (amount,))
                yield update("budgets", budget.id, committed=less)
                yield from self._book(budget, amount)

    def invoice(self) -> Scene:
        """Change the status of an invoice."""
        number = self._random.randint(1, 12)
        status = self._random.choice(("sent", "overdue", "paid"))
        paid = Expression("now()") if status == "paid" else None
        yield update("invoices", seeded("invoices", number), status=status, paid_at=paid)

    def _book(self, budget: Budget, amount: Decimal) -> Scene:
        before = budget.spent / budget.amount
        budget.spent += amount
        description = self._random.choice(words.EXPENSES)
        yield from self._transaction(budget, amount, type="expense", description=description)
        passed = [alert for alert in ALERTS if before < alert <= budget.spent / budget.amount]
        if passed:
            percent = int(passed[-1] * 100)
            yield from self._messages.notify(
                "budget",
                f"Budget at {percent} %",
                f"{budget.category}: {budget.spent} of {budget.amount} EUR",
            )
        if budget.spent > budget.amount * Decimal("1.08"):
            yield self._relieve(budget)

    def _relieve(self, budget: Budget) -> Step:
        """Raise a budget by a quarter, twice at most; the third time, reset it to its first amount."""
        if budget.granted < 2:
            budget.granted += 1
            budget.amount = (budget.amount * Decimal("1.25")).quantize(CENT)
            return update("budgets", budget.id, amount=budget.amount, status="extended")
        budget.granted = 0
        budget.amount = budget.opened_with
        budget.spent = (budget.opened_with * Decimal("0.15")).quantize(CENT)
        return update(
            "budgets",
            budget.id,
            amount=budget.amount,
            spent=budget.spent,
            committed=budget.opened_with / 10,
            status="active",
        )

    def _transaction(self, budget: Budget, amount: Decimal, **columns: object) -> Scene:
        # There are two changes: the new row, and the budget, which a trigger of the database updates.
        yield from self._transactions.add(
            self._random,
            {
                "production_id": budget.production,
                "budget_id": budget.id,
                "company_id": self._company(),
                "category": budget.category,
                "amount": amount,
                **columns,
            },
            changes=2,
        )

    def _company(self) -> str:
        return seeded("companies", self._random.randint(1, COMPANIES))
