from __future__ import annotations

from typing import Any

import pytest

from prt.checks.test.plan import chosen, steps_of, unmet, untested, use_of_server_key
from prt.checks.test.rows import Row, is_over
from prt.checks.test.service_levels import Limit, judged, parse_limit, percent, slis_of
from prt.checks.test.settings import RunId, Settings, new_run, run_of, this_host
from prt.checks.test.suites.load import allowed, ramp
from prt.checks.test.suites.registry import SUITES
from prt.errors import UsageError
from prt.events import Change
from prt.results import Failure, Result, Run
from prt.views.drawing.test_results import ending


def result(suite: str = "latency", name: str = "lag", outcome: Any = "pass", **more: Any) -> Result:
    return Result(**{"suite": suite, "name": name, "outcome": outcome, "at": 1, "ms": 2.0, **more})


def test_levels_come_from_what_was_measured() -> None:
    slis = slis_of(
        [
            result("connect", "handshake", figures={"handshake_ms": 4.0}),
            result("changes", "insert", figures={"ready_ms": 20.0, "lag_ms": 900.0}, lags_ms=(900.0,)),
            result(figures={"expected": 3, "delivered": 3}, lags_ms=(1.0, 2.0, 3.0)),
            result(
                "load", "delivery", figures={"expected": 7, "delivered": 6, "out_of_order": 2}, lags_ms=(4.0,)
            ),
            result("token", "refresh", "skip", reason="needs a sign-in"),
        ],
        1.5,
    )
    assert (slis.passed, slis.failed, slis.skipped) == (4, 0, 1)
    assert (slis.handshake_ms, slis.ready_ms, slis.rtt_ms) == (4.0, 20.0, None)
    assert slis.lag_ms is not None
    assert slis.lag_ms["max"] == 4.0
    assert (slis.expected, slis.delivered, slis.out_of_order, slis.delivery_percent) == (10, 9, 2, 90.0)


def test_without_measurements_nothing_is_reported() -> None:
    slis = slis_of([], 0.1)
    assert (slis.lag_ms, slis.delivery_percent, slis.expected) == (None, None, None)


@pytest.mark.parametrize(
    ("delivered", "expected", "shown"), [(9, 9, 100.0), (0, 4, 0.0), (999_999_999, 1_000_000_000, 99.9999)]
)
def test_one_lost_change_is_never_rounded_away(delivered: int, expected: int, shown: float) -> None:
    assert percent(delivered, expected) == shown


@pytest.mark.parametrize(
    ("text", "limit"), [("p95=500ms", Limit("p95", 500.0)), (" max=1.5s ", Limit("max", 1500.0))]
)
def test_limits(text: str, limit: Limit) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize("text", ["", "p95", "p95=500", "p90=1s", "p95=-1s", "p95=1m"])
def test_no_limits(text: str) -> None:
    with pytest.raises(UsageError, match="--max-lag"):
        parse_limit(text)


def test_objectives_are_met_or_missed() -> None:
    results = [result(figures={"expected": 4, "delivered": 3}, lags_ms=(10.0, 20.0))]
    slis = slis_of(results, 1.0)
    met = judged(slis, [Limit("p50", 11.0)], 75.0, results)
    missed = judged(slis, [Limit("max", 19.0)], 99.9, results)
    assert [one.outcome for one in met] == ["pass", "pass"]
    assert [one.outcome for one in missed] == ["fail", "fail"]
    assert [one.failure and one.failure.came for one in missed] == ["20.0 ms", "75 %"]


def test_what_was_not_measured_is_not_met() -> None:
    found = judged(slis_of([], 1.0), [Limit("p95", 1.0)], 50.0, [])
    assert [one.failure and one.failure.came for one in found] == ["no change was measured"] * 2


# --- the plan


def test_all_but_those_that_must_be_named() -> None:
    names = [suite.name for suite in chosen(SUITES, [], [])]
    assert names[0] == "connect"
    assert "latency" in names
    assert "load" not in names
    assert [suite.name for suite in chosen(SUITES, ["load"], ["token"])] == ["connect", "token", "load"]


def test_no_suite_of_that_name() -> None:
    with pytest.raises(UsageError, match="no suite latecny") as caught:
        chosen(SUITES, ["latecny"], [])
    assert caught.value.hint == "did you mean latency?"
    with pytest.raises(UsageError, match="no suite x"):
        chosen(SUITES, [], ["x"])


def test_away_from_this_machine_nothing_is_written_unasked() -> None:
    steps = steps_of(chosen(SUITES, [], []), may_write=False, host="far.example", rounds=2)
    assert [step.round for step in steps] == sorted(step.round for step in steps)
    assert {step.suite.name for step in steps if step.skipped} == {
        "changes",
        "notify",
        "rls",
        "reconnect",
        "latency",
    }
    assert all("--allow-writes" in step.skipped for step in steps if step.skipped)
    allowed_ = steps_of(chosen(SUITES, [], []), may_write=True, host="far.example", rounds=1)
    assert not any(step.skipped for step in allowed_)


def test_a_required_suite_may_not_be_skipped() -> None:
    results = [result("token", "refresh", "skip", reason="needs a sign-in"), result("token", "expiry")]
    [failure] = unmet(["token", "latency"], results)
    assert (failure.suite, failure.outcome) == ("token", "fail")
    assert failure.failure == Failure(
        expected="every check of token to run (--require token)",
        came="1 skipped",
        cause="needs a sign-in",
        remedy="give it what it needs (prt test --list), or run without --require token",
    )


def test_a_suite_that_was_named_and_tested_nothing_is_named_at_the_end() -> None:
    skipped = [
        result("changes", name, "skip", reason="no row can be written") for name in ("insert", "types")
    ]
    results = [
        result("connect", "handshake"),
        *skipped,
        result("token", "expiry", "skip", reason="no secret"),
    ]
    found = untested(["connect", "changes", "latency"], results)
    assert found == {"changes": "no row can be written"}
    run = Run(
        version="1",
        host="h",
        identity="anon",
        table="public.t",
        started=1,
        results=tuple(results),
        slis=slis_of(results, 1.0),
        exit_code=0,
        untested=found,
    )
    assert ending(run) == "1 passed, 0 failed, 3 skipped in 1.0 s; nothing was tested of changes"
    assert not untested(["changes"], [*results, result("changes", "required", "fail")])


def test_what_the_server_key_is_used_for() -> None:
    words = "the tests use the server key (service_role) to delete the rows that they write"
    assert use_of_server_key(["connect", "changes"]) == words
    assert "in the suite rls to compare what service_role" in use_of_server_key(["connect", "rls"])


# --- marks


def test_a_mark_identifies_its_run() -> None:
    run = new_run(4711)
    assert run_of(f"{run.mark} 3 update") == run
    assert run_of(run.mark) == run
    assert run_of("prt-test:nobody knows") is None
    assert run_of("something else") is None


def test_a_run_is_over_when_its_process_is_gone_or_it_is_old() -> None:
    now = 1_000_000.0
    ours, theirs = this_host(), this_host() + 1
    assert not is_over(RunId(int(now), ours, 1, 0), now)  # init is always there
    assert is_over(RunId(int(now), ours, 2**22 + 1, 0), now)  # above the largest pid
    assert not is_over(RunId(int(now), theirs, 2**22 + 1, 0), now)
    assert is_over(RunId(int(now) - 7 * 3600, theirs, 1, 0), now)


def change(event_type: Any, new: bytes = b"{}", old: bytes = b"{}") -> Change:
    import msgspec

    return Change(
        at=1,
        topic="t",
        event_type=event_type,
        schema="public",
        table="notes",
        commit_timestamp=None,
        new=msgspec.Raw(new),
        old=msgspec.Raw(old),
    )


def test_a_row_knows_its_changes() -> None:
    row = Row("prt-test:1 1", {"id": 7, "title": "prt-test:1 1"}, "title")
    assert row.is_in(change("INSERT", b'{"id": 7, "title": "prt-test:1 1"}'))
    assert not row.is_in(change("UPDATE", b'{"id": 7, "title": "prt-test:1 2"}'))
    assert row.is_in(change("DELETE", old=b'{"id": 7}'))
    assert not row.is_in(change("DELETE", old=b'{"id": 8}'))
    assert not row.is_in(change("DELETE"))
    assert not row.is_in(change("DELETE", old=b'{"id": 7, "title": "another"}'))


# --- load


def test_the_ramp_rises_to_the_rate_or_to_the_limit() -> None:
    steps, is_stopped = ramp(Settings(clients=5, rate=20, duration_seconds=8, plan="free"))
    assert [(step.rate, step.seconds) for step in steps] == [(5, 2), (10, 2), (15, 2), (20, 2)]
    assert not is_stopped
    steps, is_stopped = ramp(Settings(clients=20, rate=20, plan="free"))
    assert [step.rate for step in steps] == [5, 5, 5, 5]
    assert is_stopped
    steps, is_stopped = ramp(Settings(clients=20, rate=20, plan="none"))
    assert steps[-1].rate == 20
    assert not is_stopped


def test_what_the_plans_make_of_it() -> None:
    assert allowed(Settings(clients=20, rate=20)) == "400 messages/s; Free stops at 100, Pro allows 500"
