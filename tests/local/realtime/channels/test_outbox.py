from __future__ import annotations

import asyncio

from prt.local.realtime.channels import outbox
from prt.local.realtime.channels.outbox import Outbox

HALF_CROWDED = "x" * (outbox.CROWDED // 2 + 1)


class Socket:
    """Takes frames only while its gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.sent: list[str | bytes] = []
        self.has_two = asyncio.Event()

    async def send(self, frame: str | bytes) -> None:
        await self.gate.wait()
        self.sent.append(frame)
        if len(self.sent) == 2:
            self.has_two.set()


def unexpected() -> None:
    raise AssertionError("overflowed")


def test_sends_in_order_until_closed() -> None:
    async def scenario() -> list[str | bytes]:
        box, socket = Outbox(unexpected), Socket()
        socket.gate.set()
        box.put("a")
        draining = asyncio.create_task(box.drain(socket.send))
        await asyncio.sleep(0)
        box.put(b"b")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        box.close()
        box.put("c")
        await draining
        return socket.sent

    assert asyncio.run(scenario()) == ["a", b"b"]


def test_waits_for_a_crowded_socket_until_it_catches_up() -> None:
    async def scenario() -> bool:
        box, socket = Outbox(unexpected), Socket()
        draining = asyncio.create_task(box.drain(socket.send))
        for _ in range(2):
            box.put_streamed(HALF_CROWDED)
        settling = asyncio.create_task(box.settle())
        await asyncio.sleep(0)
        was_waiting = not settling.done()
        socket.gate.set()
        await settling
        draining.cancel()
        return was_waiting

    assert asyncio.run(scenario())


def test_is_patient_only_once_with_who_does_not_read() -> None:
    async def scenario() -> None:
        box, socket = Outbox(unexpected), Socket()
        draining = asyncio.create_task(box.drain(socket.send))
        for _ in range(2):
            box.put_streamed(HALF_CROWDED)
        await box.settle()
        settled_again = asyncio.create_task(box.settle())
        await asyncio.sleep(0)
        assert settled_again.done()
        socket.gate.set()
        await socket.has_two.wait()
        socket.gate.clear()
        for _ in range(2):
            box.put_streamed(HALF_CROWDED)
        waits_again = asyncio.create_task(box.settle())
        await asyncio.sleep(0)
        assert not waits_again.done()
        waits_again.cancel()
        draining.cancel()

    asyncio.run(scenario())


def test_changes_do_not_wait_for_a_socket_that_other_frames_crowd() -> None:
    async def scenario() -> None:
        box, socket = Outbox(unexpected), Socket()
        draining = asyncio.create_task(box.drain(socket.send))
        for _ in range(2):
            box.put(HALF_CROWDED)
        box.put_streamed(HALF_CROWDED)
        assert not box.is_worth_waiting_for
        box.put_streamed(HALF_CROWDED)
        assert box.is_worth_waiting_for
        draining.cancel()

    asyncio.run(scenario())


def test_overflows_once_and_takes_nothing_more() -> None:
    calls: list[None] = []

    async def scenario() -> None:
        box = Outbox(lambda: calls.append(None))
        for _ in range(outbox.OVERFLOWING // len(HALF_CROWDED) + 5):
            box.put(HALF_CROWDED)
        await asyncio.wait_for(box.drain(Socket().send), 5)

    asyncio.run(scenario())
    assert len(calls) == 1
