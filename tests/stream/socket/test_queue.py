"""The bounded queue: order, back-pressure, and a gap for what had to go."""

from __future__ import annotations

import asyncio

import pytest

from prt.errors import UnreachableError
from prt.events import Broadcast, Change, Event, Gap, Presence, Status
from prt.stream.socket.queue import EventQueue


def change(n: int) -> Change:
    return Change(
        at=n, topic="t", event_type="INSERT", schema="public", table=f"t{n % 2}", commit_timestamp=None
    )


def ats(events: list[Event]) -> list[int]:
    return [event.at for event in events]


def test_what_came_is_read_in_order_and_in_one_batch() -> None:
    async def main() -> list[Event]:
        queue = EventQueue()
        for n in range(5):
            queue.put(change(n))
        return await anext(queue)

    assert ats(asyncio.run(main())) == [0, 1, 2, 3, 4]


def test_a_waiting_reader_is_woken_and_a_cancelled_one_loses_nothing() -> None:
    async def main() -> list[Event]:
        queue = EventQueue()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(queue)
        reader = asyncio.create_task(anext(queue))
        await asyncio.sleep(0)
        queue.put(change(7))
        return await reader

    assert ats(asyncio.run(main())) == [7]


def test_the_end_and_the_error_come_after_what_was_put() -> None:
    async def main() -> list[int]:
        queue = EventQueue()
        queue.put(change(1))
        queue.close(UnreachableError("gone"))
        seen = ats(await anext(queue))
        with pytest.raises(UnreachableError, match="gone"):
            await anext(queue)
        ended = EventQueue()
        ended.close()
        with pytest.raises(StopAsyncIteration):
            await anext(ended)
        return seen

    assert asyncio.run(main()) == [1]


def test_a_full_queue_waits_for_its_reader_and_drops_nothing() -> None:
    async def main() -> list[int]:
        queue = EventQueue(max_events=2)
        queue.put(change(1))
        queue.put(change(2))
        assert queue.is_full
        writer = asyncio.create_task(queue.wait_for_space(patience=60))
        await asyncio.sleep(0)
        assert not writer.done()
        batch = await anext(queue)
        await writer
        return ats(batch)

    assert asyncio.run(main()) == [1, 2]


def test_several_sockets_wait_for_one_reader() -> None:
    async def main() -> None:
        queue = EventQueue(max_events=1)
        queue.put(change(1))
        writers = [asyncio.create_task(queue.wait_for_space(patience=600)) for _ in range(3)]
        await asyncio.sleep(0)
        await anext(queue)
        async with asyncio.timeout(60):
            await asyncio.gather(*writers)

    asyncio.run(main())


def test_dropped_events_are_counted_by_kind_and_reported_to_their_source() -> None:
    async def main() -> list[Event]:
        queue = EventQueue(max_events=8)
        queue.on_drop.append(lambda: queue.put(Presence(at=9, topic="t", event="sync", state={})))
        queue.put(change(1))
        queue.put(Broadcast(at=2, topic="t", event="e"))
        queue.put(Presence(at=3, topic="t", event="join", key="k", presences=[]))
        for n in range(4, 9):
            queue.put(Broadcast(at=n, topic="t", event="e"))
        await queue.wait_for_space(patience=0)
        return await anext(queue)

    gap, *rest = asyncio.run(main())
    assert isinstance(gap, Gap)
    assert gap.cause.endswith("1 change and 3 messages of topics dropped")
    assert (gap.start, gap.end, gap.tables) == (1, 1004, ["public.t1"])
    assert ats(rest) == [5, 6, 7, 8, 9]


def test_bytes_fill_it_too() -> None:
    queue = EventQueue(max_bytes=1000)
    queue.put(change(1), weight=999)
    assert not queue.is_full
    queue.put(change(2), weight=1)
    assert queue.is_full


def test_after_the_patience_the_oldest_changes_are_dropped_with_a_gap() -> None:
    async def main() -> list[Event]:
        queue = EventQueue(max_events=6)
        queue.put(Status(at=0, status="READY"))
        for n in range(1, 6):
            queue.put(change(n))
        await queue.wait_for_space(patience=0)
        assert not queue.is_full
        return await anext(queue)

    ready, gap, *rest = asyncio.run(main())
    assert isinstance(ready, Status)
    assert isinstance(gap, Gap)
    assert (gap.start, gap.end, gap.tables) == (1, 1002, ["public.t0", "public.t1"])
    assert "2 changes dropped" in gap.cause
    assert not gap.complete
    assert ats(rest) == [3, 4, 5]
