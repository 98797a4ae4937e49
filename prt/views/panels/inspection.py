"""The details of an event or a row, which are shown over the view: facts, a difference, and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import tzinfo
from typing import Any

import msgspec
from msgspec import Raw, Struct
from rich.text import Text

from prt.events import Event, Presence
from prt.state.newest import Kept, Shown, event_of
from prt.state.topics.messages import Message
from prt.views.drawing.cells import cut, fitting, safe, wrapped
from prt.views.drawing.changes import LEGEND
from prt.views.drawing.figures import clock, milliseconds, table_name
from prt.views.drawing.lines import plain
from prt.views.panels.details import differences

KeyColumns = Callable[[str, str], tuple[str, ...]]
FOLDED = 2
"""How many levels of JSON are open at first."""
_MOST_LINES = 5_000
_INDENT = 2


class Inspected(Struct, frozen=True, kw_only=True):
    """The content of the details. Texts are kept as they came, and made safe when they are drawn.

    Attributes:
        title: What is inspected.
        facts: Short facts about it.
        errors: The errors that the server reported with it.
        before: The row before a change, as a JSON object.
        is_whole: Whether `before` has all columns, and not the key alone.
        after: The row after a change, as a JSON object.
        payload: Any other JSON.
        label: The heading above `payload`.
        event: The event that is copied as JSON.
    """

    title: str
    facts: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    before: bytes | None = None
    is_whole: bool = True
    after: bytes | None = None
    payload: bytes | None = None
    label: str = "payload"
    event: Event | None = None


def inspected(kept: Kept, key_columns: KeyColumns, tz: tzinfo | None) -> Inspected:
    """Return the details of an event in a list."""
    if isinstance(kept, Shown):
        return _change(kept, key_columns, tz)
    if isinstance(kept, Message):
        one = kept.broadcast
        facts = (f"received {clock(one.at, tz)}", f"topic {one.topic}")
        payload = bytes(one.payload) if one.binary is None else None
        text = kept.line.text if payload in (None, b"{}") and kept.line.text else ""
        return Inspected(
            title=f"broadcast {one.event}",
            facts=(*facts, text) if text else facts,
            payload=payload,
            event=one,
        )
    event = event_of(kept)
    if isinstance(event, Presence):
        title = f"presence {event.event} {event.key or ''}".rstrip()
        facts = (f"received {clock(event.at, tz)}", f"topic {event.topic}")
        payload = msgspec.json.encode(event.presences if event.state is None else event.state)
        return Inspected(title=title, facts=facts, payload=payload, event=event)
    return Inspected(
        title=type(event).__name__.lower(),
        facts=(f"received {clock(event.at, tz)}",),
        payload=msgspec.json.encode(event),
        event=event,
    )


def _change(shown: Shown, key_columns: KeyColumns, tz: tzinfo | None) -> Inspected:
    change = shown.change
    line = shown.line
    key = "" if line is None else line.key
    facts = [f"received {clock(change.at, tz)}"]
    if change.commit_timestamp is not None:
        facts.append(f"committed {change.commit_timestamp}")
    if change.source == "stream":
        facts.append(f"lag {milliseconds(change.lag_ms).strip()}")
    else:
        facts.append(f"from the {change.source}")
    facts.append(f"topic {change.topic}")
    columns = key_columns(change.schema, change.table)
    old = _columns(change.old)
    is_partial = change.event_type != "INSERT" and not set(old) - set(columns)
    if change.event_type != "INSERT":
        if not is_partial:
            facts.append("old as the server sent it")
        elif shown.previous is not None:
            facts.append(f"old {LEGEND['seen'].removeprefix('≈ ')}")
        else:
            facts.append("old is not known: the server sent the key alone")
    if change.merged > 1:
        facts.append(f"{change.merged:,} changes in one")
    before: bytes | None = None
    if change.event_type != "INSERT":
        before = shown.previous if is_partial and shown.previous is not None else bytes(change.old)
    return Inspected(
        title=f"{change.event_type} {table_name(change.schema, change.table)} {key}".rstrip(),
        facts=tuple(facts),
        errors=tuple(change.errors or ()),
        before=before,
        is_whole=not is_partial or shown.previous is not None,
        after=None if change.event_type == "DELETE" else bytes(change.new),
        event=change,
    )


def inspection_lines(one: Inspected, width: int, folded: int = FOLDED) -> list[Text]:
    """Return all lines of the details, at most `width` cells each; JSON is open `folded` levels deep."""
    lines = [plain(cut(safe(one.title), width), "bold")]
    for text in _joined(one.facts, width):
        lines.append(plain(text))
    lines += [plain(line, "bold red") for error in one.errors for line in wrapped(safe(error), width)]
    if one.before is not None and one.after is not None:
        found = list(differences(one.before, one.after, width))
        none = "no column differs" if one.is_whole else "? the row before is not known"
        lines += [plain(), _rule("what changed", width), *(found or [plain(cut(none, width), "italic")])]
    for name, raw in (("new", one.after), ("old", one.before), (one.label, one.payload)):
        if raw not in (None, b"", b"{}"):
            lines += [plain(), _rule(name, width), *json_lines(raw or b"", width, folded)]
    return lines[:_MOST_LINES]


def json_lines(raw: bytes, width: int, folded: int) -> list[Text]:
    """Return JSON as indented and coloured lines.

    Below `folded` levels, only the number of values is shown.
    """
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return [plain(line) for line in wrapped(safe(raw.decode(errors="replace")), width)]
    lines: list[Text] = []
    for line in _tree(value, "", folded, 0):
        lines += _wrapped(line, width)
        if len(lines) > _MOST_LINES:
            break
    return lines


def _tree(value: Any, name: str, folded: int, level: int) -> Iterator[Text]:
    line = plain(" " * _INDENT * level)
    if name:
        line.append(safe(name), "cyan").append(": ")
    if isinstance(value, dict | list) and value:
        opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
        if level >= folded:
            yield line.append(f"{opening}… {len(value):,}{closing}", "italic")
            return
        yield line.append(opening)
        items = value.items() if isinstance(value, dict) else (("", one) for one in value)
        for key, one in items:
            yield from _tree(one, key, folded, level + 1)
        yield plain(" " * _INDENT * level + closing)
        return
    yield line.append(safe(json.dumps(value, ensure_ascii=False)), _STYLES.get(type(value), "italic"))


_STYLES = {str: "green", int: "magenta", float: "magenta", bool: "bold magenta"}
"""No yellow: the yellow of many palettes can't be read on a light background."""


def _wrapped(line: Text, width: int) -> list[Text]:
    """Break a long value at the width, so that none of it is lost."""
    text = line.plain
    ends = [fitting(text, 0, width)]
    # More lines than these are not shown, and a character of two cells never fits into one.
    while ends[-1] < len(text) and len(ends) <= _MOST_LINES and width > 1:
        ends.append(fitting(text, ends[-1], width))
    lines = [*line.divide(ends[:-1])] if width > 1 else [line]
    for part in lines:
        part.no_wrap, part.overflow = True, "crop"
    return lines


def _joined(facts: tuple[str, ...], width: int) -> list[str]:
    """Return the facts on as few lines as possible."""
    lines: list[str] = []
    for fact in map(safe, facts):
        if lines and len(lines[-1]) + len(fact) + 3 <= width:
            lines[-1] += f" · {fact}"
        else:
            lines += wrapped(fact, width)
    return lines


def _rule(title: str, width: int) -> Text:
    text = plain("── ").append(title, "bold").append(" ")
    return text.append("─" * max(width - text.cell_len, 0))


def _columns(raw: Raw) -> dict[str, Raw]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Raw])
    except msgspec.DecodeError:
        return {}
