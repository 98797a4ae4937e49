"""A fair share of the event loop for each client.

All clients of a project share one thread. So the time that each client's work takes is measured. A client
whose work took much time lately has to wait for the others: after each step of its work, the others have the
loop for as long as the step took.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

LIGHT_SECONDS = 0.1
"""A client whose recent work took at most this long is light: it never waits for a rest to end."""
HALF_LIFE_SECONDS = 1.0
"""After this time, the measured time of a client counts half."""
SLICE_SECONDS = 0.005
"""The most work done between two polls of the sockets; further work is queued and done one piece per poll."""
REST = 1.0
"""The rest after a step of a client that is not light, as a multiple of the step's duration."""
PENALTY = 10.0
"""A client is queued as if it had asked later: by its measured time multiplied by this factor."""
SENT_A_SECOND = 1_000_000_000
"""Characters sent a second: a frame of 100 kB to one client takes about 0.1 ms."""
BYTES_A_SECOND = 10_000_000
"""Bytes processed a second in the worst case; estimates the cost of a large frame before it is parsed."""
MOST_ACCOUNTS = 4096


class Account:
    """The time of the event loop that one client's work took lately, in seconds; it decays exponentially."""

    def __init__(self) -> None:
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


class Turns:
    """A scheduler that decides whose work is done next. A piece of work is one frame or one request."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, bool, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._accounts: dict[object, Account] = {}
        self._used = 0.0
        self._rest_until = 0.0
        self._next: asyncio.Handle | None = None
        self._current: Account | None = None

    def account_of(self, client: object) -> Account:
        """Return the account of a client, a new one for an unknown client; the 4096 used last are kept."""
        account = self._accounts.pop(client, None) or Account()
        self._accounts[client] = account
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
        if not self._used:
            asyncio.get_running_loop().call_soon(self._renew)
        self._used += seconds
        if account.spent(now) > LIGHT_SECONDS or seconds > SLICE_SECONDS:
            self._rest_until = max(self._rest_until, now) + REST * seconds

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

    async def _turn(self, account: Account, expected: float) -> None:
        now = time.monotonic()
        spent = account.spent(now) + expected
        is_light = spent <= LIGHT_SECONDS
        if is_light and self._used < SLICE_SECONDS and not self._waiting:
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = now + PENALTY * spent
        heapq.heappush(self._waiting, (due, next(self._numbers), is_light, turn))
        self._schedule()
        await turn

    def _renew(self) -> None:
        self._used = 0.0

    def _schedule(self) -> None:
        """Schedule the first turn of the queue: at once, or after the rest if the client is not light."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        left = self._rest_until - time.monotonic()
        if left > 0 and not self._waiting[0][2]:
            self._next = loop.call_later(left, self._wake)
        else:
            self._next = loop.call_soon(self._wake)

    def _wake(self) -> None:
        self._next = None
        while self._waiting:
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                break
        # The next turn is scheduled after this one, so that the sockets are polled in between.
        self._schedule()


class _Metered:
    """An awaitable that runs a coroutine, and charges each of its steps to a client's account."""

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
