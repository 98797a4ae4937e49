"""The difference that a change makes: the important columns with their values before and after, as text."""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from prt.events import Change, ChangeSource, EventType

Origin = Literal["server", "seen", "unknown"]
"""The source of old values: `old` from the server, the last row that we saw, or none."""

LONGEST = 400
"""How many characters of a value are kept; no column of a screen is wider."""

CONTEXT = 8
"""How many characters are kept of the beginning that two long values have in common."""

DESCRIPTIVE = (
    *("title", "name", "subject", "label", "amount", "total", "status", "state", "stage", "priority"),
    *("spent_amount", "total_amount", "quantity", "type", "severity", "role", "action", "message", "content"),
    *("body", "description", "email", "full_name", "date", "starts_at", "due_date"),
)
"""Columns that describe a row best, the most important first."""

NOISE = frozenset(
    {"created_at", "inserted_at", "updated_at", "modified_at", "last_modified", "lock_version"}
    | {"createdAt", "insertedAt", "updatedAt", "modifiedAt"}
)
_RANK = {column: rank for rank, column in enumerate(DESCRIPTIVE)}
_PLAIN, _REFERENCE, _NOISY = len(DESCRIPTIVE), len(DESCRIPTIVE) + 1, len(DESCRIPTIVE) + 2

_columns_of = msgspec.json.Decoder(dict[str, Raw]).decode


class Cell(Struct, frozen=True):
    """A column with its values as text; None is a value that is unknown or doesn't exist."""

    column: str
    before: str | None = None
    after: str | None = None


class Line(Struct, frozen=True, kw_only=True):
    """A change, reduced to what a line shows.

    `key` is the row's key, and `origin` the source of old values.
    """

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
    """Convert a change into what one line of a view or of text output shows.

    Args:
        change: The change.
        previous: The last known row before it, as raw JSON; None if unknown.
        key: The key columns of the table.
    """
    errors = tuple(change.errors or ())
    key_text = ""
    origin: Origin = "unknown"
    cells: tuple[Cell, ...] = ()
    try:
        new, old = _columns_of(change.new), _columns_of(change.old)
        values = (new.get(name, old.get(name)) for name in key)
        key_text = ", ".join(value_text(value) for value in values if value is not None)
        origin, cells = _compared(change, new, old, previous, key)
    except (msgspec.DecodeError, RecursionError) as exc:  # such as a column named by half a surrogate pair
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


def value_text(value: Raw) -> str:
    """Return a JSON value as text, cut to LONGEST: a string without its quotes, any other value as JSON."""
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
    """Return how many characters two texts have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _value_texts(before: Raw, after: Raw) -> tuple[str, str]:
    """Return both values as text; of long values, most of the common beginning is left out."""
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
        Cell(name, value_text(old[name]), value_text(new[name]))
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
    """Return the columns that differ, the important ones first.

    Bookkeeping columns are only included if no others differ. A column that `after` lacks is unchanged: the
    server leaves out large values that an UPDATE did not touch.
    """
    changed = [
        name
        for name, value in after.items()
        if name not in key and (name not in before or not _is_same(before[name], value))
    ]
    names = [name for name in changed if name not in NOISE] or changed
    return tuple(
        Cell(name, *_value_texts(before[name], after[name]))
        if name in before
        else Cell(name, None, value_text(after[name]))
        for name in sorted(names, key=rank_of)
    )


def _values(row: dict[str, Raw], key: tuple[str, ...]) -> tuple[Cell, ...]:
    """Return the values of a row, the important ones first; nulls are left out."""
    names = [name for name, value in row.items() if name not in key and bytes(value) != b"null"]
    return tuple(Cell(name, None, value_text(row[name])) for name in sorted(names, key=rank_of))


def _as_before(cells: tuple[Cell, ...]) -> list[Cell]:
    return [Cell(cell.column, cell.after, None) for cell in cells]


def rank_of(column: str) -> int:
    """Return the rank of a column; the smaller it is, the better the column describes a row."""
    if column in NOISE:
        return _NOISY
    return _RANK.get(column, _REFERENCE if column.endswith("_id") else _PLAIN)


def _is_same(one: Raw, other: Raw) -> bool:
    """Return whether two JSON values are equal.

    Numbers are compared as written, so that those beyond a double's precision differ.
    """
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
