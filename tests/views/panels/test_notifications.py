from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from prt.events import Change, Event, Status
from prt.state.notifications import Notifications
from prt.state.screen import Screen
from prt.views.panels.notifications import MESSAGE_LINES, Toasts
from prt.views.panels.page import Page
from tests.views import story

SECOND = 1_000_000
USER = "5eed0000-0000-4000-8000-0000000000a1"


def notification(
    event_type: Any, number: int, ago: int = 0, *, source: Any = "stream", **columns: Any
) -> Change:
    """`ago` are the seconds before NOW at which it was written."""
    created = "2026-11-22T16:45:22.976427+00:00" if not ago else story_time(story.NOW - ago * SECOND)
    row = {"id": f"5eed0000-0000-4000-8000-{number:012}", "user_id": USER, "created_at": created}
    row |= {"type": "info", "title": f"Number {number}", "message": None, "read_at": None} | columns
    return story.change(
        event_type,
        "notifications",
        new=row if event_type != "DELETE" else None,
        old={"id": row["id"]} if event_type != "INSERT" else None,
        source=source,
    )


def story_time(at: int) -> str:
    from prt.stream.values import timestamp

    return timestamp(at)


def ready() -> list[Event]:
    tables = ["public.notifications"]
    return [
        Status(at=story.BEGIN, status="SUBSCRIBED", topic="prt", tables=tables),
        Status(at=story.BEGIN + 400_000, status="READY", topic="prt", tables=tables),
    ]


LONG = (
    "The roof load of the east wing is above what its engineer signed, by 140 kg at the third truss; move "
    "two of the moving heads to the front, or ask Tomasz for the second hoist before the riggers go to lunch "
    "at noon. Nothing may be flown until somebody who may sign has signed, and that is Ines or the venue."
)


def arrived() -> list[Event]:
    """Every type, a read one, one of the past, wide and hostile text, no title, no message."""
    return [
        notification(
            "INSERT", 1, 86_400 * 9, source="snapshot", type="success", title="Contract signed", message="x"
        ),
        notification(
            "INSERT", 2, 4_000, source="snapshot", type="task", title="Task assigned", read_at="2026-11-22"
        ),
        *ready(),
        notification("INSERT", 3, 250, type="warning", title="Budget at 80 %", message="Circus, artists"),
        notification("INSERT", 4, 130, type="error", title="Dimmer 7 trips", message=LONG),
        notification(
            "INSERT", 5, 70, type="mention", title="Ines さん 🎪 が言及しました", message="アンコール" * 30
        ),
        notification(
            "INSERT", 6, 40, type="info", title="\x1b[31mred\x1b[0m \u202eturned", message="a\nb\tc\x07\x9b1m"
        ),
        notification("INSERT", 7, 20, type="", title=None, message="no title, no type"),
        notification("INSERT", 8, 10, title="To be deleted"),
        notification("INSERT", 9, 5, type="a_type_that_is_long", title="Long type " * 20, message=""),
        notification("INSERT", 10, 2, type="info", title="To be read", message="soon"),
        notification("DELETE", 8),
        notification("UPDATE", 10, 2, type="info", title="To be read", message="soon", read_at="2026-11-22"),
    ]


def drawn(events: Sequence[Event], width: int, height: int, *, has_color: bool = False) -> str:
    screen = Screen()
    toasts = Toasts(Notifications(), screen, user=USER)
    for event in events:
        screen.apply(event)
        toasts.apply(event)
    page = Page(screen, [toasts], title="abcdefgh.supabase.co", tz=UTC)
    page.now = story.NOW
    console = Console(
        file=io.StringIO(),
        width=width,
        height=height,
        color_system="standard" if has_color else None,
        force_terminal=has_color,
        legacy_windows=False,
        _environ={},
    )
    console.print(page)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(("width", "height"), [(80, 40), (140, 40), (80, 16)])
def test_the_toasts(width: int, height: int, golden: Callable[[str, str], None]) -> None:
    golden(f"toasts_{width}x{height}.txt", drawn(arrived(), width, height))


def test_in_colour(golden: Callable[[str, str], None]) -> None:
    golden("toasts_color.txt", drawn(arrived(), 80, 40, has_color=True))


@pytest.mark.parametrize(("name", "events"), [("connecting", []), ("ready", ready())])
def test_before_the_first(name: str, events: list[Event], golden: Callable[[str, str], None]) -> None:
    golden(f"toasts_{name}.txt", drawn(events, 80, 12))


@given(
    texts=st.lists(st.tuples(st.text(), st.text(), st.text(), st.booleans()), max_size=8),
    width=st.integers(1, 200),
    height=st.integers(1, 60),
)
def test_notifications_stay_within_the_space(
    texts: list[tuple[str, str, str, bool]], width: int, height: int
) -> None:
    screen = Screen()
    toasts = Toasts(Notifications(), screen, user=USER)
    for number, (kind, title, message, is_read) in enumerate(texts):
        row: dict[str, Any] = {"type": kind, "title": title, "message": message, "is_read": is_read}
        toasts.apply(notification("INSERT", number, **row))
    lines = toasts.lines(width, height, story.NOW)
    assert len(lines) <= height
    assert all(line.cell_len <= width for line in lines)
    assert not any("\n" in line.plain for line in lines)


def test_a_long_message_is_cut() -> None:
    toasts = Toasts(Notifications(), Screen(), user=USER)
    toasts.apply(notification("INSERT", 1, message=LONG * 9))
    lines = toasts.lines(80, 40, story.NOW)
    assert len(lines) == 1 + 1 + 1 + MESSAGE_LINES
    assert lines[-1].plain.endswith("…")


def test_the_summary() -> None:
    toasts = Toasts(Notifications(), Screen(), user="\x1bu")
    for event in arrived():
        toasts.apply(event)
    assert toasts.summary() == ["9 notifications of ␛u, 7 unread"]
