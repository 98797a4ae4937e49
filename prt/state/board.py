"""A table as a Kanban board: its rows are cards, grouped into columns by one of their values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Raw, Struct

from prt.events import Change, Event
from prt.state.rows.difference import value_text
from prt.state.rows.present import KeyColumns, Present, Turn, assume_id, values_of
from prt.state.rows.value_order import ordered

MARKED = 6_000_000
"""How long a card is marked after it came or moved (µs)."""

NOWHERE = "none"
"""The column for rows without a value to group by."""

TITLES = ("title", "name", "subject", "label", "summary", "description")
PEOPLE = ("assignee", "assigned_to", "owner", "assignee_id", "owner_id", "user_id")
PRIORITIES = ("priority", "severity")
DATES = ("due_date", "due_at", "due", "deadline", "expected_on", "ends_at")

_SHOWN = (*TITLES, *PEOPLE, *PRIORITIES, *DATES)
_NOTHING = (b"null", b'""')
_MOST_MARKS = 1000
_MOST_COLUMNS = 100


class Card(Struct, frozen=True, kw_only=True):
    """A row as texts, which are empty for missing values; `key` is raw JSON."""

    key: bytes
    title: str
    assignee: str = ""
    priority: str = ""
    due: str = ""


class Mark(Struct, frozen=True):
    """When a card came into its column (µs), and its former column; `origin` None is a new row."""

    at: int
    origin: str | None


class Column(Struct, frozen=True):
    """A column of the board; `limit` is its limit of work in progress, or None."""

    name: str
    count: int
    limit: int | None

    @property
    def is_over_limit(self) -> bool:
        """Whether the column holds more cards than its limit allows."""
        return self.limit is not None and self.count > self.limit


class Board:
    """The cards of one table; changes of other tables are ignored."""

    def __init__(
        self,
        table: str = "project_tasks",
        *,
        schema: str = "public",
        group_by: str = "status",
        columns: Sequence[str] = (),
        limits: Mapping[str, int] | None = None,
        key_columns: KeyColumns = assume_id,
    ) -> None:
        self.schema = schema
        self.table = table
        self.group_by = group_by
        self.key_columns = key_columns
        self.moves = 0
        self.has_groups = False
        """Whether any row has the column to group by, even if its value is null."""
        self.has_details = False
        """Whether any card ever had a person, a priority or a date."""
        self._given = tuple(columns)
        self._limits = dict(limits or {})
        self._present = Present(schema, table, key_columns)
        self._groups: dict[bytes, str] = {}
        self._fixed = {*self._given, *self._limits}
        self._keys: dict[str, dict[bytes, None]] = {name: {} for name in (*self._given, *self._limits)}
        self._marks: dict[bytes, Mark] = {}
        self._cards: dict[bytes, Card] = {}
        self._positions: dict[bytes, float] = {}

    def __len__(self) -> int:
        return len(self._groups)

    @property
    def forgotten(self) -> int:
        """The number of rows that were dropped because there are too many."""
        return self._present.forgotten

    def apply(self, event: Event) -> None:
        """Apply an event; only changes of the board's table have an effect."""
        if type(event) is not Change:
            return
        turn = self._present.apply(event)
        if turn is None:
            return
        self._cards.pop(turn.key, None)
        self._positions.pop(turn.key, None)
        if turn.after is None:
            self._remove(turn.key)
            return
        self._assign(turn, event)
        if not self.has_details:
            card = _card_of(turn.key, turn.after)
            self.has_details = bool(card.assignee or card.priority or card.due)
        if len(self._groups) > len(self._present.rows):
            self._forget()

    def columns(self) -> list[Column]:
        """Return the columns in their order; given and known ones are included even if they are empty."""
        names = ordered(self._given, self.table, self.group_by, [*self._keys])
        return [Column(name, len(self._keys.get(name, ())), self._limits.get(name)) for name in names]

    def cards(self, column: str, now: int, most: int | None = None) -> list[Card]:
        """Return the cards of a column.

        Cards marked at `now` come first, the newest on top. The others are sorted by position, or as they
        came.

        Args:
            column: The name of the column.
            now: The time (µs).
            most: The most cards to return; None is all.
        """
        keys = sorted(self._keys.get(column, ()), key=self._position)
        newest = {key: mark.at for key in keys if (mark := self.mark(key, now)) is not None}
        keys.sort(key=lambda key: -newest.get(key, 0))
        return [self._card(key) for key in keys[:most]]

    def row(self, key: bytes) -> bytes | None:
        """Return the row of a card as raw JSON; None if the card is gone."""
        return self._present.rows.get(key)

    def column_of(self, key: bytes) -> str | None:
        """Return the name of the column that a card is in; None if the card is gone."""
        return self._groups.get(key)

    def mark(self, key: bytes, now: int) -> Mark | None:
        """Return the mark of a card that came or moved within MARKED before `now` (µs); otherwise None."""
        mark = self._marks.get(key)
        return mark if mark is not None and now - mark.at < MARKED else None

    def _assign(self, turn: Turn, change: Change) -> None:
        group = self._group_of(turn)
        before = self._groups.get(turn.key)
        if before == group:
            return
        if before is not None:
            del self._keys[before][turn.key]
        self._groups[turn.key] = group
        if group not in self._keys and len(self._keys) >= _MOST_COLUMNS:
            self._drop_empty_columns()
        self._keys.setdefault(group, {})[turn.key] = None
        if before is not None and change.source != "snapshot":
            self.moves += 1
        if change.source != "snapshot":
            self._marks.pop(turn.key, None)
            self._marks[turn.key] = Mark(change.at, before)
            if len(self._marks) > _MOST_MARKS:
                del self._marks[next(iter(self._marks))]

    def _group_of(self, turn: Turn) -> str:
        values = values_of(turn.after or b"", (self.group_by,))
        value = values[0] if values else None
        self.has_groups |= value is not None
        return NOWHERE if value in (None, b"null") else value_text(Raw(value or b""))

    def _remove(self, key: bytes) -> None:
        group = self._groups.pop(key, None)
        if group is not None:
            del self._keys[group][key]
        self._marks.pop(key, None)

    def _forget(self) -> None:
        """Remove cards whose rows are no longer kept: beyond the limit, or because the key changed."""
        for key in [key for key in self._groups if key not in self._present.rows]:
            self._cards.pop(key, None)
            self._positions.pop(key, None)
            self._remove(key)

    def _drop_empty_columns(self) -> None:
        """Remove empty columns that were not given, once there are many.

        A board's columns should stay in place.
        """
        for name in [name for name, keys in self._keys.items() if not keys and name not in self._fixed]:
            del self._keys[name]

    def _position(self, key: bytes) -> float:
        position = self._positions.get(key)
        if position is None:
            value = (values_of(self._present.rows[key], ("position",)) or (None,))[0]
            position = self._positions[key] = _number((value or b"").decode(errors="replace"))
        return position

    def _card(self, key: bytes) -> Card:
        card = self._cards.get(key)
        if card is None:
            card = self._cards[key] = _card_of(key, self._present.rows[key])
        return card


def _card_of(key: bytes, row: bytes) -> Card:
    values = dict(zip(_SHOWN, values_of(row, _SHOWN) or (), strict=False))
    texts = {
        name: value_text(Raw(value)) for name, value in values.items() if value and value not in _NOTHING
    }

    def first(names: Iterable[str]) -> str:
        return next((texts[name] for name in names if name in texts), "")

    return Card(
        key=key,
        title=first(TITLES) or value_text(Raw(key)),
        assignee=first(PEOPLE),
        priority=first(PRIORITIES),
        due=first(DATES),
    )


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0
