"""The screen of `prt tap`: connections with their channels, and below them what the app does wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo
from typing import Final

from rich.text import Text

from prt.config.constants.plans import PLANS
from prt.events import Event, TapFinding, TapFrame
from prt.state.tap import ChannelLine, ConnectionLine, Item, TapState
from prt.views.drawing.cells import safe, within, wrapped
from prt.views.drawing.figures import clock, counted, duration, roughly
from prt.views.drawing.findings import cause_of, remedy_of
from prt.views.drawing.lines import line_of
from prt.views.panels.keys import Hint

STYLES = {"error": "bold red", "warning": "yellow", "advice": "cyan"}
_FOOT = "↑↓ choose · Enter opens, Esc closes · space pauses · ? keys · q quits"
_CHOSEN, _OTHER = "▸", " "


class TapView:
    """A view that fills the whole screen, with its own head; `tz` None is the local time zone."""

    title = "tap"
    has_own_head = True
    help: Final[tuple[Hint, ...]] = (
        ("↑ ↓  j k", "choose a connection, a channel or a finding"),
        ("Enter", "open and close its frames, its history or its evidence"),
        ("Esc", "close them"),
        ("space", "pause and go on"),
        ("e", "save the screen as SVG and the events as NDJSON"),
    )

    def __init__(
        self, state: TapState, *, host: str = "", plan: str = "free", tz: tzinfo | None = None
    ) -> None:
        self._state = state
        self._host = host
        self._limit = PLANS[plan].messages
        self._tz = tz

    def apply(self, event: Event) -> None:
        """Apply an event to the state of the screen."""
        self._state.apply(event)

    @property
    def keys(self) -> Mapping[str, Callable[[], None]]:
        """The keys that act on the view."""
        state = self._state
        return {
            "j": lambda: state.move(1),
            "k": lambda: state.move(-1),
            "\r": state.toggle,
            "\n": state.toggle,
            "escape": state.close,
        }

    def summary(self) -> list[str]:
        """Return how many connections and findings there are."""
        state = self._state
        found = counted(len(state.findings), "finding")
        return [safe(f"{counted(len(state.connections), 'connection')}, {found}")]

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the view in at most `height` lines of at most `width` cells; `now` in µs."""
        state = self._state
        opened = state.opened
        body = [*(self._overview(width, now) if opened is None else self._details(opened, width, height))]
        head = line_of(self._headline(), width, "bold")
        foot = line_of(_FOOT, width, "dim")
        room = max(height - 2, 0)
        if len(body) > room > 0:
            chosen = next((number for number, line in enumerate(body) if line.plain[:1] == _CHOSEN), 0)
            first = max(min(chosen - room // 2, len(body) - room + 1), 0)
            more = f"and {len(body) - room + 1:,} lines more"
            body = [*body[first : first + room - 1], line_of(more, width, "italic")]
        return within([head, *body, foot], width, height)

    def all_lines(self, width: int, now: int) -> list[Text]:
        """Return all connections, channels and findings."""
        return [line_of(self._headline(), width, "bold"), *self._overview(width, now)]

    def _headline(self) -> str:
        state = self._state
        opened = [one for one in state.connections.values() if one.latest.state == "open"]
        words = [f"tap {self._host}".strip(), counted(len(opened), "connection")]
        if state.refused:
            words.append(f"{state.refused} refused")
        words.append(counted(len(state.findings), "finding"))
        return safe(" · ".join(words))

    def _overview(self, width: int, now: int) -> Iterator[Text]:
        state = self._state
        items = state.items
        chosen = items[state.chosen] if items else None
        if not state.connections:
            yield line_of("waiting for the app's first websocket", width, "italic")
        for connection in state.connections.values():
            style = "" if connection.latest.state == "open" else "dim"
            mark = _CHOSEN if connection is chosen else _OTHER
            first, *more = wrapped(self._connection(connection, now), max(width - 2, 1))
            yield line_of(f"{mark} {first}", width, style)
            for line in more:
                yield line_of(f"  {line}", width, style)
            for channel in connection.channels.values():
                mark = _CHOSEN if channel is chosen else _OTHER
                yield line_of(f"{mark}   {_channel(channel)}", width, _style(channel))
        if state.findings:
            yield Text()
            yield line_of("findings", width, "bold")
        for found in state.findings:
            mark = _CHOSEN if found is chosen else _OTHER
            yield from _finding(found, mark, width)

    def _connection(self, connection: ConnectionLine, now: int) -> str:
        latest = connection.latest
        who = " ".join(part for part in (latest.role or "nobody", (latest.user or "")[:8]) if part)
        parts = [f"{latest.connection} {latest.client}", who]
        if latest.token_expires_at is not None:
            left = latest.token_expires_at - now
            parts.append(f"token {roughly(left)}" if left > 0 else "token expired")
        if latest.state == "open":
            parts.append(f"since {clock(connection.opened_at, self._tz)}")
            beat = connection.heartbeat_at
            parts.append("no heartbeat" if beat is None else f"heartbeat {duration(now - beat)} ago")
        else:
            parts.append(f"closed {latest.code or ''}".strip())
        rate = connection.rate.per_second(now)
        parts.append(f"↑{connection.sent:,} ↓{connection.received:,}, {rate:.1f}/s of {self._limit}")
        if latest.skipped:
            parts.append(f"{latest.skipped:,} not read")
        return safe(" · ".join(parts))

    def _details(self, item: Item, width: int, height: int) -> Iterator[Text]:
        if isinstance(item, ConnectionLine):
            yield line_of(f"frames of connection {item.latest.connection}", width, "bold")
            for frame in list(item.frames)[-max(height - 3, 1) :]:
                yield line_of(self._frame(frame), width)
        elif isinstance(item, ChannelLine):
            yield line_of(f"history of {item.latest.topic}", width, "bold")
            for step in item.history:
                reason = f": {step.reason}" if step.reason else ""
                yield line_of(f"{clock(step.at, self._tz, is_fine=True)} {step.state}{reason}", width)
        else:
            yield from _finding(item, " ", width)
            yield Text()
            for one in item.evidence:
                number = "" if one.connection is None else f"connection {one.connection} "
                yield line_of(f"{clock(one.at, self._tz, is_fine=True)} {number}{one.what}", width)

    def _frame(self, frame: TapFrame) -> str:
        arrow = "↑" if frame.direction == "sent" else "↓"
        payload = bytes(frame.payload)[:2000].decode(errors="replace")
        return f"{clock(frame.at, self._tz, is_fine=True)} {arrow} {frame.topic} {frame.event} {payload}"


def _style(channel: ChannelLine) -> str:
    """Return the colour of a channel; a channel with tables isn't ready at SUBSCRIBED, but only at READY."""
    state = channel.latest.state
    if state == "READY" or (state == "SUBSCRIBED" and not channel.latest.bindings):
        return "green"
    return "yellow" if state in ("joining", "SUBSCRIBED") else "dim"


def _channel(channel: ChannelLine) -> str:
    latest = channel.latest
    kind = "private" if latest.private else "public"
    parts = [latest.topic, f"{kind} {latest.state}"]
    parts += latest.bindings
    if latest.presence or channel.presences:
        parts.append(f"presence {channel.presences}")
    parts.append(counted(channel.events, "event"))
    return safe(" · ".join(parts))


def _finding(found: TapFinding, mark: str, width: int) -> Iterator[Text]:
    """Yield a finding and its remedy, uncut because a remedy that is to be typed must be complete."""
    style = STYLES[found.severity]
    first, *more = wrapped(safe(f"{found.severity} {found.id}: {cause_of(found)}"), max(width - 2, 1))
    yield line_of(f"{mark} {first}", width, style)
    for line in more:
        yield line_of(f"  {line}", width, style)
    for line in wrapped(safe(f"→ {remedy_of(found)}"), max(width - 4, 1)):
        yield line_of(f"    {line}", width)
