"""How far the stream has come, and whether its silence means anything."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol

from msgspec.structs import replace

from prt.clock import wall_clock
from prt.stream.recovery.recent_changes import Memory
from prt.stream.recovery.verification.windows import SECOND, Passage, Suspect
from prt.stream.rest.client import Rest
from prt.stream.timing import VerificationTiming


class Connected(Protocol):
    """The connection as a verification sees it."""

    async def is_answering(self, seconds: float) -> bool:
        """Return whether the server answers a heartbeat within so many seconds."""
        ...


class Position:
    """The position of the stream. `count` is how many changes have come."""

    def __init__(self, memory: Memory, rest: Rest, connection: Connected, timing: VerificationTiming) -> None:
        self._memory = memory
        self._rest = rest
        self._connection = connection
        self._timing = timing
        self.count = 0
        self.passage = Passage()

    def restart(self) -> None:
        """Begin with a new connection, which has not been silent yet."""
        self.passage = replace(self.passage, quiet_since=running(), answered_at=None)

    def take_in(self) -> None:
        """Note what has come."""
        self._memory.collect()
        if self._memory.count == self.count:
            return
        self.count = self._memory.count
        newest, former = self._memory.newest_commit(), self.passage.last_commit
        commits = [commit for commit in (newest, former) if commit is not None]
        self.passage = Passage(last_commit=max(commits, default=None), quiet_since=running())

    async def prove_silence(self, suspects: Iterable[Suspect]) -> None:
        """Ask the server for a sign of life if its silence is about to decide about suspects.

        A server that has stalled is silent too, and streams everything when it goes on.
        """
        passage, now, silence = self.passage, running(), microseconds(self._timing.silence)
        decided_at = [max(passage.quiet_since, one.seen_at) + silence for one in suspects]
        if not any((passage.answered_at or 0) < moment <= now for moment in decided_at):
            return
        is_answering = await self._connection.is_answering(self._timing.slow)
        self.take_in()
        if not is_answering:
            self.restart()
        elif self.passage.quiet_since == passage.quiet_since:
            self.passage = replace(self.passage, answered_at=now)

    def server_now(self) -> int:
        """Return the present moment by the server's clock (µs), as far as it has said so."""
        if self._rest.answered_at is not None:
            return self._rest.answered_at + running() - self._rest.answered_running
        return self.passage.last_commit or wall_clock()


def microseconds(seconds: float) -> int:
    """Return a length of time in µs."""
    return round(seconds * SECOND)


def running() -> int:
    """Return µs of a clock that nothing adjusts."""
    return time.monotonic_ns() // 1000
