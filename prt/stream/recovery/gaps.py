"""The gaps of one source: from the loss, through the recovery, to the `Gap` event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from prt.clock import wall_clock
from prt.events import Change, Event, Gap
from prt.stream.binding import Binding
from prt.stream.live.subscription import tables_of
from prt.stream.recovery import windows
from prt.stream.recovery.continuity import Continuity

if TYPE_CHECKING:
    from prt.stream.recovery.backfill import Recovery
    from prt.stream.recovery.verification.verifier import Verifier
    from prt.stream.timing import Timing

TRUNCATED = "413"
"""The code by which the server marks a change whose row it has cut."""
ABSENT = "the server refused the table while others streamed: it had left the publication"


class Connected(Protocol):
    """The part of a connection that the accounting of its gaps needs."""

    @property
    def is_up(self) -> bool:
        """Whether changes flow."""
        ...

    @property
    def alive_at(self) -> float | None:
        """The moment of the last bytes, in seconds of `windows.running_clock`; None if not connected."""
        ...

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that is cancelled when the present connection ends."""
        ...

    async def is_answering(self, seconds: float) -> bool:
        """Return whether the server answers a heartbeat within this many seconds."""
        ...


class Accounting:
    """The accounting of one connection's gaps: it declares what was lost and whether it was recovered."""

    def __init__(
        self,
        connection: Connected,
        put: Callable[[Event], None],
        recovery: Recovery | None,
        timing: Timing,
    ) -> None:
        """Prepare the accounting, and a verification of the tables if the recovery's options ask for it.

        Args:
            connection: The connection, of which the accounting asks whether it is up and when its last bytes
                came.
            put: Receives the `Gap` events, the recovered changes and the results of the verification.
            recovery: Reads rows over REST; None to only declare the gaps.
            timing: The lengths of time of the connection.
        """
        self._connection = connection
        self._put = put
        self._recovery = recovery
        self._timing = timing
        self._verifier: Verifier | None = None
        if recovery is not None and recovery.options.is_verifying:
            # Imported only if it is needed, to keep the start fast.
            from prt.stream.recovery.verification.verifier import Verifier  # noqa: PLC0415

            self._verifier = Verifier(recovery, connection, put, timing.verification)
        self._clock = windows.started_clock()
        self._continuity = Continuity(self._now)
        self._accepted: list[Binding] = []
        self._absent: dict[str, int] = {}
        """Tables that the server has refused since a loss, each with the start of its gap (µs)."""
        self._recovering: asyncio.Task[None] | None = None
        self._gathering: asyncio.Task[None] | None = None
        self._damages: dict[str, set[str]] = {}

    @property
    def tables(self) -> list[str]:
        """The tables that stream, or that streamed before the loss, as `schema.table`."""
        return tables_of(self._accepted)

    @property
    def alive(self) -> int:
        """The moment of the last bytes (µs since the epoch); the present moment if there is no connection."""
        alive_at = self._connection.alive_at
        return self._now() if alive_at is None else self._clock.at(alive_at)

    def observe(self, change: Change) -> None:
        """Note a streamed change. If the server has cut its row, a gap begins."""
        self._continuity.observe(change)
        if change.errors is not None and any(TRUNCATED in error for error in change.errors):
            self._damage("the server cut rows above 1 MiB", [f"{change.schema}.{change.table}"])
            if self._recovery is not None:
                self._recovery.cut(change)
        if self._recovery is not None:
            self._recovery.observe(change)

    def broke(self, cause: str, *, was_deaf: bool = False) -> None:
        """Open a gap because the connection was lost.

        Args:
            cause: What was lost, as users read it.
            was_deaf: Whether some of the tables may have been silent for a while before the loss.
        """
        self._continuity.broke(self.alive, self._now(), self.tables, cause, was_deaf=was_deaf)

    def ready(self, accepted: list[Binding], *, is_first: bool) -> None:
        """Note that changes flow, and recover the open gap, or begin the recovery at the first READY.

        Args:
            accepted: The bindings that the server has accepted.
            is_first: Whether this is the first READY of the watch.
        """
        self._accepted = accepted
        gap = self._continuity.ready(self._now())
        if gap is not None:
            gap = self._with_absent(gap)
        if gap is not None:
            self._recover(gap)
        elif is_first and self._recovery is not None:
            self._connection.start(self._begin(self._recovery))
        if self._verifier is not None and (gap is not None or not is_first):
            self._connection.start(self._verifier.run(accepted))

    async def _begin(self, recovery: Recovery) -> None:
        await recovery.begin(self._accepted, self._put)
        if self._verifier is not None:
            await self._verifier.run(self._accepted)

    def rejoined(self, bindings: list[Binding]) -> None:
        """Recover the gap of bindings that stream again, after the server had refused them alone."""
        self._accepted = [*self._accepted, *bindings]
        if self._verifier is not None:
            self._verifier.add(bindings)
        names = tables_of(bindings)
        start = min(self._absent.pop(name, self._now()) for name in names)
        self._recover(self._continuity.absent(start, self._now(), names, ABSENT))

    def _with_absent(self, gap: Gap) -> Gap:
        """Extend the gap by the tables that stream again, and note the tables that the server refuses now."""
        names = set(self.tables)
        back = [name for name in self._absent if name in names]
        if back:
            start = min(self._absent.pop(name) for name in back)
            gap = self._continuity.absent(min(start, gap.start), self._now(), back, gap.cause)
        for name in set(gap.tables) - names:
            self._absent.setdefault(name, gap.start)
        return gap

    def resubscribed(self) -> None:
        """Recover the gap that the server's own new subscription reveals."""
        self._recover(self._continuity.resubscribed(self.alive, self._now(), self.tables))

    def unreadable(self) -> None:
        """Open a gap of all tables because of a frame that can't be read: it may have been a change."""
        self._damage("frames came that can't be read", self.tables)

    def answered_late(self, seconds: float) -> None:
        """Start a verification at once: the server answered a heartbeat only after this many seconds."""
        if self._verifier is not None:
            self._verifier.hurry("late heartbeat", seconds)

    def end(self, *, is_up: bool) -> None:
        """Declare the gaps that are still open when the watch ends."""
        absent, self._absent = self._absent, {}
        if absent:
            self._continuity.absent(min(absent.values()), self._now(), sorted(absent), ABSENT)
        gap = self._continuity.unfinished(self._now(), is_up=is_up)
        if gap is not None:
            self._close(replace(gap, cause=f"{gap.cause}; the watch ended before that was recovered"))

    def _damage(self, cause: str, tables: list[str]) -> None:
        if not self._connection.is_up:
            return
        self._damages.setdefault(cause, set()).update(tables)
        if self._gathering is None:
            self._gathering = self._connection.start(self._gather_damages())

    async def _gather_damages(self) -> None:
        try:
            await asyncio.sleep(self._timing.gathering)
        finally:
            self._gathering = None
            damages, self._damages = self._damages, {}
        tables = sorted(set().union(*damages.values()))
        self._recover(self._continuity.damaged(self.alive, self._now(), tables, "; ".join(damages)))

    def _recover(self, gap: Gap) -> None:
        """Recover the rows of a gap, then declare it; without a recovery, only declare it."""
        if self._recovering is not None:
            self._recovering.cancel()
            self._recovering = None
        if self._recovery is None or not gap.tables:
            self._close(gap)
        else:
            self._recovering = self._connection.start(self._recovered(self._recovery, gap))

    async def _recovered(self, recovery: Recovery, gap: Gap) -> None:
        self._close(await recovery.recover(gap, self._accepted, self._put))

    def _close(self, gap: Gap) -> None:
        self._continuity.closed()
        if self._verifier is not None:
            self._verifier.declared(gap)
        if gap.tables:
            self._put(replace(gap, at=wall_clock()))

    def _now(self) -> int:
        """Return the present moment (µs since the epoch); adjustments of the wall clock don't change it."""
        return self._clock.at(windows.running_clock())
