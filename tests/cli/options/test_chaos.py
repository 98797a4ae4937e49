from __future__ import annotations

import pytest

from prt.cli.options.chaos import parse_cut, parse_delay, parse_rate, plan_of, single_faults
from prt.errors import UsageError
from prt.tap.chaos.plan import FaultPlan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at=10s,for=5s", FaultPlan(kind="cut", at=10.0, seconds=5.0)),
        ("every=60s", FaultPlan(kind="cut", every=60.0)),
        ("for=500ms, every=1m", FaultPlan(kind="cut", every=60.0, seconds=0.5)),
    ],
)
def test_a_cut_is_read(text: str, expected: FaultPlan) -> None:
    assert parse_cut(text) == expected


@pytest.mark.parametrize(
    "text", ["", "10s", "for=5s", "at=1s,every=2s", "at=1s,at=2s", "at=soon", "at=1s,x=2"]
)
def test_what_is_no_cut_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--cut"):
        parse_cut(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("300ms", (0.3, 0.0)), ("300ms±100ms", (0.3, 0.1)), ("1s+-500ms", (1.0, 0.5)), ("1s+/-1s", (1.0, 1.0))],
)
def test_a_delay_is_read(text: str, expected: tuple[float, float]) -> None:
    assert parse_delay(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "±1s", "1s±", "soon"])
def test_what_is_no_delay_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--delay"):
        parse_delay(text)


def test_a_percentage_is_read() -> None:
    assert parse_rate("5%") == pytest.approx(0.05)
    for text in ("5", "0%", "101%", "x%", "-1%"):
        with pytest.raises(UsageError, match="--drop-changes"):
            parse_rate(text)


def test_faults_that_happen_once() -> None:
    given = single_faults(half_open=True, refuse=429, expire_token=True, at="3s", seconds="4s")
    assert given == [
        FaultPlan(kind="half-open", at=3.0),
        FaultPlan(kind="refuse", at=3.0, seconds=4.0, status=429),
        FaultPlan(kind="expire-token", at=3.0),
    ]
    with pytest.raises(UsageError, match="401, 403, 429, 503"):
        single_faults(half_open=False, refuse=500, expire_token=False, at="3s", seconds="4s")


def test_a_recovery_needs_a_fault() -> None:
    with pytest.raises(UsageError, match="needs a fault"):
        plan_of([], delay=None, drop_changes=None, seed=None, expect_recovery="15s")
