from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from prt.events import Event, Status
from prt.state.screen import Screen
from prt.views.table import Table
from tests.views import story

HOST = "abcdefgh.supabase.co"


def drawn(
    events: Sequence[Event], width: int, height: int, *, has_color: bool = False, highlight: str | None = None
) -> str:
    screen = Screen()
    for event in events:
        screen.apply(event)
    pattern = [re.compile(highlight)] if highlight else []
    table = Table(screen, title=HOST, tz=UTC, highlight=pattern)
    table.now = story.NOW
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        height=height,
        color_system="standard" if has_color else None,
        force_terminal=has_color,
        legacy_windows=False,
        _environ={},
    )
    console.print(table)
    return file.getvalue()


@pytest.mark.parametrize(("width", "height"), [(80, 26), (120, 26), (200, 26), (40, 12)])
def test_the_whole_story(width: int, height: int, golden: Callable[[str, str], None]) -> None:
    golden(f"table_{width}.txt", drawn(story.story(), width, height))


def test_in_colour(golden: Callable[[str, str], None]) -> None:
    golden("table_color.txt", drawn(story.story(), 80, 26, has_color=True, highlight="project_\\w+"))


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("connecting", []),
        ("joined", story.connecting()[:1]),
        ("ready", story.connecting()),
        (
            "error",
            [
                *story.connecting(),
                *story.changes()[:2],
                Status(
                    at=story.NOW,
                    status="CHANNEL_ERROR",
                    tables=story.TABLES,
                    reason="Token has expired",
                    hint="sign in again (`--as EMAIL`), or give a fresh token in PRT_TOKEN",
                ),
            ],
        ),
        (
            "closed",
            [*story.connecting(), Status(at=story.NOW, status="CLOSED", reason="1012: service restart")],
        ),
        ("timeout", [Status(at=story.NOW, status="TIMED_OUT", reason="no answer to the join in 30 s")]),
    ],
)
def test_states_of_the_connection(name: str, events: list[Event], golden: Callable[[str, str], None]) -> None:
    golden(f"table_{name}.txt", drawn(events, 80, 12))


def test_colour_carries_no_meaning_alone() -> None:
    plain = re.sub("\x1b\\[[0-9;]*m", "", drawn(story.story(), 80, 26, has_color=True))
    assert plain == drawn(story.story(), 80, 26)


def test_only_the_terminal_s_own_colours_are_used() -> None:
    codes = set(
        re.findall("\x1b\\[([0-9;]*)m", drawn(story.story(), 120, 26, has_color=True, highlight="Rig"))
    )
    foregrounds = {"31", "32", "35"}  # red, green, magenta: legible on dark and on light
    assert {part for code in codes for part in code.split(";")} <= {"0", "1", "3", "4", "7", *foregrounds}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["INSERT", "UPDATE", "DELETE"]),
            st.text(st.characters(), max_size=30),
            st.dictionaries(
                st.text(max_size=8), st.none() | st.integers() | st.text(max_size=80), max_size=4
            ),
            st.dictionaries(st.sampled_from(["id", "title"]), st.text(max_size=80), max_size=2),
        ),
        max_size=6,
    ),
    st.integers(1, 220),
    st.integers(1, 40),
)
def test_it_fits_whatever_comes(
    changes: list[tuple[str, str, dict[str, object], dict[str, object]]], width: int, height: int
) -> None:
    screen = Screen()
    for event in story.connecting():
        screen.apply(event)
    for event_type, name, new, old in changes:
        screen.apply(story.change(event_type, name, new=new, old=old))

    lines = Table(screen, title=HOST, tz=UTC).lines(width, height)

    assert len(lines) <= height
    if width >= 70:
        assert all(cell_len(line.plain) <= width for line in lines), [line.plain for line in lines]
    assert not set("".join(line.plain for line in lines)) & set("\x1b\x9b\n\r\t\x7f\u202e\u200b")


def test_columns_stay_straight_whatever_stands_in_them() -> None:
    shown = drawn(story.story(), 120, 26).splitlines()
    events = [line for line in shown if re.search(" (INSERT|UPDATE|DELETE) ", line)]
    starts = {cell_len(re.split("INSERT|UPDATE|DELETE", line)[0]) for line in events}
    assert len(events) == len(story.changes())
    assert len(starts) == 1


def test_times_are_local() -> None:
    screen = Screen()
    screen.apply(story.change("INSERT", "t", new={"id": 1}))
    table = Table(screen, tz=timezone(timedelta(hours=5, minutes=30)))
    assert "22:15:14" in table.lines(80, 10)[3].plain


def test_matches_are_marked() -> None:
    assert "\x1b[7m" in drawn(story.story(), 80, 26, has_color=True, highlight="todo").replace("1;7", "7")
    assert "\x1b[7m" not in drawn(story.story(), 80, 26, has_color=True, highlight="nowhere")


def test_the_foot_leaves_room_for_changes() -> None:
    events = [
        *story.connecting(),
        *(
            Status(at=story.NOW, status="CHANNEL_ERROR", tables=[f"public.t{number}"], reason="no", hint="do")
            for number in range(50)
        ),
        *story.changes(),
    ]
    shown = drawn(events, 80, 24).splitlines()
    assert len(shown) <= 24
    assert sum(" INSERT " in line or " UPDATE " in line or " DELETE " in line for line in shown) >= 10
    assert any("lines more" in line for line in shown)
