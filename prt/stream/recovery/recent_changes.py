"""The latest changes of the stream, kept for comparisons with rows that are read.

`observe` is called for every change, also in a flood of them. Hence it is a closure that only appends to a
list. The changes are handed on in chunks, and the oldest chunks are forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from operator import attrgetter

from prt.events import Change
from prt.stream.socket import wire

MAX_BYTES = 12 * 1024 * 1024
"""The most bytes of changes that are kept."""
CHUNK = 128
"""The number of changes that are handed on together."""
_WEIGHED = 8
"""One change out of this many is weighed, a different one in each chunk, because weighing all changes costs
more than keeping them."""
_EVENT_BYTES = 1024
"""The size of a change without its rows: its frame names every column."""
_PRECISION = 2_000
"""µs by which a commit may seem earlier than it was: a server may round commits to milliseconds."""

_new, _old = attrgetter("new"), attrgetter("old")


class Memory:
    """The changes that streamed most recently, in order and numbered, up to a number of bytes.

    Attributes:
        observe: Takes a streamed change. Every change of the stream must be passed to it.
        count: How many changes have been collected so far.
        covers_since: All changes that were committed at or after this moment (µs of the server) are still
            here; None if no change has been forgotten.
    """

    def __init__(self, on_chunk: Callable[[list[Change], int], None], *, max_bytes: int = MAX_BYTES) -> None:
        """Start without changes.

        Args:
            on_chunk: Receives the changes in order, each once, with the number of the first one. It is called
                while changes come, and by `collect` for the changes that it has not received yet.
            max_bytes: The most bytes of changes that are kept.
        """
        self._on_chunk = on_chunk
        self._max_bytes = max_bytes
        self._fresh: list[Change] = []
        self._chunks: deque[tuple[int, list[Change], int]] = deque()
        self._bytes = 0
        self._turn = 0
        self.count = 0
        """Changes collected so far."""
        self.covers_since: int | None = None
        """Changes that committed at or after this (µs) are all here; None: all are."""
        self.observe = self._observer()

    def collect(self) -> None:
        """Collect the changes that `observe` has taken since the last call, and pass them to `on_chunk`."""
        if not self._fresh:
            return
        chunk = self._fresh.copy()
        self._fresh.clear()
        first, self.count = self.count, self.count + len(chunk)
        weight = self._weight(chunk)
        self._chunks.append((first, chunk, weight))
        self._bytes += weight
        while self._bytes > self._max_bytes and len(self._chunks) > 1:
            self._forget()
        self._on_chunk(chunk, first)

    def __iter__(self) -> Iterator[tuple[int, Change]]:
        """Yield the changes that are kept in order, each with its number."""
        for first, chunk, _ in self._chunks:
            yield from enumerate(chunk, first)

    def newest_commit(self) -> int | None:
        """Return the commit time of the last collected change (µs of the server), or None."""
        for _, chunk, _ in reversed(self._chunks):
            for change in reversed(chunk):
                if change.commit_timestamp is not None:
                    return wire.microseconds(change.commit_timestamp)
        return None

    def last_commit(self, until: int) -> int | None:
        """Return the largest commit time up to a moment, both in µs of the server; None if no change came.

        If no such change is kept but some were forgotten, it is a moment up to which changes were forgotten.
        """
        texts = {change.commit_timestamp for _, change in self}
        commits = (wire.microseconds(text) for text in texts if text is not None)
        seen = max((commit for commit in commits if commit is not None and commit <= until), default=None)
        if seen is None and self.covers_since is not None:
            return min(self.covers_since, until)
        return seen

    def _observer(self) -> Callable[[Change], None]:
        fresh, append, collect = self._fresh, self._fresh.append, self.collect

        def observe(change: Change) -> None:
            append(change)
            if len(fresh) >= CHUNK:
                collect()

        return observe

    def _weight(self, chunk: list[Change]) -> int:
        weighed, times = chunk, 1
        if len(chunk) == CHUNK:
            self._turn = (self._turn + 1) % _WEIGHED
            weighed, times = chunk[self._turn :: _WEIGHED], _WEIGHED
        rows = sum(map(len, map(_new, weighed))) + sum(map(len, map(_old, weighed)))
        return rows * times + len(chunk) * _EVENT_BYTES

    def _forget(self) -> None:
        _, chunk, weight = self._chunks.popleft()
        self._bytes -= weight
        for change in reversed(chunk):
            commit = wire.microseconds(change.commit_timestamp) if change.commit_timestamp else None
            if commit is not None:
                self.covers_since = max(commit + _PRECISION, self.covers_since or 0)
                return
