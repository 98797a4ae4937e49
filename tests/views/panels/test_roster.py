from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from prt.events import Event, Presence
from prt.state.roster import Presences
from prt.views.panels.roster import Roster
from tests.views import meeting
from tests.views.story import BEGIN, NOW


def presences_of(events: Sequence[Event]) -> Presences:
    presences = Presences()
    for event in events:
        presences.apply(event)
    return presences


def drawn(events: Sequence[Event], width: int, height: int, **more: object) -> str:
    roster = Roster(presences_of(events), tz=UTC, **more)  # type: ignore[arg-type]
    return "".join(f"{line.plain.rstrip()}\n" for line in roster.lines(width, height, NOW))


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", ["met", "met_again"])
def test_a_roster_and_its_feed(name: str, width: int, golden: Callable[[str, str], None]) -> None:
    events = getattr(meeting, name)()
    golden(f"roster_{name}_{width}.txt", drawn(events, width, 20, own_key="guest-2"))


@pytest.mark.parametrize("width", [80, 140])
def test_what_does_not_fit_is_counted(width: int, golden: Callable[[str, str], None]) -> None:
    text = drawn(meeting.met(crowd=43), width, 16)
    golden(f"roster_crowd_{width}.txt", text)
    assert "and 37 more\n" in text


def test_until_the_roster_arrives_nobody_is_shown_as_away() -> None:
    assert drawn([], 80, 20) == "waiting for the roster\n"
    early = [meeting.presence("join", "k", meeting.meta("r"), at=BEGIN)]
    assert drawn(early, 80, 20).startswith("room:1: waiting for the roster\n")


def test_nobody_is_there() -> None:
    nobody = [Presence(at=BEGIN, topic="room:1", event="sync", state={})]
    assert drawn(nobody, 80, 20).splitlines()[0] == "room:1: nobody is online"


def test_a_roster_that_may_be_outdated_is_marked() -> None:
    first = drawn(meeting.parted(), 140, 20).splitlines()[0]
    assert first == (
        "room:1: 5 online, 6 connections · as it was at 16:45:18, before the connection was lost"
    )


def test_columns_by_hand() -> None:
    heading = drawn(meeting.met(), 140, 20, columns=["desk", "location", "nothing"]).splitlines()[1]
    assert heading.split() == ["since", "conn", "key", "user", "desk", "location", "nothing"]


def test_several_topics() -> None:
    other = Presence(at=BEGIN, topic="lobby", event="sync", state={"ada": [meeting.meta("x")]})
    lines = drawn([*meeting.met(), other], 140, 20).splitlines()
    assert lines[0] == "2 topics: 6 online, 7 connections"
    assert lines[1].split()[:4] == ["since", "conn", "topic", "key"]
    assert any("lobby" in line for line in lines[2:8])


def test_all_of_them_without_the_feed() -> None:
    roster = Roster(presences_of(meeting.met(crowd=400)), tz=UTC)
    lines = [line.plain for line in roster.all_lines(80, NOW)]
    assert len(lines) == 2 + 402
    assert "more" not in lines[-1]


def test_its_summary() -> None:
    assert Roster(Presences()).summary() == []
    summary = Roster(presences_of(meeting.met())).summary()
    assert summary == ["5 online, 6 connections at the end; 3 joined, 1 left, 1 changed"]


_TEXT = st.text(max_size=30)


@given(
    people=st.dictionaries(_TEXT, st.dictionaries(_TEXT, _TEXT | st.integers() | st.none()), max_size=6),
    width=st.integers(1, 200),
    height=st.integers(0, 30),
)
def test_no_roster_leaves_its_place(people: dict[str, dict[str, object]], width: int, height: int) -> None:
    state = {key: [meeting.meta("r", **columns)] for key, columns in people.items()}
    events = [
        Presence(at=BEGIN, topic="room:1", event="sync", state=state),
        *(
            Presence(at=BEGIN, topic="room:1", event="leave", key=key, presences=metas)
            for key, metas in list(state.items())[:2]
        ),
    ]
    lines = Roster(presences_of(events), tz=UTC).lines(width, height, NOW)
    assert len(lines) <= height
    assert all(cell_len(line.plain) <= width for line in lines)
    assert all(line.plain.isprintable() for line in lines)
