"""A recording of a watch, read back: its header, its events, and their pace.

A recording is NDJSON. The first line describes what was watched. Then come the lines that `prt watch --json`
writes for every event that came, whether or not it was shown, with `end` as the last. If the program was
killed, `end` is missing, or the last line is cut.
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
"""The number of lines at the start that contain the first statuses."""
BATCH = 256
"""The most events that are delivered together."""


class Header(Struct, frozen=True, kw_only=True, tag_field="type", tag="recording"):
    """The first line of a recording.

    Attributes:
        version: The version of the format.
        prt: The version of `prt` that wrote it.
        at: When the recording began, as a timestamp.
        host: The host of the project.
        bindings: The bindings as they are sent to the server.
        rooms: The topics with the options of their joins, as they are sent to the server.
        keys: The key columns that the user gave, by `schema.table`.
        command: The command whose lines they are. Those of `prt tap` have a view of their own.
    """

    version: int
    prt: str
    at: str
    host: str
    bindings: list[dict[str, Any]] = []
    rooms: list[dict[str, Any]] = []
    keys: dict[str, list[str]] = {}
    command: str = "watch"


_decode_header = msgspec.json.Decoder(Header).decode


class Recording:
    """A recording as a source of events, used as `async with Recording(…) as batches`.

    The last event is the `End` of the recorded watch, or a new one if it is missing.

    Attributes:
        header: The first line of the recording.
        started_at: When the recording began (µs since the epoch).
    """

    def __init__(
        self,
        path: Path,
        *,
        speed: float | None = None,
        on_unreadable: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Read the header of a recording.

        Args:
            path: The file, which may be a pipe.
            speed: How many times faster than in reality to play; None to play without pauses.
            on_unreadable: Receives a message about each line that is skipped.

        Raises:
            UsageError: If the file can't be read, or is not a recording.
        """
        self._path = path
        self.speed = speed
        """How many times faster than in reality events are played; None if they are played without pauses."""
        self.is_halted = False
        """Whether only single steps are played."""
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
        """When the last line came (µs since the epoch). Correct as soon as the recording is open."""
        self._played = self.started_at
        self._steps = 0
        self._ends_warm_at = 0
        self._changed = asyncio.Event()

    def keep(self, start: int | None, end: int | None) -> None:
        """Play only the events from `start` to `end` (µs since the epoch; None for no bound).

        The last status before `start` is played too.
        """
        self._start, self._end = start, end

    @property
    def keys(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """The key columns that the user gave to the watch, by (schema, table)."""
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
        """Return the next batch. Cancelling this loses no event."""
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
        """Return the moment of the recording that is being played (µs since the epoch)."""
        if self.speed is None or self._first_at is None or self._next is None or self.is_halted:
            return self._played
        passed = asyncio.get_running_loop().time() - self._started
        return max(self._played, self._first_at + round(passed * self.speed * 1_000_000))

    def seek(self, moment: int) -> None:
        """Continue from another moment (µs since the epoch), before or after the present one.

        Unless only a short part is skipped, a `Rewound` event comes first, followed at once by up to
        `WARM_LINES` events from before the moment.
        """
        assert self._file is not None  # noqa: S101 - only an open recording is played
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
        """Play this many times faster than in reality."""
        present = self.now()
        self.speed = speed
        self._go_on_from(present)

    def halt(self, *, is_halted: bool) -> None:
        """Stop playing, or continue."""
        present = self.now()
        self.is_halted, self._steps = is_halted, 0
        self._played = max(self._played, present)
        self._go_on_from(present)

    def step(self) -> None:
        """Stop playing, and play a single event."""
        if not self.is_halted:
            self.halt(is_halted=True)
        self._steps += 1
        self._changed.set()

    def _go_on_from(self, moment: int) -> None:
        self._first_at, self._started = moment, asyncio.get_running_loop().time()
        self._changed.set()

    def _opening(self) -> list[Event]:
        """Return the first statuses of the recording, which the head of a view needs."""
        assert self._file is not None  # noqa: S101 - only an open recording is played
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
        assert self.speed is not None  # noqa: S101 - only called with a speed
        assert self._first_at is not None  # noqa: S101 - and after the first event
        return self._started + max(at - self._first_at, 0) / 1_000_000 / self.speed

    def _read_header(self) -> tuple[Header, int]:
        """Return the header, and the offset in bytes at which the events begin."""
        try:
            with self._path.open("rb") as file:
                line = file.readline(_LONGEST_HEADER)
                if not file.seekable():
                    # A pipe can't be read twice, and reading it would block the event loop.
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
        """Yield the events between the bounds of `keep`, then exactly one `End`."""
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
        assert self._file is not None  # noqa: S101 - only an open recording is read
        for number, line in enumerate(self._file, 2):
            try:
                yield event_of(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
                what = "is torn" if not line.endswith(b"\n") else f"can't be read ({exc})"
                self._on_unreadable(f"{self._path}: line {number} {what} and is left out")
