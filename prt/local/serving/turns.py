"""A fair share of the event loop for each client.

All clients of a project share one thread. So the time that each client's work takes is measured. A client
whose work took much time lately has to wait for the others: after each step of its work, the others have the
loop for as long as the step took.

Beside that, each service has the same share of the loop, because the services are separate servers in a real
project: frames that flood the sockets do not delay REST, nor the other way round.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

LIGHT_SECONDS = 0.1
"""A client whose recent work took at most this long is light: it never waits for a rest to end."""
HALF_LIFE_SECONDS = 1.0
"""After this time, the measured time of a client counts half."""
SLICE_SECONDS = 0.005
"""The most work done between two polls of the sockets; further work is queued and done one piece per poll."""
REST = 1.0
"""The rest after a step of a client that is not light, as a multiple of the step's duration.

It is never longer than what others have used of the loop lately, so a client that is alone does not rest.
"""
LONGEST_REST_SECONDS = 1.0
"""However much several clients of a service take at once, nobody rests for longer."""
PENALTY = 10.0
"""A client is queued as if it had asked later: by its measured time multiplied by this factor."""
SENT_A_SECOND = 1_000_000_000
"""Characters sent a second: a frame of 100 kB to one client takes about 0.1 ms."""
BYTES_A_SECOND = 10_000_000
"""Bytes processed a second in the worst case; estimates the cost of a large frame before it is parsed."""
MOST_ACCOUNTS = 4096


class Account:
    """The time of the event loop that one client's work took lately, in seconds; it decays exponentially.

    The same is kept for all clients of a service together.

    Args:
        service: The name of the service that the client uses.
    """

    def __init__(self, service: str = "") -> None:
        self.service = service
        self._spent = 0.0
        self._at = time.monotonic()

    def spent(self, now: float) -> float:
        """Return the decayed time in seconds; `now` is a reading of `time.monotonic()`."""
        self._spent *= 0.5 ** ((now - self._at) / HALF_LIFE_SECONDS)
        self._at = now
        return self._spent

    def add(self, seconds: float, now: float) -> None:
        """Add the duration of a step in seconds; `now` is a reading of `time.monotonic()`."""
        self._spent = self.spent(now) + seconds


class _Queue(NamedTuple):
    """The key of a queue: light clients of a service do not wait behind others, which may have to rest."""

    service: str
    is_light: bool


class _Waiter(NamedTuple):
    """Work that waits for its turn: the least `due` comes first, and of equals the least `number`.

    `due` is a reading of the monotonic clock in seconds.
    """

    due: float
    number: int
    turn: asyncio.Future[None]


class Turns:
    """A scheduler that decides whose work is done next. A piece of work is one frame or one request."""

    def __init__(self) -> None:
        self._waiting: dict[_Queue, list[_Waiter]] = {}
        self._services: defaultdict[str, Account] = defaultdict(Account)
        self._numbers = itertools.count()
        self._accounts: dict[object, Account] = {}
        self._used = 0.0
        self._rest_until: defaultdict[str, float] = defaultdict(float)
        self._next: asyncio.Handle | None = None
        self._current: Account | None = None

    def account_of(self, client: object, service: str = "") -> Account:
        """Return the account of a client with a service, or a new one; the 4096 used last are kept."""
        key = (client, service)
        account = self._accounts.pop(key, None) or Account(service)
        self._accounts[key] = account
        if len(self._accounts) > MOST_ACCOUNTS:
            del self._accounts[next(iter(self._accounts))]
        return account

    async def run(self, account: Account, work: Coroutine[Any, Any, T], *, size: int = 0) -> T:
        """Wait for the client's turn, do the work and charge its time to the client's account.

        Args:
            account: The account of the client.
            work: The work for one frame or one request.
            size: The length of the frame in bytes, from which the cost is estimated in advance.
        """
        try:
            await self._turn(account, size / BYTES_A_SECOND)
        except BaseException:
            work.close()
            raise
        done: T = await _Metered(work, self, account)
        return done

    def charge(self, account: Account, seconds: float) -> None:
        """Add the duration of a step that has just been done to the client's account."""
        now = time.monotonic()
        account.add(seconds, now)
        self._services[account.service].add(seconds, now)
        if not self._used:
            asyncio.get_running_loop().call_soon(self._renew)
        self._used += seconds
        if account.spent(now) > LIGHT_SECONDS or seconds > SLICE_SECONDS:
            others = sum(each.spent(now) for each in self._services.values()) - account.spent(now)
            until = max(self._rest_until[account.service], now) + min(REST * seconds, max(others, 0.0))
            self._rest_until[account.service] = min(until, now + LONGEST_REST_SECONDS)

    def charge_for_sending(self, characters: int) -> None:
        """Charge the current client for frames that its work has sent to others, which are written later."""
        if self._current is not None:
            self.charge(self._current, characters / SENT_A_SECOND)

    @contextmanager
    def step(self, account: Account) -> Iterator[None]:
        """Measure the block, which is a step of a client's work, and charge its duration to the account."""
        former, self._current = self._current, account
        start = time.perf_counter()
        try:
            yield
        finally:
            self._current = former
            self.charge(account, time.perf_counter() - start)

    async def again(self, account: Account) -> None:
        """Wait for another turn during a client's work, and at least for one poll of the sockets."""
        if not await self._turn(account, 0.0):
            await asyncio.sleep(0)

    async def _turn(self, account: Account, expected: float) -> bool:
        """Wait for a turn; return whether there was anything to wait for."""
        now = time.monotonic()
        spent = account.spent(now) + expected
        is_light = spent <= LIGHT_SECONDS
        if is_light and self._used < SLICE_SECONDS and not self._waiting:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(now + PENALTY * spent, next(self._numbers), turn)
        heapq.heappush(self._waiting.setdefault(_Queue(account.service, is_light), []), waiter)
        self._schedule()
        await turn
        return True

    def _renew(self) -> None:
        self._used = 0.0

    def _schedule(self) -> None:
        """Schedule the next turn: at once, or when the first of the services has rested."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        now = time.monotonic()
        left = min(self._rest_of(queue, now) for queue in self._waiting)
        self._next = loop.call_later(left, self._wake) if left > 0 else loop.call_soon(self._wake)

    def _rest_of(self, queue: _Queue, now: float) -> float:
        """Return for how many seconds the clients of a queue still have to rest."""
        return 0.0 if queue.is_light else max(self._rest_until[queue.service] - now, 0.0)

    def _wake(self) -> None:
        self._next = None
        while (queue := self._next_queue()) is not None:
            turn = heapq.heappop(self._waiting[queue]).turn
            if not self._waiting[queue]:
                del self._waiting[queue]
            if not turn.done():
                turn.set_result(None)
                break
        # The next turn is scheduled after this one, so that the sockets are polled in between.
        self._schedule()

    def _next_queue(self) -> _Queue | None:
        """Return the queue whose first client has the next turn, None if all have to rest.

        It is of the service that used the loop least lately; of that one's two queues, the one whose first
        client is due earlier.
        """
        now = time.monotonic()
        return min(
            (queue for queue in self._waiting if not self._rest_of(queue, now)),
            key=lambda queue: (self._services[queue.service].spent(now), self._waiting[queue][0].due),
            default=None,
        )


class _Metered:
    """An awaitable that runs a coroutine, and charges each of its steps to a client's account.

    Where the coroutine lets others have the loop (`asyncio.sleep(0)`), it waits for the client's next turn.
    So if several clients have long work, one step of it is done between two polls of the sockets.
    """

    def __init__(self, work: Coroutine[Any, Any, T], turns: Turns, account: Account) -> None:
        self._work = work
        self._turns = turns
        self._account = account

    def __await__(self) -> Generator[Any, None, Any]:
        error: BaseException | None = None
        while True:
            try:
                with self._turns.step(self._account):
                    waited = self._work.send(None) if error is None else self._work.throw(error)
            except StopIteration as end:
                return end.value
            error = None
            try:
                if waited is None:
                    yield from self._turns.again(self._account).__await__()
                else:
                    yield waited
            except BaseException as thrown:
                error = thrown


async def paced(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield the items, and let other tasks run each time that `SLICE_SECONDS` have passed."""
    until = time.monotonic() + SLICE_SECONDS
    for item in items:
        if time.monotonic() > until:
            await asyncio.sleep(0)
            until = time.monotonic() + SLICE_SECONDS
        yield item
