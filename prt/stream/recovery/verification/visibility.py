"""Whether policies have probably shown a row to a user at the time when it was written. Pure.

A row may become visible through a change elsewhere, such as a new membership. It was then never streamed to
this user, but it is not lost. REST shows only what is visible now. A row was probably visible if it names the
user, or if everything that it refers to was already referred to by rows that the user had seen before.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def was_visible(row: Row, seen: Sequence[Row], *, user: str | None, key: Collection[str]) -> bool:
    """Return whether a row was probably visible to the user when it was written, by what it refers to.

    Args:
        row: The row as it is now.
        seen: Rows of the same table that were visible before.
        user: The id of the user whose session it is.
        key: The key columns, which refer to no other row.
    """
    if user is not None and user in row.values():
        return True
    references = {name: value for name, value in row.items() if name not in key and value is not None}
    return all(
        any(one.get(name) == value for one in seen)
        for name, value in references.items()
        if _is_reference(name, value, seen)
    )


def _is_reference(name: str, value: object, seen: Sequence[Row]) -> bool:
    """Return whether a column seems to refer to other rows: by its name, its type, or values that recur."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return False
    if name.endswith("_id") or (isinstance(value, str) and _UUID.fullmatch(value)):
        return True
    if isinstance(value, str):
        return False
    values = [one.get(name) for one in seen]
    return len(set(map(str, values))) * 2 <= len(values)
