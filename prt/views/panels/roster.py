"""The view of `prt presence`: who is online, what they do and where, and who came, left and changed."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from datetime import tzinfo

import msgspec
from msgspec import Struct
from rich.cells import cell_len
from rich.text import Text

from prt.events import Event
from prt.state.roster import Person, PresenceLine, Presences
from prt.state.topics.metas import joined_values
from prt.views.drawing.cells import cut, cut_middle, safe, within
from prt.views.drawing.figures import clock, counted, moment
from prt.views.drawing.lines import line_of
from prt.views.drawing.topics import EVENTS, carried
from prt.views.panels.inspection import Inspected
from prt.views.panels.listed import Listed

_SINCE, _EVENT = 8, 6
_NARROW, _WIDE = 100, 160
_LEAST_COLUMN, _MOST_COLUMN = 6, 24
_FEED_LEAST = 4
"""The least lines of the feed, with its heading; a shorter feed is left out."""


class _Column(Struct, frozen=True):
    """One column of the roster with a safe text for each person.

    Texts of a key column are cut in their middle.
    """

    title: str
    texts: list[str]
    width: int
    is_key: bool = False
    is_right: bool = False

    @property
    def heading(self) -> str:
        return self._padded(self.title)

    def cell(self, index: int) -> str:
        text = self.texts[index]
        return self._padded(cut_middle(text, self.width) if self.is_key else cut(text, self.width))

    def _padded(self, text: str) -> str:
        space = " " * (self.width - cell_len(text))
        return space + text if self.is_right else text + space


class Roster(Listed[tuple[str, str]]):
    """A view of who is online, drawn from the roster that the screen keeps.

    Args:
        presences: The screen's roster.
        columns: The columns to show instead of those that most people have.
        own_key: The key of our own presence, which is marked.
        tz: The time zone; None is the local one.
    """

    title = "presence"

    def __init__(
        self,
        presences: Presences,
        *,
        columns: Sequence[str] = (),
        own_key: str | None = None,
        tz: tzinfo | None = None,
    ) -> None:
        super().__init__()
        self._live = presences
        self._presences = presences
        self._columns = list(columns)
        self._own_key = own_key
        self._tz = tz
        self._now = 0

    def apply(self, event: Event) -> None:
        """Ignore the event: the screen has applied it to the roster already."""

    def hold(self, *, is_held: bool) -> None:
        """Show a copy of the roster while the view is paused; the screen keeps changing the original."""
        self._presences = deepcopy(self._live) if is_held else self._live

    def summary(self) -> list[str]:
        """Return who is online at the end, and how often people joined, left and changed."""
        presences = self._live
        if not presences.topics:
            return []
        counts = presences.counts
        moves = ", ".join(
            f"{counts[event]:,} {word}"
            for event, word in (("join", "joined"), ("leave", "left"), ("update", "changed"))
        )
        return [f"{self._online()} at the end; {moves}"]

    def row_keys(self) -> list[tuple[str, str]]:
        """Return the topic and key of everyone, in the order of the roster."""
        return [(person.topic, person.key) for person in self._presences.people(self._presences.online)]

    def content(self, key: tuple[str, str]) -> bytes:
        """Return the text of a person that a search looks at: topic, key and metas as JSON."""
        person = self._person(key)
        return b"" if person is None else msgspec.json.encode([person.topic, person.key, person.metas])

    def inspect(self, key: tuple[str, str]) -> Inspected | None:
        """Return the details of a person; None if they have left."""
        person = self._person(key)
        if person is None:
            return None
        facts = [f"topic {person.topic}", f"since {moment(person.since, self._now, self._tz)}"]
        facts += [counted(len(person.metas), "connection")]
        facts += [f"user {person.user}"] if person.user else []
        facts += [f"at {person.where}"] if person.where else []
        return Inspected(
            title=person.key, facts=tuple(facts), payload=msgspec.json.encode(person.metas), label="presences"
        )

    def _person(self, key: tuple[str, str]) -> Person | None:
        topic = self._presences.topics.get(key[0])
        return None if topic is None else topic.people.get(key[1])

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the roster in at most `height` lines of at most `width` cells; `now` in µs."""
        self._now = now
        lines = [line_of(self._headline(), width, "bold")]
        feed_room = max(height // 3, _FEED_LEAST) if height >= 3 * _FEED_LEAST else 0
        lines += self._people(width, height - len(lines) - feed_room, now)
        if feed_room:
            lines += self._feed(width, height - len(lines))
        return within(lines, width, height)

    def all_lines(self, width: int, now: int) -> list[Text]:
        """Return the roster with everyone in it, without the feed."""
        presences = self._presences
        return [
            line_of(self._headline(), width, "bold"),
            *self._people(width, presences.online + 1, now),
        ]

    def _headline(self) -> str:
        topics = self._presences.topics
        if not topics:
            return "waiting for the roster"
        name = next(iter(topics)) if len(topics) == 1 else counted(len(topics), "topic")
        stale = [topic.synced_at for topic in topics.values() if not topic.is_current]
        if None in stale:
            return safe(f"{name}: waiting for the roster")
        words = f"{name}: {self._online()}"
        if stale:
            changes = [topic.changed_at for topic in topics.values() if topic.changed_at is not None]
            words += f" · as it was at {clock(max(changes), self._tz)}, before the connection was lost"
        return safe(words)

    def _online(self) -> str:
        presences = self._presences
        if not presences.online:
            return "nobody is online"
        return f"{presences.online:,} online, {counted(presences.connections, 'connection')}"

    def _people(self, width: int, room: int, now: int) -> list[Text]:
        """Return a heading and a line for each person.

        The last of `room` lines counts those who don't fit.
        """
        online = self._presences.online
        if not online or room < 2:
            return []
        most = room - 1 if online <= room - 1 else room - 2
        people = self._window(most)
        whole, width = width, width - self.gutter
        columns, spared = self._fitted(people, width, now)
        titles = " " * self.gutter + " ".join(column.heading for column in columns)
        heading = Text(cut(titles.rstrip(), whole), "underline", no_wrap=True, overflow="crop")
        if spared and heading.cell_len + len(f" +{spared}") <= width:
            heading.append(f" +{spared}")
        rows = [
            self.marked((person.topic, person.key), self._row(person, columns, index, width), whole)
            for index, person in enumerate(people)
        ]
        more = (
            [line_of(f"and {online - len(people):,} more", width, "italic")] if online > len(people) else []
        )
        return [heading, *rows, *more]

    def _window(self, most: int) -> list[Person]:
        """Return the people to draw: the newest, or those around the selected one."""
        if self.selected is None:
            return self._presences.people(most)
        everyone = self._presences.people(self._presences.online)
        keys = [(person.topic, person.key) for person in everyone]
        self.choice.sync(keys)
        return [everyone[index] for index in self.choice.window(keys, most)]

    def _row(self, person: Person, columns: list[_Column], index: int, width: int) -> Text:
        is_own = self._own_key is not None and person.key == self._own_key
        cells = " ".join(column.cell(index) for column in columns).rstrip()
        return Text(cut(cells, width), "bold" if is_own else "", no_wrap=True, overflow="crop")

    def _fitted(self, people: list[Person], width: int, now: int) -> tuple[list[_Column], int]:
        """Return the columns that fit, with free text last, and the number of those that don't fit."""
        key, user, where = (
            (9, 16, 14) if width < _NARROW else (36, 32, 32) if width >= _WIDE else (13, 24, 24)
        )
        columns = [
            _column("since", [self._since(person, now) for person in people], _SINCE),
            _column("conn", [f"{len(person.metas)}" for person in people], 6, is_right=True),
        ]
        if len(self._presences.topics) > 1:
            columns.append(_column("topic", [person.topic for person in people], key + 5, is_key=True))
        columns.append(_column("key", [person.key for person in people], key, is_key=True))
        users = [self._user(person) for person in people]
        if any(users):
            columns.append(_column("user", users, user))
        if not self._columns and any(places := [person.where for person in people]):
            columns.append(_column("where", places, where))
        names = self._columns or self._presences.columns()
        left = width - sum(column.width + 1 for column in columns)
        for number, name in enumerate(names):
            texts = [joined_values(person.metas, name) for person in people]
            rest = len(names) - number - 1
            wanted = _column(name, texts, _MOST_COLUMN if rest else max(left, 0))
            if left < min(wanted.width, _LEAST_COLUMN) or left <= 0:
                return columns, rest + 1
            columns.append(_column(name, texts, min(wanted.width, left)))
            left -= columns[-1].width + 1
        return columns, 0

    def _user(self, person: Person) -> str:
        if self._own_key is not None and person.key == self._own_key:
            return f"(you) {person.user}".strip()
        return person.user

    def _since(self, person: Person, now: int) -> str:
        """Return the time of day, or the date if it wasn't today."""
        return moment(person.since, now, self._tz).rsplit(" ", 1)[0]

    def _feed(self, width: int, room: int) -> list[Text]:
        counts = self._presences.counts
        if not self._presences.feed or room < 2:
            return []
        counted_text = f"{counts['join']:,} joined · {counts['leave']:,} left · {counts['update']:,} changed"
        lines = [_ruled(counted_text, width)]
        newest = list(zip(reversed(self._presences.feed), range(room - 1), strict=False))
        key_width = max((cell_len(safe(line.key)) for line, _ in newest), default=0)
        key_width = min(key_width, 9 if width < _NARROW else 36 if width >= _WIDE else 13)
        return lines + [self._feed_line(line, width, key_width) for line, _ in newest]

    def _feed_line(self, line: PresenceLine, width: int, key_width: int) -> Text:
        text = Text(f"{clock(line.at, self._tz)} ", no_wrap=True, overflow="crop")
        text.append(f"{line.event:{_EVENT}} ", f"bold {EVENTS[line.event]}")
        if len(self._presences.topics) > 1:
            text.append(cut_middle(safe(line.topic), 14) + " ")
        key = cut_middle(safe(line.key), key_width)
        text.append(key + " " * (key_width - cell_len(key) + 1 if key_width else 0))
        return text.append_text(carried(line, max(width - text.cell_len, 0)))


def _column(
    title: str, texts: list[str], most: int, *, is_key: bool = False, is_right: bool = False
) -> _Column:
    """Return a column as wide as its texts, but at most `most` cells wide."""
    shown = [safe(text[: 4 * max(most, 1)]) if not is_key else safe(text) for text in texts]
    name = cut(safe(title), max(most, 1))
    width = max((cell_len(text) for text in (name, *shown)), default=0)
    return _Column(name, shown, min(width, max(most, cell_len(name))), is_key, is_right)


def _ruled(text: str, width: int) -> Text:
    line = Text(cut(f"── {text} ", width), no_wrap=True, overflow="crop")
    return line.append("─" * max(width - line.cell_len, 0))
