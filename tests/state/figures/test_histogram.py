from __future__ import annotations

from prt.state.figures.histogram import Histogram


def test_a_bucket_counts_what_does_not_exceed_its_bound() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (-2.0, 0.1, 0.5, 1.0, 7.0):
        histogram.add(value)
    assert list(histogram.cumulative()) == [(0.1, 2), (1.0, 4), (None, 5)]


def test_the_sum_never_falls() -> None:
    histogram = Histogram((1.0,))
    for value in (0.5, -3.0):
        histogram.add(value)
    assert histogram.total == 0.5
