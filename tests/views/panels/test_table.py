from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from prt.events import Event, Gap, Status
from prt.inputs import Input
from prt.state.conditions.pattern import Pattern
from prt.state.screen import Screen
from prt.views.panels.page import Page
from prt.views.panels.table import Table
from tests.views import meeting, story

HOST = "abcdefgh.supabase.co"


def page_of(
    screen: Screen,
    *,
    title: str = HOST,
    tz: tzinfo = UTC,
    highlight: Sequence[Pattern] = (),
) -> Page:
    """The screen of a watch that shows nothing but its table."""
    return Page(screen, [Table(screen, tz=tz, highlight=highlight)], title=title, tz=tz)


def drawn(
    events: Sequence[Event], width: int, height: int, *, has_color: bool = False, highlight: str | None = None
) -> str:
    screen = Screen()
    for event in events:
        screen.apply(event)
    pattern = [Pattern(highlight, Input.HIGHLIGHT)] if highlight else []
    table = page_of(screen, highlight=pattern)
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


@pytest.mark.parametrize("width", [80, 140])
def test_topics_among_tables(width: int, golden: Callable[[str, str], None]) -> None:
    events = [*story.connecting(), *meeting.met_again(), *story.changes()[:3], *meeting.spoken()]
    golden(f"topics_{width}.txt", drawn(events, width, 30))


def test_a_topic_alone_waits_for_people() -> None:
    text = drawn(meeting.met()[:2], 80, 12)
    assert "● connected · READY since 16:45:14 (8 s) · 1 topic " in text
    assert "waiting for somebody to come or to send" in text


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


HEALTH = {
    "trying": [story.vitals("connecting", since=story.BEGIN)],
    "trying_again": [
        story.vitals("connecting", since=story.BEGIN),
        Status(
            at=story.BEGIN,
            status="CHANNEL_ERROR",
            reason="503 Service Unavailable instead of a websocket; trying again",
            hint="is the project paused?",
        ),
        story.vitals("waiting", failures=2, retry_at=story.NOW + 900_000),
    ],
    "waiting": story.lost(),
    "healed": story.healed(),
    "expiring": story.expiring(),
    "degraded": story.degraded(),
}
"""What the head has to say about the connection."""

MATTERS = {
    "trying": ["◌ connecting since 16:45:14"],
    "trying_again": ["✗ error", "since 16:45:14", "retry 2 in 1 s", "503 Service", "hint: is the project"],
    "waiting": ["○ disconnected", "since 16:45:17", "retry 3 in 4 s", "1 gap, 1 open", "session 59 min"],
    "healed": ["● connected · READY since 16:45:19", "2 gaps, 1 incomplete", "3 retries", "rtt 42 ms"],
    "expiring": ["! session 4 min 58 s", "can't be renewed", "with a fresh PRT_TOKEN", "no gaps"],
    "degraded": ["◐ connected · degraded since 16:45:18", "rtt 42 ms", "session 59 min", "no gaps"],
}


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("name", HEALTH)
def test_how_the_connection_is(name: str, width: int, golden: Callable[[str, str], None]) -> None:
    shown = drawn(HEALTH[name], width, 24)
    golden(f"health_{name}_{width}.txt", shown)
    assert all(text in shown for text in MATTERS[name])
    assert next(index for index, line in enumerate(shown.splitlines()) if "  lag " in line or not line) <= 5


@pytest.mark.parametrize("name", ["waiting", "healed"])
def test_the_connection_in_colour(name: str, golden: Callable[[str, str], None]) -> None:
    shown = drawn(HEALTH[name], 80, 24, has_color=True)
    golden(f"health_{name}_color.txt", shown)
    assert re.sub("\x1b\\[[0-9;]*m", "", shown) == drawn(HEALTH[name], 80, 24)


def test_the_next_attempt_is_counted_down() -> None:
    def printed(now: int) -> str:
        screen = Screen()
        for event in story.lost():
            screen.apply(event)
        table = page_of(screen)
        table.now = now
        return table.lines(120, 24)[0].plain

    assert "retry 3 in 4 s" in printed(story.NOW)
    assert "retry 3 in 2 s" in printed(story.NOW + 2_000_000)
    assert "retry 3 now" in printed(story.NOW + 3_200_000)


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (300_000_000, "· session 5 min ·"),
        (299_000_000, "· ! session 4 min 59 s ·"),
        (0, "· ! session over ·"),
        (-5_000_000, "· ! session over ·"),
    ],
)
def test_a_session_s_last_minutes_are_marked(left: int, text: str) -> None:
    assert text in drawn([*story.connecting(), story.healthy(token_expires_at=story.NOW + left)], 80, 24)


def test_a_long_head_keeps_what_matters_in_80_cells() -> None:
    gap = story.trouble()[0]
    events = [
        *story.healed(),
        *story.trouble()[1:] * 99,
        *[gap] * 1234,
        story.healthy(reconnects=12_345, round_trip_ms=9_900.0, token_expires_at=story.NOW + 299_000_000),
        *(story.change("INSERT", "t", new={"id": number}) for number in range(1200)),
    ]
    lines = drawn(events, 80, 24).splitlines()
    assert lines[1].startswith("1,208 events · ")
    assert lines[2].startswith("1,236 gaps, 1,235 incomplete · ! session 4 min 59 s · rtt 9.90 s")
    assert lines[3].startswith("time ")


def test_an_incomplete_gap_stays_in_sight() -> None:
    gap = Gap(at=1, start=0, end=1, tables=["public.t"], cause="x", complete=False)
    later = [story.change("INSERT", "t", new={"id": number}) for number in range(30)]
    assert drawn([*story.connecting(), gap, *later[:5]], 80, 24).count("gap 00:00:00") == 1
    shown = drawn([*story.connecting(), gap, *later], 80, 24).splitlines()
    assert [line for line in shown if "gap 00:00:00" in line] == [
        "! gap 00:00:00 to 00:00:00 · 1 table · 0 recovered, incomplete: x"
    ]


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

    lines = page_of(screen).lines(width, height)

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


def test_lines_across_the_table_fit_whatever_stands_in_them() -> None:
    for width in range(80, 200, 7):
        lines = drawn(story.healed(), width, 40).splitlines()
        assert max(cell_len(line) for line in lines) <= width
        assert any("gap 16:45:12 to 16:45:19" in line and "2 recovered, incomplete" in line for line in lines)


def test_times_are_local() -> None:
    screen = Screen()
    screen.apply(story.change("INSERT", "t", new={"id": 1}))
    table = page_of(screen, tz=timezone(timedelta(hours=5, minutes=30)), title="")
    assert "22:15:14" in table.lines(80, 10)[3].plain


def test_matches_are_marked() -> None:
    assert "\x1b[7m" in drawn(story.story(), 80, 26, has_color=True, highlight="todo").replace("1;7", "7")
    assert "\x1b[7m" not in drawn(story.story(), 80, 26, has_color=True, highlight="nowhere")


def test_the_foot_leaves_space_for_changes() -> None:
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
