from __future__ import annotations

from prt.config.constants.plans import PLANS
from prt.events import Change, Event, Presence, Status, Vitals
from prt.state.figures.usage import SECOND, Usage

START = 1_763_830_000 * SECOND


def change(at: int, source: str = "stream") -> Change:
    return Change(
        at=at,
        topic="t",
        event_type="INSERT",
        schema="public",
        table="a",
        commit_timestamp=None,
        source=source,  # type: ignore[arg-type]
    )


def used(*events: Event, now: int) -> dict[str, tuple[float, float, int]]:
    usage = Usage(PLANS["free"])
    for event in events:
        usage.apply(event)
    return {use.name: (round(use.now, 2), use.most, use.limit) for use in usage.uses(now)}


def test_nothing_yet() -> None:
    assert used(now=START) == {
        "connections": (0, 1, 200),
        "channels": (0, 1, 100),
        "messages": (0, 0, 100),
        "joins": (0, 0, 100),
        "presence": (0, 0, 20),
    }


def test_the_most_is_of_one_second() -> None:
    burst = [change(START + n * 1000) for n in range(80)]
    later = [change(START + 3 * SECOND + n) for n in range(20)]
    uses = used(*burst, *later, now=START + 5 * SECOND - 1)
    assert uses["messages"] == (20.0, 80, 100)


def test_what_counts_as_what() -> None:
    uses = used(
        Status(at=START, status="SUBSCRIBED"),
        Status(at=START, status="READY"),
        Presence(at=START, topic="t", event="join", key="k", presences=[]),
        change(START, "snapshot"),
        change(START, "backfill"),
        change(START),
        now=START,
    )
    assert (uses["joins"][1], uses["presence"][1], uses["messages"][1]) == (1, 1, 2)


def test_a_connection_counts_while_it_is_there() -> None:
    up, down = (Vitals(at=START, phase=phase, since=START) for phase in ("ready", "waiting"))
    assert used(up, now=START)["connections"] == (1, 1, 200)
    assert used(up, down, now=START)["connections"] == (0, 1, 200)


def test_the_worst_share_of_a_limit() -> None:
    usage = Usage(PLANS["pro"])
    for n in range(450):
        usage.apply(change(START + n))
    (messages,) = (use for use in usage.uses(START + 60 * SECOND) if use.name == "messages")
    assert (messages.now, messages.share) == (0, 0.9)
