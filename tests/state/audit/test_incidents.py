"""What explains a loss: each kind of incident within its span, and the likelier of two."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from prt.events import LossCause
from prt.state.audit.incidents import CommitRate, Incidents
from prt.stream.database.values import ServerState

SECOND = 1_000_000
START = 1_780_000_000 * SECOND
CALM = ServerState(
    at=START,
    clock_ahead=0,
    started=START - 3600 * SECOND,
    slots=frozenset({("supabase_realtime_replication_slot", 1)}),
    publication=frozenset({"public.tasks"}),
    publication_oid=1,
    policies={"public.tasks": "a"},
)


def after(seconds: float, state: ServerState = CALM, **changed: object) -> ServerState:
    return replace(state, at=START + round(seconds * SECOND), **changed)


def code(cause: LossCause | None) -> str | None:
    return None if cause is None else cause.code


SLOT = frozenset({("supabase_realtime_replication_slot", 2)})

CASES: dict[str, tuple[list[ServerState | None], str, float, float]] = {
    "slot": ([after(10), after(11, slots=SLOT)], "slot", 8.5, 13.5),
    "slot gone": ([after(10), after(11, slots=frozenset())], "slot", 8.5, 13.5),
    "restart": ([after(10), after(11, started=START)], "restart", 8.5, 25.5),
    "unreachable": ([after(10), None, None, after(35)], "restart", 8.5, 49.5),
    "publication made anew": ([after(10), after(11, publication_oid=2)], "publication", 8.5, 80.5),
    "table removed": ([after(10), after(11, publication=frozenset())], "publication", 8.5, 80.5),
    "filter": (
        [after(10), after(11, structured_filters=("tasks.labels",)), after(12)],
        "structured_filter",
        8.5,
        18.5,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_incident_explains_losses_around_it(case: str) -> None:
    states, expected, first, last = CASES[case]
    incidents = Incidents()
    for state in states:
        incidents.apply(state)
    spans = {moment: code(incidents.cause_at(START + round(moment * SECOND))) for moment in (first, last)}
    assert spans == {first: expected, last: expected}
    assert incidents.cause_at(START + round((first - 1) * SECOND)) is None
    assert incidents.cause_at(START + round((last + 1.5) * SECOND)) is None


def test_a_calm_server_explains_nothing() -> None:
    incidents = Incidents()
    for second in range(5):
        incidents.apply(after(second))
    assert incidents.cause_at(START + 2 * SECOND) is None


def test_the_filter_that_stays_covers_all_of_its_time() -> None:
    incidents = Incidents()
    for second in range(60):
        incidents.apply(after(second, structured_filters=("tasks.labels",) if second else ()))
    cause = incidents.cause_at(START + 30 * SECOND)
    assert cause is not None
    assert (cause.code, cause.subject) == ("structured_filter", "tasks.labels")


def test_a_restart_is_likelier_than_the_new_slot_that_follows_it() -> None:
    incidents = Incidents()
    incidents.apply(after(10))
    incidents.apply(None)
    incidents.apply(after(12, slots=frozenset()))
    incidents.apply(after(13, slots=SLOT))
    assert code(incidents.cause_at(START + 12 * SECOND)) == "restart"


def test_new_policies_are_known_for_their_table_alone() -> None:
    incidents = Incidents()
    incidents.apply(after(10))
    incidents.apply(after(11, policies={"public.tasks": "b"}))
    assert incidents.has_new_policies("public.tasks", START + 10 * SECOND, START + 12 * SECOND)
    assert not incidents.has_new_policies("public.tasks", START + 12 * SECOND, START + 13 * SECOND)
    assert not incidents.has_new_policies("public.notes", START + 10 * SECOND, START + 12 * SECOND)


def test_a_burst_explains_losses_for_a_minute() -> None:
    rate = CommitRate()
    for _ in range(600):
        rate.add(START)
    cause = rate.cause_at(START)
    assert cause is not None
    assert (cause.code, cause.rate, cause.average) == ("rate", 120.0, 10.0)
    assert code(rate.cause_at(START + 60 * SECOND)) == "rate"
    assert rate.cause_at(START + 70 * SECOND) is None


def test_a_quiet_table_is_not_above_the_rate() -> None:
    rate = CommitRate()
    for second in range(60):
        for _ in range(20):
            rate.add(START + second * SECOND)
    assert rate.cause_at(START + 30 * SECOND) is None
