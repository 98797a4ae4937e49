"""`--output text`: one plain line an event, for eyes and for grep; the same everywhere, so in UTC."""

from __future__ import annotations

from prt.events import (
    Alert,
    Broadcast,
    Change,
    Conflict,
    End,
    Event,
    Gap,
    Malformed,
    Presence,
    Status,
    Vitals,
)
from prt.state.difference import Line, line_of
from prt.state.rows import Rows
from prt.views.cells import cut, safe
from prt.views.changed import whole
from prt.views.figures import counted, lag_text, milliseconds, table_name, timestamp_text
from prt.views.notices import gap_text, notice, told

_PAYLOAD = 400

_Told = Change | Broadcast | Presence | Status | Gap | Alert | Conflict | Malformed | End


class TextLines:
    """Encodes events; remembers rows, to tell what an UPDATE changed."""

    def __init__(self, rows: Rows | None = None) -> None:
        self._rows = rows or Rows()

    def encode(self, event: Event) -> bytes:
        """One line with its newline; none of the vitals, which are a view's."""
        if isinstance(event, Vitals):
            return b""
        return f"{timestamp_text(event.at)} {self._said(event)}\n".encode()

    def _said(self, event: _Told) -> str:
        match event:
            case Change():
                previous = self._rows.apply(event)
                return _change(line_of(event, previous, self._rows.key_columns(event.schema, event.table)))
            case Broadcast():
                payload = bytes(event.payload)[:_PAYLOAD].decode(errors="replace")
                return safe(f"BROADCAST {event.topic} {event.event} {payload}")
            case Presence():
                who = f" {event.key}" if event.key else ""
                online = f" {len(event.state or {})} online" if event.event == "sync" else ""
                return safe(f"PRESENCE {event.topic} {event.event}{who}{online}")
            case End():
                lag = f", {lag_text(event.lag_ms)}" if event.lag_ms else ""
                gaps = f", {counted(event.gaps, 'gap')}" if event.gaps else ""
                return f"END {event.reason}: {counted(event.events, 'event')}{gaps}{lag}"
            case Status():
                said = notice(event)
                text = said[0] if said else "joined"
                return safe(f"{event.status} {text}" + (f"; hint: {event.hint}" if event.hint else ""))
            case Malformed():
                return safe(f"MALFORMED {event.reason}: {event.frame}")
            case Gap():
                return safe(f"GAP {gap_text(event)}")
            case Alert() | Conflict():
                return safe(f"{type(event).__name__.upper()} {told(event)}")


def _change(line: Line) -> str:
    when = milliseconds(line.lag_ms).replace(" ", "") if line.source == "stream" else line.source
    lag = f" ({when})" if line.lag_ms is not None or line.source != "stream" else ""
    key = cut(safe(line.key), 80) or "-"
    name = safe(table_name(line.schema, line.table))
    return f"{line.event_type} {name} {key}{lag} {whole(line)}".rstrip()
