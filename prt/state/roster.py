"""Who is online on the watched topics, and who came, went and changed: one reducer over presence events.

The wire's syncs, joins and leaves are kept as they are, connection by connection: a key is there as long
as one of its connections is. What a lost connection missed shows at the next sync.
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
    said,
    since_of,
    user_of,
    where_of,
)

FEED = 200
"""Lines of the feed that stay: more than a screen has."""

NAMED = 20
"""Keys that a line names of those who came or went while the connection was lost; all are counted."""

_PLACED = frozenset({*USER, *WHERE, *SINCE, REF})
"""Columns that have a place of their own."""


class PresenceLine(Struct, frozen=True, kw_only=True):
    """One presence event, reduced to what a line shows.

    `cells` hold the tracked columns: all of them for a join, the former values for a leave, those that differ
    for an update. A sync has `online`, the number of people. Later syncs of a topic also count who came and
    who left since (`came`, `went`); `joined` and `left` name some of their keys.
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
    """One key of one topic with the metas of its connections, the oldest first. `since` in µs."""

    topic: str
    key: str
    metas: list[dict[str, Any]]
    since: int
    first_seen: int
    number: int

    @property
    def user(self) -> str:
        """Return the name of the user, by the newest of the person's metas."""
        return user_of(reversed(self.metas))

    @property
    def where(self) -> str:
        """Return where the person is."""
        return where_of(self.metas)


class Topic(Struct, kw_only=True):
    """`is_current` from a sync until its channel is lost; before the first `synced_at` is None."""

    people: dict[str, Person]
    synced_at: int | None = None
    is_current: bool = False
    changed_at: int | None = None


class Presences:
    """Apply events, read attributes."""

    def __init__(self) -> None:
        self.topics: dict[str, Topic] = {}
        self.feed: deque[PresenceLine] = deque(maxlen=FEED)
        self.counts: Counter[str] = Counter()
        self.connections = 0
        self._columns: Counter[str] = Counter()
        self._numbers = 0

    @property
    def online(self) -> int:
        """How many keys there are, over all topics."""
        return sum(len(topic.people) for topic in self.topics.values())

    def apply(self, event: Event) -> PresenceLine | None:
        """Return the line of a presence event; None if there is nothing to report."""
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
        """Return at most `count` people, those who came last first."""
        everyone = (person for topic in self.topics.values() for person in topic.people.values())
        return heapq.nlargest(count, everyone, key=lambda person: (person.since, person.number))

    def columns(self) -> list[str]:
        """Return the columns that people track besides who, where and since, the most frequent first."""
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
        """Replaces the roster. Who was there before keeps when they were first seen."""
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
        """Its metas are all that the key has now."""
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
    """Return a person's own columns and where they are; who and since only if there is nothing else."""
    columns = [(column, value) for meta in metas for column, value in meta.items() if column != REF]
    told = [one for one in columns if one[0] not in _PLACED] + [one for one in columns if one[0] in WHERE]
    return tuple(Cell(column, None, said(value)) for column, value in told or columns)


def _index_of(metas: list[dict[str, Any]], wanted: Meta) -> int | None:
    ref = wanted.get(REF)
    return next((index for index, meta in enumerate(metas) if meta.get(REF) == ref), None)
