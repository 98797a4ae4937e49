"""The screen of `prt audit`: its progress, and the account of each table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace
from rich.cells import cell_len
from rich.text import Text

from prt.events import Account, Event, Loss
from prt.state.audit.accounting import Audit
from prt.views.drawing.cells import cut, safe
from prt.views.drawing.figures import counted, duration, timestamp_text
from prt.views.drawing.losses import cause_text

COLUMNS: Final = ("committed", "arrived", "late", "hidden", "filtered", "cut", "lost", "unknown")
_LONGEST: Final = 32
_BAR: Final = 20
_SHOWN: Final = 20
"""How many causes of losses the summary lists."""
_BAD: Final = {"lost": "bold red", "cut": "yellow", "late": "yellow", "unknown": "dim"}


class AuditView:
    """A view of an audit's accounts.

    Attributes:
        phase: What the audit is doing now.
        began: When the accounting began (µs); None until then.
        plugin: The output plugin that decodes the write-ahead log.
    """

    title = "audit"

    def __init__(self, audit: Audit, *, role: str, duration: float) -> None:
        self.phase = ""
        self.began: int | None = None
        self.plugin = ""
        self._audit = audit
        self._role = role
        self._duration = round(duration * 1_000_000)
        self._accounts: list[Account] = []
        self._losses: list[Loss] = []

    def apply(self, event: Event) -> None:
        """Apply an event: an account or a loss."""
        if isinstance(event, Account):
            self._accounts.append(event)
        elif isinstance(event, Loss):
            self._losses.append(event)

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the progress and a line for each table, tables with losses first; `now` in µs."""
        waiting = self._audit.waiting(now - self._audit.clock_ahead)
        # Changes that may still arrive are not lost yet.
        accounts = [
            replace(one, lost=max(one.lost - waiting[one.table], 0)) for one in self._audit.accounts(now)
        ]
        accounts.sort(key=lambda one: (-one.lost, -one.committed, one.table))
        rows = _table(accounts)
        for account, row in zip(accounts, rows[1:], strict=True):
            if waiting[account.table]:
                row.append(f"  {waiting[account.table]:,} on their way", "dim")
        lines = [Text(self._progress(now)), Text(), *rows]
        if len(lines) > height:
            lines[max(height - 1, 0) :] = [Text(f"  and {counted(len(lines) - height + 1, 'table')} more")]
        for line in lines:
            line.truncate(width)
        return lines[:height]

    def summary(self) -> list[str]:
        """Return the accounts and the causes of the losses, as lines for the end of the run."""
        lines = [row.plain for row in _table(self._accounts)] if self._accounts else []
        causes: dict[str, list[Loss]] = {}
        for loss in self._losses:
            causes.setdefault(f"{loss.table} {loss.cause.code} {loss.cause.at}", []).append(loss)
        for losses in list(causes.values())[:_SHOWN]:
            lines.append(safe(_losses_text(losses)))
        if len(causes) > _SHOWN:
            lines.append(f"and {counted(len(causes) - _SHOWN, 'cause')} more")
        return lines

    def _progress(self, now: int) -> str:
        decoded = f"as {self._role}, log decoded with {self.plugin or '…'}"
        if self.began is None:
            return f"waiting for READY, {decoded}"
        done = min(max(now - self.began, 0), self._duration)
        filled = _BAR * done // max(self._duration, 1)
        bar = "━" * filled + "─" * (_BAR - filled)
        phase = f", {self.phase}" if self.phase else ""
        return f"{bar} {duration(done)} of {duration(self._duration)}, {decoded}{phase}"


def _losses_text(losses: Sequence[Loss]) -> str:
    first, last = timestamp_text(losses[0].committed), timestamp_text(losses[-1].committed)
    when = f"at {first}" if first == last else f"from {first} to {last}"
    return f"✗ {losses[0].table}: {counted(len(losses), 'change')} lost {when}: {cause_text(losses[0].cause)}"


def _table(accounts: Sequence[Account]) -> list[Text]:
    """Return a heading and a line for each account, in columns as narrow as the numbers allow."""
    names = [cut(safe(account.table.removeprefix("public.")), _LONGEST) for account in accounts]
    first = max([cell_len(name) for name in names] + [len("table")])
    widths = {
        column: max([len(f"{getattr(one, column):,}") for one in accounts] + [len(column)]) + 2
        for column in COLUMNS
    }
    heading = Text(f"  {'table':{first}}", "underline")
    for column, width in widths.items():
        heading.append(f"{column:>{width}}")
    lines = [heading]
    for account, name in zip(accounts, names, strict=True):
        line = Text("✗ " if account.lost else "✓ ", "red" if account.lost else "green")
        line.append(name + " " * (first - cell_len(name)), "default")
        for column, width in widths.items():
            count = getattr(account, column)
            line.append(f"{count:>{width},}", _BAD.get(column, "default") if count else "dim")
        lines.append(line)
    return lines
