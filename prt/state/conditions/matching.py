"""The patterns of `--include` and `--exclude`: regular expressions for the text of an event."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Raw

from prt.events import Broadcast, Change, Event
from prt.inputs import Input
from prt.state.conditions.pattern import Pattern


class Matching:
    """The patterns of `--include` and `--exclude`, which are searched in the JSON of changes and broadcasts.

    A change or a broadcast is kept if an `include` pattern matches, or if there are no `include` patterns,
    and if no `exclude` pattern matches. Events of other types are always kept.
    """

    def __init__(self, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> None:
        self._include = [Pattern(text, Input.INCLUDE) for text in include]
        self._exclude = [Pattern(text, Input.EXCLUDE) for text in exclude]

    def __bool__(self) -> bool:
        """Return whether there are any patterns."""
        return bool(self._include or self._exclude)

    def keeps(self, event: Event) -> bool:
        """Return whether an event passes the patterns.

        Raises:
            UsageError: The search for a pattern took too long.
        """
        if not self or not isinstance(event, Change | Broadcast):
            return True
        text = text_of(event)
        if self._include and not any(pattern.matches(text) for pattern in self._include):
            return False
        return not any(pattern.matches(text) for pattern in self._exclude)


def text_of(event: Change | Broadcast) -> str:
    """Return the text of an event that patterns are matched to.

    It's compact JSON with the NDJSON keys that come from the project, without our own times and figures.
    """
    if isinstance(event, Change):
        names = {
            "topic": event.topic,
            "eventType": event.event_type,
            "schema": event.schema,
            "table": event.table,
        }
        head = msgspec.json.encode({"type": "change", **names}).decode()
        return f'{head[:-1]},"new":{_compact(event.new)},"old":{_compact(event.old)}}}'
    head = msgspec.json.encode({"type": "broadcast", "topic": event.topic, "event": event.event}).decode()
    return f'{head[:-1]},"payload":{_compact(event.payload)}}}'


def _compact(raw: Raw) -> str:
    """Return JSON without spaces between its tokens; numbers keep their digits."""
    text = bytes(raw)
    if b"\\u" in text:
        # Escapes hide letters from the expression.
        return msgspec.json.encode(msgspec.json.decode(text)).decode()
    return msgspec.json.format(text, indent=-1).decode()
