"""Every gap of one source, from what broke the stream to the gap's event, through the recovery between."""

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
ABSENT = "the server refused the table while others streamed: it had left the publication"


class Connected(Protocol):
    """The connection as its accounts see it."""

    @property
    def is_up(self) -> bool:
        """Return whether changes flow."""
        ...

    @property
    def alive_at(self) -> float | None:
        """When the last bytes came, by `windows.running_clock`; None without a connection."""
        ...

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task of the present connection: it ends with it."""
        ...

    async def is_answering(self, seconds: float) -> bool:
        """Return whether the server answers a heartbeat within so many seconds."""
        ...


class Accounting:
    """The account of a connection's gaps: what was lost, and whether it was brought back."""

    def __init__(
        self,
        connection: Connected,
        put: Callable[[Event], None],
        recovery: Recovery | None,
        timing: Timing,
    ) -> None:
        self._connection = connection
        self._put = put
        self._recovery = recovery
        self._timing = timing
        self._verifier: Verifier | None = None
        if recovery is not None and recovery.options.is_verifying:
            # What the verification needs is loaded only where it is wanted.
            from prt.stream.recovery.verification.verifier import Verifier  # noqa: PLC0415

            self._verifier = Verifier(recovery, connection, put, timing.verification)
        self._clock = windows.started_clock()
        self._continuity = Continuity(self._now)
        self._taken: list[Binding] = []
        self._absent: dict[str, int] = {}
        """Tables that the server refuses since a loss, with the beginning (µs) of what is missing of them."""
        self._recovering: asyncio.Task[None] | None = None
        self._gathering: asyncio.Task[None] | None = None
        self._damages: dict[str, set[str]] = {}

    @property
    def tables(self) -> list[str]:
        """Those that stream, or streamed before the loss, as `schema.table`."""
        return tables_of(self._taken)

    @property
    def alive(self) -> int:
        """When the last bytes came, at the latest now (µs)."""
        alive_at = self._connection.alive_at
        return self._now() if alive_at is None else self._clock.at(alive_at)

    def observe(self, change: Change) -> None:
        """Take in a streamed change; one that the server cut begins a gap."""
        self._continuity.observe(change)
        if change.errors is not None and any(TRUNCATED in error for error in change.errors):
            self._damage("the server cut rows above 1 MiB", [f"{change.schema}.{change.table}"])
            if self._recovery is not None:
                self._recovery.cut(change)
        if self._recovery is not None:
            self._recovery.observe(change)

    def broke(self, cause: str, *, was_deaf: bool = False) -> None:
        """The connection is lost; `was_deaf` if some of its tables may have been silent before."""
        self._continuity.broke(self.alive, self._now(), self.tables, cause, was_deaf=was_deaf)

    def ready(self, taken: list[Binding], *, is_first: bool) -> None:
        """Changes of these flow, again or for the first time."""
        self._taken = taken
        gap = self._continuity.ready(self._now())
        if gap is not None:
            gap = self._with_absent(gap)
        if gap is not None:
            self._recover(gap)
        elif is_first and self._recovery is not None:
            self._connection.start(self._begin(self._recovery))
        if self._verifier is not None and (gap is not None or not is_first):
            self._connection.start(self._verifier.run(taken))

    async def _begin(self, recovery: Recovery) -> None:
        await recovery.begin(self._taken, self._put)
        if self._verifier is not None:
            await self._verifier.run(self._taken)

    def rejoined(self, bindings: list[Binding]) -> None:
        """Changes of these flow again, which the server had refused while the others flowed."""
        self._taken = [*self._taken, *bindings]
        if self._verifier is not None:
            self._verifier.add(bindings)
        names = tables_of(bindings)
        start = min(self._absent.pop(name, self._now()) for name in names)
        self._recover(self._continuity.absent(start, self._now(), names, ABSENT))

    def _with_absent(self, gap: Gap) -> Gap:
        """Return the gap as it is for tables that are back; note those that the server now refuses."""
        names = set(self.tables)
        back = [name for name in self._absent if name in names]
        if back:
            start = min(self._absent.pop(name) for name in back)
            gap = self._continuity.absent(min(start, gap.start), self._now(), back, gap.cause)
        for name in set(gap.tables) - names:
            self._absent.setdefault(name, gap.start)
        return gap

    def resubscribed(self) -> None:
        """The server subscribed anew by itself."""
        self._recover(self._continuity.resubscribed(self.alive, self._now(), self.tables))

    def unreadable(self) -> None:
        """Any frame that nobody can read may have been a change."""
        self._damage("frames came that can't be read", self.tables)

    def answered_late(self, seconds: float) -> None:
        """Take note that the server answered a heartbeat too late, so many seconds after it was sent."""
        if self._verifier is not None:
            self._verifier.hurry("late heartbeat", seconds)

    def end(self, *, is_up: bool) -> None:
        """Report the gaps that are still open."""
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
        """Bring back what can be brought back, then report the gap; without a recovery report it alone."""
        if self._recovering is not None:
            self._recovering.cancel()
            self._recovering = None
        if self._recovery is None or not gap.tables:
            self._close(gap)
        else:
            self._recovering = self._connection.start(self._recovered(self._recovery, gap))

    async def _recovered(self, recovery: Recovery, gap: Gap) -> None:
        self._close(await recovery.recover(gap, self._taken, self._put))

    def _close(self, gap: Gap) -> None:
        self._continuity.closed()
        if self._verifier is not None:
            self._verifier.declared(gap)
        if gap.tables:
            self._put(replace(gap, at=wall_clock()))

    def _now(self) -> int:
        """Our time, which no adjustment of the wall clock moves."""
        return self._clock.at(windows.running_clock())
