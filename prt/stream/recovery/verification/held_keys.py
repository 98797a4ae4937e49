"""The comparison of the keys that a snapshot holds with the keys of the rows that exist, page by page. Pure.

It finds deletes that were lost, and lost inserts of tables whose rows no column dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from prt.stream.recovery.verification.rules import Dated, Passage, Rules, Suspect, has_passed
from prt.stream.rest.answers import DATE_GRAIN
from prt.stream.values import Key


class Differences(Struct, frozen=True):
    """The differences between held keys and existing rows.

    Attributes:
        gone: Keys that are held and have no row.
        new: Keys of rows that are not held.
    """

    gone: list[Key]
    new: list[Key]

    def __bool__(self) -> bool:
        return bool(self.gone or self.new)


class HeldComparison:
    """The repeated comparison of one table's held keys with its rows.

    Attributes:
        verified_to: The server's time (µs) up to which no difference is left.
        gone: Held keys without a row that are not judged yet.
        new: Keys of rows that are not held and are not judged yet.
        read_at: When the present comparison was read to its end (µs of the server).
        is_read: Whether the present comparison was read to its end.
    """

    def __init__(self, rules: Rules, held_at: int, *, finds_inserts: bool) -> None:
        """Prepare the first comparison.

        Args:
            rules: The lengths of time by which differences are judged.
            held_at: When the keys were first read (µs of the server).
            finds_inserts: Whether to look for new rows too, because no other check of the table does.
        """
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
        """The start of a gap that this comparison finds (µs of the server)."""
        return self.verified_to - 2 * DATE_GRAIN

    def compare(self, keys: Iterable[Key], held: set[Key], *, read_at: int) -> None:
        """Note a page of the keys that exist.

        Args:
            keys: The keys of the page.
            held: The keys that are held now.
            read_at: When the page was read (µs of the server).
        """
        if self._began is None:
            self._began, self._before, self._seen = read_at, set(held), set()
        self._seen.update(keys)

    def read_to_end(self, held: set[Key], *, read_at: int, now: int) -> None:
        """Compare after all keys were read. A key that came or went since the first page is no difference.

        Args:
            held: The keys that are held now.
            read_at: When the last page was read (µs of the server).
            now: The present moment, in µs of our running clock.
        """
        self.is_read, self.read_at = True, read_at

        def suspects(keys: Iterable[Key]) -> dict[Key, Suspect]:
            return {
                key: Suspect(row=Dated(key, read_at), start=self.start, read_at=read_at, seen_at=now)
                for key in keys
            }

        self.gone = suspects((self._before & held) - self._seen)
        self.new = suspects(self._seen - held - self._before) if self._finds_inserts else {}

    def due(self, held: set[Key], passage: Passage) -> Differences:
        """Return the differences that the stream has passed without explaining them.

        Args:
            held: The keys that are held now.
            passage: How far the stream has come.
        """
        for key in [key for key in self.gone if key not in held]:
            del self.gone[key]
        for key in [key for key in self.new if key in held]:
            del self.new[key]
        return Differences(_passed(self.gone, passage, self._rules), _passed(self.new, passage, self._rules))

    @property
    def suspects(self) -> list[Suspect]:
        """The differences that are not judged yet."""
        return [*self.gone.values(), *self.new.values()]

    def judged(self, keys: Iterable[Key]) -> None:
        """Remove differences that were looked at a second time."""
        for key in keys:
            self.gone.pop(key, None)
            self.new.pop(key, None)

    @property
    def is_settled(self) -> bool:
        """Whether all keys were read and every difference is explained or declared."""
        return self.is_read and not self.gone and not self.new

    def settle(self) -> None:
        """Start the next comparison: everything up to the start of this one is accounted for."""
        if self._began is not None:
            self.verified_to = max(self.verified_to, self._began)
        self._began, self.is_read = None, False

    def abandon(self) -> None:
        """Start this comparison again, because the connection was lost."""
        self._began, self.is_read = None, False
        self.gone, self.new = {}, {}


def _passed(suspects: Mapping[Key, Suspect], passage: Passage, rules: Rules) -> list[Key]:
    return [key for key, one in suspects.items() if has_passed(one, passage, rules)]
