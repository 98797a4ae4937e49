"""The encoder for `--output text`: one plain line for each event, with times in UTC."""

from __future__ import annotations

from prt.events import (
    Account,
    Alert,
    Broadcast,
    Change,
    Conflict,
    End,
    Event,
    Gap,
    Known,
    Loaded,
    Loss,
    Malformed,
    Presence,
    Rewound,
    Status,
    TapChannel,
    TapConnection,
    TapEvent,
    TapFinding,
    TapFrame,
    Verified,
    Vitals,
)
from prt.state.roster import PresenceLine, Presences
from prt.state.rows.cache import Rows
from prt.state.rows.difference import Line, line_of
from prt.state.topics.messages import hex_head, is_replayed
from prt.views.drawing import findings
from prt.views.drawing.cells import cut, safe
from prt.views.drawing.changes import whole
from prt.views.drawing.figures import counted, lag_text, milliseconds, table_name, timestamp_text
from prt.views.drawing.losses import account_text, loss_text
from prt.views.drawing.notices import alert_or_conflict_text, gap_text, notice
from prt.views.drawing.topics import carried_whole

_PAYLOAD = 400

_Written = (
    Change
    | Broadcast
    | Presence
    | Status
    | Gap
    | Alert
    | Conflict
    | Account
    | Loss
    | Malformed
    | TapEvent
    | End
)


class TextLines:
    """An encoder of lines; it keeps rows and rosters to write what an update changed."""

    def __init__(self, rows: Rows | None = None) -> None:
        self._rows = rows or Rows()
        self._presences = Presences()

    def encode(self, event: Event) -> bytes:
        """Return an event as one line with its newline.

        Events that only views need, such as vitals, have none.
        """
        if isinstance(event, Vitals | Loaded | Known | Rewound | Verified):
            return b""
        return f"{timestamp_text(event.at)} {self._text_of(event)}\n".encode()

    def _text_of(self, event: _Written) -> str:
        match event:
            case Change():
                previous = self._rows.apply(event)
                return _change(line_of(event, previous, self._rows.key_columns(event.schema, event.table)))
            case Broadcast():
                return _broadcast(event)
            case Presence():
                line = self._presences.apply(event)
                return safe(f"PRESENCE {event.topic} {event.event}") + (_presence(line) if line else "")
            case End():
                lag = f", {lag_text(event.lag_ms)}" if event.lag_ms else ""
                gaps = f", {counted(event.gaps, 'gap')}" if event.gaps else ""
                return f"END {event.reason}: {counted(event.events, 'event')}{gaps}{lag}"
            case Status():
                noticed = notice(event)
                text = noticed[0] if noticed else "joined"
                return safe(f"{event.status} {text}" + (f"; hint: {event.hint}" if event.hint else ""))
            case Malformed():
                return safe(f"MALFORMED {event.reason}: {event.frame}")
            case Gap():
                return safe(f"GAP {gap_text(event)}")
            case Account():
                return safe(f"AUDIT {account_text(event)}")
            case Loss():
                return safe(f"LOSS {loss_text(event)}")
            case Alert() | Conflict():
                return safe(f"{type(event).__name__.upper()} {alert_or_conflict_text(event)}")
            case TapConnection() | TapChannel() | TapFrame() | TapFinding():
                return safe(findings.line_of(event))


def _broadcast(event: Broadcast) -> str:
    if event.binary is not None:
        payload = hex_head(event.binary)
    else:
        raw = bytes(event.payload)
        payload = raw[:_PAYLOAD].decode(errors="replace") + ("…" if len(raw) > _PAYLOAD else "")
    replayed = " (replayed)" if is_replayed(event) else ""
    return safe(f"BROADCAST {event.topic} {event.event}{replayed} {payload}")


def _presence(line: PresenceLine) -> str:
    key = cut(safe(line.key), 80)
    return "".join(f" {part}" for part in (key, carried_whole(line)) if part)


def _change(line: Line) -> str:
    when = milliseconds(line.lag_ms).replace(" ", "") if line.source == "stream" else line.source
    lag = f" ({when})" if line.lag_ms is not None or line.source != "stream" else ""
    key = cut(safe(line.key), 80) or "-"
    name = safe(table_name(line.schema, line.table))
    return f"{line.event_type} {name} {key}{lag} {whole(line)}".rstrip()
