"""Keys in a live view, and their effect on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from prt.errors import PrtError
from prt.events import Event
from prt.state.newest import event_of
from prt.state.screen import Screen
from prt.state.viewport.intents import KEYS, REPLAY_KEYS, VIEWS_BY_DIGIT, Intent
from prt.views.drawing.figures import counted
from prt.views.panels.inspection import Inspected
from prt.views.panels.page import Page
from prt.views.sinks import ndjson
from prt.views.terminal.saving import clipboard, save_screen

_LETTERS = {"enter": "\r", "up": "k", "down": "j"}
"""Keys that a view with keys of its own knows by a letter."""


class Controls(Protocol):
    """Actions of keys beyond the view: they seek in a recording, or write."""

    @property
    def is_replay(self) -> bool:
        """Return whether a recording is played."""
        ...

    def attach(self, page: Page) -> None:
        """Tell a page what these controls add to it."""
        ...

    def seen(self, event: Event) -> None:
        """Take note of an event that is shown."""
        ...

    def act(self, intent: Intent, screen: Screen, page: Page) -> bool:
        """Do it. Return whether it was anything that these controls can do."""
        ...


class Interaction:
    """Takes keys by their names; `write` gets what goes to the terminal at once."""

    def __init__(
        self,
        screen: Screen,
        page: Page,
        *,
        write: Callable[[str], None],
        size: Callable[[], tuple[int, int]],
        redraw: Callable[[], None],
        controls: Controls | None = None,
    ) -> None:
        self._screen = screen
        self._page = page
        self._write = write
        self._size = size
        self._redraw = redraw
        self._controls = controls
        self._keys = {**KEYS, **REPLAY_KEYS} if controls is not None and controls.is_replay else KEYS

    def press(self, name: str, *, is_text: bool = False) -> bool:
        """Do what a key asks. Return False for a `q` that is to end the watch, and for no other key.

        Args:
            name: The key's name, a letter, or what was pasted.
            is_text: Whether it was pasted: then it is never a command.
        """
        if self._page.viewport.prompt is not None:
            self._type(name, is_text=is_text)
            return True
        if is_text:
            return True
        self._page.message = ""
        for view in self._page.views.shown:
            own: Mapping[str, Callable[[], None]] = getattr(view, "keys", {})
            key = name if name in own else _LETTERS.get(name, "")
            if key in own:
                own[key]()
                return True
        if name in VIEWS_BY_DIGIT:
            if not self._page.show_view(int(name) - 1):
                self._page.message = f"there is no view {name}"
            return True
        # Over the view the arrows fold and unfold: a recording is not moved behind it.
        intent = (self._keys if self._page.viewport.overlay is None else KEYS).get(name)
        if intent is None:
            return True
        if self._controls is not None and self._controls.act(intent, self._screen, self._page):
            return True
        is_done = self._page.press(intent) or self._act(intent)
        return is_done or intent is not Intent.QUIT

    def _type(self, name: str, *, is_text: bool) -> None:
        viewport = self._page.viewport
        if is_text or len(name) == 1:
            viewport.type(name)
        elif name == "enter":
            self._page.accept()
        elif name == "escape":
            viewport.give_up()
        elif name == "backspace":
            viewport.erase()
        elif name == "ctrl u":
            while viewport.prompt is not None and viewport.prompt.text:
                viewport.erase()
        self._page.touch()

    def _act(self, intent: Intent) -> bool:
        try:
            if intent is Intent.COPY:
                self._copy(self._page.inspected())
            elif intent is Intent.EXPORT:
                self._save()
            elif intent is Intent.NEXT_VIEW:
                self._page.show_next_view()
            elif intent is Intent.REDRAW:
                self._redraw()
            else:
                return False
        except PrtError as exc:
            self._page.message = f"! {exc.message}" + (f": {exc.hint}" if exc.hint else "")
        return True

    def _copy(self, one: Inspected | None) -> None:
        if one is None:
            self._page.message = "nothing is selected"
            return
        data = _json_of(one)
        self._write(clipboard(data))
        self._page.message = f"copied as JSON: {counted(len(data), 'byte')}, if the terminal allows OSC 52"

    def _save(self) -> None:
        newest = self._screen.newest
        numbers: Sequence[int] = self._page.viewport.listed()
        events = [event_of(kept) for number in numbers if (kept := newest.kept(number)) is not None]
        stem = save_screen(self._page, events, self._size(), Path.cwd())
        self._page.message = f"saved {stem}.svg and .ndjson ({counted(len(events), 'event')})"


def _json_of(one: Inspected) -> bytes:
    if one.event is not None:
        return ndjson.encode(one.event).rstrip(b"\n")
    raw = one.after or one.payload or one.before or b"null"
    return msgspec.json.format(raw, indent=-1)
