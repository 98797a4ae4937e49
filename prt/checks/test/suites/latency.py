"""The suite `latency`: the time of a change from its commit to this process, and its parts."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping

from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.outcomes import FailedError, Found, failure_of
from prt.checks.test.rows import Row, Rows
from prt.checks.test.watcher import Watcher
from prt.clock import wall_clock
from prt.errors import PrtError
from prt.events import Change, Vitals
from prt.results import Failure
from prt.state.figures.lag import Lag
from prt.stream import values
from prt.stream.socket.queue import committed
from prt.views.drawing.figures import milliseconds

LOST = 3
"""The number of lost samples after which the rest is not tried."""

LONGEST_PAUSE_SECONDS = 1.0
"""The longest pause between two rows.

An idle server that polls does so every 500 ms. A row that is written as soon as the last change came would
always meet the beginning of such an interval: 516 ms at p50, instead of 283 ms at random times.
"""


class Split:
    """The parts of each sample's time in ms. A part that the project does not show stays empty.

    write     the request of the INSERT, until REST answered
    database  from the beginning of the transaction (`created_at`) to its commit, both by the database's clock
    wire      half a heartbeat's round trip
    client    from the frame's arrival to the program that waits for it
    server    the rest of commit → receive: decoding, policies, fan-out, and the difference of the clocks
    """

    PARTS = ("write", "database", "server", "wire", "client")

    def __init__(self, round_trip_ms: float | None) -> None:
        self._lags = {part: Lag() for part in self.PARTS}
        self._wire_ms = None if round_trip_ms is None else round_trip_ms / 2

    def add(self, row: Row, change: Change, write_ms: float, client_ms: float) -> None:
        """Add a sample.

        Args:
            row: The row as it was written.
            change: Its change.
            write_ms: The time of the request that wrote it.
            client_ms: The time from the frame's arrival to the waiting program.
        """
        self._lags["write"].add(write_ms)
        self._lags["client"].add(client_ms)
        begun = values.moment(row.values.get("created_at"))
        if begun is not None and change.lag_ms is not None:
            # The server cuts commit timestamps to milliseconds.
            self._lags["database"].add(max((committed(change) - begun) / 1000, 0.0))
        if self._wire_ms is not None:
            self._lags["wire"].add(self._wire_ms)
            if change.lag_ms is not None:
                self._lags["server"].add(change.lag_ms - self._wire_ms)

    def figures(self) -> dict[str, float]:
        """Return the median of each part in ms, by the names `PART_ms`."""
        found = ((part, self._lags[part].percentile(0.5)) for part in self.PARTS)
        return {f"{part}_ms": value for part, value in found if value is not None}


class Samples:
    """The samples so far, which are reported even if the check ends early."""

    def __init__(self, round_trip_ms: float | None) -> None:
        self._split = Split(round_trip_ms)
        self._lag = Lag()
        self._lags: list[float] = []
        self.sent = 0
        self.lost = 0

    def add(self, row: Row, change: Change, write_ms: float, client_ms: float) -> None:
        """Add a sample.

        Args:
            row: The row as it was written.
            change: Its change.
            write_ms: The time of the request that wrote it.
            client_ms: The time from the frame's arrival to the waiting program.
        """
        self._split.add(row, change, write_ms, client_ms)
        if change.lag_ms is not None:
            self._lag.add(change.lag_ms)
            self._lags.append(change.lag_ms)

    def found(self) -> Found:
        """Return the figures of the samples so far."""
        parts = self._split.figures()
        lags = {f"{name}_ms": value for name, value in (self._lag.summary() or {}).items()}
        return Found(
            note=_in_words(parts) if parts else "",
            figures={**lags, **parts, "expected": self.sent, "delivered": self.sent - self.lost},
            lags_ms=tuple(self._lags),
        )


async def commit_to_receive(context: Context) -> Found:
    """Every row that is written brings its change; the time from the commit to its receipt is measured."""
    rows = await context.rows()
    column = await rows.column()
    binding = context.binding(event="INSERT", filter=f"{column}=like.{context.run.mark}%")
    async with context.watch([binding]) as watcher:
        await watcher.ready(context.table)
        samples = Samples(_round_trip(watcher))
        try:
            await _measure(context, rows, watcher, samples)
        except FailedError as exc:
            raise FailedError(exc.failure, samples.found()) from exc
        except PrtError as exc:
            failure = failure_of(exc, f"{context.settings.samples} changes")
            raise FailedError(failure, samples.found()) from exc
    if samples.lost:
        raise FailedError(_lost(context, watcher, samples), samples.found())
    return samples.found()


async def _measure(context: Context, rows: Rows, watcher: Watcher, samples: Samples) -> None:
    """Write rows one after the other at random times, and add a sample for each change.

    Raises:
        FailedError: The connection ended.
        PrtError: REST failed.
    """
    while samples.sent < context.settings.samples and samples.lost < LOST:
        await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311 - no secret
        started = time.perf_counter()
        row = await rows.insert("latency")
        write_ms = (time.perf_counter() - started) * 1000
        samples.sent += 1
        try:
            change = await watcher.change("INSERT", row)
        except FailedError:
            samples.lost += 1
            if watcher.error is not None:
                raise
            continue
        samples.add(row, change, write_ms, max((wall_clock() - change.at) / 1000, 0.0))


def _lost(context: Context, watcher: Watcher, samples: Samples) -> Failure:
    return Failure(
        expected=f"all of {samples.sent} changes, each within {context.settings.wait_seconds:g} s",
        came=f"{samples.sent - samples.lost}",
        server=watcher.server_words(),
        cause="the server dropped them above its rate of messages a second, or lags behind",
        remedy="try again when there is less traffic; look into the project's Realtime logs",
    )


def _in_words(parts: Mapping[str, float]) -> str:
    """Return the parts in words: first the request, which includes the database's time.

    The parts after the commit follow.
    """
    texts = {name.removesuffix("_ms"): milliseconds(value) for name, value in parts.items()}
    within = f" (database {texts['database']})" if "database" in texts else ""
    after = ", ".join(f"{name} {texts[name]}" for name in ("server", "wire", "client") if name in texts)
    return f"write {texts.get('write', '?')}{within}; after the commit {after}"


def _round_trip(watcher: Watcher) -> float | None:
    """Return the last round trip of a heartbeat (ms), None if none was answered yet."""
    times = [
        event.round_trip_ms
        for event in watcher.events
        if isinstance(event, Vitals) and event.round_trip_ms is not None
    ]
    return times[-1] if times else None


SUITE = Suite(
    name="latency",
    line="commit → receive: p50, p95, p99, max, and where the time goes ({SAMPLES})",
    needs="a table that is published, writable and readable ({TABLE}); {ALLOW_WRITES} away from this machine",
    checks=(Check(suite="latency", name="lag", run=commit_to_receive, is_long=True),),
    writes=True,
)
