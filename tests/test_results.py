from __future__ import annotations

import pytest

from prt.errors import RefusedError, UsageError
from prt.results import Finding, State, counts_of, exit_code_of, is_live, of_error, worst


def finding(state: State, code: int = 4) -> Finding:
    return Finding(layer="tcp", state=state, exit_code=code)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], "ok"),
        (["ok", "skipped"], "skipped"),
        (["unknown", "skipped"], "unknown"),
        (["failed", "warning", "ok"], "failed"),
        (["unknown", "warning"], "warning"),
    ],
)
def test_the_gravest_state_counts(states: list[State], expected: State) -> None:
    assert worst(finding(state) for state in states) == expected


def test_the_first_failure_is_the_exit_code() -> None:
    found = [finding("warning"), finding("failed", 3), finding("failed", 4)]
    assert exit_code_of(found, is_strict=False) == 3
    assert exit_code_of(found[:1], is_strict=False) == 0
    assert exit_code_of(found[:1], is_strict=True) == 1
    assert exit_code_of([finding("unknown"), finding("skipped")], is_strict=True) == 0


def test_an_error_is_a_failure_with_its_own_code() -> None:
    failed = of_error("sign-in", RefusedError("refused", "check it"), figure="no")
    assert (failed.state, failed.exit_code, failed.figure) == ("failed", 3, "no")
    assert (failed.causes[0].why, failed.causes[0].remedy) == ("refused", "check it")
    assert of_error("configuration", UsageError("x")).exit_code == 2


def test_states_are_counted_all_of_them() -> None:
    assert counts_of([finding("ok"), finding("ok"), finding("failed")]) == {
        "ok": 2,
        "warning": 0,
        "failed": 1,
        "unknown": 0,
        "skipped": 0,
    }


def test_there_is_something_to_watch_once_a_channel_is_joined_and_a_table_is_ready() -> None:
    joined = Finding(layer="join", state="ok")
    ready, refused = (
        Finding(layer="table", table="public.a", check="READY", state=state) for state in ("ok", "failed")
    )
    assert is_live([joined])
    assert is_live([joined, refused, ready])
    assert not is_live([joined, refused])
    assert not is_live([finding("failed")])
