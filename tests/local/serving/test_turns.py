"""Who has a turn on the loop: whoever takes much waits for those that take little, and everybody comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from prt.local.serving import turns as turns_module
from prt.local.serving.turns import LIGHT_SECONDS, Account, Turns, paced

MUCH = 1.5 * LIGHT_SECONDS


def taken(turns: Turns, *seconds: float) -> list[Account]:
    """Return accounts that have taken so much."""
    accounts = [Account() for _ in seconds]
    for account, spent in zip(accounts, seconds, strict=True):
        account.add(spent, time.monotonic())
    return accounts


async def busy(turns: Turns) -> None:
    """Use up the present slice, so that nobody has a turn at once."""
    turns.charge(Account(), turns_module.SLICE_SECONDS)


def ordered(*spent: float, sizes: tuple[int, ...] = ()) -> list[int]:
    """Return in which order the clients that ask together, in this order, have their turns."""
    order: list[int] = []

    async def work(number: int) -> None:
        order.append(number)

    async def scenario() -> None:
        turns = Turns()
        accounts = taken(turns, *spent)
        await asyncio.gather(
            busy(turns),
            *(
                turns.run(account, work(number), size=sizes[number] if sizes else 0)
                for number, account in enumerate(accounts)
            ),
        )

    asyncio.run(scenario())
    return order


def test_who_took_least_comes_first() -> None:
    assert ordered(0.06, 0.0, MUCH, 0.03) == [1, 3, 0, 2]


def test_equals_come_as_they_ask() -> None:
    assert ordered(0.0, 0.0, 0.0) == [0, 1, 2]


def test_a_service_that_took_less_comes_before_the_clients_of_another() -> None:
    """Each socket has taken less than the one client of REST, and all of them together have taken more."""
    order: list[str] = []

    async def work(name: str) -> None:
        order.append(name)

    async def scenario() -> None:
        turns = Turns()
        rest, sockets = Account("rest"), [Account("sockets") for _ in range(9)]
        turns.charge(rest, 0.04)
        for each in sockets:
            turns.charge(each, 0.01)
        await asyncio.gather(
            busy(turns),
            *(turns.run(each, work("socket")) for each in sockets),
            turns.run(rest, work("request")),
        )

    asyncio.run(scenario())
    assert order == ["request"] + 9 * ["socket"]


def test_a_large_frame_counts_before_it_is_read() -> None:
    assert ordered(0.0, 0.0, sizes=(5_000_000, 10)) == [1, 0]


def test_others_have_the_loop_after_a_step_of_a_client_that_takes_much() -> None:
    """It has asked first, and all that ask while it rests come before it."""
    order: list[str] = []

    async def work(name: str) -> None:
        order.append(name)

    async def scenario() -> None:
        turns = Turns()
        (hostile,) = taken(turns, MUCH)
        turns.charge(Account(), LIGHT_SECONDS)
        turns.charge(hostile, LIGHT_SECONDS)
        waits = asyncio.create_task(turns.run(hostile, work("hostile")))
        for number in range(3):
            await turns.run(Account(), work(f"good {number}"))
        assert order == ["good 0", "good 1", "good 2"]
        await waits

    asyncio.run(scenario())
    assert order[-1] == "hostile"


def test_who_is_alone_does_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "REST", 1e9)

    async def work() -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    async def scenario() -> None:
        turns = Turns()
        alone = Account()
        turns.charge(alone, MUCH)
        await turns.run(alone, work())

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_the_rest_of_a_service_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of REST that takes much has its turn while a socket rests for days."""
    monkeypatch.setattr(turns_module, "LONGEST_REST_SECONDS", 1e6)

    async def work() -> str:
        return "done"

    async def scenario() -> str:
        turns = Turns()
        rest, sockets = Account("rest"), Account("sockets")
        turns.charge(rest, MUCH)
        turns.charge(Account("others"), 1e6)
        turns.charge(sockets, 1e6)
        return await turns.run(rest, work())

    assert asyncio.run(asyncio.wait_for(scenario(), 30)) == "done"


def test_who_takes_little_does_not_wait_behind_one_that_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that rests has asked before, and is due before."""
    monkeypatch.setattr(turns_module, "LONGEST_REST_SECONDS", 1e6)
    monkeypatch.setattr(turns_module, "PENALTY", 0.0)

    async def work() -> str:
        return "done"

    async def scenario() -> str:
        turns = Turns()
        (hostile,) = taken(turns, MUCH)
        turns.charge(Account(), 1e6)
        turns.charge(hostile, 1e6)
        resting = asyncio.create_task(turns.run(hostile, work()))
        await asyncio.sleep(0)
        done = await turns.run(Account(), work())
        resting.cancel()
        return done

    assert asyncio.run(asyncio.wait_for(scenario(), 30)) == "done"


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that take nothing come all the time; the one that takes much has its turn between them."""
    monkeypatch.setattr(turns_module, "PENALTY", 0.1)
    came: list[str] = []

    async def work(name: str) -> None:
        came.append(name)

    async def scenario() -> None:
        turns = Turns()
        (hostile,) = taken(turns, MUCH)
        waits = asyncio.create_task(turns.run(hostile, work("hostile")))
        while not waits.done():
            turns.charge(Account(), turns_module.SLICE_SECONDS / 2)
            await turns.run(Account(), work("good"))

    asyncio.run(asyncio.wait_for(scenario(), 30))
    assert came.count("hostile") == 1
    assert "good" in came


def test_each_step_is_charged_and_no_wait() -> None:
    async def scenario() -> tuple[float, float]:
        turns, account, gate = Turns(), Account(), asyncio.Event()

        async def work() -> str:
            until = time.perf_counter() + 0.02
            while time.perf_counter() < until:
                pass
            await gate.wait()
            turns.charge_for_sending(turns_module.SENT_A_SECOND)
            return "done"

        running = asyncio.create_task(turns.run(account, work()))
        await asyncio.sleep(0)
        before = account.spent(time.monotonic())
        gate.set()
        assert await running == "done"
        return before, account.spent(time.monotonic())

    before, after = asyncio.run(scenario())
    assert before > 0.01
    assert after > 0.5  # the second that its sending takes, by half of its time at most


@pytest.mark.parametrize("is_waiting", [False, True])
def test_errors_and_cancellations_reach_the_work(is_waiting: bool) -> None:
    ends: list[str] = []

    async def work(gate: asyncio.Event) -> None:
        try:
            await gate.wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise
        raise ValueError("of the work")

    async def scenario() -> None:
        turns, gate = Turns(), asyncio.Event()
        if is_waiting:
            gate.set()
            with pytest.raises(ValueError, match="of the work"):
                await turns.run(Account(), work(gate))
            turns.charge(Account(), 10.0)
        size = 10**9 if is_waiting else 0
        running = asyncio.create_task(turns.run(Account(), work(asyncio.Event()), size=size))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(scenario())
    assert ends == ([] if is_waiting else ["cancelled"])


def test_long_lists_let_others_have_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "SLICE_SECONDS", 0.0)
    order: list[Any] = []

    async def items() -> None:
        order.extend([number async for number in paced(range(1000)) if number in {0, 999}])

    async def other() -> None:
        await asyncio.sleep(0)
        order.append("other")

    async def scenario(*work: Coroutine[Any, Any, None]) -> None:
        await asyncio.gather(*work)

    asyncio.run(scenario(items(), other()))
    assert order == ["other", 0, 999]


def test_long_work_waits_for_a_turn_after_each_piece() -> None:
    """Of two clients with long work one has a step between two looks, and a light one comes between."""
    order: list[str] = []
    started = asyncio.Event()

    async def long_work(name: str) -> None:
        for _ in range(3):
            order.append(name)
            started.set()
            await asyncio.sleep(0)

    async def light() -> None:
        order.append("light")

    async def scenario() -> None:
        turns = Turns()
        first, second = taken(turns, MUCH, 2 * MUCH)
        works = [
            asyncio.create_task(turns.run(each, long_work(name)))
            for each, name in ((first, "first"), (second, "second"))
        ]
        await started.wait()
        turns.charge(Account(), turns_module.SLICE_SECONDS)
        await turns.run(Account(), light())
        await asyncio.gather(*works)

    asyncio.run(scenario())
    assert order == ["first", "light", "first", "first", "second", "second", "second"]


def test_accounts_of_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "MOST_ACCOUNTS", 2)
    turns = Turns()
    first = turns.account_of("a")
    assert turns.account_of("a") is first
    for name in ("b", "c"):
        turns.account_of(name)
    assert turns.account_of("a") is not first
