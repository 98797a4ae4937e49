"""The state machine, played without a network: phases, the schedule, and when it is over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prt.stream.live.supervisor import (
    Connected,
    Connecting,
    Happening,
    Joined,
    Link,
    Lost,
    Policy,
    Pulse,
    Ready,
    pause,
    step,
)
from prt.stream.timing import DEFAULT

UP: list[Happening] = [Connecting(), Connected(), Joined(), Ready()]


def play(
    *happenings: Happening, policy: Policy | None = None, at: float = 0.0, link: Link | None = None
) -> Link:
    link = link or Link(started=0.0)
    for happening in happenings:
        link = step(link, happening, at, policy or Policy())
    return link


def test_the_way_up() -> None:
    link = Link()
    phases = []
    for happening in UP:
        link = step(link, happening, 1.0, Policy())
        phases.append(link.phase)
    assert phases == ["connecting", "joining", "subscribed", "ready"]
    assert link.is_up
    assert link.was_ready


@pytest.mark.parametrize("happening", [Joined(), Ready(), Pulse(True), Pulse(False)])
def test_what_a_phase_cannot_have_changes_nothing(happening: Happening) -> None:
    for link in (Link(), play(Lost(is_retryable=True))):
        assert step(link, happening, 5.0, Policy()) == link


def test_a_late_heartbeat_degrades_and_an_answer_mends() -> None:
    late = play(*UP, Pulse(True))
    assert late.phase == "degraded"
    assert late.is_up
    assert play(Pulse(False), link=late).phase == "ready"


def test_a_first_connection_has_ten_seconds_unless_it_is_patient() -> None:
    lost = Lost(is_retryable=True)
    for moment, policy, phase in (
        (0.0, Policy(), "waiting"),
        (DEFAULT.up, Policy(), "ended"),
        (DEFAULT.up * 100, Policy(is_patient=True), "waiting"),
    ):
        assert play(lost, at=moment, policy=policy).phase == phase


def test_the_last_attempt_is_at_the_end_of_the_ten_seconds() -> None:
    link = play(Lost(is_retryable=True, chance=1.0), at=DEFAULT.up - 0.1)
    assert link.retry_at == DEFAULT.up
    assert play(Lost(is_retryable=True, wait_seconds=30), at=1.0).phase == "ended"


def test_what_is_not_retryable_ends_it_at_once() -> None:
    assert play(*UP, Lost(is_retryable=False)).phase == "ended"


@pytest.mark.parametrize(("limit", "losses"), [(0, 1), (1, 2), (5, 6)])
def test_reconnects_are_counted_and_bounded(limit: int, losses: int) -> None:
    link = play(*UP)
    for n in range(losses):
        assert link.phase == "ready"
        link = play(Lost(is_retryable=True), link=link, policy=Policy(max_reconnects=limit))
        if n < losses - 1:
            link = play(*UP, link=link)
    assert link.phase == "ended"


def test_without_a_bound_it_goes_on_for_ever() -> None:
    link = play(*UP)
    for n in range(2_000):
        link = step(link, Lost(is_retryable=True), n * 100.0, Policy())
        assert link.phase == "waiting"
        assert link.retry_at is not None
        assert link.retry_at - n * 100.0 <= DEFAULT.longest_pause
    assert link.reconnects == 2_000


def test_a_loss_after_a_stable_time_starts_the_schedule_anew() -> None:
    link = play(*UP, Lost(is_retryable=True), *UP, Lost(is_retryable=True))
    assert link.failures == 2
    up = play(*UP, link=link)
    assert play(Lost(is_retryable=True), link=up, at=DEFAULT.stable - 1).failures == 3
    assert play(Lost(is_retryable=True), link=up, at=DEFAULT.stable).failures == 1
    late = play(Pulse(True), link=up, at=DEFAULT.stable - 1)
    assert play(Lost(is_retryable=True), link=late, at=DEFAULT.stable).failures == 1


@given(failures=st.integers(1, 5000), chance=st.floats(0, 1), least=st.floats(0, 60))
def test_the_pause_grows_to_its_cap_and_never_under_the_servers_wish(
    failures: int, chance: float, least: float
) -> None:
    found = pause(failures, chance, least)
    assert least <= found <= least + DEFAULT.longest_pause
    assert pause(failures, 1.0) <= pause(failures + 1, 1.0)


def test_a_rate_limit_waits_half_a_minute_at_least() -> None:
    link = play(*UP, Lost(is_retryable=True, wait_seconds=30, chance=0.0), at=100.0)
    assert link.retry_at == 130.0


def test_jitter_is_full() -> None:
    assert pause(3, 0.0) == 0.0
    assert pause(3, 1.0) == DEFAULT.first_pause * 4
