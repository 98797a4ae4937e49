"""Budgets with their spent, committed and pending amounts, and the transactions that spend them.

The budget's row is authoritative: if the database books a transaction on it, the same commit changes the
row's total. A transaction that the row doesn't include yet is added to it as pending.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from decimal import Decimal

from msgspec import Raw, Struct, structs

from prt.events import Change, Event
from prt.state.conditions.alerts import number_of
from prt.state.rows.difference import value_text
from prt.state.rows.present import KeyColumns, Present, assume_id, key_of, values_of
from prt.stream.values import moment

NEWEST = 100
"""How many transactions are kept."""

AMOUNTS = ("amount", "total_amount", "budget", "total", "planned")
SPENT = ("spent", "spent_amount", "actual", "actual_amount", "used")
COMMITTED = ("committed", "committed_amount", "reserved")
NAMES = ("name", "title", "category", "label")

_ZERO = Decimal(0)
_INFINITE = Decimal("Infinity")
_BUDGET = (*AMOUNTS, *SPENT, *COMMITTED, *NAMES, "currency", "updated_at", "production_id")
_TRANSACTION = (
    *("id", "budget_id", "production_id", "type", "status", "amount", "currency", "description"),
    *("reference", "category", "created_at"),
)
_BOOKED = frozenset({"", "posted", "booked", "cleared", "settled", "completed", "paid"})
_SIGNS = {"": 1, "expense": 1, "debit": 1, "cost": 1, "refund": -1, "credit": -1}
_MOST_PENDING = 1000
_UNKNOWN = b""


class Budget(Struct, frozen=True, kw_only=True):
    """A budget.

    `pending` is the effect of transactions that `spent` doesn't include yet; `amount` can be unset.
    """

    key: bytes
    name: str
    amount: Decimal | None
    spent: Decimal
    committed: Decimal = _ZERO
    pending: Decimal = _ZERO
    currency: str = ""

    @property
    def used(self) -> Decimal:
        """The spent amount, with the transactions that the budget's row doesn't include yet."""
        return self.spent + self.pending

    @property
    def remaining(self) -> Decimal | None:
        """The rest of the amount; None if the budget has no amount."""
        return None if self.amount is None else self.amount - self.used - self.committed

    @property
    def share(self) -> Decimal:
        """The used share of the amount; infinite if something was spent from an amount of zero."""
        if self.amount is None:
            return _ZERO
        if self.amount > 0:
            return self.used / self.amount
        return _INFINITE if self.used > 0 else _ZERO


class Transaction(Struct, frozen=True, kw_only=True):
    """A transaction of a budget.

    Attributes:
        effect: What it adds to `spent`; 0 for a draft or an income.
        draft: The status of a transaction that isn't booked; otherwise empty.
        commit: When it was committed (µs); None if it wasn't streamed.
        moment: Its own date (µs); None if it has none.
        row: The row as raw JSON.
    """

    at: int
    key: bytes
    budget: bytes | None
    amount: Decimal
    effect: Decimal
    type: str
    draft: str = ""
    description: str
    currency: str
    commit: int | None
    moment: int | None
    production: bytes | None = None
    row: bytes = b"{}"

    @property
    def sign(self) -> int:
        """1 if money is spent, -1 if it comes back, and 0 if the budget isn't affected."""
        return _SIGNS.get(self.type.lower(), 0)


class _Row(Struct, frozen=True):
    budget: Budget
    commit: int | None
    moment: int | None
    production: bytes | None


class Budgets:
    """The budgets and their newest transactions.

    Events of both tables are applied in the order of the stream.
    """

    def __init__(
        self,
        *,
        schema: str = "public",
        budgets: str = "budgets",
        transactions: str = "financial_transactions",
        key_columns: KeyColumns = assume_id,
    ) -> None:
        self.transactions: list[Transaction] = []
        self.seen = 0
        self._schema = schema
        self._of_transactions = transactions
        self._key_columns = key_columns
        self._present = Present(schema, budgets, key_columns)
        self._rows: dict[bytes, _Row] = {}
        self._pending: dict[bytes, dict[bytes, Transaction]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def apply(self, event: Event) -> None:
        """Apply an event; only changes of budgets and transactions have an effect."""
        if type(event) is not Change or event.schema != self._schema:
            return
        if event.table == self._of_transactions:
            self._apply_transaction(event)
        else:
            self._apply_budget(event)

    def budgets(self) -> list[Budget]:
        """Return the budgets, the fullest first, then by name."""
        found = []
        for key, row in self._rows.items():
            effect = sum((one.effect for one in self._pending.get(key, {}).values()), _ZERO)
            currency = self._whole(row.budget.currency)
            found.append(structs.replace(row.budget, pending=effect, currency=currency))
        return sorted(found, key=lambda budget: (-budget.share, budget.name))

    def row(self, key: bytes) -> bytes | None:
        """Return the row of a budget as raw JSON; None if the budget is gone."""
        return self._present.rows.get(key)

    def name_of(self, transaction: Transaction) -> str:
        """Return the name of the budget on which a row of `transactions` is spent, or "" if it is unknown."""
        row = self._rows.get(self._budget_of(transaction))
        return "" if row is None else row.budget.name

    def is_foreign(self, transaction: Transaction) -> bool:
        """Return whether its currency differs from the budget's, which then leaves the transaction out."""
        row = self._rows.get(self._budget_of(transaction))
        return row is not None and not _is_same(row.budget.currency, transaction.currency)

    def is_pending(self, transaction: Transaction) -> bool:
        """Return whether the budget's row does not include a transaction yet."""
        return transaction.key in self._pending.get(self._budget_of(transaction), ())

    def _apply_budget(self, change: Change) -> None:
        turn = self._present.apply(change)
        if turn is None:
            return
        if turn.after is None:
            self._rows.pop(turn.key, None)
            self._pending.pop(turn.key, None)
            return
        row = _row_of(turn.key, turn.after, moment(change.commit_timestamp))
        if row is None:
            return
        self._rows[turn.key] = row
        if len(self._rows) > len(self._present.rows):
            self._rows = {key: row for key, row in self._rows.items() if key in self._present.rows}
        for transaction in self._pending.pop(_UNKNOWN, {}).values():
            self._wait(transaction)
        pending = self._pending.get(turn.key)
        if pending:
            left = {key: one for key, one in pending.items() if _lacks(row, one)}
            self._pending[turn.key] = left

    def _whole(self, currency: str) -> str:
        """Return the whole currency for the single letter that Realtime leaves of a `char(3)`."""
        known = {row.budget.currency for row in self._rows.values()} - {currency}
        whole = [one for one in known if one.startswith(currency)]
        return whole[0] if len(currency) == 1 and len(whole) == 1 else currency

    def _apply_transaction(self, change: Change) -> None:
        columns = self._key_columns(self._schema, self._of_transactions)
        is_gone = change.event_type == "DELETE"
        key = key_of(change.old if is_gone else change.new, columns)
        if key is None:
            return
        if is_gone:
            for pending in self._pending.values():
                pending.pop(key, None)
            return
        transaction = _transaction_of(key, change)
        if transaction is None:
            return
        if change.event_type == "UPDATE":
            # Only its first state counts for the budget; a later one is only shown.
            known = [index for index, one in enumerate(self.transactions) if one.key == key]
            for index in known:
                self.transactions[index] = transaction
            return
        self.seen += change.source != "snapshot"
        insort(self.transactions, transaction, key=_when)
        del self.transactions[:-NEWEST]
        if transaction.effect:
            self._wait(transaction)

    def _wait(self, transaction: Transaction) -> None:
        """Keep a transaction as pending until its budget's row includes it."""
        budget = self._budget_of(transaction)
        row = self._rows.get(budget)
        if row is not None and not _lacks(row, transaction):
            return
        pending = self._pending.setdefault(budget, {})
        pending[transaction.key] = transaction
        if len(pending) > _MOST_PENDING:
            first, second = (pending.pop(next(iter(pending))) for _ in range(2))
            pending[second.key] = structs.replace(second, effect=first.effect + second.effect)

    def _budget_of(self, transaction: Transaction) -> bytes:
        """Return the key of a transaction's budget: the one it names, otherwise its production's only one."""
        if transaction.budget is not None:
            return transaction.budget
        if transaction.production is None:
            return _UNKNOWN
        own = [key for key, row in self._rows.items() if row.production == transaction.production]
        return own[0] if len(own) == 1 else _UNKNOWN


def _when(transaction: Transaction) -> int:
    return transaction.moment or transaction.at


def _lacks(row: _Row, transaction: Transaction) -> bool:
    """Return whether a transaction has to be added to the row as pending."""
    return _is_same(row.budget.currency, transaction.currency) and not _includes(row, transaction)


def _is_same(one: str, other: str) -> bool:
    """Return whether two currencies may be the same: each may be missing, or cut to its first letter."""
    return one.startswith(other) or other.startswith(one)


def _includes(row: _Row, transaction: Transaction) -> bool:
    """Return whether a row includes a transaction: by commits if both were streamed, else by dates."""
    if row.commit is not None and transaction.commit is not None:
        return row.commit >= transaction.commit
    if row.moment is None or transaction.moment is None:
        return transaction.commit is None
    return row.moment >= transaction.moment


def _row_of(key: bytes, row: bytes, commit: int | None) -> _Row | None:
    values = _values(row, _BUDGET)
    if values is None:
        return None
    budget = Budget(
        key=key,
        name=_text(values, NAMES) or value_text(Raw(key)),
        amount=_number(values, AMOUNTS),
        spent=_number(values, SPENT) or _ZERO,
        committed=_number(values, COMMITTED) or _ZERO,
        currency=_text(values, ("currency",)),
    )
    return _Row(budget, commit, moment(_text(values, ("updated_at",))), values.get("production_id"))


def _transaction_of(key: bytes, change: Change) -> Transaction | None:
    values = _values(change.new, _TRANSACTION)
    if values is None:
        return None
    amount, kind = _number(values, ("amount",)) or _ZERO, _text(values, ("type",))
    status = _text(values, ("status",))
    is_booked = status.lower() in _BOOKED
    return Transaction(
        at=change.at,
        key=key,
        budget=values.get("budget_id"),
        amount=amount,
        effect=amount * _SIGNS.get(kind.lower(), 0) if is_booked else _ZERO,
        type=kind,
        draft="" if is_booked else status,
        description=_text(values, ("description", "reference", "category")),
        currency=_text(values, ("currency",)),
        commit=moment(change.commit_timestamp),
        moment=moment(_text(values, ("created_at",))),
        production=values.get("production_id"),
        row=bytes(change.new),
    )


def _values(row: bytes | Raw, columns: Sequence[str]) -> dict[str, bytes] | None:
    values = values_of(row, tuple(columns))
    if values is None:
        return None
    return {name: value for name, value in zip(columns, values, strict=True) if value not in (None, b"null")}


def _text(values: dict[str, bytes], names: Sequence[str]) -> str:
    return next((value_text(Raw(values[name])) for name in names if name in values), "")


def _number(values: dict[str, bytes], names: Sequence[str]) -> Decimal | None:
    numbers = (number_of(values[name]) for name in names if name in values)
    return next((number for number in numbers if number is not None), None)
