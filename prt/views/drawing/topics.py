"""Broadcasts and presence of a topic as text."""

from __future__ import annotations

from rich.text import Text

from prt.events import EventType
from prt.state.roster import PresenceLine
from prt.state.rows.difference import Line
from prt.state.topics.messages import BroadcastLine
from prt.views.drawing.cells import cut, safe
from prt.views.drawing.changes import changed, whole

EVENTS = {"join": "green", "leave": "red", "update": "magenta", "sync": "blue", "broadcast": "cyan"}
"""The Rich style of each kind of entry."""

TopicLine = BroadcastLine | PresenceLine

_AS_CHANGES: dict[str, EventType] = {"join": "INSERT", "leave": "DELETE", "update": "UPDATE"}


def kind_of(entry: TopicLine) -> str:
    """Return the kind of an entry, which is a key of EVENTS."""
    return "broadcast" if isinstance(entry, BroadcastLine) else entry.event


def name_of(entry: TopicLine) -> str:
    """Return the name of an entry: a broadcast's event, or a presence's key."""
    return entry.event if isinstance(entry, BroadcastLine) else entry.key


def carried(entry: TopicLine, width: int, *, has_user: bool = True) -> Text:
    """Return the content of an entry in at most `width` cells; `has_user` puts the user before it."""
    text = Text(no_wrap=True, overflow="crop", end="")
    user = _user(entry) if has_user else ""
    if user:
        text.append(cut(user, max(width // 3, 8)), "bold").append("  ")
    if entry.cells:
        text.append_text(changed(_line(entry), max(width - text.cell_len, 0)))
    else:
        text.append(cut(_content_text(entry), max(width - text.cell_len, 0)))
    text.truncate(width)
    return text


def carried_whole(entry: TopicLine) -> str:
    """Return the content of an entry in full and without styles, like `carried` but uncut."""
    words = whole(_line(entry)) if entry.cells else _content_text(entry)
    return " ".join(filter(None, (_user(entry), words)))


def _user(entry: TopicLine) -> str:
    return safe(entry.user) if isinstance(entry, PresenceLine) and entry.user != entry.key else ""


def _content_text(entry: TopicLine) -> str:
    """Return the text of an entry without cells."""
    if isinstance(entry, BroadcastLine):
        return safe(entry.text)
    if entry.event == "update":
        return "the same again"
    if entry.event != "sync":
        return ""
    away = [
        f"{word}: {_named(keys, count)}"
        for word, keys, count in (
            ("came", entry.joined, entry.came),
            ("went", entry.left, entry.went),
        )
        if count
    ]
    online = f"{entry.online:,} online"
    if entry.is_first:
        return online
    return f"{online}; meanwhile {'; '.join(away) or 'nobody came or went'}"


def _named(keys: tuple[str, ...], count: int) -> str:
    rest = count - len(keys)
    return safe(", ".join(keys)) + (f" and {rest:,} more" if rest else "")


def _line(entry: TopicLine) -> Line:
    """Return the entry as a change of a row, which is drawn in the same way."""
    return Line(
        at=entry.at,
        lag_ms=None,
        schema="",
        table=entry.topic,
        event_type=_AS_CHANGES.get(kind_of(entry), "INSERT"),
        key=name_of(entry),
        origin="server",
        cells=entry.cells,
    )
