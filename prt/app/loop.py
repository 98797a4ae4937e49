"""The loop of every watching command: it reads events from a source and writes them until a bound is met."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from typing import Any, Final, Protocol

from msgspec import Struct

from prt.app.keyboard.decoder import Key
from prt.app.keyboard.reader import Keyboard
from prt.clock import wall_clock
from prt.errors import PrtError, UnreachableError
from prt.events import Change, Cost, End, Event, Gap, Status, Verified, Vitals
from prt.signals import SIGNALLED, stopping
from prt.state.conditions.bounds import UNMET, Outcome, Progress
from prt.state.conditions.matching import Matching
from prt.state.figures.lag import Lag
from prt.state.figures.verification import Verification
from prt.views.sinks.ndjson import report_of
from prt.views.sinks.output import Output, settled

Source = AbstractAsyncContextManager[AsyncIterator[list[Event]]]
"""Yields batches of events in their order. If the wait for a batch is cancelled, no event may be lost."""


class Consumer(Protocol):
    """Gets every event, whether it's shown or not, such as a recording or figures."""

    def consume(self, event: Event) -> None:
        """Note an event, without waiting."""
        ...

    def flush(self) -> None:
        """Process the batch of events since the last call."""
        ...


TICK_SECONDS = 0.1
REFUSAL_SECONDS = 8.0
"""How long the answer to a join is awaited after the duration, because a refusal takes 5 s."""
QUIT = "q"
REFUSING: Final[tuple[str, ...]] = ("joining", "ended")
"""The phases of a connection from a join until a refusal has ended the source."""


class Ending(Struct, frozen=True):
    """The end of a stream: its last event, and its error, if any.

    `is_replayed` marks the end of a recording, which is repeated as the last event.
    """

    end: End
    error: PrtError | None
    is_replayed: bool = False


async def follow(
    source: Source,
    output: Output,
    progress: Progress,
    matching: Matching,
    report: Callable[[Event], None] | None = None,
    *,
    consumer: Consumer | None = None,
    clock: Callable[[], int] | None = None,
    tick_seconds: float = TICK_SECONDS,
) -> Ending:
    """Read events until a bound, an error or a signal, and close the output with the `End`.

    Args:
        source: The source of events.
        output: Gets the events; its keys, if any, get the terminal's keys.
        progress: The bounds, by the event loop's clock.
        matching: Decides which events are written to the output.
        report: Gets every event that is not a change.
        consumer: Gets every event.
        clock: Returns the time of the end, in µs since the epoch.
        tick_seconds: The time between two drains of the output while no events arrive.

    Raises:
        ReaderGoneError: The reader of the output has gone.
    """
    running = _Loop(
        output,
        progress,
        matching,
        report,
        consumer=consumer,
        clock=clock or wall_clock,
        tick_seconds=tick_seconds,
    )
    async with source as batches:
        with running.interruptible():
            outcome, error = await running.outcome(batches)
    if error is None:
        await running.consume_leftovers(batches)
    return running.ended(outcome, error)


class _Loop:
    def __init__(
        self,
        output: Output,
        progress: Progress,
        matching: Matching,
        report: Callable[[Event], None] | None,
        *,
        consumer: Consumer | None,
        clock: Callable[[], int],
        tick_seconds: float,
    ) -> None:
        self._output = output
        self._consumer = consumer
        self._clock = clock
        self._tick_seconds = tick_seconds
        self._keys = output.keys
        self._keyboard = None if self._keys is None else Keyboard(self._press)
        self._has_quit = False
        self._reader: asyncio.Task[Any] | None = None
        self._replayed: End | None = None
        self._ended_at: int | None = None
        self._progress = progress
        self._keeps = matching.keeps if matching else None
        self._report = report
        self._lag = Lag()
        self._gaps = 0
        self._verification = Verification()
        self._cost: Cost | None = None
        self._was_ready = False
        self._phase: str | None = None
        self._granted: float | None = None
        self._signals: list[int] = []
        self._output_failure: Exception | None = None

    async def outcome(self, batches: AsyncIterator[list[Event]]) -> tuple[Outcome, PrtError | None]:
        try:
            return await self._read(batches), None
        except PrtError as exc:
            return Outcome("error", exc.exit_code), exc
        except asyncio.CancelledError:
            if isinstance(self._output_failure, PrtError):
                return Outcome("error", self._output_failure.exit_code), self._output_failure
            if self._output_failure is not None:
                raise self._output_failure from None
            if self._has_quit:
                return self._progress.ended("quit"), None
            if not self._signals:
                raise
            return Outcome("signal", SIGNALLED + self._signals[0]), None

    async def consume_leftovers(self, batches: AsyncIterator[list[Event]]) -> None:
        """Write the last events of a source that is closed: the gaps that were still open."""
        async for batch in batches:
            for event in batch:
                if isinstance(event, Vitals):
                    self._note(event)
                if isinstance(event, Gap):
                    if self._consumer is not None:
                        self._consumer.consume(event)
                    self._note(event)
                    self._output.write(event)

    def ended(self, outcome: Outcome, error: PrtError | None) -> Ending:
        replayed = self._replayed
        if outcome.reason in ("duration", "idle", "agent") and not self._was_ready and replayed is None:
            # With exit code 0 a script would conclude that nothing happened, but nothing could be seen.
            error = UnreachableError("the subscription was not READY in that time", "give it longer")
            outcome = Outcome("error", error.exit_code)
        end = End(
            at=self._at_end() if replayed is None else replayed.at,
            reason=outcome.reason,
            exit_code=outcome.exit_code,
            events=self._progress.events,
            gaps=self._gaps,
            lag_ms=self._lag.summary(),
            error=None if error is None else report_of(error),
            verified=self._verification.ages(self._at_end()) if replayed is None else replayed.verified,
            cost=self._cost if replayed is None else replayed.cost,
        )
        if error is not None:
            error.is_in_lines = True
        if self._consumer is not None:
            self._consumer.consume(end)
            self._consumer.flush()
        self._output.close(end)
        return Ending(end, error, is_replayed=replayed is not None)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a first SIGINT, SIGTERM or SIGHUP end the reading cleanly, and a second one act at once.

        A failure of the output also ends the reading. Ctrl-Z restores the terminal.
        """
        self._reader = asyncio.current_task()
        suspending = {"SIGTSTP": self._suspend, "SIGCONT": self._resume}
        with stopping(suspending) as self._signals, self._ticking(), self._keyboard or nullcontext():
            yield

    @contextmanager
    def _ticking(self) -> Iterator[None]:
        """Drain the output regularly, even while no events arrive."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def tick() -> None:
            nonlocal timer
            try:
                if self._keyboard is not None:
                    self._keyboard.attend()
                self._output.drain()
            except Exception as exc:
                self._output_failure = exc
                self._stop_reading()
            else:
                timer = loop.call_later(self._tick_seconds, tick)

        timer = loop.call_later(self._tick_seconds, tick)
        try:
            yield
        finally:
            timer.cancel()

    def _suspend(self) -> None:
        if self._keyboard is not None:
            self._keyboard.release()
        self._output.suspend()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _resume(self) -> None:
        if self._keyboard is not None:
            self._keyboard.forget()
        self._output.resume()

    def _stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.cancel()

    def _press(self, keys: list[Key]) -> None:
        """Pass keys to the screen, and draw at once what they changed."""
        assert self._keys is not None  # noqa: S101 - there is no keyboard without them
        try:
            for key in keys:
                if not self._keys.press(key.name, is_text=key.is_text) and key.name == QUIT:
                    self._quit()
                    return
            self._keys.answer()
        except Exception as exc:
            self._output_failure = exc
            self._stop_reading()

    def _quit(self) -> None:
        if not self._has_quit:
            self._has_quit = True
            self._stop_reading()

    def _note(self, event: Event) -> None:
        if isinstance(event, Status):
            self._was_ready |= event.status == "READY"
        elif isinstance(event, Vitals):
            self._phase = event.phase
            self._cost = event.cost
        elif isinstance(event, Gap):
            self._gaps += 1
        elif isinstance(event, Verified):
            self._verification.apply(event)
        if self._report is not None:
            self._report(event)

    async def _read(self, batches: AsyncIterator[list[Event]]) -> Outcome:
        output, progress, keeps = self._output, self._progress, self._keeps
        write, apply, measure = output.write, progress.apply, self._lag.apply
        consumer = self._consumer
        now = asyncio.get_running_loop().time
        while True:
            try:
                async with asyncio.timeout_at(self._granted or progress.next_deadline):
                    batch = await anext(batches)
            except TimeoutError:
                outcome = progress.due(now())
                if outcome is not None and not self._waits_for_answer(outcome, now()):
                    return outcome
                continue
            except StopAsyncIteration:
                return progress.ended("error")
            at = now()
            for event in batch:
                if type(event) is not Change:
                    if type(event) is End:
                        return self._end_of_recording(event)
                    self._note(event)
                if consumer is not None:
                    consumer.consume(event)
                if keeps is not None and not keeps(event):
                    continue
                write(event)
                measure(event)
                outcome = apply(event, at)
                if outcome is not None:
                    self._ended_at = event.at
                    return outcome
            if consumer is not None:
                consumer.flush()
            if self._granted is not None and self._phase not in REFUSING:
                return Outcome("duration", 0)
            await settled(output)

    def _waits_for_answer(self, outcome: Outcome, now: float) -> bool:
        """Return whether the end of a duration has to wait: a refusal is more useful than "not READY"."""
        if outcome.reason != "duration" or self._was_ready or self._phase not in REFUSING or self._granted:
            return False
        self._granted = now + REFUSAL_SECONDS
        return True

    def _at_end(self) -> int:
        """Return the time of the end: now for a live watch, and the last event's time for a replay."""
        if self._clock is wall_clock or self._ended_at is None:
            return self._clock()
        return self._ended_at

    def _end_of_recording(self, end: End) -> Outcome:
        """Return the outcome of a replay, which fails if an expectation was not met."""
        self._replayed = end
        outcome = self._progress.ended(end.reason)
        return outcome if outcome.exit_code == UNMET else Outcome(end.reason, end.exit_code)
