"""Events of the stream as notices for standard error."""

from __future__ import annotations

from collections.abc import Sequence

from prt.events import Alert, Conflict, Event, Gap, Malformed, Status
from prt.state.feed import alert_text
from prt.views.drawing.figures import counted, timestamp_text

_NAMED = 3


def notice(event: Event) -> tuple[str, str | None] | None:
    """Return the notice of an event and its hint; None if standard output already shows the event."""
    match event:
        case Status(status="SUBSCRIBED"):
            return None  # READY follows, which is what users wait for
        case Status(status="READY") if event.topic and not event.tables:
            return f"ready: {event.topic} is joined{f'; {event.reason}' if event.reason else ''}", event.hint
        case Status(status="READY"):
            tables = f" of {counted(len(event.tables), 'table')}" if event.tables else ""
            return f"ready: changes{tables} flow{f'; {event.reason}' if event.reason else ''}", event.hint
        case Status():
            # One table's reason may not name it; what ended the channel concerns them all.
            name = f"{event.tables[0]}: " if event.tables and len(event.tables) == 1 else ""
            reason = event.reason or event.status
            words = reason if reason.startswith(name[:-2]) else name + reason
            return f"{words} ({event.connection})", event.hint
        case Gap():
            return f"gap {gap_text(event)}", None
        case Malformed():
            return f"unreadable frame left out: {event.reason}", None
        case Alert() | Conflict():
            return f"{type(event).__name__.lower()} {alert_or_conflict_text(event)}", None
        case _:
            return None


def alert_or_conflict_text(event: Alert | Conflict) -> str:
    """Return what an alert or a conflict reports about a row, in a few words."""
    if isinstance(event, Alert):
        return alert_text(event)
    return f"{event.table} {event.key}: two writers of one row, the {event.kept} one is kept"


def gap_text(gap: Gap) -> str:
    """Return a gap as a clause: its window, its tables or topics, its cause and its outcome."""
    window = f"{timestamp_text(gap.start)} to {timestamp_text(gap.end)}"
    named = tables_text(gap.tables) if gap.tables else ", ".join(gap.topics)
    tables = f" ({named})" if named else ""
    return f"from {window}{tables}: {gap.cause}; {outcome_text(gap)}"


def tables_text(tables: Sequence[str]) -> str:
    """Return the names of up to three tables, or the number of more; `public.` is left out."""
    if len(tables) > _NAMED:
        return counted(len(tables), "table")
    return ", ".join(name.removeprefix("public.") for name in tables)


def outcome_text(gap: Gap) -> str:
    """Return the outcome of a gap: how many rows were recovered, and whether events may be missing."""
    recovered = f"{gap.recovered:,} recovered, " if gap.recovered else ""
    return recovered + ("complete" if gap.complete else "events may be missing")
