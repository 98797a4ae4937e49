"""Every key in every view, at every width, on a moment with hostile, wide and long texts."""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from prt.events import Event, Known
from prt.state.notifications import Notifications
from prt.state.screen import Screen
from prt.state.viewport.intents import KEYS, REPLAY_KEYS, Intent
from prt.state.viewport.kinds import Overlay
from prt.views.panels.foot import notes_of
from prt.views.panels.listed import SELECTED
from prt.views.panels.notifications import Toasts
from prt.views.panels.page import Page
from prt.views.panels.playback import PlaybackBar
from prt.views.panels.registry import OFFERED, ViewOptions, made
from prt.views.panels.table import SELECTED as SELECTED_EVENT
from prt.views.panels.view import View
from prt.views.sinks.screen import ScreenOutput, ScreenSettings
from prt.views.terminal.interaction import Controls
from tests.views import day, meeting, story

HEIGHT = 24
SHEET = ("public", "project_tasks")
VIEWS = (*OFFERED, "details", "sheet", "toasts")
LISTS = ("table", "feed")
"""Views whose rows are events."""
ROWS = ("table", "feed", "board", "budget", "stats", "presence", "cursors", "sheet", "toasts")
"""Views with rows that can be selected."""
WIDTHS = (60, 80, 120, 200)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@cache
def everything() -> tuple[Event, ...]:
    """A day of the production, a meeting with cursors, and notifications with texts of every kind."""
    notifications = [
        story.change(
            "INSERT",
            "notifications",
            at=story.NOW - 4_000_000 + number,
            new={"id": number, "type": "info", "title": f"{text} {number}", "message": text * 9},
        )
        for number, text in enumerate((day.HOSTILE, "日本公演", "Long words", "👨\u200d👩\u200d👧", "a") * 3)
    ]
    return (*day.day(), *story.changes(), *meeting.met(crowd=30), *meeting.moves(), *notifications)


class Seat:
    """A person at a terminal that shows one view."""

    def __init__(
        self,
        name: str,
        width: int,
        events: Sequence[Event] = (),
        *,
        asked: str = "",
        controls: Controls | None = None,
    ) -> None:
        self.file = Tty()
        self._width = width
        self.now = story.NOW
        self.output = ScreenOutput(
            ScreenSettings(
                host="abc",
                tz=UTC,
                views_of=self._views_of(asked or name),
                keep=1_000,
                has_keys=True,
                controls=controls,
            ),
            console=Console(
                file=self.file,
                width=width,
                height=HEIGHT,
                _environ={"TERM": "xterm-256color"},
                legacy_windows=False,
            ),
            errors=Console(file=io.StringIO(), _environ={}),
            clock=lambda: self.now,
        )
        self.show(events)

    @staticmethod
    def _views_of(name: str) -> Any:
        if name == "toasts":

            def toasts(screen: Screen) -> list[View]:
                return [Toasts(Notifications(), screen, user="5eed")]

            return toasts
        options = ViewOptions(tz=UTC, sheet=SHEET if name == "sheet" else None)
        return made(("table",) if name == "sheet" else name.split(","), options)

    def show(self, events: Sequence[Event]) -> None:
        for event in events:
            self.output.write(event)
        self.look()

    def press(self, *names: str) -> list[str]:
        for name in names:
            assert self.output.press(name), f"{name} ended the watch"
        return self.look()

    def look(self) -> list[str]:
        """Draw, and return the lines, of which none is too wide or moves the cursor."""
        self.page.now = self.now
        lines = self.page.lines(self._width, HEIGHT)
        self.output._painter.paint(lines, (self._width, HEIGHT))
        assert len(lines) == HEIGHT
        assert all(line.cell_len <= self._width for line in lines)
        texts = [line.plain.rstrip() for line in lines]
        assert not any(ord(letter) < 32 or letter in "\x9b\u202e" for text in texts for letter in text)
        return texts

    @property
    def page(self) -> Any:
        return self.output._page

    def written(self) -> str:
        """What went to the terminal since the last call."""
        text = self.file.getvalue()
        self.file.seek(0)
        self.file.truncate()
        return text


def selected(lines: Sequence[str]) -> str | None:
    """The line of the selected row."""
    mark = re.compile(rf"{SELECTED}|^[\d:.]+{SELECTED_EVENT}")
    return next((line for line in lines if mark.search(line)), None)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `e` saves stays here."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("width", [60, 200])
@pytest.mark.parametrize("name", VIEWS)
def test_every_key_is_taken_in_every_view(name: str, width: int) -> None:
    """Also behind a search, a pause, and with the details open."""
    seat = Seat(name, width, everything())
    keys = [key for key in KEYS if key not in ("q", "/", "f", "e")]
    for before in ((), ("/", "o", "enter"), (" ",), ("enter",)):
        seat.press(*before)
        for key in keys:
            seat.press(key)
        seat.press("escape", "escape", "escape")
    seat.press("f", "a", "=", "enter", "escape", "unknown", "9")
    seat.page.viewport.overlay = None
    assert not seat.output.press("q")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_selected_opened_copied_and_closed(name: str, width: int) -> None:
    seat = Seat(name, width, everything())
    assert selected(seat.look()) is None
    first = selected(seat.press("down"))
    later = selected(seat.press("down", "down"))
    assert None not in (first, later)
    assert first != later
    opened = seat.press("enter")
    assert any(line.startswith("── details") for line in opened)
    seat.written()
    seat.press("y")
    (copied,) = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", seat.written())
    assert json.loads(b64decode(copied))
    assert selected(seat.press("escape")) == later
    assert selected(seat.press("escape", "escape")) is None


@pytest.mark.parametrize("name", ROWS)
def test_the_ends_are_reached_and_the_selection_is_always_seen(name: str) -> None:
    seat = Seat(name, 80, everything())
    for keys in (["end"], ["up"] * 5, ["page up"], ["page down"], ["home"], ["down"] * 30, ["up"] * 40):
        for key in keys:
            lines = seat.press(key)
            is_following = name in LISTS and seat.page.viewport.is_following
            assert is_following or selected(lines) is not None, "\n".join(lines)


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("table", "tune the organ", 2),
        ("feed", "swap the lamps", 1),
        ("board", "tune the organ", 2),
        ("budget", "hamlet", 1),
        ("stats", "budget", 1),
        ("presence", "guest-2", 11),
        ("cursors", "ada", 1),
        ("sheet", "tune the organ", 2),
        ("toasts", "long words", 3),
    ],
)
def test_a_search_counts_lights_and_walks_from_match_to_match(name: str, text: str, count: int) -> None:
    seat = Seat(name, 120, everything())
    lines = seat.press("/", *text, "enter")
    assert any(re.search(rf"/{text}  1 of {count}\b", line) for line in lines), "\n".join(lines)
    assert selected(lines) is not None
    found = seat.press("n")
    assert any(f"/{text}  {2 if count > 1 else 1} of {count}" in line for line in found)
    again = seat.press("N")
    assert any(f"/{text}  1 of {count}" in line for line in again)
    styles = [
        str(span.style)
        for line in seat.page.lines(120, HEIGHT)
        for span in line.spans
        if line.plain[span.start : span.end].lower() == text
    ]
    assert name == "board" or any("underline" in style for style in styles)  # a board may cut it
    assert not any("/" + text in line for line in seat.press("escape"))


@pytest.mark.parametrize("key", ["f", "c", "b", "p", "s", "x"])
@pytest.mark.parametrize("name", [name for name in ROWS if name not in LISTS])
def test_a_key_for_lists_of_events_shows_a_message_in_other_views(name: str, key: str) -> None:
    seat = Seat(name, 80, everything())
    before = seat.page.viewport.listed()
    assert any("lists of events" in line for line in seat.press(key))
    assert seat.page.viewport.listed() == before
    assert seat.page.viewport.prompt is None


@pytest.mark.parametrize("name", VIEWS)
def test_the_screen_and_its_events_are_saved_from_every_view(name: str, folder: Path) -> None:
    seat = Seat(name, 80, everything())
    assert any("saved prt-" in line for line in seat.press("e"))
    picture, lines = sorted(folder.iterdir(), key=lambda path: path.suffix, reverse=True)
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    assert all(json.loads(line)["type"] for line in lines.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", [name for name in OFFERED if name != "table"])
def test_a_view_made_by_its_digit_shows_what_it_would_have_shown(name: str) -> None:
    events = everything()
    asked = Seat(name, 120, events)
    made_later = Seat("table", 120, events[:-20])
    digit = str(OFFERED.index(name) + 1)
    made_later.press(digit)
    made_later.show(events[-20:])
    assert body(made_later) == body(asked)


def test_tab_walks_through_all_views_and_comes_back() -> None:
    seat = Seat("board", 120, everything())
    start, seen = body(seat), []
    for _ in OFFERED:
        seat.press("tab")
        seen.append(body(seat))
    assert seen[-1] == start
    assert len({"\n".join(lines) for lines in seen}) == len(OFFERED)


def test_a_digit_again_comes_back_and_one_without_a_view_shows_a_message() -> None:
    seat = Seat("board", 120, everything())
    start = body(seat)
    seat.press("4")
    assert body(seat) != start
    seat.press("4")
    assert body(seat) == start
    toasts = Seat("toasts", 80, everything())
    assert any("there is no view 2" in line for line in toasts.press("2"))
    assert any("there is no view 8" in line for line in seat.press("8"))


class Player:
    """Controls of a recording that note what is asked of them."""

    is_replay = True

    def __init__(self) -> None:
        self.asked: list[Intent] = []

    def attach(self, page: Page) -> None:
        """Add nothing."""

    def observe(self, event: Event) -> None:
        """Wait for nothing."""

    def act(self, intent: Intent, screen: Screen, page: Page) -> bool:
        if intent in REPLAY_KEYS.values():
            self.asked.append(intent)
            return True
        return False


def test_in_a_recording_the_arrows_seek_and_in_its_details_they_fold() -> None:
    player = Player()
    seat = Seat("table", 80, everything(), controls=player)
    seat.press("left", "right")
    assert player.asked == [Intent.SEEK_BACK, Intent.SEEK_ON]
    seat.press("enter")
    seat.press("left", "right")
    assert player.asked == [Intent.SEEK_BACK, Intent.SEEK_ON]
    seat.press("escape", "left")
    assert player.asked[2:] == [Intent.SEEK_BACK]


class Halted:
    """A recording that is being played, or that is paused."""

    started_at, ended_at, speed = story.BEGIN, story.NOW, 1.0

    def __init__(self, *, is_halted: bool) -> None:
        self.is_halted = is_halted

    def now(self) -> int:
        return story.BEGIN


@pytest.mark.parametrize(("is_halted", "words"), [(True, "space go on"), (False, "space pause")])
@pytest.mark.parametrize("name", ["table", "board"])
def test_the_foot_of_a_recording_offers_what_space_does_next(name: str, is_halted: bool, words: str) -> None:
    seat = Seat(name, 80, everything())
    seat.page.bar = PlaybackBar(Halted(is_halted=is_halted))
    assert words in seat.look()[-1]


@pytest.mark.parametrize(
    ("name", "keys", "words"),
    [
        ("table", ["z"], "z has no effect here: ? shows the keys"),
        ("board", ["é"], "é has no effect here: ? shows the keys"),
        ("table", ["left"], "← has no effect here: ? shows the keys"),
        ("table", ["enter", "/"], "/ has no effect here: Esc closes the details"),
        ("table", ["?", "f"], "f has no effect here: Esc closes the list of keys"),
        ("table", ["n"], "no search: / starts one"),
        ("board", ["N"], "no search: / starts one"),
        ("toasts", ["tab"], "there is no other view"),
    ],
)
def test_a_key_without_an_effect_says_so(name: str, keys: list[str], words: str) -> None:
    seat = Seat(name, 80, everything())
    lines = seat.press(*keys)
    assert words in lines
    assert words not in seat.press("escape")


@pytest.mark.parametrize("name", ROWS)
def test_enter_in_an_empty_view_says_that_there_is_nothing_to_open(name: str) -> None:
    assert "there is nothing to open" in Seat(name, 80).press("enter")


def test_an_unknown_sequence_does_nothing() -> None:
    seat = Seat("table", 80, everything())
    before = seat.look()
    assert seat.press("unknown") == before


@pytest.mark.parametrize("name", ["table", "toasts"])
def test_the_help_has_no_keys_that_can_have_no_effect(name: str) -> None:
    lines = "\n".join(line.plain for line in help_of(Seat(name, 80, everything())))
    assert ("Lists of events" in lines) == (name == "table")
    assert ("show one view alone" in lines) == (name == "table")


def help_of(seat: Seat) -> list[Text]:
    seat.press("?")
    return list(seat.page.lines(80, 60))


def test_a_message_disappears_with_the_next_key() -> None:
    seat = Seat("board", 80, everything())
    for key in ("escape", "unknown", "down", "0", "1"):
        assert any("lists of events" in line for line in seat.press("f"))
        assert not any("lists of events" in line for line in seat.press(key))


@pytest.mark.parametrize(("key", "needed"), [("<", "a card"), (">", "a card"), ("r", "a notification")])
@pytest.mark.parametrize("name", VIEWS)
def test_a_key_that_writes_names_what_it_needs(name: str, key: str, needed: str) -> None:
    lines = Seat(name, 80, everything()).press(key)
    assert any(line.startswith(f"{key} m") and f"{needed} " in line and " with " in line for line in lines)


def test_a_digit_closes_the_details_before_it_shows_another_view() -> None:
    seat = Seat("board", 120, everything())
    seat.press("down", "enter")
    assert seat.page.viewport.overlay is Overlay.DETAILS
    assert not any("── details" in line for line in seat.press("4"))
    assert not any("── details" in line for line in seat.press("1"))


def test_a_search_goes_along_to_another_view() -> None:
    seat = Seat("board", 120, everything())
    seat.press("/", *"organ", "enter")
    assert any("/organ" in line for line in seat.press("4"))
    assert not any("/organ" in line for line in seat.press("escape"))
    assert not any("/organ" in line for line in seat.press("1"))


def body(seat: Seat) -> list[str]:
    """The lines of the view itself."""
    seat.page.message = ""
    return seat.look()[2:-2]


def test_a_view_made_by_its_digit_knows_the_rows_from_before_the_events_that_are_kept() -> None:
    """Of a budget that only streamed, Realtime leaves one letter of the currency."""
    before = {"id": 7, "name": "Lights", "amount": 500, "spent": 1, "currency": "EUR"}
    known = Known(at=story.BEGIN, schema="public", table="budgets", rows=[story.raw(before)])
    card = Known(at=story.BEGIN, schema="public", table="project_tasks", rows=[story.raw(story.task())])
    spent = story.change("UPDATE", "budgets", new={**before, "spent": 2, "currency": "E"}, old={"id": 7})
    seat = Seat("table", 120, [*story.connecting(), known, card, spent])
    assert any("1 budget · EUR 2 of 500 spent" in line for line in seat.press("3"))
    assert any("Rig the front truss" in line for line in seat.press("2"))


def test_views_that_share_the_screen_show_their_digits_and_which_of_them_takes_the_keys() -> None:
    seat = Seat("board,budget,feed,stats,table", 60, everything())
    lines = seat.look()
    assert [line.split(" ─")[0] for line in lines if line.startswith("── ")] == [
        "── ▸ 1 project_tasks by status",
        "── 2 budgets",
        "── 3 feed",
    ]
    assert "no room for 4 stats, 5 events: a digit shows one alone" in lines
    assert any(line.startswith("rate ") for line in seat.press("4"))


@pytest.mark.parametrize("name", LISTS)
def test_a_cleared_list_does_not_look_like_a_search_without_a_match(name: str) -> None:
    seat = Seat(name, 80, everything())
    lines = seat.press("x")
    assert "cleared; waiting for the next event" in lines
    assert any(re.fullmatch(r"\d+ events cleared", line) for line in lines)
    assert not any("nothing matches" in line for line in lines)
    assert "nothing matches" in seat.press("f", *"=nosuch", "enter")


@pytest.mark.parametrize("name", LISTS)
def test_a_scrolled_list_shows_which_row_is_selected_and_newer_ones_only_if_there_are_any(name: str) -> None:
    seat = Seat(name, 80, everything()[:-5])
    total = len(seat.page.viewport.listed())
    assert f"row 3 of {total}" in seat.press("down", "down")
    seat.show(everything()[-5:])
    added = len(seat.page.viewport.listed()) - total
    assert f"row {3 + added} of {total + added} · ↑ {added} newer" in seat.look()


def test_a_filter_that_is_typed_behind_a_search_keeps_the_name_of_the_count() -> None:
    seat = Seat("table", 80, everything())
    seat.press("/", *"organ", "enter")
    assert any("filter: ▏" in line and "/organ  1 of 2" in line for line in seat.press("f"))


def test_the_rows_stay_in_their_place_when_the_figures_of_the_head_become_shorter() -> None:
    seat = Seat("table", 60, story.story()[:20])

    def place(lines: list[str]) -> int:
        return next(number for number, line in enumerate(lines) if line.startswith("time"))

    first = place(seat.look())
    paused = place(seat.press(" "))
    assert first < paused == place(seat.press(" "))


def test_a_note_is_whole_because_it_can_be_an_address_to_type() -> None:
    address = "http://127.0.0.1:54399"
    note = f"the tap for https://abcdefghijklmnopqrst.supabase.co listens on {address}"
    for width in WIDTHS:
        assert any(address in line.plain for line in notes_of(Screen(), [note], width, 8))


def test_the_remedy_for_views_without_room_is_never_cut() -> None:
    seat = Seat("stats,presence,cursors,feed,board,budget,table", 60, everything())
    assert "no room for 4, 5, 6, 7: a digit shows one alone" in seat.look()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_message_is_whole_because_it_can_be_the_reason_of_a_refusal(width: int) -> None:
    reason = "new row violates row-level security policy for table project_tasks (42501)"
    seat = Seat("board", width, everything())
    seat.page.message = f"! 'Rig the front truss' todo → done: rolled back: {reason}"
    lines = seat.look()
    assert seat.page.message in " ".join(lines)
    assert len(seat.press("escape")) == HEIGHT
    seat.page.message = "long " * 200
    assert sum("long" in line for line in seat.look()) == 3


def test_a_pause_is_of_all_views_that_share_the_screen() -> None:
    events = everything()
    seat = Seat("table,feed", 120, events[:-30])
    before = seat.press(" ", "down")[2:-2]
    seat.show(events[-30:])
    assert seat.press("down", "up")[2:-2] == before
    assert seat.press(" ")[2:-2] != before


@pytest.mark.parametrize("name", VIEWS)
def test_paused_a_view_stands_still_whatever_is_pressed_and_has_missed_nothing(name: str) -> None:
    late = meeting.presence("join", "late", {"user_id": "late"}, at=story.NOW)
    events = (*everything(), *([late] if name == "presence" else []))
    paused, live = Seat(name, 120, events[:-30]), Seat(name, 120, events)
    paused.press("down")
    before = body(paused)
    paused.press(" ")
    paused.now += 20_000_000
    paused.show(events[-30:])
    paused.press("down", "up")
    assert body(paused) == before
    paused.now = live.now
    paused.press(" ", "escape", "escape")
    assert body(paused) == body(live)


def test_an_end_during_a_pause_leaves_what_came_last_and_counts_it() -> None:
    seat = Seat("board", 120, everything())
    seat.press(" ")
    added = story.change(
        "INSERT", "project_tasks", at=story.NOW, new=day.task(99, title="The last", status="todo")
    )
    seat.show([added])
    assert not any("The last" in line for line in seat.look())
    seat.output.flush()
    seat.written()
    seat.output.close(story.ending())
    assert "The last" in seat.written()


@given(keys=st.lists(st.sampled_from([*KEYS, *"1234567", "o", "backspace"]), max_size=25))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_keys_in_any_order_leave_a_whole_screen(keys: list[str]) -> None:
    seat = Seat("table", 80, everything()[:60], asked="board")
    for key in keys:
        if key not in ("q", "e"):
            seat.press(key)
