"""The selection in a list of rows with keys: what keys do as a table, and what always holds as a property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prt.state.viewport.choice import Choice
from prt.state.viewport.intents import Intent

HEIGHT = 4
KEYS = list("abcdefghij")
MOVES = (Intent.UP, Intent.DOWN, Intent.PAGE_UP, Intent.PAGE_DOWN, Intent.HOME, Intent.END)


def pressed(*intents: Intent) -> Choice[str]:
    choice: Choice[str] = Choice()
    choice.window(KEYS, HEIGHT)
    for intent in intents:
        choice.press(intent, KEYS)
        choice.window(KEYS, HEIGHT)
    return choice


@pytest.mark.parametrize(
    ("intents", "selected", "drawn"),
    [
        ((), None, "abcd"),
        ((Intent.DOWN,), "a", "abcd"),
        ((Intent.DOWN,) * 5, "e", "bcde"),
        ((Intent.DOWN,) * 5 + (Intent.UP,), "d", "bcde"),
        ((Intent.UP,), "a", "abcd"),
        ((Intent.END,), "j", "ghij"),
        ((Intent.END, Intent.DOWN), "j", "ghij"),
        ((Intent.END, Intent.PAGE_UP), "g", "ghij"),
        ((Intent.DOWN, Intent.PAGE_DOWN), "d", "abcd"),
        ((Intent.END, Intent.HOME), "a", "abcd"),
        ((Intent.DOWN, Intent.BACK), None, "abcd"),
    ],
)
def test_where_keys_lead(intents: tuple[Intent, ...], selected: str | None, drawn: str) -> None:
    choice = pressed(*intents)
    assert choice.selected == selected
    assert "".join(KEYS[index] for index in choice.window(KEYS, HEIGHT)) == drawn


def test_the_selected_row_stays_in_its_line_while_others_come() -> None:
    choice = pressed(*[Intent.DOWN] * 3)
    later = ["new", "newer", *KEYS]
    assert [later[index] for index in choice.window(later, HEIGHT)] == ["a", "b", "c", "d"]
    assert choice.selected == "c"


def test_the_row_that_takes_the_place_of_one_that_is_gone_is_selected() -> None:
    choice = pressed(Intent.DOWN, Intent.DOWN)
    choice.sync([key for key in KEYS if key != "b"])
    assert choice.selected == "c"
    choice.sync([])
    assert choice.selected is None


def test_an_intent_that_moves_nothing_is_not_taken() -> None:
    choice = pressed()
    assert not choice.press(Intent.BACK, KEYS)
    assert not choice.press(Intent.COPY, KEYS)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*MOVES, Intent.BACK, None]), st.permutations(range(12)), st.integers(0, 12)
        ),
        max_size=20,
    ),
    st.integers(1, 6),
)
def test_the_selection_is_drawn_whatever_comes_and_goes(
    steps: list[tuple[Intent | None, list[int], int]], height: int
) -> None:
    choice: Choice[int] = Choice()
    for intent, order, count in steps:
        keys = order[:count]
        if intent is not None:
            choice.press(intent, keys)
        choice.sync(keys)
        indexes = choice.window(keys, height)
        assert len(indexes) == min(height, len(keys))
        assert all(0 <= index < len(keys) for index in indexes)
        assert choice.selected is None or choice.selected in [keys[index] for index in indexes]
