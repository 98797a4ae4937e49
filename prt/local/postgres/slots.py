"""The fair distribution of a pool's connections.

Nobody gets all of them, and whoever has used them least comes first.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections import Counter

from msgspec import Struct

HALF_LIFE_SECONDS = 10.0
"""The time after which PostgreSQL's work for a socket counts half."""
MOST_SOCKETS = 4096


class Borrower(Struct, frozen=True):
    """The borrower of a slot: a user or a role, and the socket that the request came over."""

    who: str
    socket: object = None


NOBODY = Borrower("")


class _Wait(Struct, frozen=True, eq=False):
    borrower: Borrower
    number: int
    turn: asyncio.Future[None]


class Slots:
    """Slots for work: at most `size` at once, and of these at most `share` for one user or one role."""

    def __init__(self, size: int, share: int) -> None:
        self._free = size
        self._share = share
        self._held: Counter[str] = Counter()
        self._waiting: list[_Wait] = []
        self._numbers = itertools.count()
        self._spent: dict[object, tuple[float, float]] = {}

    async def take(self, borrower: Borrower) -> float:
        """Wait for a slot. Return the time for `release`."""
        self._waiting.append(
            wait := _Wait(borrower, next(self._numbers), asyncio.get_running_loop().create_future())
        )
        self._serve()
        try:
            await wait.turn
        except BaseException:
            if wait.turn.done() and not wait.turn.cancelled():
                self._give_back(borrower)
            else:
                self._waiting.remove(wait)
            raise
        return time.monotonic()

    def release(self, borrower: Borrower, since: float) -> None:
        """Give a slot back that was taken at `since`."""
        now = time.monotonic()
        self._spent[borrower.socket] = (self._spent_by(borrower, now) + now - since, now)
        if len(self._spent) > MOST_SOCKETS:
            del self._spent[next(iter(self._spent))]
        self._give_back(borrower)

    def _give_back(self, borrower: Borrower) -> None:
        self._free += 1
        self._held[borrower.who] -= 1
        self._serve()

    def _serve(self) -> None:
        while self._free:
            now = time.monotonic()
            allowed = [each for each in self._waiting if self._held[each.borrower.who] < self._share]
            if not allowed:
                return
            first = min(
                allowed,
                key=lambda each: (
                    self._held[each.borrower.who],
                    self._spent_by(each.borrower, now),
                    each.number,
                ),
            )
            self._waiting.remove(first)
            self._free -= 1
            self._held[first.borrower.who] += 1
            first.turn.set_result(None)

    def _spent_by(self, borrower: Borrower, now: float) -> float:
        spent, at = self._spent.get(borrower.socket, (0.0, now))
        return spent * math.exp2((at - now) / HALF_LIFE_SECONDS)
