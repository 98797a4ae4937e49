"""The end of a burst, noticed from counts alone."""

from __future__ import annotations

from prt.stream.recovery.verification.signs import Burst, Bursts


def looks(*counts: int, every: float = 1.0) -> list[Burst]:
    """The bursts that end while these many changes come between two looks."""
    bursts, total, found = Bursts(), 0, []
    bursts.ended(0, 0.0)
    for number, count in enumerate(counts, 1):
        total += count
        burst = bursts.ended(total, number * every)
        if burst is not None:
            found.append(burst)
    return found


def test_a_burst_ends_when_its_rate_has_fallen_by_half() -> None:
    assert looks(5, 5, 5, 99, 5) == []
    assert looks(5, 100, 5) == [Burst(2.0, 5)]
    assert looks(5, 10_000, 60, 60, 49, 5) == [Burst(4.0, 5)]
    assert looks(0, 200, 0, 0, 300, 0) == [Burst(2.0, 0), Burst(2.0, 200)]


def test_looks_that_follow_too_soon_are_ignored() -> None:
    assert looks(*[20] * 16, *[0] * 16, every=0.125) == [Burst(2.5, 0)]
