from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prt.state.figures.lag import Lag
from tests.views import story

LAGS = st.floats(-1e9, 1e9).map(lambda lag: round(lag, 3))


def lag_of(values: list[float]) -> Lag:
    lag = Lag()
    for value in values:
        lag.add(value)
    return lag


def test_without_changes_there_is_no_summary() -> None:
    assert Lag().summary() is None
    assert Lag().percentile(0.5) is None


def test_the_summary_of_one_lag_is_that_lag() -> None:
    assert lag_of([43.217]).summary() == {"p50": 43.217, "p95": 43.217, "p99": 43.217, "max": 43.217}


@given(st.lists(LAGS, min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_within_one_percent_of_the_true_one(values: list[float], share: float) -> None:
    true = sorted(values)[max(1, math.ceil(share * len(values))) - 1]

    assert lag_of(values).percentile(share) == pytest.approx(true, rel=0.0101, abs=0.001)


@given(st.lists(LAGS, min_size=1, max_size=100))
def test_percentiles_rise_and_end_in_the_exact_maximum(values: list[float]) -> None:
    summary = lag_of(values).summary()

    assert summary is not None
    assert list(summary) == ["p50", "p95", "p99", "max"]
    assert all(lower <= upper for lower, upper in pairwise(summary.values()))
    assert summary["max"] == max(values)


@given(st.lists(LAGS, max_size=50), st.lists(LAGS, max_size=50))
def test_merged_lags_are_those_of_both(one: list[float], other: list[float]) -> None:
    merged = lag_of(one)
    merged.merge(lag_of(other))

    assert merged.summary() == lag_of(one + other).summary()
    assert merged.count == len(one) + len(other)


def test_memory_is_flat() -> None:
    lags = [math.exp(step / 1000) for step in range(-7_000, 20_000)]
    lag = lag_of(lags)
    buckets = len(lag._buckets)
    assert buckets <= 64 * math.ceil(27 / math.log(2))
    for value in lags:
        lag.add(value * 1.001)
    assert len(lag._buckets) <= buckets + 1


def test_only_live_changes_with_a_commit_timestamp_count() -> None:
    lag = Lag()
    for event in (
        story.change("INSERT", "t", lag=5.0),
        story.change("INSERT", "t", lag=7e6, source="snapshot"),
        story.change("INSERT", "t", lag=7e6, source="backfill"),
        story.change("INSERT", "t", lag=None),
        *story.connecting(),
    ):
        lag.apply(event)

    assert lag.summary() == {"p50": 5.0, "p95": 5.0, "p99": 5.0, "max": 5.0}
