"""Queries of a search and of a filter.

They are matched to the raw JSON of events: laying out a line takes fifty times as long, and 10,000 events
have to be matched between two typed letters.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase

import msgspec
from msgspec import Raw

from prt.events import Change
from prt.state.newest import Kept, Met, Shown, event_of
from prt.state.rows.difference import value_text
from prt.state.topics.messages import Message

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class Query:
    """A text to search for. Case matters only if the text contains a capital letter."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._is_exact = any(letter.isupper() for letter in text)
        self._plain = text.encode(errors="replace")
        self._in_json = json.dumps(text, ensure_ascii=False)[1:-1].encode(errors="replace")
        self.pattern = re.compile(re.escape(text), 0 if self._is_exact else re.IGNORECASE) if text else None

    def __bool__(self) -> bool:
        return bool(self.text)

    def matches(self, kept: Kept) -> bool:
        """Return whether the text occurs in an event: in its names, its rows or its payload."""
        return self.is_in(content(kept))

    def is_in(self, text: bytes) -> bool:
        """Return whether the text occurs in the given content."""
        if not self._is_exact:
            if not self._plain.isascii():
                return self.text.lower() in text.decode(errors="replace").lower()
            text = text.lower()
        return self._plain in text or self._in_json in text


class Filter:
    """Conditions that must all hold.

    They are `table=NAME`, `event=TYPE`, `topic=NAME`, `COLUMN=VALUE`, and words to find.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._words: list[Query] = []
        self._conditions: list[tuple[str, str]] = []
        for word in self.text.split():
            name, equals, value = word.partition("=")
            if equals and name and value:
                self._conditions.append((name, value))
            elif not (equals and name):  # `table=` is still being typed
                self._words.append(Query(word))

    def __bool__(self) -> bool:
        return bool(self._words or self._conditions)

    def matches(self, kept: Kept) -> bool:
        """Return whether an event meets all conditions."""
        return all(self._holds(kept, *one) for one in self._conditions) and all(
            word.matches(kept) for word in self._words
        )

    def _holds(self, kept: Kept, name: str, value: str) -> bool:
        if name == "table":
            return any(fnmatchcase(one, value) for one in _tables(kept))
        if name == "event":
            return _event(kept).lower() == value.lower()
        if name == "topic":
            return fnmatchcase(_topic(kept), value)
        return _column(kept, name).lower() == value.lower()


def content(kept: Kept) -> bytes:
    """Return the text of an event that a search looks at: its names and its JSON."""
    if isinstance(kept, Shown):
        change = kept.change
        head = f"{change.schema}.{change.table} {change.event_type} "
        parts = (head.encode(), bytes(change.new), bytes(change.old), kept.previous or b"")
        return b" ".join(parts)
    if isinstance(kept, Message):
        one = kept.broadcast
        return b" ".join((f"{one.topic} {one.event} broadcast".encode(), bytes(one.payload)))
    return msgspec.json.encode(event_of(kept))


def _tables(kept: Kept) -> tuple[str, ...]:
    if isinstance(kept, Shown):
        return kept.change.table, f"{kept.change.schema}.{kept.change.table}"
    return (str(getattr(kept, "table", "")),)


def _event(kept: Kept) -> str:
    if isinstance(kept, Shown):
        return kept.change.event_type
    if isinstance(kept, Message):
        return kept.broadcast.event
    return kept.event.event if isinstance(kept, Met) else type(event_of(kept)).__name__


def _topic(kept: Kept) -> str:
    if isinstance(kept, Message):
        return kept.broadcast.topic
    return str(getattr(event_of(kept), "topic", ""))


def _column(kept: Kept, name: str) -> str:
    """Return the value of a column, or of a payload's member, as text; empty if there is none."""
    if not isinstance(kept, Shown | Message):
        return str(getattr(event_of(kept), name, ""))
    try:
        value = _columns_of(_row_of(kept.change) if isinstance(kept, Shown) else kept.broadcast.payload).get(
            name
        )
    except msgspec.DecodeError:
        return ""
    return "" if value is None else value_text(value)


def _row_of(change: Change) -> Raw:
    return change.old if change.event_type == "DELETE" else change.new
