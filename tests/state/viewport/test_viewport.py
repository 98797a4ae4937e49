"""Where a person is in the list: tables for what keys do, properties for what must always hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prt.events import Broadcast, Event, Gap, Presence
from prt.state.screen import Screen
from prt.state.viewport.intents import Intent
from prt.state.viewport.kinds import Kind, Overlay
from prt.state.viewport.viewport import Viewport
from tests.views import story

HEIGHT = 5
MOVES = (
    Intent.UP,
    Intent.DOWN,
    Intent.PAGE_UP,
    Intent.PAGE_DOWN,
    Intent.HOME,
    Intent.END,
    Intent.NEXT,
    Intent.PREVIOUS,
)
OTHERS = (
    *(Intent.OPEN, Intent.BACK, Intent.PAUSE, Intent.CLEAR, Intent.HELP),
    *(Intent.CHANGES, Intent.BROADCASTS, Intent.STATUSES),
)


def row(number: int) -> Event:
    title = ("Truss", "truss", "Lamp")[number % 3]
    return story.change(
        "INSERT", "ab"[number % 2], at=story.BEGIN + number, new={"id": number, "title": title}
    )


def message(number: int) -> Event:
    return Broadcast(at=story.BEGIN + number, topic="room", event="ping")


def gap(number: int) -> Event:
    return Gap(at=number, start=number, end=number, tables=[], cause="lost")


def stage(count: int = 10, *, keep: int = 1_000) -> tuple[Screen, Viewport]:
    screen = Screen(keep=keep)
    for number in range(count):
        screen.apply(row(number))
    screen.viewport.window(HEIGHT)
    return screen, screen.viewport


def test_it_follows_at_first() -> None:
    screen, viewport = stage()
    assert viewport.window(HEIGHT) == [9, 8, 7, 6, 5]
    screen.apply(row(10))
    assert viewport.window(HEIGHT) == [10, 9, 8, 7, 6]
    assert viewport.selected is None


def test_new_events_do_not_move_the_selected_row() -> None:
    screen, viewport = stage()
    viewport.apply(Intent.DOWN)
    viewport.apply(Intent.DOWN)
    before = viewport.window(HEIGHT)
    assert viewport.selected == 7
    for number in range(10, 200):
        screen.apply(row(number))
    assert viewport.window(HEIGHT) == before
    assert viewport.newer() == 190


def test_at_the_newest_row_it_follows_again() -> None:
    screen, viewport = stage()
    for intent in (Intent.DOWN, Intent.DOWN, Intent.UP, Intent.UP):
        viewport.apply(intent)
    assert viewport.is_following
    screen.apply(row(10))
    assert viewport.window(1) == [10]


@pytest.mark.parametrize(
    ("intents", "selected"),
    [
        ([Intent.DOWN], 8),
        ([Intent.DOWN] * 3 + [Intent.UP], 7),
        ([Intent.PAGE_DOWN], 5),
        ([Intent.PAGE_DOWN, Intent.PAGE_UP], None),
        ([Intent.END], 0),
        ([Intent.END, Intent.DOWN], 0),
        ([Intent.END, Intent.HOME], None),
        ([Intent.DOWN, Intent.BACK], None),
    ],
)
def test_where_keys_lead(intents: list[Intent], selected: int | None) -> None:
    _, viewport = stage()
    for intent in intents:
        viewport.apply(intent)
    assert viewport.selected == selected
    assert viewport.selected is None or viewport.selected in viewport.window(HEIGHT)


def test_what_is_no_longer_kept_is_not_selected() -> None:
    screen, viewport = stage(10, keep=10)
    viewport.apply(Intent.END)
    for number in range(10, 13):
        screen.apply(row(number))
    viewport.window(HEIGHT)
    assert viewport.selected == 3


def typed(viewport: Viewport, intent: Intent, text: str) -> None:
    viewport.apply(intent)
    viewport.type(text)
    viewport.accept()


@pytest.mark.parametrize(
    ("text", "count"), [("truss", 7), ("Truss", 4), ("TRUSS", 0), ("lamp", 3), ('"id": 7', 1), ("zzz", 0)]
)
def test_a_search_ignores_case_unless_a_capital_is_typed(text: str, count: int) -> None:
    _, viewport = stage()
    typed(viewport, Intent.SEARCH, text)
    assert viewport.position()[1] == count
    assert viewport.window(HEIGHT)
    assert len(viewport.listed()) == 10  # the context stays


def test_n_goes_to_the_next_older_match_and_around() -> None:
    _, viewport = stage()
    typed(viewport, Intent.SEARCH, "lamp")
    seen = [viewport.selected]
    for _ in range(3):
        viewport.apply(Intent.NEXT)
        seen.append(viewport.selected)
    assert seen == [8, 5, 2, 8]
    viewport.apply(Intent.PREVIOUS)
    assert (viewport.selected, viewport.position()) == (2, (3, 3))


def test_a_search_finds_what_comes_later() -> None:
    screen, viewport = stage()
    typed(viewport, Intent.SEARCH, "lamp")
    screen.apply(row(11))
    viewport.window(HEIGHT)
    assert viewport.position() == (2, 4)


def test_escape_gives_a_search_up_and_ends_it_when_it_was_kept() -> None:
    _, viewport = stage()
    typed(viewport, Intent.SEARCH, "lamp")
    viewport.apply(Intent.SEARCH)
    viewport.type("x")
    viewport.give_up()
    assert viewport.query.text == "lamp"
    viewport.apply(Intent.BACK)
    assert not viewport.query


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("table=a", [0, 2, 4, 6, 8]),
        ("table=public.b title=Lamp", [5]),
        ("event=insert", list(range(10))),
        ("event=delete", []),
        ("id=4", [4]),
        ("truss table=a", [0, 4, 6]),
        ("title=", list(range(10))),
    ],
)
def test_a_filter_keeps_what_matches_and_counts_the_rest(text: str, numbers: list[int]) -> None:
    _, viewport = stage()
    typed(viewport, Intent.FILTER, text)
    assert viewport.listed() == numbers
    assert viewport.hidden == 10 - len(numbers)


def test_kinds_are_switched_off_and_on() -> None:
    screen, viewport = stage(2)
    for event in (message(2), Presence(at=3, topic="room", event="join", key="k", presences=[]), gap(4)):
        screen.apply(event)
    kinds = []
    for intent in (Intent.CHANGES, Intent.BROADCASTS, Intent.PRESENCE, Intent.STATUSES):
        viewport.apply(intent)
        kinds.append((len(viewport.listed()), len(viewport.kinds)))
        viewport.apply(intent)
    assert kinds == [(3, 3), (4, 3), (4, 3), (4, 3)]
    assert viewport.kinds == frozenset(Kind)


def test_paused_what_waits_is_counted_and_comes_afterwards() -> None:
    screen, viewport = stage()
    viewport.apply(Intent.PAUSE)
    before = viewport.window(HEIGHT)
    for number in range(10, 22):
        screen.apply(row(number))
    assert (viewport.window(HEIGHT), viewport.waiting) == (before, 12)
    viewport.apply(Intent.PAUSE)
    assert viewport.window(1) == [21]


def test_cleared_only_what_comes_later_is_shown() -> None:
    screen, viewport = stage()
    viewport.apply(Intent.CLEAR)
    assert viewport.window(HEIGHT) == []
    screen.apply(row(10))
    assert viewport.window(HEIGHT) == [10]


def test_enter_opens_what_is_selected_and_escape_closes_it() -> None:
    screen, viewport = stage()
    viewport.apply(Intent.DOWN)
    viewport.apply(Intent.OPEN)
    screen.apply(row(10))
    assert (viewport.overlay, viewport.opened) == (Overlay.DETAILS, 8)
    viewport.apply(Intent.BACK)
    assert (viewport.overlay, viewport.selected) == (None, 8)


ACTION = st.one_of(
    st.sampled_from([*MOVES, *OTHERS]),
    st.integers(0, 30),
    st.sampled_from(["/lamp", "/zzz", "fid=3", "ftable=a", "f"]),
)


def act(screen: Screen, action: object, counter: list[int]) -> None:
    viewport = screen.viewport
    if isinstance(action, Intent):
        viewport.apply(action)
    elif isinstance(action, int):
        for _ in range(action):
            counter[0] += 1
            make = (row, row, row, message, gap)[counter[0] % 5]
            screen.apply(make(counter[0]))
    else:
        viewport.overlay = viewport.opened = None
        intent = Intent.SEARCH if str(action)[0] == "/" else Intent.FILTER
        viewport.apply(intent)
        while viewport.prompt is not None and viewport.prompt.text:
            viewport.erase()
        viewport.type(str(action)[1:])
        viewport.accept()


@given(st.lists(ACTION, max_size=40))
def test_the_selection_never_points_at_nothing(actions: list[object]) -> None:
    screen, counter = Screen(keep=20), [0]
    for action in actions:
        act(screen, action, counter)
        viewport, window = screen.viewport, screen.viewport.window(HEIGHT)
        listed = viewport.listed()
        assert viewport.selected is None or viewport.selected in window
        assert set(window) <= set(listed)
        assert (viewport.current() is None) == (not listed)
        assert window == sorted(window, reverse=True)
        assert len(window) == min(HEIGHT, len(listed)) or not viewport.is_following
        assert all(screen.newest.kept(number) is not None for number in listed)


@given(st.lists(ACTION, max_size=25), st.integers(0, 25))
def test_paused_and_live_end_in_the_same_state(actions: list[object], at: int) -> None:
    """A pause in the middle, and its end, change nothing about what is shown afterwards."""
    quiet = [action for action in actions if action not in (Intent.PAUSE, Intent.CLEAR)]
    live, paused = Screen(keep=50), Screen(keep=50)
    for screen in (live, paused):
        counter = [0]
        for index, action in enumerate(quiet):
            if screen is paused and index == at:
                screen.viewport.paused_at = screen.newest.added
            if isinstance(action, int) or screen.viewport.paused_at is None:
                act(screen, action, counter)
        screen.viewport.paused_at = None
        screen.viewport.follow()
        act(screen, "f", counter)
        screen.viewport.kinds = frozenset(Kind)
        act(screen, "f", counter)
    assert paused.viewport.window(HEIGHT) == live.viewport.window(HEIGHT)
    assert paused.viewport.listed() == live.viewport.listed()


@given(st.lists(ACTION, max_size=30))
def test_following_resumes_at_the_newest(actions: list[object]) -> None:
    screen, counter = Screen(keep=30), [0]
    for action in actions:
        act(screen, action, counter)
    viewport = screen.viewport
    viewport.overlay, viewport.paused_at = None, None
    viewport.apply(Intent.HOME)
    assert viewport.is_following
    screen.apply(row(999))
    listed = viewport.listed()
    assert viewport.window(1) == listed[-1:]
