"""Each client's share of the event loop: what a client's work costs, and who has to wait for whom.

All clients of a project share one thread. So the work for a client is measured, and a client that takes much
waits for those that take little: after a step of such a client the others have as long for themselves.

The services have equal shares beside that, because they are separate servers in a real project: a flood of
frames does not hold up REST, nor the other way round.
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
"""A client that has taken less than this lately waits for nobody's rest."""
HALF_LIFE_SECONDS = 1.0
"""What a client has taken counts half after this time."""
SLICE_SECONDS = 0.005
"""As much work is done at once between two looks at the sockets; the rest waits, a piece at a time."""
REST = 1.0
"""After a step of a client that takes much, its like rest for this many times as long, and never for longer
than others have taken lately: who is alone does not wait."""
PENALTY = 10.0
"""A turn comes as if it had been asked for that many times later than what its client has taken."""
SENT_A_SECOND = 1_000_000_000
"""Characters: a frame of 100 kB to one client takes about 0.1 ms."""
BYTES_A_SECOND = 10_000_000
"""What a large frame costs at worst, known only by its size before it is read."""
MOST_ACCOUNTS = 4096


class Account:
    """The account of what one client, or all of a service, has taken of the loop lately, in seconds.

    Args:
        service: The name of the service that the client uses.
    """

    def __init__(self, service: str = "") -> None:
        self.service = service
        self._spent = 0.0
        self._at = time.monotonic()

    def spent(self, now: float) -> float:
        """Return it as of `now`, a reading of the monotonic clock."""
        self._spent *= 0.5 ** ((now - self._at) / HALF_LIFE_SECONDS)
        self._at = now
        return self._spent

    def add(self, seconds: float, now: float) -> None:
        """Add a time in seconds."""
        self._spent = self.spent(now) + seconds


class _Waiter(NamedTuple):
    """Work that waits for its turn; the least `place` comes first, and of equals the least `number`."""

    place: float
    number: int
    is_light: bool
    turn: asyncio.Future[None]


class Turns:
    """Gives clients their turns; `run` is the work of one client for one frame or one request."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[_Waiter]] = {}
        self._services: defaultdict[str, Account] = defaultdict(Account)
        self._numbers = itertools.count()
        self._accounts: dict[object, Account] = {}
        self._used = 0.0
        self._rest_until = 0.0
        self._next: asyncio.Handle | None = None
        self._current: Account | None = None

    def account_of(self, client: object, service: str = "") -> Account:
        """Return the account with a service of a client that has no object of its own to keep one in."""
        key = (client, service)
        account = self._accounts.pop(key, None) or Account(service)
        self._accounts[key] = account
        if len(self._accounts) > MOST_ACCOUNTS:
            del self._accounts[next(iter(self._accounts))]
        return account

    async def run(self, account: Account, work: Coroutine[Any, Any, T], *, size: int = 0) -> T:
        """Do the work of a client when its turn has come, and charge it with what that takes.

        `size` is the number of bytes that the work begins with.
        """
        try:
            await self._turn(account, size / BYTES_A_SECOND)
        except BaseException:
            work.close()
            raise
        done: T = await _Metered(work, self, account)
        return done

    def charge(self, account: Account, seconds: float) -> None:
        """Count a step of a client's work, which has just been done."""
        now = time.monotonic()
        account.add(seconds, now)
        self._services[account.service].add(seconds, now)
        if not self._used:
            asyncio.get_running_loop().call_soon(self._renew)
        self._used += seconds
        if account.spent(now) > LIGHT_SECONDS or seconds > SLICE_SECONDS:
            others = sum(each.spent(now) for each in self._services.values()) - account.spent(now)
            self._rest_until = max(self._rest_until, now) + min(REST * seconds, max(others, 0.0))

    def charge_for_sending(self, characters: int) -> None:
        """Count what the present client has sent to others, which is written later and by tasks of theirs."""
        if self._current is not None:
            self.charge(self._current, characters / SENT_A_SECOND)

    @contextmanager
    def step(self, account: Account) -> Iterator[None]:
        """Charge a step of a client's work, as long as it lasts."""
        former, self._current = self._current, account
        start = time.perf_counter()
        try:
            yield
        finally:
            self._current = former
            self.charge(account, time.perf_counter() - start)

    async def again(self, account: Account) -> None:
        """Wait for another turn, in the middle of a client's work, and at least until others had the loop."""
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
        waiter = _Waiter(now + PENALTY * spent, next(self._numbers), is_light, turn)
        heapq.heappush(self._waiting.setdefault(account.service, []), waiter)
        self._schedule()
        await turn
        return True

    def _renew(self) -> None:
        self._used = 0.0

    def _schedule(self) -> None:
        """Wake the next of those who wait: at once, or after the rest if all of them take much."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        left = self._rest_until - time.monotonic()
        if left > 0 and not any(waiting[0].is_light for waiting in self._waiting.values()):
            self._next = loop.call_later(left, self._wake)
        else:
            self._next = loop.call_soon(self._wake)

    def _wake(self) -> None:
        self._next = None
        while (service := self._next_service()) is not None:
            turn = heapq.heappop(self._waiting[service]).turn
            if not self._waiting[service]:
                del self._waiting[service]
            if not turn.done():
                turn.set_result(None)
                break
        # Behind the one that was woken, so that there is a look at the sockets between two.
        self._schedule()

    def _next_service(self) -> str | None:
        """Return the service that has taken least lately, of those whose first may have a turn now."""
        now = time.monotonic()
        is_resting = self._rest_until > now
        return min(
            (name for name, waiting in self._waiting.items() if waiting[0].is_light or not is_resting),
            key=lambda name: self._services[name].spent(now),
            default=None,
        )


class _Metered:
    """A coroutine each of whose steps is charged to a client.

    Where it lets others have the loop (`asyncio.sleep(0)`), it waits for the client's next turn: of all the
    long work that runs at once there is one step between two looks at the sockets.
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
    """Yield the items, and let others have the loop whenever that has taken a slice of time."""
    until = time.monotonic() + SLICE_SECONDS
    for item in items:
        if time.monotonic() > until:
            await asyncio.sleep(0)
            until = time.monotonic() + SLICE_SECONDS
        yield item
