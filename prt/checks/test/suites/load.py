"""The suite `load`: many subscribers receive a stream of rows. It runs only if it is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec import Struct

from prt.checks.test.check import Check, Suite
from prt.checks.test.context import NO_RECONNECTS, Context
from prt.checks.test.outcomes import FailedError, Found
from prt.checks.test.rows import Rows
from prt.checks.test.service_levels import percent
from prt.checks.test.settings import MESSAGES_PER_SECOND, Plan, Settings
from prt.errors import PrtError
from prt.events import Change, Event, Status
from prt.inputs import Input
from prt.results import Failure
from prt.state.figures.lag import Lag
from prt.stream.live.listener import Listener, listening
from prt.stream.live.source import Live
from prt.stream.rest.session import Session
from prt.stream.socket.queue import committed
from prt.stream.topic import TopicSettings

RAMP = (0.25, 0.5, 0.75, 1.0)
"""Shares of the rate, each of which lasts equally long."""
JOINING = 10
"""The number of clients that connect at the same time, because joins a second are limited too."""
BEHIND = 64
"""The number of unfinished writes at which the writer waits."""
LAGS_KEPT = 20_000


class Step(Struct, frozen=True):
    """A step of the ramp: `rate` rows a second for `seconds`."""

    rate: float
    seconds: float


def ramp(settings: Settings) -> tuple[list[Step], bool]:
    """Return the steps up to the rate or the plan's limit of messages, and whether the limit applied."""
    limit = MESSAGES_PER_SECOND[settings.plan]
    most = limit / settings.clients if limit else settings.rate
    seconds = settings.duration_seconds / len(RAMP)
    steps = [Step(min(settings.rate * share, most), seconds) for share in RAMP]
    return steps, settings.rate > most


def moments(steps: Sequence[Step]) -> Iterator[float]:
    """Yield the time at which each row is due, in seconds since the first, according to the steps' rates."""
    begun, owed = 0.0, 1.0
    for step in steps:
        due = begun + (1 - owed) / step.rate
        while due < begun + step.seconds:
            yield due
            due += 1 / step.rate
        begun += step.seconds
        owed = 1 - (due - begun) * step.rate


def allowed(settings: Settings) -> str:
    """Return in words whether the plans allow so many subscribers of so many rows."""
    wanted = settings.rate * settings.clients
    plans: tuple[Plan, ...] = ("free", "pro")
    verdicts = [
        f"{plan.capitalize()} {'allows' if wanted <= MESSAGES_PER_SECOND[plan] else 'stops at'} "
        f"{MESSAGES_PER_SECOND[plan]}"
        for plan in plans
    ]
    return f"{wanted:g} messages/s; {', '.join(verdicts)}"


class Client:
    """A subscriber that counts the changes it receives and does not keep them."""

    def __init__(self, mark: str) -> None:
        self._mark = mark.encode()
        self._last: int | None = None
        self.delivered = 0
        self.out_of_order = 0
        self.lag = Lag()
        self.lags: list[float] = []
        self.words: str | None = None
        self.is_ready = False
        self.listener = Listener(self._apply)

    @property
    def error(self) -> PrtError | None:
        """Return what ended the client's connection, None while it is up."""
        return self.listener.error

    async def until_ready(self, seconds: float) -> None:
        """Wait for READY, or for the end of the connection."""
        await self.listener.until(lambda: self.is_ready or None, seconds)

    async def has_more_than(self, count: int, seconds: float) -> bool:
        """Wait for more than `count` changes; return whether they came within `seconds`."""
        return bool(await self.listener.until(lambda: self.delivered > count or None, seconds))

    def _apply(self, event: Event) -> None:
        if isinstance(event, Status):
            self.is_ready |= event.status == "READY"
            self.words = event.reason or self.words
        elif isinstance(event, Change) and self._mark in bytes(event.new):
            self.delivered += 1
            if event.lag_ms is not None:
                self.lag.add(event.lag_ms)
                self.lags.append(event.lag_ms)
                at = committed(event)
                self.out_of_order += self._last is not None and at < self._last
                self._last = at


async def load(context: Context) -> Found:
    """Every subscriber receives every row that is written at a given rate."""
    settings = context.settings
    rows = await context.rows()
    column = await rows.column()
    mark = rows.next_mark("load")
    steps, is_stopped = ramp(settings)
    async with _subscribed(context, column, mark) as clients:
        written, seconds, failed = await _write(rows, mark, steps)
        await settle(clients, written, settings.wait_seconds)
        return _found(context, clients, written, seconds, failed, is_stopped=is_stopped)


@asynccontextmanager
async def _subscribed(context: Context, column: str, mark: str) -> AsyncIterator[list[Client]]:
    """Open the clients for the block, all READY.

    Raises:
        FailedError: A client did not become READY in time.
    """
    session = await context.identities.session("self")
    binding = context.binding(event="INSERT", filter=f"{column}=like.{mark}%")
    clients: list[Client] = []
    async with AsyncExitStack() as stack:
        for number in range(context.settings.clients):
            client = Client(mark)
            settings = TopicSettings(topic=context.topic("load"), events=())
            live = Live(Session(session.endpoint), [binding], settings=settings, policy=NO_RECONNECTS)
            await stack.enter_async_context(listening(live, client.listener))
            clients.append(client)
            if number % JOINING == JOINING - 1:
                await _ready(context, clients)
        await _ready(context, clients)
        yield clients


async def _ready(context: Context, clients: list[Client]) -> None:
    seconds = context.settings.wait_seconds
    await asyncio.gather(*(client.until_ready(seconds) for client in clients))
    lost = [client for client in clients if client.error is not None or not client.is_ready]
    if lost:
        error = next((client.error for client in lost if client.error is not None), None)
        raise FailedError(
            Failure(
                expected=f"{len(clients)} clients READY on {context.table}",
                came=f"{len(clients) - len(lost)}"
                + (f": {error.message}" if error else f" in {seconds:g} s"),
                server=lost[0].words,
                cause="the plan's connections or joins a second are used up",
                remedy=error.hint
                if error is not None and error.hint
                else f"try a lower value of {Input.CLIENTS}",
            )
        )


async def _write(rows: Rows, mark: str, steps: list[Step]) -> tuple[int, float, list[PrtError]]:
    """Write rows at the rate of the steps; return their number, the time in seconds, and the errors."""
    failed: list[PrtError] = []
    written = 0

    async def one(number: int) -> None:
        nonlocal written
        try:
            await rows.insert("", f"{mark} {number}")
        except PrtError as exc:
            failed.append(exc)
        else:
            written += 1

    slots = asyncio.Semaphore(BEHIND)
    started = asyncio.get_running_loop().time()
    writers: set[asyncio.Task[None]] = set()
    for number, due in enumerate(moments(steps), 1):
        await asyncio.sleep(max(started + due - asyncio.get_running_loop().time(), 0))
        await slots.acquire()
        if failed:
            break
        writer = asyncio.create_task(one(number))
        writers.add(writer)
        writer.add_done_callback(writers.discard)
        writer.add_done_callback(lambda _: slots.release())
    await asyncio.gather(*writers)
    return written, asyncio.get_running_loop().time() - started, failed


async def settle(clients: Sequence[Client], written: int, seconds: float) -> None:
    """Wait until each client has every change, or has received none for so many seconds."""

    async def one(client: Client) -> None:
        while client.delivered < written:
            if not await client.has_more_than(client.delivered, seconds):
                break

    await asyncio.gather(*map(one, clients))


def _found(
    context: Context,
    clients: list[Client],
    written: int,
    seconds: float,
    failed: list[PrtError],
    *,
    is_stopped: bool,
) -> Found:
    settings = context.settings
    expected = written * len(clients)
    delivered = sum(client.delivered for client in clients)
    lag = Lag()
    for client in clients:
        lag.merge(client.lag)
    lags = [value for client in clients for value in client.lags]
    found = Found(
        note=f"{settings.rate:g} rows/s × {len(clients)} clients = {allowed(settings)}"
        + (f"; held at the limit of {Input.LIMIT} {settings.plan}" if is_stopped else ""),
        figures={
            "delivered_percent": percent(delivered, expected) if expected else 0.0,
            **{f"{name}_ms": value for name, value in (lag.summary() or {}).items()},
            "clients": len(clients),
            "rows": written,
            "rows_per_second": written / max(seconds, 0.001),
            "expected": expected,
            "delivered": delivered,
            "lost": expected - delivered,
            "out_of_order": sum(client.out_of_order for client in clients),
        },
        lags_ms=tuple(lags[:: len(lags) // LAGS_KEPT + 1]),
    )
    error = next((client.error for client in clients if client.error is not None), None) or next(
        iter(failed), None
    )
    if error is not None or delivered != expected:
        words = next((client.words for client in clients if client.words), None)
        raise FailedError(
            Failure(
                expected=f"{expected:,} changes, {written:,} rows for {len(clients)} clients",
                came=f"{delivered:,}" + (f"; {error.message}" if error is not None else ""),
                server=words,
                cause="the server drops what is above its rate of messages a second, and only logs it",
                remedy=error.hint
                if error is not None and error.hint
                else "fewer subscribers a row, filters, or a larger plan",
            ),
            found,
        )
    return found


SUITE = Suite(
    name="load",
    line="{CLIENTS} subscribers, {RATE} rows a second for {DURATION}: delivered, lost, out of order, lag",
    needs="as latency; stops at the limit of a plan ({LIMIT} free, pro, no-cap, none)",
    checks=(Check(suite="load", name="delivery", run=load, is_long=True),),
    writes=True,
    is_named_only=True,
)
