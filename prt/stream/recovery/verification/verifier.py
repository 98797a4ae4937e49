"""The loop of a verification: it reads the tables over REST, one request at a time, and follows signs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Sequence

from prt import quoting
from prt.clock import wall_clock
from prt.events import Event, Gap, Status, Verified, VerifiedScope
from prt.stream.binding import Binding
from prt.stream.recovery.backfill import Recovery
from prt.stream.recovery.verification.check import Check, CheckContext
from prt.stream.recovery.verification.held_check import HeldCheck
from prt.stream.recovery.verification.position import Connected, Position, microseconds
from prt.stream.recovery.verification.rules import Rules
from prt.stream.recovery.verification.schedule import Rates, Schedule
from prt.stream.recovery.verification.signs import CAUSES, Bursts, Sign
from prt.stream.recovery.verification.window_check import WindowCheck
from prt.stream.timing import VerificationTiming


class Verifier:
    """The verification of one watch's tables, from the first READY to the end of the watch.

    `run` is a task of each connection.
    """

    def __init__(
        self,
        recovery: Recovery,
        connection: Connected,
        put: Callable[[Event], None],
        timing: VerificationTiming,
    ) -> None:
        """Prepare the verification.

        Args:
            recovery: Emits the rows that were lost, and has the progress of the tables.
            connection: Is asked for heartbeats when the stream is silent.
            put: Receives the recovered rows, the gaps and the `Verified` events.
            timing: The lengths of time of the verification.
        """
        self._recovery = recovery
        self._memory = recovery.tables.memory
        self._put = put
        self._timing = timing
        rates = Rates(pause=timing.pause, share=timing.share, every=timing.every)
        self._schedule: Schedule[Hashable] = Schedule(rates, time.monotonic())
        self._position = Position(self._memory, recovery.rest, connection, timing)
        self._context = CheckContext(
            recovery=recovery,
            position=self._position,
            schedule=self._schedule,
            timing=timing,
            rules=Rules(
                overlap=microseconds(timing.overlap),
                margin=microseconds(timing.margin),
                silence=microseconds(timing.silence),
            ),
            put=put,
            report=self._report,
            on_slow=self._report_slow,
            on_loss=self._confirm_hidden,
        )
        self._bindings: list[Binding] = []
        self._windows: dict[Binding, WindowCheck] = {}
        self._held: dict[str, HeldCheck] = {}
        self._bursts = Bursts()
        self._signs: list[tuple[Sign, float]] = []
        self._has_signs = asyncio.Event()

    @property
    def _checks(self) -> list[Check]:
        return [*self._windows.values(), *self._held.values()]

    async def run(self, bindings: Sequence[Binding]) -> None:
        """Verify until cancelled that no row of these bindings is missing from the stream."""
        self._begin(bindings)
        while True:
            self._look()
            for check in self._checks:
                await check.advance()
            busy = [check.name for check in self._checks if check.is_busy]
            due = self._schedule.next(time.monotonic(), busy=busy)
            for check in self._checks:
                if due is not None and check.name == due:
                    await check.read()
            self._has_signs.clear()
            try:
                async with asyncio.timeout(self._timing.pause):
                    await self._has_signs.wait()
            except TimeoutError:
                pass

    def add(self, bindings: Sequence[Binding]) -> None:
        """Verify these bindings too, which were refused before and stream again over the same connection."""
        self._bindings += [binding for binding in bindings if binding not in self._bindings]

    def hurry(self, sign: Sign, seconds: float) -> None:
        """Verify all tables at once, because of a sign of a loss within the last `seconds`."""
        self._signs.append((sign, seconds))
        self._has_signs.set()

    def declared(self, gap: Gap) -> None:
        """Note a gap that was declared for another cause: it accounts for the rows that are missing in it."""
        for check in self._windows.values():
            if check.progress.name in gap.tables and check.windows is not None:
                check.windows.declared(gap.start, gap.end)

    def _begin(self, bindings: Sequence[Binding]) -> None:
        """Verify the bindings of a new connection, and start unfinished windows and comparisons again."""
        self._position.restart()
        self._bindings = list(bindings)
        self._add_tables()
        wanted = set(self._recovery.tables.concrete(bindings))
        for binding in [one for one in self._windows if one not in wanted]:
            gone = self._windows.pop(binding)
            self._schedule.remove(gone.name)
            # If the binding comes back, a gap accounts for what was written until then.
            gone.progress.baselines.pop(binding, None)
        for name in [name for name, one in self._held.items() if not wanted.issuperset(one.bindings)]:
            self._schedule.remove(self._held.pop(name).name)
        for check in self._checks:
            check.abandon()

    def _add_tables(self) -> None:
        """Add checks of new tables: a whole schema stands for the tables that changes have come from."""
        for binding in self._recovery.tables.concrete(self._bindings):
            self._add(binding)

    def _add(self, binding: Binding) -> None:
        progress = self._recovery.tables.of((binding.schema, binding.table))
        if binding.event != "DELETE" and binding not in self._windows:
            self._windows[binding] = WindowCheck(self._context, progress, binding)
        if progress.held is None or binding not in progress.snapshots:
            return
        held = self._held.get(progress.name)
        if held is None:
            self._held[progress.name] = HeldCheck(self._context, progress, [binding])
        elif binding not in held.bindings:
            held.add(binding)

    def _look(self) -> None:
        """Note the changes that have come since the last call, and follow the signs of a loss in them."""
        self._position.update()
        self._add_tables()
        now = self._position.server_now()
        burst = self._bursts.ended(self._position.count, time.monotonic())
        if burst is not None:
            names = {
                f"{change.schema}.{change.table}" for number, change in self._memory if number >= burst.first
            }
            self._follow("end of a burst", now - microseconds(burst.seconds), names)
        for check in self._windows.values():
            since = check.progress.reinserted_since
            if since is not None:
                check.progress.reinserted_since = None
                self._follow("key inserted again", since, {check.progress.name})
        signs, self._signs = self._signs, []
        for sign, seconds in signs:
            self._follow(sign, now - microseconds(seconds), {binding.name for binding in self._bindings})

    def _follow(self, sign: Sign, since: int, names: set[str]) -> None:
        """Verify tables at once because of a sign, and declare a gap for those that can't be verified.

        Args:
            sign: What was observed.
            since: The start of such a gap (µs of the server).
            names: The tables, as `schema.table`.
        """
        hopeless = set(names)
        checks = self._held.values() if sign == "key inserted again" else self._checks
        for check in checks:
            if check.progress.name in names and check.is_possible:
                self._schedule.hurry(check.name, time.monotonic())
                hopeless.discard(check.progress.name)
        if hopeless:
            end = self._position.server_now()
            cause = f"{CAUSES[sign]}, and this can't be verified"
            tables = sorted(hopeless)
            self._put(Gap(at=wall_clock(), start=min(since, end), end=end, tables=tables, cause=cause))

    def _confirm_hidden(self, start: int, end: int) -> None:
        """Count hidden rows as lost, because other rows were lost at the same time (µs of the server)."""
        for check in self._windows.values():
            check.confirm_hidden(start, end)

    def _report(self, name: str) -> None:
        """Emit the verification state of a table: what all of its checks have verified."""
        windows = [check for check in self._windows.values() if check.progress.name == name]
        held = self._held.get(name)
        checks: list[Check] = [check for check in windows if check.is_possible]
        if held is not None and held.is_possible:
            checks.append(held)
        moments = [check.verified_at for check in checks]
        verified_at = min(moments, default=None) if None not in moments else None  # type: ignore[type-var]
        scope: VerifiedScope = "all"
        if verified_at is None:
            scope = "none"
        elif any(not check.is_possible or check.limits is not None for check in windows) or not windows:
            scope = "inserts"
        reasons = [reason for check in windows if (reason := check.reason or check.limits) is not None]
        self._put(
            Verified(
                at=wall_clock(),
                table=name,
                verified_at=verified_at,
                scope=scope,
                reason=reasons[0] if reasons else None,
            )
        )

    def _report_slow(self, name: str, column: str) -> None:
        self._put(
            Status(
                at=wall_clock(),
                status="READY",
                topic=self._recovery.options.topic,
                tables=[name],
                reason=f"{name} is not verified: no index on `{column}`",
                hint=index_sql(name, column),
            )
        )


def index_sql(table: str, column: str) -> str:
    """Return the statement that makes an index on a column of a table, whose name has its schema."""
    return f"create index on {quoting.qualified(table)} ({quoting.identifier(column)})"
