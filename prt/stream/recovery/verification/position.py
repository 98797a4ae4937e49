"""The position of the stream: how far it has come, and whether its silence proves anything."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol

from msgspec.structs import replace

from prt.clock import wall_clock
from prt.stream.recovery.recent_changes import Memory
from prt.stream.recovery.verification.rules import SECOND, Passage, Suspect
from prt.stream.rest.client import Rest
from prt.stream.timing import VerificationTiming


class Connected(Protocol):
    """The part of a connection that a verification needs."""

    async def is_answering(self, seconds: float) -> bool:
        """Return whether the server answers a heartbeat within this many seconds."""
        ...


class Position:
    """The position of the stream: how far it has come.

    Attributes:
        count: How many changes have come.
        passage: The latest commit and the silence since then.
    """

    def __init__(self, memory: Memory, rest: Rest, connection: Connected, timing: VerificationTiming) -> None:
        """Start without changes.

        Args:
            memory: The latest changes of the stream.
            rest: The REST client, whose answers show the server's time.
            connection: Is asked for heartbeats when the stream is silent.
            timing: The lengths of time of the verification.
        """
        self._memory = memory
        self._rest = rest
        self._connection = connection
        self._timing = timing
        self.count = 0
        self.passage = Passage()

    def restart(self) -> None:
        """Count the silence of the stream from now on, because the connection is new or did not answer."""
        self.passage = replace(self.passage, quiet_since=running(), answered_at=None)

    def update(self) -> None:
        """Note the changes that have come since the last call."""
        self._memory.collect()
        if self._memory.count == self.count:
            return
        self.count = self._memory.count
        newest, former = self._memory.newest_commit(), self.passage.last_commit
        commits = [commit for commit in (newest, former) if commit is not None]
        self.passage = Passage(last_commit=max(commits, default=None), quiet_since=running())

    async def prove_silence(self, suspects: Iterable[Suspect]) -> None:
        """Ask the server for a heartbeat if the silence of the stream is about to decide about suspects.

        A server that has stalled is silent too, and sends its changes later.
        """
        passage, now, silence = self.passage, running(), microseconds(self._timing.silence)
        decided_at = [max(passage.quiet_since, one.seen_at) + silence for one in suspects]
        if not any((passage.answered_at or 0) < moment <= now for moment in decided_at):
            return
        is_answering = await self._connection.is_answering(self._timing.slow)
        self.update()
        if not is_answering:
            self.restart()
        elif self.passage.quiet_since == passage.quiet_since:
            self.passage = replace(self.passage, answered_at=now)

    def server_now(self) -> int:
        """Return the present moment by the server's clock (µs), or by ours if the server's is unknown."""
        if self._rest.answered_at is not None:
            return self._rest.answered_at + running() - self._rest.answered_running
        return self.passage.last_commit or wall_clock()


def microseconds(seconds: float) -> int:
    """Convert a length of time from seconds to µs."""
    return round(seconds * SECOND)


def running() -> int:
    """Return the present moment in µs of a clock that ignores adjustments of the wall clock."""
    return time.monotonic_ns() // 1000
