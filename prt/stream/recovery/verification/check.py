"""The common part of every check of a table: its requests, and what it may claim."""

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
from prt.stream.recovery.table_progress import Ledger
from prt.stream.recovery.verification.position import Position, microseconds, running
from prt.stream.recovery.verification.schedule import Schedule
from prt.stream.recovery.verification.windows import Rules, Suspect
from prt.stream.rest.answers import UnavailableError, UnknownColumnError
from prt.stream.timing import VerificationTiming

T = TypeVar("T")

UNREAD = "it has not been read yet"


class Desk(Struct, frozen=True, kw_only=True):
    """The values that all checks of a watch share.

    `report` is called with a table's name when its state has changed; `on_slow` with a table's name and the
    column whose index it lacks; `on_loss` with the bounds of each gap that a check declares.
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
    """One check of one table, a page at a time.

    `verified_at` is when it last found everything (µs, ours), `reason` why it claims less than that.
    """

    def __init__(self, desk: Desk, ledger: Ledger, name: Hashable) -> None:
        self.desk = desk
        self.ledger = ledger
        self.name = name
        self.verified_at: int | None = None
        self.reason: str | None = UNREAD
        self.is_given_up = False
        self.is_refused = False
        """Whether the last read was refused, for a reason that does not pass by itself."""
        desk.schedule.add(name)

    @property
    @abstractmethod
    def is_busy(self) -> bool:
        """Whether everything was read that there is, and some of it is not accounted for yet."""

    @property
    def limits(self) -> str | None:
        """Why the check does not cover every write that it is about, or None if it does."""
        return None

    @property
    def is_possible(self) -> bool:
        """Whether the check says anything about the table."""
        return not self.is_given_up and not self.is_refused

    @abstractmethod
    async def read(self) -> None:
        """Read a page of what is due."""

    @abstractmethod
    async def advance(self) -> None:
        """Judge what the stream has passed, declare what is lost, and go on to the next round."""

    @abstractmethod
    def abandon(self) -> None:
        """Read the present round anew: the connection was lost, or the table is given up."""

    @abstractmethod
    async def control(self) -> str | None:
        """Send a request that every table can answer fast; return the column whose index the check needs.

        Raises:
            PrtError: What `Rest.read` raises.
        """

    async def requested(self, request: Coroutine[Any, Any, T]) -> T | None:
        """Send a request; None if there is no answer, which is dealt with here."""
        start = time.monotonic()
        try:
            async with asyncio.timeout(self.desk.timing.slow):
                return await request
        except TimeoutError:
            await self._was_slow()
        except PrtError as exc:
            self.failed(exc)
        finally:
            self.desk.schedule.requested(self.name, start, time.monotonic())
        return None

    async def paced(self, request: Coroutine[Any, Any, T]) -> T:
        """Send a further request when it is time for one. Raises TimeoutError and what REST does."""
        await asyncio.sleep(self.desk.timing.pause)
        start = time.monotonic()
        try:
            async with asyncio.timeout(self.desk.timing.slow):
                return await request
        finally:
            self.desk.schedule.requested(self.name, start, time.monotonic())

    def has_waited(self, suspects: Iterable[Suspect]) -> bool:
        """Return whether the suspects have waited too long to be declared together with their round."""
        waited = running() - min(one.seen_at for one in suspects)
        return waited >= microseconds(self.desk.timing.every + self.desk.timing.silence)

    def verified(self) -> None:
        """Note that a round has found everything."""
        self.verified_at, self.reason, self.is_refused = wall_clock(), None, False
        self.desk.schedule.finished(self.name, time.monotonic())
        self.desk.report(self.ledger.name)

    def failed(self, error: PrtError) -> None:
        """Ask again later, and say so if that may be in vain."""
        is_passing = isinstance(error, UnavailableError | UnknownColumnError)
        if isinstance(error, UnknownColumnError):
            self.ledger.shape = None  # the table was altered
        timing = self.desk.timing
        self.desk.schedule.postpone(
            self.name, time.monotonic() + (timing.every if is_passing else timing.retry)
        )
        if not is_passing and self.reason != error.message:
            self.reason, self.is_refused = error.message, True
            self.desk.report(self.ledger.name)

    def give_up(self, reason: str) -> None:
        """Check no more."""
        self.is_given_up, self.reason = True, reason
        self.abandon()
        self.desk.schedule.remove(self.name)
        self.desk.report(self.ledger.name)

    async def _was_slow(self) -> None:
        """Give up if only this request is slow; ask again later if the whole project is slow."""
        self.desk.schedule.postpone(self.name, time.monotonic() + self.desk.timing.every)
        try:
            async with asyncio.timeout(self.desk.timing.slow):
                column = await self.control()
        except (TimeoutError, PrtError):
            return
        if column is None:
            self.give_up("reading its keys takes too long")
        else:
            self.give_up(f"no index on `{column}`")
            self.desk.on_slow(self.ledger.name, column)
