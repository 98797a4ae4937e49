"""The view `budget`: a bar for each budget with what is spent and left, and the latest transactions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from decimal import ROUND_FLOOR, Decimal

from rich.cells import cell_len
from rich.text import Text

from prt.events import Alert, Event
from prt.state.budget import Budget, Budgets, Transaction
from prt.views.drawing.cells import cut, safe
from prt.views.drawing.figures import clock, counted
from prt.views.drawing.lines import fitted, plain
from prt.views.panels.inspection import Inspected
from prt.views.panels.listed import SELECTED, Listed

LEAST_TRANSACTIONS = 3
"""Lines kept for the transactions, with their heading, however many budgets there are."""

_LEAST_BUDGETS = 4
"""Budgets that must have room before transactions take any."""
_SPENT, _PENDING, _COMMITTED, _LEFT = "█", "▓", "▒", "·"
_LEGEND = f"{_SPENT} spent  {_PENDING} pending  {_COMMITTED} committed"
_WARN, _FULL = Decimal("0.8"), Decimal(1)
_NAME, _WIDE_NAME = 18, 28
_SPELLED, _WIDE = 70, 100
"""Least widths in cells to spell out spent and amount (`_SPELLED`), and committed too (`_WIDE`)."""
_LEAST_BAR = 8
_MOST_SHARE = Decimal(100)
_LONGEST = len("-99,999,999.99")
_NOTE = 12
_LIT = 6_000_000
"""How long a new transaction is marked (µs)."""


BudgetKey = tuple[str, bytes]
"""`budget` or `transaction`, and the key of the row."""


class BudgetView(Listed[BudgetKey]):
    """A view of budgets and their transactions.

    `waiting` returns the text that an empty view shows, such as "waiting for the first row". `tz` is the time
    zone of the times, None for that of the machine.
    """

    title = "budgets"
    least_width = 56

    def __init__(
        self, budgets: Budgets, *, tz: tzinfo | None = None, waiting: Callable[[], str] = lambda: ""
    ) -> None:
        super().__init__()
        self.budgets = budgets
        self._tz = tz
        self._waiting = waiting
        self._alerts = 0

    def apply(self, event: Event) -> None:
        """Apply an event to the budgets, and count alerts."""
        self.budgets.apply(event)
        self._alerts += type(event) is Alert

    def summary(self) -> list[str]:
        """Return what was spent, and by how many transactions."""
        budgets = self.budgets.budgets()
        if not budgets:
            return []
        alerts = f", {counted(self._alerts, 'alert')}" if self._alerts else ""
        seen = counted(self.budgets.seen, "transaction")
        return [f"budgets: {safe(_totals(budgets, 200))}; {seen}{alerts}"]

    def row_keys(self) -> list[BudgetKey]:
        """Return the keys of the budgets, then those of the transactions, the newest transaction first."""
        transactions = [("transaction", one.key) for one in reversed(self.budgets.transactions)]
        return [*(("budget", one.key) for one in self.budgets.budgets()), *transactions]

    def content(self, key: BudgetKey) -> bytes:
        """Return the text of a row that a search looks at: the row as JSON."""
        return self._row(key) or b""

    def inspect(self, key: BudgetKey) -> Inspected | None:
        """Return the details of a row; None if the row is gone."""
        kind, raw = key
        row = self._row(key)
        if row is None:
            return None
        if kind == "budget":
            one = next(one for one in self.budgets.budgets() if one.key == raw)
            left = "?" if one.remaining is None else money(one.remaining)
            facts = [
                f"{_share(one).strip()} used",
                f"{money(one.used)} spent, {left} left",
                "as it was last seen",
            ]
            if one.pending:
                facts.append(f"{money(one.pending)} of it pending: the budget's row does not have it yet")
            title = f"budget {one.name}"
        else:
            transaction = next(one for one in self.budgets.transactions if one.key == raw)
            facts = [f"received {clock(transaction.at, self._tz)}", _signed(transaction)]
            facts += [f"of {name}"] if (name := self.budgets.name_of(transaction)) else []
            facts += ["pending"] if self.budgets.is_pending(transaction) else []
            title = f"transaction {transaction.description}".rstrip()
        return Inspected(title=title, facts=tuple(facts), payload=row, label="row")

    def _row(self, key: BudgetKey) -> bytes | None:
        kind, raw = key
        if kind == "budget":
            return self.budgets.row(raw)
        return next((one.row for one in self.budgets.transactions if one.key == raw), None)

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the budgets in at most `height` lines of at most `width` cells; `now` in µs."""
        budgets = self.budgets.budgets()
        if not budgets and not self.budgets.transactions:
            return fitted([plain(cut(self._waiting(), width), "italic")], width, height)
        least = LEAST_TRANSACTIONS if self._has_transactions(height, len(budgets)) else 0
        room = max(height - 1 - least, 0)
        keys = self.row_keys()
        self.choice.sync(keys)
        indexes = self.choice.window(keys[: len(budgets)], room if len(budgets) <= room else max(room - 1, 0))
        shown = [budgets[index] for index in indexes]
        bars = zip(shown, _bars(shown, width - self.gutter), strict=True)
        lines = [plain(cut(_totals(budgets, width), width), "bold")]
        lines += [self.marked(("budget", budget.key), bar, width) for budget, bar in bars]
        if len(shown) < len(budgets):
            less = ", less full" if not indexes or indexes.start == 0 else ""
            lines.append(plain(cut(f"+{len(budgets) - len(shown):,} more{less}", width), "italic"))
        if least:
            lines += self._transactions(width, height - len(lines), now)
        return fitted(lines, width, height)

    def _has_transactions(self, height: int, budgets: int) -> bool:
        """Return whether transactions are shown: beside a few budgets, or because one is selected."""
        if not self.budgets.transactions or height <= LEAST_TRANSACTIONS:
            return False
        is_selected = self.selected is not None and self.selected[0] == "transaction"
        return is_selected or height - 1 - LEAST_TRANSACTIONS >= min(budgets, _LEAST_BUDGETS)

    def _transactions(self, width: int, height: int, now: int) -> list[Text]:
        heading = plain("transactions", "underline")
        if width >= self.least_width:
            heading = plain("transactions" + " " * (width - 12 - len(_LEGEND)) + _LEGEND, "underline")
        all_newest = self.budgets.transactions[::-1]
        indexes = self.choice.window([("transaction", one.key) for one in all_newest], max(height - 1, 0))
        newest = [all_newest[index] for index in indexes]
        amounts = [_signed(one) for one in newest]
        widest = max(map(cell_len, amounts), default=0)
        lines = [heading]
        for one, amount in zip(newest, amounts, strict=True):
            is_new = 0 <= now - one.at < _LIT and one.commit is not None
            is_selected = self.selected == ("transaction", one.key)
            line = plain().append(SELECTED if is_selected else "▸ " if is_new else "  ", "bold")
            line.append(clock(one.moment or one.at, self._tz) + " ")
            line.append(" " * (widest - cell_len(amount)) + amount, "bold" if is_new else "")
            is_foreign = self.budgets.is_foreign(one)
            notes = (one.currency if is_foreign else "", one.draft, "pending" * self.budgets.is_pending(one))
            line.append("".join(f" {cut(safe(note), _NOTE)}" for note in notes if note), "italic")
            what = " · ".join(part for part in (one.description, self.budgets.name_of(one)) if part)
            line.append("  " + cut(safe(what), max(width - line.cell_len - 2, 0)))
            line.truncate(width)
            if is_selected:
                line.append(" " * max(width - line.cell_len, 0))
                line.stylize("reverse")
            lines.append(line)
        return fitted(lines, width, height)


def _bars(budgets: Sequence[Budget], width: int) -> list[Text]:
    name_width = _WIDE_NAME if width >= _WIDE else _NAME
    names = [cut(safe(budget.name), name_width) for budget in budgets]
    name_width = max(map(cell_len, names), default=0)
    room = width - name_width - 2
    figures = _figures(budgets, width, room - _LEAST_BAR)
    bar = room - max(map(len, figures), default=0)
    lines = []
    for budget, name, figure in zip(budgets, names, figures, strict=True):
        style = "bold red" if budget.share >= _FULL else "bold" if budget.share >= _WARN else ""
        line = plain().append(name, style).append(" " * (name_width - cell_len(name) + 1))
        if bar >= _LEAST_BAR:
            line.append_text(_bar(budget, bar)).append(" ")
        line.append(figure, style)
        line.truncate(width)
        lines.append(line)
    return lines


def _figures(budgets: Sequence[Budget], width: int, room: int) -> list[str]:
    """Return the figures of each budget, with as many columns as fit into `width` and `room` cells."""
    share = _padded([_share(budget) for budget in budgets])
    spent = ("  ", _sums([budget.used for budget in budgets]))
    amount = (" of ", _sums([budget.amount for budget in budgets]))
    committed = ("  committed ", _sums([budget.committed for budget in budgets]))
    left = ("  left ", _sums([budget.remaining for budget in budgets]))
    forms = [(0, [left]), (_SPELLED, [spent, amount, left]), (_WIDE, [spent, amount, committed, left])]
    figures = share
    for least, columns in forms:
        lines = share
        for label, texts in columns:
            lines = [f"{line}{label}{text}" for line, text in zip(lines, texts, strict=True)]
        if width >= least and max(map(len, lines), default=0) <= room:
            figures = lines
    return figures


def _share(budget: Budget) -> str:
    """Return the used share of a budget in percent, rounded down, so that only a full budget shows 100 %."""
    if budget.amount is None:
        return "– %"
    mark = "! " if budget.share >= _FULL else ""
    if not budget.share.is_finite():
        return f"{mark}∞ %"
    if budget.share > _MOST_SHARE:
        return f"{mark}>{_MOST_SHARE * 100:,.0f} %"
    return f"{mark}{(budget.share * 100).to_integral_value(ROUND_FLOOR):.0f} %"


def _sums(values: Sequence[Decimal | None]) -> list[str]:
    """Return amounts of equal width, all with cents or all without; overlong ones as `1.234e+12`."""
    has_cents = any(value is not None and value != value.to_integral_value() for value in values)
    texts = ["–" if value is None else money(value, has_cents=has_cents) for value in values]
    return _padded(
        [
            f"{value:.3e}" if len(text) > _LONGEST and value is not None else text
            for text, value in zip(texts, values, strict=True)
        ]
    )


def _padded(texts: Sequence[str]) -> list[str]:
    widest = max(map(len, texts), default=0)
    return [text.rjust(widest) for text in texts]


def _bar(budget: Budget, width: int) -> Text:
    """Draw the spent, pending and committed shares of a budget; what exceeds the amount fills the bar."""
    text = plain()
    sofar = Decimal(0)
    drawn = 0
    amount = budget.amount
    for value, sign, style in (
        (budget.spent, _SPENT, "bold red" if budget.share >= _FULL else ""),
        (budget.pending, _PENDING, ""),
        (budget.committed, _COMMITTED, "dim"),
    ):
        sofar += value
        filled = (
            0 if amount is None or sofar <= 0 else width if amount <= 0 else round(sofar / amount * width)
        )
        end = min(max(filled, drawn), width)
        text.append(sign * (end - drawn), style)
        drawn = end
    return text.append(_LEFT * (width - drawn), "dim")


def _totals(budgets: Sequence[Budget], width: int) -> str:
    """Return the totals of each currency; amounts of different currencies can't be added.

    The cents are left out before the text is cut at `width`, because a cut amount reads as another one.
    """
    text = _sums_of_all(budgets, has_cents=None)
    return text if cell_len(text) <= width else cut(_sums_of_all(budgets, has_cents=False), width)


def _sums_of_all(budgets: Sequence[Budget], *, has_cents: bool | None) -> str:
    currencies = list(dict.fromkeys(budget.currency for budget in budgets))
    parts = []
    for currency in currencies:
        own = [budget for budget in budgets if budget.currency == currency]
        amount = sum((budget.amount or Decimal(0) for budget in own), Decimal(0))
        spent = sum((budget.used for budget in own), Decimal(0))
        remaining = sum((budget.remaining or Decimal(0) for budget in own), Decimal(0))
        unit = f"{currency} " if len(currency) > 1 else ""  # Realtime leaves only a letter of a `char(3)`
        texts = [money(one, has_cents=has_cents) for one in (spent, amount, remaining)]
        parts.append("{}{} of {} spent, {} left".format(unit, *texts))
    return " · ".join([counted(len(budgets), "budget"), *map(safe, parts)])


def _signed(transaction: Transaction) -> str:
    """Return the amount as it acts on a budget, booked or not; only income has a plus."""
    value = transaction.amount * (transaction.sign or 1)
    sign = "+" if not transaction.sign else "−" if value < 0 else ""
    return f"{sign}{money(abs(value))}"


def money(value: Decimal, *, has_cents: bool | None = None) -> str:
    """Return an amount as `12,345.60`.

    If `has_cents` is None, whole amounts have no cents.
    """
    cents = value.quantize(Decimal("0.01")) if abs(value.adjusted()) < 20 else value
    is_whole = cents == cents.to_integral_value() if has_cents is None else not has_cents
    return f"{cents:,.0f}" if is_whole else f"{cents:,.2f}"
