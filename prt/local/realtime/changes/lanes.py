"""Lanes: for each subscription whose filters PostgreSQL evaluates, a queue of its changes.

The cost of a client's filter is not limited: a regular expression of thirty characters can take minutes. So
the stream never waits for one. It puts such changes into the lane of their subscription, a task that asks
PostgreSQL over other connections than the stream's, within a time limit. If a filter takes longer, its
subscription is refused, as if it had been refused at the join.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

import psycopg

from prt.local.postgres.session import Connection, Session, Sessions
from prt.local.realtime.changes.audience import Listener
from prt.local.realtime.changes.delivery import Delivery, Hit, Pending
from prt.local.realtime.changes.filters.conditions import Condition
from prt.local.realtime.changes.subscriptions import Subscription, Subscriptions
from prt.local.realtime.protocol import bindings
from prt.postgres.pgoutput import UNCHANGED

logger = logging.getLogger(__name__)

BACKLOG = 64 * 1024 * 1024
"""The most bytes of changes that may wait in one lane."""
TIMED_OUT = "ERROR 57014 (query_canceled) canceling statement due to statement timeout"
CLOSE_SECONDS = 0.5

Waiting = list[tuple[Pending, Listener]]
Values = dict[Condition, list[str | None]]


class _SlowFilterError(Exception):
    """A filter took longer than the time limit."""

    def __init__(self, condition: Condition) -> None:
        super().__init__()
        self.condition = condition


class Lanes:
    """All lanes that have changes; an empty lane is removed.

    Args:
        subscriptions: All subscriptions; the lane of a removed subscription is removed too.
        filters: The database connections for filters.
        policies: The database connection for row security, whose cost the project itself decides.
        delivery: Sends the changes that match.
        settle: Awaited after each batch, so that the sockets can catch up.
        budget_seconds: The time limit for the filters of a subscription on one batch.
    """

    def __init__(
        self,
        subscriptions: Subscriptions,
        filters: Sessions,
        policies: Session,
        delivery: Delivery,
        settle: Callable[[], Awaitable[None]],
        *,
        budget_seconds: float,
    ) -> None:
        self._subscriptions = subscriptions
        self._filters = filters
        self._policies = policies
        self._delivery = delivery
        self._settle = settle
        self._budget_seconds = budget_seconds
        self._lanes: dict[Subscription, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._spent_seconds: WeakKeyDictionary[Subscription, float] = WeakKeyDictionary()
        subscriptions.on_removal = self._end

    def __contains__(self, subscription: Subscription) -> bool:
        return subscription in self._lanes

    def put(self, subscription: Subscription, waiting: Waiting) -> None:
        """Add changes to a subscription's lane, in the order of the stream.

        If the lane becomes too long, its changes are lost, and the channel is informed.
        """
        lane = self._lanes.get(subscription)
        if lane is None:
            if subscription not in self._subscriptions:
                return
            lane = self._lanes[subscription] = _Lane()
            lane.task = asyncio.create_task(self._run(subscription, lane))
            self._tasks.add(lane.task)
            lane.task.add_done_callback(self._tasks.discard)
        lane.put(waiting)
        if lane.size > BACKLOG:
            lane.clear()
            logger.warning("changes were lost: the filters of %r fall behind", subscription.topic)
            subscription.resubscribed()

    def clear(self) -> None:
        """Drop all waiting changes, because their replication slot does not exist any more."""
        for lane in self._lanes.values():
            lane.clear()

    async def emptied(self) -> None:
        """Wait until all lanes are empty."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """End all lanes, including those that wait for PostgreSQL."""
        for lane in self._lanes.values():
            lane.clear()
        # The first cancellation makes psycopg cancel the query in the server and wait for its end, the
        # second one makes it close the connection.
        for task in self._tasks:
            if not task.cancelling():
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end(self, subscription: Subscription) -> None:
        lane = self._lanes.pop(subscription, None)
        if lane is not None and lane.task is not None:
            lane.task.cancel()

    async def _run(self, subscription: Subscription, lane: _Lane) -> None:
        try:
            while waiting := lane.next():
                await self._guarded(subscription, waiting)
        except _SlowFilterError as error:
            self._refuse(subscription, lane, error.condition)
        finally:
            if self._lanes.get(subscription) is lane:
                del self._lanes[subscription]

    async def _guarded(self, subscription: Subscription, waiting: Waiting) -> None:
        try:
            await self._work(subscription, waiting)
        except _SlowFilterError:
            raise
        except (psycopg.OperationalError, OSError) as error:
            # The client is not informed: the real server also loses changes silently with its connection.
            logger.debug("a lane broke: %s", error)
        except Exception as error:
            logger.error(
                "changes were lost: %r",
                error,
                exc_info=error if logger.isEnabledFor(logging.DEBUG) else None,
            )
            subscription.resubscribed()

    async def _work(self, subscription: Subscription, waiting: Waiting) -> None:
        answers: dict[Condition, Condition] = {}
        if undecided := _undecided(waiting):
            answers = await self._answers(subscription, undecided)
        decided = {listener: listener.decided(answers) for listener in {each for _, each in waiting}}
        hits = [
            Hit(event, listener, ids)
            for event, listener in waiting
            if (ids := decided[listener].matching(event.row))
        ]
        await self._delivery.send(hits, self._policies.run)
        await self._settle()

    async def _answers(self, subscription: Subscription, undecided: Values) -> dict[Condition, Condition]:
        """Ask PostgreSQL about conditions, and return a decided condition for each.

        Raises:
            _SlowFilterError: PostgreSQL took longer than the time limit for all of them.
        """
        answers: dict[Condition, Condition] = {}
        spent = self._spent_seconds.get(subscription, 0.0)

        async def ask(connection: Connection) -> None:
            start = time.monotonic()
            asking: Condition | None = None
            try:
                async with asyncio.timeout(self._budget_seconds):
                    for asking, values in undecided.items():
                        answers[asking] = await asking.answered(connection, values)
            except (TimeoutError, psycopg.errors.QueryCanceled) as error:
                await connection.close()  # for the same reason as in `Session.run`
                if asking is None:
                    raise
                raise _SlowFilterError(asking) from error
            finally:
                self._spent_seconds[subscription] = spent + time.monotonic() - start

        await self._filters.run(ask, spent_seconds=spent)
        return answers

    def _refuse(self, subscription: Subscription, lane: _Lane, condition: Condition) -> None:
        binding = next(id_ for id_, conditions in lane.asked if condition in conditions)
        parameters = dict(subscription.bindings)[binding]
        filters = ",".join(f"{each.column}={each.operator}.{each.value}" for each in parameters.filters)
        logger.warning(
            "a filter of %.100r was refused, because it takes longer than %g s: %.200r",
            subscription.topic,
            self._budget_seconds,
            filters,
        )
        del self._lanes[subscription]  # otherwise, the removal would cancel the current task
        subscription.refused(bindings.raised(parameters, TIMED_OUT))


class _Lane:
    """A queue of batches of changes; `asked` are the bindings in the current batch with their conditions."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.size = 0
        self.asked: list[tuple[int, list[Condition]]] = []
        self._batches: deque[Waiting] = deque()

    def put(self, waiting: Waiting) -> None:
        self._batches.append(waiting)
        self.size += _size(waiting)

    def next(self) -> Waiting | None:
        if not self._batches:
            return None
        waiting = self._batches.popleft()
        self.size -= _size(waiting)
        self.asked = [
            (binding, [condition for _, condition in checks])
            for listener in {each for _, each in waiting}
            for binding, checks in listener.bindings
        ]
        return waiting

    def clear(self) -> None:
        self._batches.clear()
        self.size = 0


def _size(waiting: Waiting) -> int:
    return sum(event.size for event, _ in waiting)


def _undecided(waiting: Waiting) -> Values:
    """Return the conditions that PostgreSQL has to evaluate, with the values of their columns."""
    found: Values = {}
    for event, listener in waiting:
        for index, condition in listener.undecided:
            values = found.setdefault(condition, [])
            value = event.row[index]
            if value is not UNCHANGED:
                values.append(value)
    return found
