from __future__ import annotations

import pytest

from prt.state.figures.rate import WINDOW, Rate
from tests.views import story

SECOND = 1_000_000


def test_nothing_came_yet() -> None:
    assert Rate().per_second(story.BEGIN) == 0


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.5, 10.0), (1, 20.0), (2, 20.0), (60, 20.0)],
    ids=["at first over a second", "a second", "two", "long"],
)
def test_a_steady_stream(seconds: float, expected: float) -> None:
    rate = Rate()
    for number in range(int(seconds * 20)):
        rate.apply(story.change("INSERT", "t", at=story.BEGIN + number * SECOND // 20))

    now = story.BEGIN + int(seconds * SECOND) - 1
    assert rate.per_second(now) == pytest.approx(expected, rel=0.03)


def test_a_burst_fades() -> None:
    rate = Rate()
    for _ in range(100):
        rate.add(story.BEGIN)
    assert rate.per_second(story.BEGIN) == 100
    assert rate.per_second(story.BEGIN + 2 * SECOND) == 50
    assert rate.per_second(story.BEGIN + WINDOW + SECOND) == 0


def test_old_slices_are_forgotten() -> None:
    rate = Rate()
    for number in range(10_000):
        rate.add(story.BEGIN + number * SECOND)
    assert len(rate._slices) <= 51
