"""The outcome of an update that `prt` wrote itself, as text."""

from __future__ import annotations

from prt.state.update import Update
from prt.views.drawing.figures import milliseconds
from prt.views.drawing.notices import alert_or_conflict_text


def steps(update: Update) -> str:
    """Return the steps of an update, each with its time since the first:
    `applied → committed 12 ms → confirmed 15 ms`.
    """
    if update.applied_at is None:
        return "nothing was applied" if update.failure is not None else "waiting until changes flow"
    parts = ["applied"]
    for name, at in (
        ("committed", update.committed_at),
        ("confirmed", update.confirmed_at),
        ("rolled back", update.rolled_back_at),
    ):
        if at is not None:
            parts.append(f"{name} {milliseconds((at - update.applied_at) / 1000)}")
    return " → ".join(parts)


def outcome(update: Update) -> list[str]:
    """Return the lines that `prt update` writes to standard error.

    They show what it changed in the row, its steps with their times, and what others wrote meanwhile.
    """
    changes = ", ".join(
        f"{cell.column} {'?' if cell.before is None else cell.before} → {cell.after or '?'}"
        for cell in update.cells
    )
    shown = f": {changes}" if changes and update.confirmed_at is not None else ""
    return [
        f"{update.table} {update.key_text}{shown}",
        steps(update),
        *map(alert_or_conflict_text, update.conflicts),
    ]
