"""The view of `prt update`: the row as it will be, and the progress of the update."""

from __future__ import annotations

from rich.text import Text

from prt.events import Event
from prt.state.update import Update
from prt.views.drawing.cells import safe
from prt.views.drawing.lines import line_of
from prt.views.drawing.notices import alert_or_conflict_text
from prt.views.drawing.outcome import outcome, steps


class UpdateView:
    """A view of the row that `prt update` writes; the command changes its state."""

    title = "update"

    def __init__(self, update: Update) -> None:
        self._update = update

    def apply(self, event: Event) -> None:
        """Ignore the event: the command has applied it to the update already."""

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the update in at most `height` lines of at most `width` cells."""
        update = self._update
        lines = [line_of(f"{update.table} {update.key_text}", width, "bold"), Text("")]
        names = max((len(safe(name)) for name in update.values), default=0)
        is_done = update.confirmed_at is not None
        mark = "✓" if is_done else "✗" if update.failure is not None else "…"
        style = "bold green" if is_done else "bold red" if update.failure is not None else "bold"
        for cell in update.cells:
            before = "?" if cell.before is None else cell.before
            text = f"{mark} {safe(cell.column):{names}}  {safe(before)} → {safe(cell.after or '?')}"
            lines.append(line_of(text, width, style))
        lines += [Text(""), line_of(steps(update), width)]
        lines += [line_of(f"! {alert_or_conflict_text(one)}", width, "bold") for one in update.conflicts]
        return lines[:height]

    def summary(self) -> list[str]:
        """Return the lines that say whether the write was confirmed, and how long that took."""
        return [safe(line) for line in outcome(self._update)]
