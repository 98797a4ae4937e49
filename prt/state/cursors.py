"""The cursors in a document, from broadcasts such as `cursor-move`.

Positions are `payload.position.{x,y}` or `payload.{x,y}`, in pixels or in fractions of the page. The user is
`userId`, `user_id`, `user`, `id` or a name.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any, Final

import msgspec
from msgspec import Struct

from prt.events import Broadcast, Event, Presence
from prt.state.figures.rate import Rate
from prt.state.topics.metas import tracked, value_text

USERS: Final = 200
"""The most cursors that are kept; the one that has rested longest is dropped first."""

TRAIL: Final = 12
"""How many positions of a cursor are kept, the current one among them."""

FORGOTTEN: Final = 300_000_000
"""How long after its last move a cursor is dropped (µs)."""

FURTHEST: Final = 1e9
SCREEN: Final = 4096.0
"""The most pixels of a screen."""
_EDGE: Final = 0.05
"""The share of the extent that is left free around the outermost positions."""

_NAMES: Final = ("name", "userName", "user_name", "username", "displayName", "email")


class Position(Struct, frozen=True):
    """A position in the sender's own units; `at` is in µs."""

    x: float
    y: float
    at: int


class Extent(Struct, frozen=True):
    """The part of the canvas to show, in the senders' units."""

    left: float
    top: float
    right: float
    bottom: float


class Cursor(Struct, kw_only=True, eq=False):
    """The cursor of one user on one topic.

    `trail` ends with the current position; `gone_at` is when the user left (µs), or None.
    """

    topic: str
    user: str
    name: str
    trail: deque[Position]
    rate: Rate
    moves: int = 0
    gone_at: int | None = None

    @property
    def position(self) -> Position:
        """The current position."""
        return self.trail[-1]


class _Move(Struct):
    """The members of a payload that can hold a user, a name or a position."""

    userId: Any = None  # noqa: N815 - the seed's spelling
    user_id: Any = None
    user: Any = None
    id: Any = None
    name: Any = None
    userName: Any = None  # noqa: N815
    user_name: Any = None
    username: Any = None
    displayName: Any = None  # noqa: N815
    email: Any = None
    position: Any = None
    x: Any = None
    y: Any = None


_decode = msgspec.json.Decoder(_Move).decode


class Cursors:
    """The cursors of all users. `moves` counts all moves, and `unread` the broadcasts without a position."""

    def __init__(self) -> None:
        self.cursors: OrderedDict[tuple[str, str], Cursor] = OrderedDict()
        self.rate = Rate()
        self.moves = 0
        self.unread = 0

    def apply(self, event: Event) -> None:
        """Apply an event: a move, or a user who leaves."""
        if type(event) is Broadcast:
            self._applied(event)
        elif type(event) is Presence and event.event == "leave":
            self._left(event)

    @property
    def newest_first(self) -> list[Cursor]:
        """The cursors; the one that moved last comes first."""
        return list(reversed(self.cursors.values()))

    def extent(self) -> Extent:
        """Return the part of the canvas to show.

        It's 0 to 1 if all positions are fractions, otherwise the span of the positions with a margin.
        """
        positions = [position for cursor in self.cursors.values() for position in cursor.trail]
        if not positions:
            return Extent(0.0, 0.0, 1.0, 1.0)
        left, right = _span([position.x for position in positions])
        top, bottom = _span([position.y for position in positions])
        if left >= 0 and top >= 0 and right <= 1 and bottom <= 1:
            return Extent(0.0, 0.0, 1.0, 1.0)
        left, right = _padded(left, right)
        top, bottom = _padded(top, bottom)
        return Extent(left, top, right, bottom)

    def _applied(self, event: Broadcast) -> None:
        if event.binary is not None:
            self.unread += 1
            return
        try:
            move = _decode(event.payload)
        except (msgspec.DecodeError, RecursionError):
            self.unread += 1
            return
        user = _user(move)
        position = _position(move, event.at)
        key = (event.topic, user)
        cursor = self.cursors.get(key)
        if position is None:
            # A user without a position has left the page; other payloads are not about cursors.
            if cursor is None or not user:
                self.unread += 1
            else:
                cursor.gone_at = event.at
            return
        if cursor is None:
            cursor = self.cursors[key] = Cursor(
                topic=event.topic, user=user, name=user, trail=deque(maxlen=TRAIL), rate=Rate()
            )
            if len(self.cursors) > USERS:
                self.cursors.popitem(last=False)
        else:
            self.cursors.move_to_end(key)
        cursor.name = _name(move) or user
        cursor.trail.append(position)
        cursor.moves += 1
        cursor.gone_at = None
        cursor.rate.add(event.at)
        self.moves += 1
        self.rate.add(event.at)
        self._forget(event.at)

    def _left(self, event: Presence) -> None:
        """Mark the cursor of a user who left, whether the presence's key or a meta names the user."""
        users = {event.key or ""}
        for meta in event.presences or ():
            users |= {value_text(value) for value in tracked(meta).values() if isinstance(value, str | int)}
        for user in users:
            cursor = self.cursors.get((event.topic, user))
            if cursor is not None:
                cursor.gone_at = event.at

    def _forget(self, at: int) -> None:
        """Drop cursors that have rested for too long, which are the first in the list."""
        while next(iter(self.cursors.values())).position.at < at - FORGOTTEN:
            self.cursors.popitem(last=False)


def _user(move: _Move) -> str:
    for value in (move.userId, move.user_id, move.user, move.id, move.name, move.username, move.email):
        if isinstance(value, str):
            return value
        if isinstance(value, int | float):
            return value_text(value)
        if isinstance(value, dict):
            found = value.get("id", value.get("name"))
            if found is not None:
                return value_text(found)
    return ""


def _name(move: _Move) -> str:
    named = (move.name, move.userName, move.user_name, move.username, move.displayName, move.email)
    for value in named:
        if isinstance(value, str) and value:
            return value
    if isinstance(move.user, dict):
        return next((value_text(move.user[one]) for one in _NAMES if isinstance(move.user.get(one), str)), "")
    return ""


def _position(move: _Move, at: int) -> Position | None:
    position = move.position
    if isinstance(position, dict):
        x, y = position.get("x"), position.get("y")
    elif isinstance(position, list) and len(position) == 2:
        x, y = position
    else:
        x, y = move.x, move.y
    across, down = _coordinate(x), _coordinate(y)
    return None if across is None or down is None else Position(across, down, at)


def _coordinate(value: Any) -> float | None:
    """Return a number as a coordinate.

    The result is None for other values, and for numbers so large that other positions would fall together.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > FURTHEST:
        return None
    return float(value)


def _span(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)


def _padded(low: float, high: float) -> tuple[float, float]:
    """Return the span with a margin; it begins at 0 unless all positions are further away than a screen."""
    if low >= 0 and (high <= SCREEN or low <= high / 2):
        return 0.0, high * (1 + _EDGE) or 1.0
    edge = (high - low) * _EDGE or 1.0
    return low - edge, high + edge
