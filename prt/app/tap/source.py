"""The tap as a source of events: the proxy, its observer, its faults and the command."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from prt.clock import wall_clock
from prt.config.constants.frameworks import URL_NAMES
from prt.errors import UsageError
from prt.events import End, Event, TapEvent, TapFrame
from prt.inputs import Input
from prt.processes import Program, has_terminal
from prt.signals import SIGNALLED
from prt.tap.chaos.faults import FaultProxy
from prt.tap.chaos.recovery import Recovery
from prt.tap.chaos.runner import Chaos
from prt.tap.findings.judge import Judge
from prt.tap.observe.messages import Answered, Framed, Observed, Tick
from prt.tap.observe.observer import CopyObserver
from prt.tap.proxy.server import Proxy

if TYPE_CHECKING:
    from prt.app.tap.request import TapRequest
    from prt.state.conditions.bounds import Awaited

END_SECONDS = 3.0
"""How long the command may take to end after we got a signal."""
WAITING_EVENTS = 20_000
"""How many events wait for a slow output; further frames are left out, and counted as skipped."""


class TapSource:
    """The source of a tap's events: `async with` starts the proxy and then the command, and ends both."""

    def __init__(
        self, request: TapRequest, notify: Callable[[str], None], clock: Callable[[], int] = wall_clock
    ) -> None:
        """Prepare the tap.

        Args:
            request: The request for the tap.
            notify: Gets notices.
            clock: Returns µs since the epoch.
        """
        self._request = request
        self._notify = notify
        self._judge = Judge()
        chaos = request.chaos
        self.recovery = None if chaos.expect_recovery is None else Recovery(chaos.expect_recovery)
        self._observer = CopyObserver(self._process, clock)
        self._chaos: Chaos | None = None
        self.proxy: Proxy | None = None
        """The proxy while it runs."""
        self._stack = AsyncExitStack()
        self._events: list[Event] = []
        self._arrived = asyncio.Event()
        self._program: Program | None = None
        self.command_code: int | None = None
        self._failures: set[str] = set()
        self._unshown = 0
        self._is_closed = False
        self._judged = asyncio.Event()
        self.judged_at = 0
        """The time (µs) up to which missing events have been judged."""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.proxy = proxy = self._proxy()
            try:
                await stack.enter_async_context(proxy.serving())
            except OSError as exc:
                raise UsageError(
                    f"{Input.PORT} {self._request.port} can't be listened on: {exc.strerror}",
                    "another program has it: give another port, or 0 for a free one",
                ) from exc
            observing = asyncio.create_task(self._observer.run())
            stack.push_async_callback(_ended, observing)
            if self._chaos is not None:
                await stack.enter_async_context(self._chaos.running())
            self._notify(f"the tap for {self._request.project.host} listens on {proxy.url}")
            if self._request.duration is not None:
                stack.callback(self._end_after(self._request.duration).cancel)
            if self._request.command:
                self._start(proxy.url, stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_closed = True
        await self._stack.aclose()
        if self._unshown:
            self._notify(f"{self._unshown} frames were left out: the output was slower than they")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Event]:
        while not self._events:
            if self._is_closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        events, self._events = self._events, []
        return events

    async def ticked(self) -> None:
        """Wait until the rules that look for something missing, such as a heartbeat, have run once more."""
        self._judged.clear()
        await self._judged.wait()

    @property
    def expectations(self) -> Awaited:
        """The results that affect the exit code besides the command's own."""
        return _Recovered(self)

    @property
    def has_recovered(self) -> bool:
        """Whether the app has recovered from every fault, or no recovery is expected."""
        return self.recovery is None or self.recovery.are_met

    @property
    def unjudged(self) -> tuple[str, str] | None:
        """Message and hint for a recovery that was expected but never judged; None otherwise."""
        if self.recovery is None or self.recovery.judged:
            return None
        return (
            "no recovery was judged: the run ended before",
            "let the command run until the fault is over and the time to recover has passed",
        )

    def _proxy(self) -> Proxy:
        request = self._request
        if not request.chaos:
            proxy = Proxy(request.project.url, self._observer, port=request.port)
        else:
            faulty = FaultProxy(request.project.url, self._observer, port=request.port)
            self._chaos = Chaos(request.chaos, faulty, self._observer, self._judge.traffic)
            proxy = faulty
        proxy.failure = self._unreachable
        return proxy

    def _unreachable(self, error: OSError) -> None:
        reason = str(error.strerror or error)
        if reason not in self._failures:
            self._failures.add(reason)
            self._notify(f"{self._request.project.host} can't be reached: {reason}")

    def _process(self, message: Observed) -> None:
        if isinstance(message, Answered) and message.status == 101 and self._chaos is not None:
            self._chaos.opened()
        if isinstance(message, Framed) and self._request.has_frames:
            self._put_frame(message)
        for event in self._judge.apply(message):
            self._put(event)
        if isinstance(message, Tick):
            self.judged_at = message.at
            self._judged.set()
        if self.recovery is not None:
            for event in self.recovery.apply(message, self._judge.traffic):
                self._put(event)

    def _put_frame(self, message: Framed) -> None:
        if len(self._events) >= WAITING_EVENTS:
            self._unshown += 1
            return
        self._put(
            TapFrame(
                at=message.at,
                connection=message.number,
                direction="sent" if message.is_sent else "received",
                topic=message.topic,
                event=message.event,
                ref=message.ref,
                join_ref=message.join_ref,
                size=message.size,
                payload=message.payload,
            )
        )

    def _put(self, event: TapEvent | End) -> None:
        self._events.append(event)
        self._arrived.set()

    def _start(self, url: str, stack: AsyncExitStack) -> None:
        request = self._request
        output, stdin = self._command_streams(stack)
        try:
            self._program = program = Program(
                request.command,
                environment={**request.environment, **dict.fromkeys(URL_NAMES, url)},
                stdin=stdin,
                output=output,
                # With the terminal the command gets Ctrl-C; behind a view it must not use the terminal.
                has_own_group=request.command_log is not None or not has_terminal(),
            )
        except OSError as exc:
            raise UsageError(
                f"can't run {request.command[0]}: {exc.strerror}",
                "what follows `--` is a program and its arguments",
            ) from exc
        stack.push_async_callback(program.end, END_SECONDS)
        waiting = asyncio.create_task(self._wait(program))
        stack.push_async_callback(_ended, waiting)
        if not program.has_own_group:
            # The command has got the terminal's Ctrl-C too, and may end by itself.
            stack.push_async_callback(asyncio.wait, {waiting}, timeout=END_SECONDS)

    def _command_streams(self, stack: AsyncExitStack) -> tuple[IO[bytes] | None, IO[bytes] | None]:
        log = self._request.command_log
        if log is not None:
            return stack.enter_context(_written(log)), stack.enter_context(Path("/dev/null").open("rb"))
        if self._request.is_command_on_stderr:
            return sys.stderr.buffer, None
        return None, None

    def _end_after(self, seconds: float) -> asyncio.TimerHandle:
        def end() -> None:
            self._observer.finish()
            self._put(End(at=self._observer.now(), reason="duration", exit_code=0, events=0))

        return asyncio.get_running_loop().call_later(seconds, end)

    async def _wait(self, program: Program) -> None:
        code = await program.wait()
        self.command_code = code if code >= 0 else SIGNALLED - code
        self._observer.finish()
        self._put(End(at=self._observer.now(), reason="command", exit_code=self.command_code, events=0))


class _Recovered:
    """A recovery as something that is awaited.

    If the command failed by itself, only its exit code matters.
    """

    def __init__(self, source: TapSource) -> None:
        self._source = source

    def __bool__(self) -> bool:
        """Return False, because no event can meet it."""
        return False

    @property
    def are_met(self) -> bool:
        return bool(self._source.command_code) or self._source.has_recovered

    def apply(self, event: Event) -> bool:
        """Ignore the event, because no event ends the run."""
        del event
        return False

    def missing(self) -> Sequence[object]:
        return ()


def _written(path: Path) -> IO[bytes]:
    try:
        return path.open("wb")
    except OSError as exc:
        raise UsageError(
            f"{path} can't be written: {exc.strerror}", "name a file in a folder of yours"
        ) from exc


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    results = await asyncio.gather(task, return_exceptions=True)
    if isinstance(results[0], Exception):
        raise results[0]
