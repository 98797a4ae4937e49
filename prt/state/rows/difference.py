"""The difference that a change makes: a few columns with their values before and after, ready to be shown."""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from prt.events import Change, ChangeSource, EventType

Origin = Literal["server", "seen", "unknown"]
"""Where the values before come from: `old` as the server sent it, the last row that we saw, nowhere."""

LONGEST = 400
"""Characters of a value that are kept: no column of a screen is wider."""

CONTEXT = 8
"""Characters that stay of what two long values have in common before they differ."""

TELLING = (
    *("title", "name", "subject", "label", "amount", "total", "status", "state", "stage", "priority"),
    *("spent_amount", "total_amount", "quantity", "type", "severity", "role", "action", "message", "content"),
    *("body", "description", "email", "full_name", "date", "starts_at", "due_date"),
)
"""Columns that say most about a row, the most telling first."""

NOISE = frozenset(
    {"created_at", "inserted_at", "updated_at", "modified_at", "last_modified", "lock_version"}
    | {"createdAt", "insertedAt", "updatedAt", "modifiedAt"}
)
_RANK = {column: rank for rank, column in enumerate(TELLING)}
_PLAIN, _REFERENCE, _NOISY = len(TELLING), len(TELLING) + 1, len(TELLING) + 2

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class Cell(Struct, frozen=True):
    """One column; a side that is not known, or does not exist, is None."""

    column: str
    before: str | None = None
    after: str | None = None


class Line(Struct, frozen=True, kw_only=True):
    """A change, reduced to what a line of a screen shows. `key` is the row's, `origin` that of `before`."""

    at: int
    lag_ms: float | None
    schema: str
    table: str
    event_type: EventType
    key: str
    origin: Origin
    cells: tuple[Cell, ...]
    errors: tuple[str, ...] = ()
    source: ChangeSource = "stream"


def line_of(change: Change, previous: bytes | None, key: tuple[str, ...]) -> Line:
    """The line of a change. `previous` is the row as it was last seen, `key` its key's columns."""
    errors = tuple(change.errors or ())
    key_text = ""
    origin: Origin = "unknown"
    cells: tuple[Cell, ...] = ()
    try:
        new, old = _columns_of(change.new), _columns_of(change.old)
        values = (new.get(name, old.get(name)) for name in key)
        key_text = ", ".join(said(value) for value in values if value is not None)
        origin, cells = _compared(change, new, old, previous, key)
    except (msgspec.DecodeError, RecursionError) as exc:  # a column named by half a surrogate pair, say
        errors = (*errors, f"unreadable row: {exc}")
    return Line(
        at=change.at,
        lag_ms=change.lag_ms,
        schema=change.schema,
        table=change.table,
        event_type=change.event_type,
        key=key_text,
        origin=origin,
        cells=cells,
        errors=errors,
        source=change.source,
    )


def said(value: Raw) -> str:
    """A JSON value as a person would write it: a text without its quotes, all else as JSON; cut."""
    return _cut(_text_of(value))


def _text_of(value: Raw) -> str:
    raw = bytes(value)
    if raw[:1] in {b"{", b"["}:
        return msgspec.json.format(raw, indent=-1).decode(errors="replace")
    if raw[:1] != b'"':
        return raw.decode(errors="replace")
    try:
        text = msgspec.json.decode(raw, type=str)
    except (
        msgspec.DecodeError,
        RecursionError,
    ):  # half a surrogate pair, which JSON may escape and a text can't hold
        return raw.decode(errors="replace")
    return raw.decode() if text in {"", "null", "true", "false"} or text != text.strip() else text


def common_length(one: str, other: str) -> int:
    """How many characters two texts have in common before they differ."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _said_both(before: Raw, after: Raw) -> tuple[str, str]:
    """Both values; long ones from a little before where they begin to differ."""
    one, other = _text_of(before), _text_of(after)
    if max(len(one), len(other)) > LONGEST:
        skipped = common_length(one, other) - CONTEXT
        if skipped > 0:
            one, other = "…" + one[skipped:], "…" + other[skipped:]
    return _cut(one), _cut(other)


def _compared(
    change: Change, new: dict[str, Raw], old: dict[str, Raw], previous: bytes | None, key: tuple[str, ...]
) -> tuple[Origin, tuple[Cell, ...]]:
    if change.event_type == "INSERT":
        return "server", _values(new, key)
    if change.event_type == "DELETE":
        if previous is not None and not set(old) - set(key):
            return "seen", tuple(_as_before(_values(_columns_of(previous), key)))
        return "server" if set(old) - set(key) else "unknown", tuple(_as_before(_values(old, key)))
    moved = tuple(
        Cell(name, said(old[name]), said(new[name]))
        for name in key
        if name in old and name in new and not _is_same(old[name], new[name])
    )
    if set(old) - set(key):
        return "server", moved + _differences(old, new, key)
    if previous is not None:
        earlier = _columns_of(previous)
        for name in earlier.keys() & new.keys():
            if is_one_letter_of(new[name], earlier[name]):
                new[name] = earlier[name]
        return "seen", moved + _differences(earlier, new, key)
    return "unknown", moved + _values(new, key)


def _differences(before: dict[str, Raw], after: dict[str, Raw], key: tuple[str, ...]) -> tuple[Cell, ...]:
    """The columns that differ, the telling ones first; bookkeeping only where nothing else changed.

    A column that `after` lacks is unchanged: the server leaves out large values that an UPDATE did not touch.
    """
    changed = [
        name
        for name, value in after.items()
        if name not in key and (name not in before or not _is_same(before[name], value))
    ]
    names = [name for name in changed if name not in NOISE] or changed
    return tuple(
        Cell(name, *_said_both(before[name], after[name]))
        if name in before
        else Cell(name, None, said(after[name]))
        for name in sorted(names, key=rank_of)
    )


def _values(row: dict[str, Raw], key: tuple[str, ...]) -> tuple[Cell, ...]:
    """The values of a row, the telling ones first, nulls left out."""
    names = [name for name, value in row.items() if name not in key and bytes(value) != b"null"]
    return tuple(Cell(name, None, said(row[name])) for name in sorted(names, key=rank_of))


def _as_before(cells: tuple[Cell, ...]) -> list[Cell]:
    return [Cell(cell.column, cell.after, None) for cell in cells]


def rank_of(column: str) -> int:
    """The smaller, the more it says about a row."""
    if column in NOISE:
        return _NOISY
    return _RANK.get(column, _REFERENCE if column.endswith("_id") else _PLAIN)


def _is_same(one: Raw, other: Raw) -> bool:
    """Equal JSON. Numbers compare as they are written: beyond a double's precision they still differ."""
    left, right = bytes(one), bytes(other)
    if left == right:
        return True
    if left[:1] != right[:1] or left[:1] not in {b'"', b"{", b"["}:
        return False
    return bool(_exact(left) == _exact(right))


def is_one_letter_of(one: Raw, other: Raw) -> bool:
    """Return whether `one` is the single letter that Realtime leaves of the `char(n)` value `other`."""
    letter, text = bytes(one), bytes(other)
    return letter[:1] == text[:1] == b'"' and len(letter) == 3 < len(text) and letter[1] == text[1]


def _exact(raw: bytes) -> Any:
    return json.loads(raw, parse_float=str, parse_int=str)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
