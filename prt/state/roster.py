"""Who is online on the watched topics, and who joined, left and changed.

The roster keeps the metas of each connection: a key is present as long as one of its connections is. What was
missed while the connection was lost is found at the next sync.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any, Literal

from msgspec import Struct

from prt.events import CONNECTION_OF, Event, Presence, Status
from prt.state.rows.difference import Cell
from prt.state.topics.metas import (
    REF,
    SINCE,
    USER,
    WHERE,
    Meta,
    differences,
    since_of,
    user_of,
    value_text,
    where_of,
)

FEED = 200
"""How many lines of the feed are kept: more than a screen has."""

NAMED = 20
"""How many keys a line names of those who joined or left while the connection was lost; all are counted."""

_PLACED = frozenset({*USER, *WHERE, *SINCE, REF})
"""Columns that are shown in columns of their own."""


class PresenceLine(Struct, frozen=True, kw_only=True):
    """A presence event, reduced to what a line shows.

    Attributes:
        cells: The tracked columns: all for a join, the former ones for a leave, the changes for an update.
        online: The number of people, for a sync.
        is_first: Whether it's the first sync of the topic.
        joined: Some keys of those who joined since the last sync.
        left: Some keys of those who left since the last sync.
        came: How many joined since the last sync.
        went: How many left since the last sync.
    """

    at: int
    topic: str
    event: Literal["sync", "join", "leave", "update"]
    key: str = ""
    user: str = ""
    cells: tuple[Cell, ...] = ()
    online: int = 0
    is_first: bool = False
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    came: int = 0
    went: int = 0


class Person(Struct, kw_only=True, eq=False):
    """A key of a topic with the metas of its connections, the oldest first; `since` is in µs."""

    topic: str
    key: str
    metas: list[dict[str, Any]]
    since: int
    first_seen: int
    number: int

    @property
    def user(self) -> str:
        """The name of the user, from the newest meta that has one."""
        return user_of(reversed(self.metas))

    @property
    def where(self) -> str:
        """The place of the person, such as a page; empty if unknown."""
        return where_of(self.metas)


class Topic(Struct, kw_only=True):
    """The roster of a topic.

    `synced_at` is the last sync (µs), or None before the first one. `is_current` is false while the channel
    is lost.
    """

    people: dict[str, Person]
    synced_at: int | None = None
    is_current: bool = False
    changed_at: int | None = None


class Presences:
    """The rosters of all topics, with the feed of those who joined, left and changed."""

    def __init__(self) -> None:
        self.topics: dict[str, Topic] = {}
        self.feed: deque[PresenceLine] = deque(maxlen=FEED)
        self.counts: Counter[str] = Counter()
        self.connections = 0
        self._columns: Counter[str] = Counter()
        self._numbers = 0

    @property
    def online(self) -> int:
        """The number of keys on all topics."""
        return sum(len(topic.people) for topic in self.topics.values())

    def apply(self, event: Event) -> PresenceLine | None:
        """Apply an event, and return its line; None if there is nothing to show."""
        if type(event) is Presence:
            line = self._applied(event)
            if line is not None:
                self.counts[event.event] += 1
                self.feed.append(line)
            return line
        if type(event) is Status and CONNECTION_OF[event.status] != "connected":
            for name, topic in self.topics.items():
                if event.topic is None or event.topic == name:
                    topic.is_current = False
        return None

    def people(self, count: int) -> list[Person]:
        """Return at most `count` people; the one who joined last comes first."""
        everyone = (person for topic in self.topics.values() for person in topic.people.values())
        return heapq.nlargest(count, everyone, key=lambda person: (person.since, person.number))

    def columns(self) -> list[str]:
        """Return the tracked columns except name, place and time, the most frequent first."""
        return sorted(self._columns, key=lambda column: (-self._columns[column], column))

    def _applied(self, event: Presence) -> PresenceLine | None:
        topic = self.topics.get(event.topic)
        if topic is None:
            topic = self.topics[event.topic] = Topic(people={})
        topic.changed_at = event.at
        if event.event == "sync":
            return self._synced(topic, event)
        key, metas = event.key or "", event.presences or []
        if event.event == "leave":
            return self._left(topic, key, metas, event)
        put = self._updated if event.event == "update" else self._joined
        return put(topic, key, metas, event)

    def _synced(self, topic: Topic, event: Presence) -> PresenceLine:
        """Replace the roster. People who were present before keep the time of their first appearance."""
        state = event.state or {}
        before, topic.people = topic.people, {}
        is_first = topic.synced_at is None
        topic.synced_at, topic.is_current = event.at, True
        for person in before.values():
            self._count(person.metas, -1)
        for key, metas in state.items():
            former = before.get(key)
            topic.people[key] = self._person(event, key, metas, former)
            self._count(metas, 1)
        joined = [] if is_first else [key for key in state if key not in before]
        left = [key for key in before if key not in state]
        return PresenceLine(
            at=event.at,
            topic=event.topic,
            event="sync",
            online=len(state),
            is_first=is_first,
            joined=tuple(joined[:NAMED]),
            left=tuple(left[:NAMED]),
            came=len(joined),
            went=len(left),
        )

    def _joined(self, topic: Topic, key: str, metas: list[dict[str, Any]], event: Presence) -> PresenceLine:
        person = topic.people.get(key)
        if person is None:
            person = topic.people[key] = self._person(event, key, metas, None)
        else:
            metas = [meta for meta in metas if _index_of(person.metas, meta) is None]
            person.metas += metas
            person.since = since_of(person.metas) or person.first_seen
        self._count(metas, 1)
        return self._line(person, event, _values(metas))

    def _updated(self, topic: Topic, key: str, metas: list[dict[str, Any]], event: Presence) -> PresenceLine:
        """Replace the metas of a key."""
        person = topic.people.get(key)
        if person is None:
            return self._joined(topic, key, metas, event)
        before, person.metas = person.metas, list(metas)
        self._count(before, -1)
        self._count(metas, 1)
        person.since = since_of(metas) or person.first_seen
        went = [meta for meta in before if _index_of(metas, meta) is None]
        came = [meta for meta in metas if _index_of(before, meta) is None]
        nothing: Meta = {}
        pairs = zip_longest(went, came, fillvalue=nothing)
        cells = tuple(cell for old, new in pairs for cell in differences(old, new))
        return self._line(person, event, cells)

    def _left(
        self, topic: Topic, key: str, metas: list[dict[str, Any]], event: Presence
    ) -> PresenceLine | None:
        person = topic.people.get(key)
        if person is None:
            return None
        for meta in metas:
            index = _index_of(person.metas, meta)
            if index is not None:
                self._count([person.metas.pop(index)], -1)
        line = self._line(person, event, tuple(Cell(cell.column, cell.after) for cell in _values(metas)))
        if not person.metas:
            del topic.people[key]
        return line

    def _person(
        self, event: Presence, key: str, metas: list[dict[str, Any]], former: Person | None
    ) -> Person:
        first_seen = event.at if former is None else former.first_seen
        self._numbers += 1
        return Person(
            topic=event.topic,
            key=key,
            metas=list(metas),
            since=since_of(metas) or first_seen,
            first_seen=first_seen,
            number=self._numbers,
        )

    def _line(self, person: Person, event: Presence, cells: tuple[Cell, ...]) -> PresenceLine:
        user = person.user or user_of(event.presences or ())
        return PresenceLine(
            at=event.at, topic=event.topic, event=event.event, key=person.key, user=user, cells=cells
        )

    def _count(self, metas: Iterable[Meta], by: int) -> None:
        for meta in metas:
            self.connections += by
            for column in meta:
                if column in _PLACED:
                    continue
                self._columns[column] += by
                if not self._columns[column]:
                    del self._columns[column]


def _values(metas: Iterable[Meta]) -> tuple[Cell, ...]:
    """Return the columns of a meta, the place last.

    Name and time are only included if there is nothing else.
    """
    columns = [(column, value) for meta in metas for column, value in meta.items() if column != REF]
    chosen = [one for one in columns if one[0] not in _PLACED] + [one for one in columns if one[0] in WHERE]
    return tuple(Cell(column, None, value_text(value)) for column, value in chosen or columns)


def _index_of(metas: list[dict[str, Any]], wanted: Meta) -> int | None:
    ref = wanted.get(REF)
    return next((index for index, meta in enumerate(metas) if meta.get(REF) == ref), None)
