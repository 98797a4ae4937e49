"""The loop that every watching command shares: a source's events into an output until a bound is met."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from msgspec import Struct

from prt.app.keyboard import Keyboard
from prt.app.signals import heed
from prt.errors import PrtError, UnreachableError
from prt.events import Change, End, Event, Gap, Status
from prt.state.conditions.bounds import UNMET, Outcome, Progress
from prt.state.conditions.matching import Matching
from prt.state.figures.lag import Lag
from prt.views.sinks.output import Output, ReaderGone, settled
from prt.views.sinks.recorder import Recorder

Source = AbstractAsyncContextManager[AsyncIterator[list[Event]]]
"""What has arrived, in order and in batches. Cancelling the wait for a batch must lose nothing."""

TICK_SECONDS = 0.1
SIGNALLED = 128
QUIT = "q"


class Ending(Struct, frozen=True):
    """How a stream ended: its last event, and the error behind it where there is one.

    `is_replayed` where the end is that of a recording, which the last event repeats.
    """

    end: End
    error: PrtError | None
    is_replayed: bool = False


def _now() -> int:
    return time.time_ns() // 1000


async def follow(
    source: Source,
    output: Output,
    progress: Progress,
    matching: Matching,
    tell: Callable[[Event], None] | None = None,
    *,
    recorder: Recorder | None = None,
    keys: Mapping[str, Callable[[], None]] | None = None,
    clock: Callable[[], int] | None = None,
    tick_seconds: float = TICK_SECONDS,
) -> Ending:
    """Reads until a bound, an error or a signal; the output is closed with the `End`.

    `progress` keeps the loop's time, `clock` (µs) dates the end; `tell` gets every event that is no change,
    `recorder` every event. `keys` are what the terminal's do beside `q`, None where it has no view.
    Raises ReaderGone.
    """
    following = _Following(
        output,
        progress,
        matching,
        tell,
        recorder=recorder,
        keys=keys,
        clock=clock or _now,
        tick_seconds=tick_seconds,
    )
    async with source as batches:
        with following.interruptible():
            outcome, error = await following.outcome(batches)
    if error is None:
        await following.take_leftovers(batches)
    return following.ended(outcome, error)


class _Following:
    def __init__(
        self,
        output: Output,
        progress: Progress,
        matching: Matching,
        tell: Callable[[Event], None] | None,
        *,
        recorder: Recorder | None,
        keys: Mapping[str, Callable[[], None]] | None,
        clock: Callable[[], int],
        tick_seconds: float,
    ) -> None:
        self._output = output
        self._recorder = recorder
        self._clock = clock
        self._tick_seconds = tick_seconds
        self._keyboard = None if keys is None else Keyboard({**keys, QUIT: self._quit})
        self._has_quit = False
        self._reader: asyncio.Task[Any] | None = None
        self._replayed: End | None = None
        self._ended_at: int | None = None
        self._progress = progress
        self._keeps = matching.keeps if matching else None
        self._tell = tell
        self._lag = Lag()
        self._gaps = 0
        self._was_ready = False
        self._signal: int | None = None
        self._output_failure: ReaderGone | PrtError | None = None

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
            if self._signal is None:
                raise
            return Outcome("signal", SIGNALLED + self._signal), None

    async def take_leftovers(self, batches: AsyncIterator[list[Event]]) -> None:
        """What a source says when it is closed: the gaps that are still open."""
        async for batch in batches:
            for event in batch:
                if isinstance(event, Gap):
                    if self._recorder is not None:
                        self._recorder.take(event)
                    self._note(event)
                    self._output.write(event)

    def ended(self, outcome: Outcome, error: PrtError | None) -> Ending:
        replayed = self._replayed
        if outcome.reason in ("duration", "idle") and not self._was_ready and replayed is None:
            # Exit 0 would tell a script that nothing happened, where nothing could have been seen.
            error = UnreachableError("the subscription was not READY in that time", "give it longer")
            outcome = Outcome("error", error.exit_code)
        end = End(
            at=self._at_end() if replayed is None else replayed.at,
            reason=outcome.reason,
            exit_code=outcome.exit_code,
            events=self._progress.events,
            gaps=self._gaps,
            lag_ms=self._lag.summary(),
        )
        if self._recorder is not None:
            self._recorder.take(end)
            self._recorder.flush()
        self._output.close(end)
        return Ending(end, error, is_replayed=replayed is not None)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A first SIGINT, SIGTERM or SIGHUP ends the reading in good order, a second one acts at once.

        So does an output that fails while nothing comes. Ctrl-Z leaves the terminal as it was.
        """
        loop, reader = asyncio.get_running_loop(), asyncio.current_task()
        assert reader is not None  # noqa: S101 - a coroutine runs in a task
        self._reader, keyboard = reader, self._keyboard

        caught = ExitStack()
        timer: asyncio.TimerHandle

        def stop(number: int) -> None:
            self._signal = number
            caught.close()
            reader.cancel()

        def suspend() -> None:
            if keyboard is not None:
                keyboard.release()
            self._output.suspend()
            os.kill(os.getpid(), signal.SIGSTOP)

        def resume() -> None:
            if keyboard is not None:
                keyboard.forget()
            self._output.resume()

        def tick() -> None:
            nonlocal timer
            if keyboard is not None:
                keyboard.attend()
            try:
                self._output.drain()
            except (ReaderGone, PrtError) as exc:
                self._output_failure = exc
                reader.cancel()
            else:
                timer = loop.call_later(self._tick_seconds, tick)

        def catch(name: str, handler: Callable[..., None], *arguments: Any) -> None:
            number = getattr(signal, name, None)
            # A signal that was ignored from the start (nohup) stays ignored.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                caught.callback(heed(number, handler, *arguments))

        timer = loop.call_later(self._tick_seconds, tick)
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            catch(name, stop, getattr(signal, name, 0))
        catch("SIGTSTP", suspend)
        catch("SIGCONT", resume)
        try:
            with keyboard or nullcontext():
                yield
        finally:
            timer.cancel()
            caught.close()

    def _quit(self) -> None:
        if self._reader is not None and not self._has_quit:
            self._has_quit = True
            self._reader.cancel()

    def _note(self, event: Event) -> None:
        if isinstance(event, Status):
            self._was_ready |= event.status == "READY"
        elif isinstance(event, Gap):
            self._gaps += 1
        if self._tell is not None:
            self._tell(event)

    async def _read(self, batches: AsyncIterator[list[Event]]) -> Outcome:
        output, progress, keeps = self._output, self._progress, self._keeps
        write, apply, measure = output.write, progress.apply, self._lag.apply
        recorder = self._recorder
        now = asyncio.get_running_loop().time
        while True:
            try:
                async with asyncio.timeout_at(progress.next_deadline):
                    batch = await anext(batches)
            except TimeoutError:
                outcome = progress.due(now())
                if outcome is not None:
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
                if recorder is not None:
                    recorder.take(event)
                if keeps is not None and not keeps(event):
                    continue
                write(event)
                measure(event)
                outcome = apply(event, at)
                if outcome is not None:
                    self._ended_at = event.at
                    return outcome
            if recorder is not None:
                recorder.flush()
            await settled(output)

    def _at_end(self) -> int:
        """A live watch ends now, which is never before its last event; a replay with that event."""
        if self._clock is _now or self._ended_at is None:
            return self._clock()
        return self._ended_at

    def _end_of_recording(self, end: End) -> Outcome:
        """What was expected and did not come fails a replay too."""
        self._replayed = end
        outcome = self._progress.ended(end.reason)
        return outcome if outcome.exit_code == UNMET else Outcome(end.reason, end.exit_code)
