"""Lines across the table of changes, for gaps, alerts, conflicts and steps of the channel."""

from __future__ import annotations

from datetime import tzinfo

from rich.cells import cell_len
from rich.text import Text

from prt.events import Alert, Conflict, Gap
from prt.state.newest import Step
from prt.views.drawing.cells import cut, safe, wrapped
from prt.views.drawing.figures import clock, counted, duration, moment
from prt.views.drawing.notices import alert_or_conflict_text, tables_text
from prt.views.panels.head import CONNECTIONS

Entry = Gap | Alert | Conflict | Step

_RULE = "─"
_CAUSE_LINES = 2


def interruption(entry: Entry, width: int, time_width: int, tz: tzinfo | None) -> list[Text]:
    """Return an entry as a rule with text in it.

    If a gap doesn't fit on one line, its cause stands on the lines below.

    Args:
        entry: The gap, alert, conflict or step.
        width: The most cells of a line.
        time_width: The cells of the time before the text, as in the lines of changes.
        tz: The time zone; None is the local one.
    """
    text = whole(entry, time_width, tz)
    if not isinstance(entry, Gap) or text.cell_len <= width:
        return [_ruled(text, width)]
    text = _begun(entry, time_width, tz)
    indent = " " * text.cell_len
    text.append(_fitting_facts(entry, width - len(indent), tz), _style(entry))
    lines = wrapped(safe(entry.cause), max(width - len(indent), 1))
    if len(lines) > _CAUSE_LINES:
        lines = [*lines[: _CAUSE_LINES - 1], " ".join(lines[_CAUSE_LINES - 1 :])]
    return [_ruled(text, width), *(_plain(cut(indent + line, width)) for line in lines)]


def whole(entry: Entry, time_width: int, tz: tzinfo | None) -> Text:
    """Return an entry on one line, however long."""
    text, style = _begun(entry, time_width, tz), _style(entry)
    if isinstance(entry, Step):
        return text.append(step_text(entry), style)
    if not isinstance(entry, Gap):
        return text.append(safe(f"{type(entry).__name__.lower()} {alert_or_conflict_text(entry)}"), style)
    return text.append(f"{_facts(entry, tz, has_length=True, has_names=True)}: {safe(entry.cause)}", style)


def gap_line(gap: Gap, tz: tzinfo | None) -> str:
    """Return a gap as one safe line, without the time at which it was reported and without styles."""
    return f"{_glyph(gap)} {_facts(gap, tz)}: {safe(gap.cause)}"


def step_text(step: Step) -> str:
    """Return a step of the channel as text.

    Examples: `READY again after 2.0 s`, `CLOSED: 1012: service restart (3 times)`.
    """
    status = step.status
    again = "" if step.down_us is None else f" again after {duration(step.down_us)}"
    reason = f": {status.reason}" if status.reason else ""
    times = f" ({step.times:,} times)" if step.times > 1 else ""
    return safe(f"{status.status}{again}{reason}{times}")


def _fitting_facts(gap: Gap, width: int, tz: tzinfo | None) -> str:
    """Return the facts about a gap in `width` cells.

    Its length is left out first, then the names of tables.
    """
    for has_length, has_names in ((True, True), (False, True)):
        facts = _facts(gap, tz, has_length=has_length, has_names=has_names)
        if cell_len(facts) <= width:
            return facts
    return _facts(gap, tz)


def _facts(gap: Gap, tz: tzinfo | None, *, has_length: bool = False, has_names: bool = False) -> str:
    """Return the facts about a gap without its cause; the shortest form fits in 70 cells."""
    window = f"{moment(gap.start, gap.end, tz)} to {clock(gap.end, tz)}"
    if has_length:
        window += f" ({duration(gap.end - gap.start)})"
    tables = tables_text(gap.tables) if has_names else counted(len(gap.tables), "table")
    if not gap.tables:
        tables = ", ".join(gap.topics) if has_names else counted(len(gap.topics), "topic")
    outcome = f"{gap.recovered:,} recovered, {'complete' if gap.complete else 'incomplete'}"
    return safe(
        f"gap {window} · {tables} · {outcome}" if gap.tables or gap.topics else f"gap {window} · {outcome}"
    )


def _begun(entry: Entry, time_width: int, tz: tzinfo | None) -> Text:
    """Return the beginning of a line: the time and the glyph."""
    if isinstance(entry, Step):
        at, glyph = entry.status.at, CONNECTIONS[entry.status.connection][0]
    else:
        at, glyph = entry.at, "!" if not isinstance(entry, Gap) else _glyph(entry)
    is_fine = time_width > len("00:00:00")
    return _plain(f"{clock(at, tz, is_fine=is_fine)} ").append(f"{glyph} ", _style(entry))


def _style(entry: Entry) -> str:
    if isinstance(entry, Step):
        return CONNECTIONS[entry.status.connection][1]
    return "bold green" if isinstance(entry, Gap) and entry.complete else "bold red"


def _glyph(gap: Gap) -> str:
    return "✓" if gap.complete else "!"


def _ruled(text: Text, width: int) -> Text:
    if text.cell_len > width:
        text.truncate(width, overflow="ellipsis")
    left = width - text.cell_len - 1
    return text.append(f" {_RULE * left}" if left > 0 else "")


def _plain(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="crop")
