"""Values of columns that must be unique, for rows of a table whose keys have no default."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from prt.stream.values import moment

_INTEGER = re.compile(r'invalid input syntax for type (?:bigint|integer|smallint|numeric): "(.*?)"')


class FreeValues:
    """A source of values for one column, each of which differs from those before.

    The kind of the value that was taken decides: an integer is followed by greater ones, a UUID by random
    ones, a timestamp by the present time, and a text by a text that no other row has.
    """

    def __init__(self, taken: Any) -> None:
        self._taken = taken
        self._step = 1
        self._length: int | None = None
        self._is_refused = False

    @property
    def is_integer(self) -> bool:
        """Return whether the values are integers, which must be greater than the greatest."""
        return isinstance(self._taken, int)

    def note_taken(self, greatest: Any) -> None:
        """Note that the last value was taken, and that the greatest one that can be read is `greatest`.

        Row level security may hide greater ones, so the step to the next value grows.
        """
        if self.is_integer and isinstance(greatest, int):
            self._taken = max(self._taken, greatest)
            self._step = self._step * 2 if self._is_refused else 1
        self._is_refused = True

    def note_too_long(self) -> bool:
        """Use texts of the length of the value that was taken; return whether that is a change."""
        is_news = isinstance(self._taken, str) and self._length is None
        if is_news:
            self._length = len(self._taken)
        return is_news

    def next(self, text: str) -> Any:
        """Return the next value. In a column of texts that is `text`, which no other row has."""
        if isinstance(self._taken, int):
            self._taken += self._step
            return self._taken
        if is_uuid(self._taken):
            return str(uuid.uuid4())
        if moment(self._taken) is not None:
            return datetime.now(UTC).isoformat()
        if self._length is not None:
            return uuid.uuid4().hex[: self._length]
        return text


def is_uuid(value: Any) -> bool:
    """Return whether a value is the text of a UUID."""
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


def integer_of(message: str) -> str | None:
    """Return the text that a database could not read as an integer; None if its message is another one."""
    found = _INTEGER.search(message)
    return found[1] if found else None
