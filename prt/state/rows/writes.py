"""Our own writes until their echo, which are shown at once and compared with what others write. Pure.

The last write wins: the later `updated_at`, and ours in a tie, with the date from the database. Changes by
others wait until that date is known, so that the result depends only on the order of the stream, and not on
the time of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Raw, Struct

from prt.decoding import decoded_row
from prt.events import Change, ChangeSource, Conflict
from prt.state.rows.ages import CURSORS, dated
from prt.stream import values

_decode = decoded_row


class Kept(Struct, frozen=True, gc=False):
    """A row as raw JSON, its source, and its commit timestamp if it's known."""

    row: bytes
    commit: str | None
    source: ChangeSource | Literal["local"]


class Write(Struct):
    """A write of our own.

    Attributes:
        row: The row as it will be, then as the database returned it.
        base: The row that was changed.
        beneath: The row as others have changed it since.
        is_answered: Whether the database has returned the row.
        held: Changes by others that arrived before the answer.
    """

    row: bytes
    base: Kept | None
    beneath: Kept | None
    is_answered: bool = False
    held: list[Change] = []


def is_echo(write: Write, change: Change) -> bool:
    """Return whether a change, or a row that was read, is the row that the write returned."""
    return change.event_type != "DELETE" and values.is_same_row(_row(change.new), _row(write.row))


def kept_of(write: Write, change: Change) -> Literal["local", "remote"]:
    """Return whose values win. A deleted row has no date, so a DELETE always wins."""
    if change.event_type == "DELETE":
        return "remote"
    remote, local = dated(change.new), dated(write.row)
    return "remote" if remote is not None and local is not None and remote > local else "local"


def conflict_of(write: Write, change: Change, key: str) -> Conflict | None:
    """Return the conflict; None if no written value is lost."""
    kept = kept_of(write, change)
    local, remote = _row(write.row), _row(change.new)
    if kept == "remote":
        written, other = _written(write.base, local), remote
        dropped = local
    else:
        written, other = _written(write.beneath, remote), local
        dropped = remote
    if all(name in other and values.is_same(dropped[name], other[name]) for name in written):
        return None
    return Conflict(
        at=change.at,
        table=f"{change.schema}.{change.table}",
        key=key,
        kept=kept,
        local=Raw(write.row),
        remote=change.new,
    )


def _written(before: Kept | None, after: Mapping[str, Any]) -> list[str]:
    """Return the columns of `after` that its writer changed, without those that only date the row."""
    former = {} if before is None else _row(before.row)
    return [
        name
        for name, value in after.items()
        if name not in CURSORS and not (name in former and values.is_same(value, former[name]))
    ]


def _row(raw: bytes | Raw) -> dict[str, Any]:
    return _decode(raw)
