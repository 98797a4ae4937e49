"""What is held back: emitted in order, when it is old enough, or when it weighs too much to hold more."""

from __future__ import annotations

import asyncio

from prt.stream.recovery.delay import Budget, Delay


def test_rows_are_emitted_in_order_once_they_are_old_enough() -> None:
    async def main() -> list[list[str]]:
        emitted: list[list[str]] = []
        budget = Budget(left=100)
        delay: Delay[str] = Delay(0.02, budget, lambda rows: emitted.append(list(rows)))
        await delay.add(["a", "b"], 50)
        await delay.add(["c"], 50)
        assert (emitted, budget.left) == ([], 0)
        await delay.finish()
        assert budget.left == 100
        return emitted

    assert asyncio.run(main()) == [["a", "b"], ["c"]]


def test_without_a_delay_rows_are_emitted_at_once() -> None:
    async def main() -> list[str]:
        emitted: list[str] = []
        delay: Delay[str] = Delay(0, Budget(), emitted.extend)
        await delay.add(["a"], 1)
        return emitted

    assert asyncio.run(main()) == ["a"]


def test_a_spent_budget_waits_for_its_own() -> None:
    async def main() -> None:
        emitted: list[str] = []
        budget = Budget(left=10)
        one: Delay[str] = Delay(0.02, budget, emitted.extend)
        other: Delay[str] = Delay(60, budget, emitted.extend)
        await other.add(["other"], 9)
        await one.add(["a"], 5)
        assert (emitted, budget.left) == (["a"], 1), "who adds too much waits, who has added before does not"
        other.drop()
        assert budget.left == 10

    asyncio.run(main())
