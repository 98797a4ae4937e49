"""The meaning of each key: key names by intent, for live views and for recordings."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Intent(StrEnum):
    """An action that a key asks the view to perform."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"
    PAGE_UP = "page up"
    PAGE_DOWN = "page down"
    HOME = "home"
    END = "end"
    OPEN = "open"
    BACK = "back"
    SEARCH = "search"
    NEXT = "next match"
    PREVIOUS = "previous match"
    FILTER = "filter"
    CHANGES = "changes"
    BROADCASTS = "broadcasts"
    PRESENCE = "presence"
    STATUSES = "statuses"
    NEXT_VIEW = "next view"
    PAUSE = "pause"
    COPY = "copy"
    EXPORT = "export"
    CLEAR = "clear"
    HELP = "help"
    REDRAW = "redraw"
    QUIT = "quit"
    SEEK_BACK = "back 10 s"
    SEEK_ON = "on 10 s"
    SLOWER = "slower"
    FASTER = "faster"
    STEP = "one event"
    START = "to the start"
    MOVE_LEFT = "move left"
    MOVE_RIGHT = "move right"
    MARK_READ = "mark as read"


VIEWS_BY_DIGIT: Final = "123456789"

KEYS: Final[dict[str, Intent]] = {
    "up": Intent.UP,
    "k": Intent.UP,
    "down": Intent.DOWN,
    "j": Intent.DOWN,
    "left": Intent.LEFT,
    "h": Intent.LEFT,
    "right": Intent.RIGHT,
    "l": Intent.RIGHT,
    "page up": Intent.PAGE_UP,
    "page down": Intent.PAGE_DOWN,
    "home": Intent.HOME,
    "g": Intent.HOME,
    "end": Intent.END,
    "G": Intent.END,
    "enter": Intent.OPEN,
    "escape": Intent.BACK,
    "/": Intent.SEARCH,
    "n": Intent.NEXT,
    "N": Intent.PREVIOUS,
    "f": Intent.FILTER,
    "c": Intent.CHANGES,
    "b": Intent.BROADCASTS,
    "p": Intent.PRESENCE,
    "s": Intent.STATUSES,
    "tab": Intent.NEXT_VIEW,
    " ": Intent.PAUSE,
    "y": Intent.COPY,
    "e": Intent.EXPORT,
    "x": Intent.CLEAR,
    "?": Intent.HELP,
    "ctrl l": Intent.REDRAW,
    "q": Intent.QUIT,
    "<": Intent.MOVE_LEFT,
    ">": Intent.MOVE_RIGHT,
    "r": Intent.MARK_READ,
}

REPLAY_KEYS: Final[dict[str, Intent]] = {
    "left": Intent.SEEK_BACK,
    "right": Intent.SEEK_ON,
    "[": Intent.SLOWER,
    "]": Intent.FASTER,
    ".": Intent.STEP,
    "0": Intent.START,
}
"""Keys that a recording adds, which have priority over the others."""
