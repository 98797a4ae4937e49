from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from prt.errors import PrtError, UnreachableError
from prt.events import Event, Status
from prt.stream.live.listener import Listener

READY = Status(at=1, status="READY", topic="t")


class Batches:
    """A source whose batches and end the test triggers."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[list[Event] | Exception | None] = asyncio.Queue()

    def put(self, batch: list[Event] | Exception | None) -> None:
        self._waiting.put_nowait(batch)

    async def __aiter__(self) -> AsyncIterator[list[Event]]:
        while (batch := await self._waiting.get()) is not None:
            if isinstance(batch, Exception):
                raise batch
            yield batch


async def _read(listener: Listener, batches: Batches) -> asyncio.Task[None]:
    task = asyncio.create_task(listener.read(aiter(batches)))
    await asyncio.sleep(0)
    return task


def test_whoever_waits_gets_what_the_next_batch_brings() -> None:
    async def scenario() -> list[Event]:
        events: list[Event] = []
        listener, batches = Listener(events.append), Batches()
        task = await _read(listener, batches)
        waiting = asyncio.create_task(listener.until(lambda: events or None))
        await asyncio.sleep(0)
        batches.put([READY])
        found = await waiting
        batches.put(None)
        await task
        return found or []

    assert asyncio.run(scenario()) == [READY]


def test_what_has_come_already_is_found_without_waiting() -> None:
    assert asyncio.run(Listener().until(lambda: "there", 0)) == "there"


def test_what_does_not_come_in_time_is_none() -> None:
    assert asyncio.run(Listener().until(lambda: None, 0)) is None


@pytest.mark.parametrize("end", [None, UnreachableError("gone"), ZeroDivisionError("a bug")])
def test_the_end_of_a_source_frees_whoever_waits(end: Exception | None) -> None:
    async def scenario() -> Listener:
        listener, batches = Listener(), Batches()
        task = await _read(listener, batches)
        waiting = asyncio.create_task(listener.until(lambda: None))
        batches.put(end)
        assert await waiting is None
        await asyncio.gather(task, return_exceptions=True)
        return listener

    listener = asyncio.run(scenario())
    assert listener.is_over
    assert listener.error == (end if isinstance(end, PrtError) else None)


def test_an_error_before_ready_is_raised_to_whoever_waits_for_it() -> None:
    async def scenario() -> None:
        listener, batches = Listener(), Batches()
        batches.put(UnreachableError("gone"))
        await asyncio.gather(listener.ready(), listener.read(aiter(batches)))

    with pytest.raises(UnreachableError, match="gone"):
        asyncio.run(scenario())


def test_ready_is_remembered_when_the_source_fails_later() -> None:
    async def scenario() -> None:
        listener, batches = Listener(), Batches()
        batches.put([READY])
        batches.put(UnreachableError("gone"))
        await listener.read(aiter(batches))
        await listener.ready()

    asyncio.run(scenario())


def test_work_that_waits_for_an_answer_ends_with_its_source() -> None:
    async def scenario() -> None:
        listener = Listener()
        work = asyncio.create_task(listener.unless_over(asyncio.Event().wait(), 60))
        await asyncio.sleep(0)
        listener.end(UnreachableError("gone"))
        await work

    with pytest.raises(UnreachableError, match="gone"):
        asyncio.run(scenario())
