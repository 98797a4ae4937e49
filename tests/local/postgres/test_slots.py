"""Who gets a connection of a pool when there are not enough."""

from __future__ import annotations

import asyncio

import pytest

from prt.local.postgres.slots import Borrower, Slots

MAYA, OTTO = Borrower("maya"), Borrower("otto")


def served(slots: Slots, *borrowers: Borrower) -> list[asyncio.Task[float]]:
    return [asyncio.create_task(slots.take(borrower)) for borrower in borrowers]


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_one_user_has_no_more_than_a_share() -> None:
    async def scenario() -> None:
        slots = Slots(4, 3)
        hostile = served(slots, *[MAYA] * 10)
        await settled()
        assert [task.done() for task in hostile] == [True] * 3 + [False] * 7
        (good,) = served(slots, OTTO)
        await settled()
        assert good.done()
        slots.release(OTTO, good.result())
        await settled()
        assert sum(task.done() for task in hostile) == 3
        slots.release(MAYA, hostile[0].result())
        await settled()
        assert sum(task.done() for task in hostile) == 4
        for task in hostile:
            task.cancel()

    asyncio.run(scenario())


def test_the_next_one_is_for_who_holds_least() -> None:
    async def scenario() -> None:
        slots = Slots(2, 2)
        hostile = served(slots, *[MAYA] * 4)
        await settled()
        (good,) = served(slots, OTTO)
        await settled()
        slots.release(MAYA, hostile[0].result())
        await settled()
        assert good.done()
        assert sum(task.done() for task in hostile) == 2
        for task in hostile:
            task.cancel()

    asyncio.run(scenario())


def test_of_one_role_the_socket_comes_first_that_took_least() -> None:
    async def scenario() -> None:
        slots = Slots(1, 1)
        slow, quick = Borrower("anon", 1), Borrower("anon", 2)
        since = await slots.take(slow)
        slots.release(slow, since - 3.0)
        holder = await slots.take(Borrower("anon", 3))
        first, second = served(slots, slow, quick)
        await settled()
        slots.release(Borrower("anon", 3), holder)
        await settled()
        assert (first.done(), second.done()) == (False, True)
        first.cancel()

    asyncio.run(scenario())


@pytest.mark.parametrize("has_turn", [False, True])
def test_who_goes_while_waiting_leaves_nothing_behind(has_turn: bool) -> None:
    async def scenario() -> None:
        slots = Slots(1, 1)
        since = await slots.take(MAYA)
        goes, stays = served(slots, OTTO, OTTO)
        await settled()
        if has_turn:
            slots.release(MAYA, since)  # the turn has come, and is not taken yet
        goes.cancel()
        await settled()
        if not has_turn:
            slots.release(MAYA, since)
        await asyncio.wait_for(stays, 5)

    asyncio.run(scenario())
