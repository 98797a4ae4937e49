"""The keys of a snapshot, compared with those that are there, page by page: pure.

It finds deletes that never came, and inserts into tables whose rows nothing dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from prt.stream.recovery.verification.windows import Dated, Passage, Rules, Suspect, has_passed
from prt.stream.rest.answers import DATE_GRAIN
from prt.stream.values import Key


class Differences(Struct, frozen=True):
    """Keys that are held without a row, and keys of rows that are not held."""

    gone: list[Key]
    new: list[Key]

    def __bool__(self) -> bool:
        return bool(self.gone or self.new)


class HeldComparison:
    """Compares the held keys of one table with its rows, over and over.

    `finds_inserts` if the table has no other verification of its new rows. `held_at` is when the keys were
    read first (µs of the server).
    """

    def __init__(self, rules: Rules, held_at: int, *, finds_inserts: bool) -> None:
        self._rules = rules
        self._finds_inserts = finds_inserts
        self._before: set[Key] = set()
        self._seen: set[Key] = set()
        self._began: int | None = None
        self.verified_to = held_at
        self.gone: dict[Key, Suspect] = {}
        self.new: dict[Key, Suspect] = {}
        self.read_at = held_at
        self.is_read = False

    @property
    def start(self) -> int:
        """Return where a gap of this comparison begins (µs)."""
        return self.verified_to - 2 * DATE_GRAIN

    def take(self, keys: Iterable[Key], held: set[Key], *, read_at: int) -> None:
        """Take a page of the keys that are there; `held` are those that are held now."""
        if self._began is None:
            self._began, self._before, self._seen = read_at, set(held), set()
        self._seen.update(keys)

    def read_to_end(self, held: set[Key], *, read_at: int, now: int) -> None:
        """Compare: all keys were read. A key that came or went since the first page proves nothing."""
        self.is_read, self.read_at = True, read_at

        def suspects(keys: Iterable[Key]) -> dict[Key, Suspect]:
            return {
                key: Suspect(row=Dated(key, read_at), start=self.start, read_at=read_at, seen_at=now)
                for key in keys
            }

        self.gone = suspects((self._before & held) - self._seen)
        self.new = suspects(self._seen - held - self._before) if self._finds_inserts else {}

    def due(self, held: set[Key], passage: Passage) -> Differences:
        """Return the differences that the stream has passed without explaining them."""
        for key in [key for key in self.gone if key not in held]:
            del self.gone[key]
        for key in [key for key in self.new if key in held]:
            del self.new[key]
        return Differences(_passed(self.gone, passage, self._rules), _passed(self.new, passage, self._rules))

    @property
    def suspects(self) -> list[Suspect]:
        """Return the keys that differ and are not judged yet."""
        return [*self.gone.values(), *self.new.values()]

    def judged(self, keys: Iterable[Key]) -> None:
        """Let keys go that were looked at a second time."""
        for key in keys:
            self.gone.pop(key, None)
            self.new.pop(key, None)

    @property
    def is_settled(self) -> bool:
        """Whether every difference is explained or declared."""
        return self.is_read and not self.gone and not self.new

    def settle(self) -> None:
        """Begin the next comparison: what was there when this one began is accounted for."""
        if self._began is not None:
            self.verified_to = max(self.verified_to, self._began)
        self._began, self.is_read = None, False

    def abandon(self) -> None:
        """Begin this comparison anew: the connection was lost meanwhile."""
        self._began, self.is_read = None, False
        self.gone, self.new = {}, {}


def _passed(suspects: Mapping[Key, Suspect], passage: Passage, rules: Rules) -> list[Key]:
    return [key for key, one in suspects.items() if has_passed(one, passage, rules)]
