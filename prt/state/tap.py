"""The state of the screen of `prt tap`: connections, channels, findings, and the selection."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from prt.events import Event, TapChannel, TapConnection, TapFinding, TapFrame
from prt.state.figures.rate import Rate

FRAMES_KEPT = 200
HISTORY_KEPT = 50
CLOSED_KEPT = 5
"""How many closed connections are still shown."""
SEVERITIES = ("error", "warning", "advice")


@dataclass(slots=True, eq=False)
class ChannelLine:
    """A channel of a connection, with the states it went through."""

    latest: TapChannel
    history: deque[TapChannel] = field(default_factory=lambda: deque(maxlen=HISTORY_KEPT))
    events: int = 0
    presences: int = 0


@dataclass(slots=True, eq=False)
class ConnectionLine:
    """A connection, its channels by topic and its latest frames."""

    latest: TapConnection
    opened_at: int
    channels: dict[str, ChannelLine] = field(default_factory=dict)
    frames: deque[TapFrame] = field(default_factory=lambda: deque(maxlen=FRAMES_KEPT))
    heartbeat_at: int | None = None
    sent: int = 0
    received: int = 0
    rate: Rate = field(default_factory=Rate)


Item = ConnectionLine | ChannelLine | TapFinding
"""What can be selected and opened."""


class TapState:
    """The state of the screen. `opened` is the item that Enter opened."""

    def __init__(self) -> None:
        self.connections: dict[int, ConnectionLine] = {}
        self.findings: list[TapFinding] = []
        self.refused = 0
        self._chosen: tuple[int, Item | None] = (0, None)
        """Where the selected item was, and the item; None until a key selects one."""
        self.opened: Item | None = None
        self.host = ""

    @property
    def items(self) -> list[Item]:
        """All items in the order of the screen; findings come last, the gravest first."""
        items: list[Item] = []
        for connection in self.connections.values():
            items += [connection, *connection.channels.values()]
        return [*items, *self.findings]

    @property
    def chosen(self) -> int:
        """The index of the selected item, which others that come or go don't change for another."""
        items, (index, item) = self.items, self._chosen
        return items.index(item) if item in items else min(index, max(len(items) - 1, 0))

    def move(self, by: int) -> None:
        """Select the item that is `by` positions further."""
        items = self.items
        index = min(max(self.chosen + by, 0), max(len(items) - 1, 0))
        self._chosen = index, items[index] if items else None

    def close(self) -> None:
        """Close the open item."""
        self.opened = None

    def toggle(self) -> None:
        """Open the selected item, or close the open one."""
        items = self.items
        self.opened = None if self.opened is not None or not items else items[self.chosen]

    def apply(self, event: Event) -> None:
        """Apply an event of the tap; other events have no effect."""
        match event:
            case TapConnection(state="refused"):
                self.refused += 1
            case TapConnection():
                self._connection(event)
            case TapChannel():
                self._channel(event)
            case TapFrame():
                self._frame(event)
            case TapFinding():
                self.findings.append(event)
                self.findings.sort(key=lambda one: SEVERITIES.index(one.severity))

    def _connection(self, event: TapConnection) -> None:
        known = self.connections.get(event.connection)
        if known is None:
            self.connections[event.connection] = ConnectionLine(event, event.at)
        else:
            known.latest = event
        closed = [number for number, one in self.connections.items() if one.latest.state == "closed"]
        for number in closed[:-CLOSED_KEPT]:
            del self.connections[number]

    def _channel(self, event: TapChannel) -> None:
        connection = self.connections.get(event.connection)
        if connection is None:
            return
        line = connection.channels.setdefault(event.topic, ChannelLine(event))
        line.latest = event
        line.history.append(event)

    def _frame(self, event: TapFrame) -> None:
        connection = self.connections.get(event.connection)
        if connection is None:
            return
        connection.frames.append(event)
        connection.rate.add(event.at)
        if event.direction == "sent":
            connection.sent += 1
        else:
            connection.received += 1
        if event.topic == "phoenix":
            connection.heartbeat_at = event.at
            return
        channel = connection.channels.get(event.topic.removeprefix("realtime:"))
        if channel is not None and event.event in ("postgres_changes", "broadcast"):
            channel.events += 1
        elif channel is not None and event.event in ("presence", "presence_diff", "presence_state"):
            channel.presences += 1
