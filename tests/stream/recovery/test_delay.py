"""What is held back: emitted in order, when it is old enough, or when it weighs too much to hold more."""

from __future__ import annotations

import asyncio

from prt.stream.recovery.delay import Budget, Delay


def test_rows_are_emitted_in_order_once_they_are_old_enough() -> None:
    async def main() -> list[list[str]]:
        told: list[list[str]] = []
        budget = Budget(left=100)
        delay: Delay[str] = Delay(0.02, budget, lambda rows: told.append(list(rows)))
        await delay.add(["a", "b"], 50)
        await delay.add(["c"], 50)
        assert (told, budget.left) == ([], 0)
        await delay.finish()
        assert budget.left == 100
        return told

    assert asyncio.run(main()) == [["a", "b"], ["c"]]


def test_without_a_delay_rows_are_emitted_at_once() -> None:
    async def main() -> list[str]:
        told: list[str] = []
        delay: Delay[str] = Delay(0, Budget(), told.extend)
        await delay.add(["a"], 1)
        return told

    assert asyncio.run(main()) == ["a"]


def test_a_spent_budget_waits_for_its_own() -> None:
    async def main() -> None:
        told: list[str] = []
        budget = Budget(left=10)
        one: Delay[str] = Delay(0.02, budget, told.extend)
        other: Delay[str] = Delay(60, budget, told.extend)
        await other.add(["other"], 9)
        await one.add(["a"], 5)
        assert (told, budget.left) == (["a"], 1), "who adds too much waits, who has added before does not"
        other.drop()
        assert budget.left == 10

    asyncio.run(main())
