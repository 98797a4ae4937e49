"""A recording of a watch, read back: its header, its events as they were, and their pace.

A recording is NDJSON: one line that says what was watched, then the lines that `prt watch --json` writes
for every event that came, whatever was shown of it, `end` last. A program that was killed leaves it without
its end, or with half of a line.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Struct

from prt.errors import UsageError
from prt.events import End, Event, Rewound, Status
from prt.inputs import Input
from prt.stream.recording.lines import event_of, moment_of
from prt.stream.recording.seeking import WARM_BYTES, last_moment, offset_of, warm_offset

VERSION = 1
_LONGEST_HEADER = 1 << 20
_OPENING_LINES = 64
"""Lines at the start among which the first statuses stand."""
BATCH = 256
"""Events that are handed on together where nothing has to be waited for."""


class Header(Struct, frozen=True, kw_only=True, tag_field="type", tag="recording"):
    """The first line. `bindings` and `rooms` are the wire's words; `keys` by `schema.table`, as given."""

    version: int
    prt: str
    at: str
    host: str
    bindings: list[dict[str, Any]] = []
    rooms: list[dict[str, Any]] = []
    keys: dict[str, list[str]] = {}
    command: str = "watch"
    """Whose lines they are: those of `prt tap` are drawn by its own view."""


_decode_header = msgspec.json.Decoder(Header).decode


class Recording:
    """A source: `async with Recording(…) as batches`, ending with the `End` of its watch, or one of its own.

    `speed` is how many times faster than it was, None as fast as can be.
    """

    def __init__(
        self,
        path: Path,
        *,
        speed: float | None = None,
        on_unreadable: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Reads the header; UsageError where there is none. `on_unreadable` is told what is skipped."""
        self._path = path
        self.speed = speed
        """How many times faster than it was; None is as fast as can be."""
        self.is_halted = False
        """Whether nothing is played but single steps."""
        self._start: int | None = None
        self._end: int | None = None
        self._on_unreadable = on_unreadable
        self._spooled: IO[bytes] | None = None
        self.header, self._begin = self._read_header()
        self._file: IO[bytes] | None = None
        self._events: Iterator[Event] = self._read_events()
        self._next: Event | None = None
        self._first_at: int | None = None
        self._started = 0.0
        self.started_at = moment_of(self.header.at)
        self.ended_at = self.started_at
        """When its last line came (µs), known once it is open."""
        self._played = self.started_at
        self._steps = 0
        self._ends_warm_at = 0
        self._changed = asyncio.Event()

    def keep(self, start: int | None, end: int | None) -> None:
        """Only what came from `start` to `end` (µs) on, and the last status before it."""
        self._start, self._end = start, end

    @property
    def keys(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Return the key columns that were given to the watch, by (schema, table)."""
        found = {}
        for name, columns in self.header.keys.items():
            schema, _, table = name.partition(".")
            found[schema, table] = tuple(columns)
        return found

    async def __aenter__(self) -> Recording:
        self._file = self._spooled or self._path.open("rb")
        self.ended_at = max(last_moment(self._file, self._begin) or 0, self.started_at)
        self._file.seek(self._begin)
        self._next = next(self._events)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._next = None
        if self._file is not None:
            self._file.close()

    def __aiter__(self) -> Recording:
        return self

    async def __anext__(self) -> list[Event]:
        """Cancelling it loses nothing."""
        if self._next is None:
            raise StopAsyncIteration
        await self._until_due()
        batch: list[Event] = []
        while self._next is not None and len(batch) < BATCH and self._is_due(self._next):
            batch.append(self._next)
            if self.is_halted and self._steps and not isinstance(self._next, Rewound):
                self._steps -= 1
                self._go_on_from(self._next.at)
            self._played = max(self._played, self._next.at)
            self._next = next(self._events, None)
        return batch

    def now(self) -> int:
        """µs: the moment of the recording that is being played."""
        if self.speed is None or self._first_at is None or self._next is None or self.is_halted:
            return self._played
        passed = asyncio.get_running_loop().time() - self._started
        return max(self._played, self._first_at + round(passed * self.speed * 1_000_000))

    def seek(self, moment: int) -> None:
        """Go on from a moment (µs), back or on. A `Rewound` comes first unless what lies between is short.

        Of what was before the moment at most `WARM_LINES` events come again, all at once.
        """
        assert self._file is not None  # noqa: S101 - who seeks is playing
        if self._next is None:
            return
        present, moment = self.now(), min(max(moment, self.started_at), self.ended_at)
        position = self._file.tell()
        offset = offset_of(self._file, self._begin, moment)
        if moment >= present and 0 <= offset - position <= WARM_BYTES:
            self._file.seek(position)
        else:
            opening = self._opening()
            self._file.seek(warm_offset(self._file, self._begin, offset))
            self._events = chain([Rewound(at=moment)], opening, self._read_events())
            self._next = next(self._events)
        self._ends_warm_at = moment
        self._played = moment
        self._go_on_from(moment)

    def set_speed(self, speed: float) -> None:
        """Play so many times faster than it was."""
        present = self.now()
        self.speed = speed
        self._go_on_from(present)

    def halt(self, *, is_halted: bool) -> None:
        """Stop playing, or go on."""
        present = self.now()
        self.is_halted, self._steps = is_halted, 0
        self._played = max(self._played, present)
        self._go_on_from(present)

    def step(self) -> None:
        """Stop playing, and play one event."""
        if not self.is_halted:
            self.halt(is_halted=True)
        self._steps += 1
        self._changed.set()

    def _go_on_from(self, moment: int) -> None:
        self._first_at, self._started = moment, asyncio.get_running_loop().time()
        self._changed.set()

    def _opening(self) -> list[Event]:
        """Return how the connection came up: without it the head of a view would know nothing."""
        assert self._file is not None  # noqa: S101 - who seeks is playing
        self._file.seek(self._begin)
        events = islice(self._read_lines(), _OPENING_LINES)
        return [event for event in events if isinstance(event, Status)]

    async def _until_due(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._next is not None:
            if self._first_at is None:
                at = self._next.at
                self._first_at = at if self._start is None else max(at, self._start)
                self._started = clock()
            if self._is_due(self._next):
                await asyncio.sleep(0)
                return
            self._changed.clear()
            wait = None if self.is_halted else self._due(self._next.at) - clock()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()

    def _is_due(self, event: Event) -> bool:
        if self.is_halted:
            return isinstance(event, Rewound) or event.at < self._ends_warm_at or self._steps > 0
        return self.speed is None or self._due(event.at) <= asyncio.get_running_loop().time()

    def _due(self, at: int) -> float:
        assert self.speed is not None  # noqa: S101 - who asks has a pace
        assert self._first_at is not None  # noqa: S101 - and has begun
        return self._started + max(at - self._first_at, 0) / 1_000_000 / self.speed

    def _read_header(self) -> tuple[Header, int]:
        """And where the events begin."""
        try:
            with self._path.open("rb") as file:
                line = file.readline(_LONGEST_HEADER)
                if not file.seekable():
                    # A pipe can't be read twice, nor waited for while the loop runs.
                    self._spooled = tempfile.TemporaryFile()  # noqa: SIM115 - closed as the file would be
                    self._spooled.write(line)
                    if line[-1:] == b"\n":
                        shutil.copyfileobj(file, self._spooled)
        except OSError as exc:
            raise UsageError(
                f"{self._path} can't be read: {exc.strerror}", f"name a file of {Input.RECORD}"
            ) from exc
        try:
            header = _decode_header(line)
            moment_of(header.at)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise UsageError(
                f"{self._path} is not a recording",
                f"a recording is what `prt watch {Input.RECORD} FILE` writes",
            ) from exc
        if header.version > VERSION:
            raise UsageError(
                f"{self._path} is a recording of version {header.version}, by prt {header.prt}",
                f"this prt reads version {VERSION}: take a newer one",
            )
        return header, len(line)

    def _read_events(self) -> Iterator[Event]:
        """Those of the window, then always one `End`."""
        last = self.started_at
        before: Status | None = None
        for event in self._read_lines():
            if self._end is not None and event.at > self._end:
                break
            last = max(last, event.at)
            if self._start is not None and event.at < self._start and not isinstance(event, End):
                before = event if isinstance(event, Status) else before
                continue
            if before is not None:
                yield before
                before = None
            yield event
            if isinstance(event, End):
                return
        yield End(at=last, reason="replayed", exit_code=0, events=0)

    def _read_lines(self) -> Iterator[Event]:
        assert self._file is not None  # noqa: S101 - who reads has opened it
        for number, line in enumerate(self._file, 2):
            try:
                yield event_of(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
                what = "is torn" if not line.endswith(b"\n") else f"can't be read ({exc})"
                self._on_unreadable(f"{self._path}: line {number} {what} and is left out")
