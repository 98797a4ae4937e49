"""The keys of a live view and their effects."""

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
from prt.state.viewport.kinds import Overlay
from prt.views.drawing.figures import counted
from prt.views.panels.inspection import Inspected
from prt.views.panels.page import Page
from prt.views.sinks import ndjson
from prt.views.terminal.saving import clipboard, save_screen

_ARROWS = {"left": "←", "right": "→"}
_OVERLAYS = {Overlay.DETAILS: "details", Overlay.HELP: "list of keys"}

_LETTERS = {"enter": "\r", "up": "k", "down": "j"}
"""Letters for keys with names, for views that have their own keys."""


class Controls(Protocol):
    """Actions of keys beyond the view, which seek in a recording or write to the database."""

    @property
    def is_replay(self) -> bool:
        """Whether a recording is played."""
        ...

    def attach(self, page: Page) -> None:
        """Add to a page what these controls need, such as a bar."""
        ...

    def observe(self, event: Event) -> None:
        """Note an event that is shown."""
        ...

    def act(self, intent: Intent, screen: Screen, page: Page) -> bool:
        """Perform an intent. Return whether these controls can do so."""
        ...


class Interaction:
    """Handles keys by their names. `write` sends sequences to the terminal at once."""

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
        """Handle a key. Return False only for a `q` that ends the watch.

        Args:
            name: The key's name, a letter, or pasted text.
            is_text: Whether the text was pasted, and is never a command.
        """
        if self._page.viewport.prompt is not None:
            self._type(name, is_text=is_text)
            return True
        if is_text:
            return True
        self._page.message = ""
        for view in self._page.views.shown if self._page.viewport.overlay is None else ():
            own: Mapping[str, Callable[[], None]] = getattr(view, "keys", {})
            key = name if name in own else _LETTERS.get(name, "")
            if key in own:
                own[key]()
                return True
        if name in VIEWS_BY_DIGIT:
            if not self._page.show_view(int(name) - 1):
                self._page.message = f"there is no view {name}"
            return True
        # In an overlay the arrows fold and unfold JSON instead of seeking in the recording.
        intent = (self._keys if self._page.viewport.overlay is None else KEYS).get(name)
        if intent is None:
            if len(name) == 1:  # a sequence that is not known is not a key that somebody meant
                self._page.message = self._without_effect(name)
            return True
        if self._controls is not None and self._controls.act(intent, self._screen, self._page):
            return True
        if self._page.press(intent) or self._act(intent):
            return True
        if intent is not Intent.QUIT:
            self._page.message = self._without_effect(name)
        return intent is not Intent.QUIT

    def _without_effect(self, name: str) -> str:
        overlay = self._page.viewport.overlay
        remedy = "? shows the keys" if overlay is None else f"Esc closes the {_OVERLAYS[overlay]}"
        return f"{_ARROWS.get(name, name)} has no effect here: {remedy}"

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
                if not self._page.show_next_view():
                    self._page.message = "there is no other view"
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
