"""The screen of `prt tap`: connections, their channels, findings, and what Enter opens."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC

import pytest
from msgspec import Raw
from rich.cells import cell_len
from rich.console import Console

from prt.events import Event, Evidence, TapChannel, TapConnection, TapFinding, TapFrame
from prt.state.tap import TapState
from prt.views.panels.tap import TapView
from prt.views.sinks.screen import ScreenOutput, ScreenSettings
from tests.views.story import NOW

SECOND = 1_000_000
USER = "5eed0000-0000-4000-8000-0000000000a1"


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def frame(
    at: int, event: str, payload: bytes, *, topic: str = "realtime:room:1", is_sent: bool = False
) -> TapFrame:
    return TapFrame(
        at=at,
        connection=1,
        direction="sent" if is_sent else "received",
        topic=topic,
        event=event,
        ref=None,
        join_ref=None,
        size=len(payload),
        payload=Raw(payload),
    )


def day() -> list[Event]:
    begun = NOW - 60 * SECOND
    bindings = ["* public.messages room=eq.1"]
    page = "supabase-js-web/2.119.1"
    return [
        TapConnection(at=begun, connection=1, state="open", client=page, role="authenticated", user=USER),
        TapConnection(at=begun, connection=2, state="refused", client="another", status=429),
        TapChannel(at=begun, topic="room:1", connection=1, state="joining", bindings=bindings),
        TapChannel(at=begun + 1_000, topic="room:1", connection=1, state="SUBSCRIBED", bindings=bindings),
        TapChannel(at=begun + SECOND, topic="room:1", connection=1, state="READY", bindings=bindings),
        TapChannel(
            at=begun, topic="lobby", connection=1, state="refused", private=True, reason="Unauthorized"
        ),
        frame(begun + 2 * SECOND, "postgres_changes", b'{"data":{"table":"messages"}}'),
        frame(begun + 3 * SECOND, "presence_diff", b'{"joins":{},"leaves":{}}'),
        frame(NOW - 3 * SECOND, "heartbeat", b"{}", topic="phoenix", is_sent=True),
        TapFinding(
            at=NOW,
            id="delete-filter",
            severity="warning",
            evidence=[Evidence(at=begun, what="received postgres_changes on room:1", connection=1)],
            topic="room:1",
            data={"table": "public.messages", "column": "room", "held": "id"},
        ),
        TapFinding(
            at=NOW,
            id="server-key-in-browser",
            severity="error",
            evidence=[Evidence(at=begun, what="GET /rest/v1/messages")],
            data={"client": "http://localhost:3000\x1b[31m"},
        ),
    ]


def view_of(events: list[Event]) -> TapView:
    view = TapView(TapState(), host="127.0.0.1:54321", tz=UTC)
    for event in events:
        view.apply(event)
    return view


def drawn(view: TapView, width: int = 100, height: int = 24) -> str:
    lines = view.lines(width, height, NOW)
    assert len(lines) <= height
    assert all(cell_len(line.plain) <= width for line in lines)
    return "".join(f"{line.plain.rstrip()}\n" for line in lines)


@pytest.mark.parametrize("width", [80, 140])
def test_the_overview(width: int, golden: Callable[[str, str], None]) -> None:
    golden(f"tap_{width}.txt", drawn(view_of(day()), width))


@pytest.mark.parametrize(("steps", "name"), [(0, "connection"), (1, "channel"), (3, "finding")])
def test_enter_opens_what_is_chosen_and_closes_it(
    steps: int, name: str, golden: Callable[[str, str], None]
) -> None:
    view = view_of(day())
    before = drawn(view)
    for _ in range(steps):
        view.keys["j"]()
    view.keys["\r"]()
    golden(f"tap_{name}.txt", drawn(view))
    view.keys["\r"]()
    for _ in range(steps):
        view.keys["k"]()
    assert drawn(view) == before


def test_the_gravest_finding_stands_first_and_nothing_steers_the_terminal() -> None:
    text = drawn(view_of(day()), 140)
    assert text.index("server-key-in-browser") < text.index("delete-filter")
    assert "\x1b" not in text


def test_what_does_not_fit_is_counted() -> None:
    assert "lines more" in drawn(view_of(day()), 80, 8)


def test_until_an_app_comes_it_waits() -> None:
    assert "waiting for the app's first websocket" in drawn(view_of([]))
    assert view_of([]).summary() == ["0 connections, 0 findings"]


def test_the_selected_item_stays_selected_when_others_come_and_is_always_on_the_screen() -> None:
    view = view_of(day())
    for _ in range(9):
        view.keys["j"]()  # the last finding
    for number in range(3, 40):
        view.apply(TapConnection(at=NOW, connection=number, state="open", client="another"))
    (line,) = [line for line in drawn(view, height=12).splitlines() if line.startswith("▸")]
    assert "delete-filter" in line


def test_esc_closes_what_enter_opened() -> None:
    view = view_of(day())
    before = drawn(view)
    view.keys["\r"]()
    assert drawn(view) != before
    view.keys["escape"]()
    assert drawn(view) == before


def at_the_keys() -> tuple[ScreenOutput, Callable[[], list[str]]]:
    """The tap's screen with keys, and a function that returns its lines."""
    view = view_of(day())
    output = ScreenOutput(
        ScreenSettings(host="abc", tz=UTC, views_of=lambda _: [view], has_keys=True),
        console=Console(
            file=Tty(), width=80, height=24, _environ={"TERM": "xterm-256color"}, legacy_windows=False
        ),
        errors=Console(file=io.StringIO(), _environ={}),
        clock=lambda: NOW,
    )
    return output, lambda: [line.plain.rstrip() for line in output._page.lines(80, 24)]


def test_the_help_of_the_tap_has_its_own_keys_and_takes_the_keys_until_it_is_closed() -> None:
    output, look = at_the_keys()
    before = look()
    output.press("?")
    lines = look()
    assert any("choose a connection, a channel or a finding" in line for line in lines)
    assert not any("OSC 52" in line or "filter" in line for line in lines)
    assert lines[-1].startswith("Esc close")
    for key in ("down", "enter", "escape"):
        output.press(key)
    assert look() == before


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("z", "z has no effect here: ? shows the keys"),
        ("/", "there is nothing to search"),
        ("f", "f filters lists of events"),
        ("tab", "there is no other view"),
        (" ", "‖ paused: space goes on"),
    ],
)
def test_the_tap_answers_every_key(key: str, words: str) -> None:
    output, look = at_the_keys()
    before = look()
    output.press(key)
    assert words in look()
    output.press(key if key == " " else "down")
    output.press("up")
    assert look() == before
