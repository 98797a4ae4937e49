"""The base class of the checks of a table: how they send requests, and what they may claim."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Hashable, Iterable
from typing import Any, TypeVar

from msgspec import Struct

from prt.clock import wall_clock
from prt.errors import PrtError
from prt.events import Event
from prt.stream.recovery.backfill import Recovery
from prt.stream.recovery.table_progress import TableProgress
from prt.stream.recovery.verification.position import Position, microseconds, running
from prt.stream.recovery.verification.rules import Rules, Suspect
from prt.stream.recovery.verification.schedule import Schedule
from prt.stream.rest.answers import UnavailableError, UnknownColumnError
from prt.stream.timing import VerificationTiming

T = TypeVar("T")

UNREAD = "it has not been read yet"


class CheckContext(Struct, frozen=True, kw_only=True):
    """The values that all checks of a watch share.

    Attributes:
        recovery: Emits the rows that were lost.
        position: How far the stream has come.
        schedule: When which check may send a request.
        timing: The lengths of time of the verification.
        rules: The lengths of time by which suspects are judged.
        put: Receives the events.
        report: Called with a table's name when its state has changed.
        on_slow: Called with a table's name and the column whose index the table lacks.
        on_loss: Called with the bounds (µs of the server) of each gap that a check declares.
    """

    recovery: Recovery
    position: Position
    schedule: Schedule[Hashable]
    timing: VerificationTiming
    rules: Rules
    put: Callable[[Event], None]
    report: Callable[[str], None]
    on_slow: Callable[[str, str], None]
    on_loss: Callable[[int, int], None]


class Check(ABC):
    """The check of one table or of one of its bindings, which sends one request at a time.

    Attributes:
        name: The name of the check in the schedule.
        verified_at: When the check last found everything (µs since the epoch, by our clock), or None.
        reason: Why the check can't claim more than `verified_at`, or None.
        is_given_up: Whether the check has ended for good.
        is_refused: Whether the last read was refused for a reason that does not pass by itself.
    """

    def __init__(self, context: CheckContext, progress: TableProgress, name: Hashable) -> None:
        """Start the check, which is due at once.

        Args:
            context: The values that all checks share.
            progress: The recovery progress of the table.
            name: The name of the check in the schedule.
        """
        self.context = context
        self.progress = progress
        self.name = name
        self.verified_at: int | None = None
        self.reason: str | None = UNREAD
        self.is_given_up = False
        self.is_refused = False
        context.schedule.add(name)

    @property
    @abstractmethod
    def is_busy(self) -> bool:
        """Whether a round was read to its end, while some of its rows are not judged yet."""

    @property
    def limits(self) -> str | None:
        """The reason why the check does not cover every write of the table, or None if it does."""
        return None

    @property
    def is_possible(self) -> bool:
        """Whether the check can claim anything about the table."""
        return not self.is_given_up and not self.is_refused

    @abstractmethod
    async def read(self) -> None:
        """Read the next page of the present round."""

    @abstractmethod
    async def advance(self) -> None:
        """Judge the suspects that the stream has passed, declare losses, and start the next round.

        The next round starts only if no suspect is left.
        """

    @abstractmethod
    def abandon(self) -> None:
        """Start the present round again, because the connection was lost or the check is given up."""

    @abstractmethod
    async def control(self) -> str | None:
        """Send a request that every table can answer fast, to find out whether only this check is slow.

        Returns:
            The column whose index the check needs, or None.

        Raises:
            PrtError: What `Rest.read` raises.
        """

    async def requested(self, request: Coroutine[Any, Any, T]) -> T | None:
        """Send a request, and return its answer.

        Returns:
            None if there is no answer in time or the request fails. The check is then postponed or given up.
        """
        start = time.monotonic()
        try:
            async with asyncio.timeout(self.context.timing.slow):
                return await request
        except TimeoutError:
            await self._was_slow()
        except PrtError as exc:
            self.failed(exc)
        finally:
            self.context.schedule.requested(self.name, start, time.monotonic())
        return None

    async def paced(self, request: Coroutine[Any, Any, T]) -> T:
        """Send a further request of the same turn, after the pause that must lie between requests.

        Raises:
            TimeoutError: If there is no answer within `timing.slow` seconds.
            PrtError: What `Rest.read` raises.
        """
        await asyncio.sleep(self.context.timing.pause)
        start = time.monotonic()
        try:
            async with asyncio.timeout(self.context.timing.slow):
                return await request
        finally:
            self.context.schedule.requested(self.name, start, time.monotonic())

    def has_waited(self, suspects: Iterable[Suspect]) -> bool:
        """Return whether suspects have waited so long that they are judged before their round ends."""
        waited = running() - min(one.seen_at for one in suspects)
        return waited >= microseconds(self.context.timing.every + self.context.timing.silence)

    def verified(self) -> None:
        """Note that a round has found everything."""
        self.verified_at, self.reason, self.is_refused = wall_clock(), None, False
        self.context.schedule.finished(self.name, time.monotonic())
        self.context.report(self.progress.name)

    def failed(self, error: PrtError) -> None:
        """Postpone the check after a failed request, and report the error if it does not pass by itself."""
        is_passing = isinstance(error, UnavailableError | UnknownColumnError)
        if isinstance(error, UnknownColumnError):
            self.progress.shape = None  # the table was altered
        timing = self.context.timing
        self.context.schedule.postpone(
            self.name, time.monotonic() + (timing.every if is_passing else timing.retry)
        )
        if not is_passing and self.reason != error.message:
            self.reason, self.is_refused = error.message, True
            self.context.report(self.progress.name)

    def give_up(self, reason: str) -> None:
        """End the check for good, and report why."""
        self.is_given_up, self.reason = True, reason
        self.abandon()
        self.context.schedule.remove(self.name)
        self.context.report(self.progress.name)

    async def _was_slow(self) -> None:
        """Give up the check if only its own request is slow; postpone it if the whole project is slow."""
        self.context.schedule.postpone(self.name, time.monotonic() + self.context.timing.every)
        try:
            async with asyncio.timeout(self.context.timing.slow):
                column = await self.control()
        except (TimeoutError, PrtError):
            return
        if column is None:
            self.give_up("reading its keys takes too long")
        else:
            self.give_up(f"no index on `{column}`")
            self.context.on_slow(self.progress.name, column)
