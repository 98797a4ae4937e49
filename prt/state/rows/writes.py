"""A write of our own until its echo: shown at once, and judged against what others write meanwhile. Pure.

Last write wins by the seed's rule: the later `updated_at`, a tie keeps ours, whose date is the one that the
database gave it. Before it is known, what others wrote waits for the judgement: so what is decided depends
on the order of the stream alone, never on when the answer came.
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
    """A row as raw JSON, where it came from, and when that was committed, as far as that was said."""

    row: bytes
    commit: str | None
    source: ChangeSource | Literal["local"]


class Write(Struct):
    """`row` as it will be, then as the database returned it; `base` what it was made of.

    `beneath` is what others have made of the row since; `held` are changes that came before the answer.
    """

    row: bytes
    base: Kept | None
    beneath: Kept | None
    is_answered: bool = False
    held: list[Change] = []


def is_echo(write: Write, change: Change) -> bool:
    """Whether a change, or a row that was read, is the one that the write returned."""
    return change.event_type != "DELETE" and values.is_same_row(_row(change.new), _row(write.row))


def kept_of(write: Write, change: Change) -> Literal["local", "remote"]:
    """Return whose values stay. A row that is gone has no date, and can't be kept."""
    if change.event_type == "DELETE":
        return "remote"
    remote, local = dated(change.new), dated(write.row)
    return "remote" if remote is not None and local is not None and remote > local else "local"


def conflict_of(write: Write, change: Change, key: str) -> Conflict | None:
    """Return the conflict, None if the dropped values were not written or do not differ."""
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
    """The columns of `after` that its writer touched, without those that only date the row."""
    former = {} if before is None else _row(before.row)
    return [
        name
        for name, value in after.items()
        if name not in CURSORS and not (name in former and values.is_same(value, former[name]))
    ]


def _row(raw: bytes | Raw) -> dict[str, Any]:
    return _decode(raw)
