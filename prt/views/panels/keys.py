"""Descriptions of the keys: the foot with the five that matter now, and the help with all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from prt.state.viewport.kinds import Overlay
from prt.state.viewport.viewport import Viewport
from prt.views.drawing.cells import cut, safe
from prt.views.drawing.lines import plain

Hint = tuple[str, str]
"""The keys, and what they do."""

LIST: Final[tuple[Hint, ...]] = (
    ("↑↓", "move"),
    ("Enter", "details"),
    ("/", "search"),
    ("space", "pause"),
    ("?", "keys"),
)
PLAYED: Final[tuple[Hint, ...]] = (
    ("space", "pause"),
    ("←→", "10 s"),
    ("[ ]", "speed"),
    ("Enter", "details"),
    ("?", "keys"),
)
"""The usual keys while a recording is played."""
HALTED: Final[tuple[Hint, ...]] = (("space", "go on"), *PLAYED[1:2], (".", "one event"), *PLAYED[3:])
"""The usual keys while a recording is paused."""
_SEARCHED: Final[tuple[Hint, ...]] = (
    ("n N", "next, previous"),
    ("Enter", "details"),
    ("Esc", "end the search"),
    ("y", "copy"),
    ("?", "keys"),
)
_FILTERED: Final[tuple[Hint, ...]] = (
    ("↑↓", "move"),
    ("f", "change the filter"),
    ("Esc", "show all"),
    ("e", "save"),
    ("?", "keys"),
)
_SCROLLED: Final[tuple[Hint, ...]] = (
    ("Enter", "details"),
    ("g", "newest"),
    ("y", "copy"),
    ("/", "search"),
    ("?", "keys"),
)
_PAUSED: Final[tuple[Hint, ...]] = (
    ("space", "go on"),
    ("↑↓", "move"),
    ("Enter", "details"),
    ("y", "copy"),
    ("?", "keys"),
)
_TYPING: Final[tuple[Hint, ...]] = (("Enter", "keep it"), ("Esc", "give it up"))
_DETAILS: Final[tuple[Hint, ...]] = (
    ("Esc", "close"),
    ("↑↓", "scroll"),
    ("←→", "fold, unfold"),
    ("y", "copy"),
    ("e", "save"),
)
_HELP: Final[tuple[Hint, ...]] = (("Esc", "close"), ("↑↓", "scroll"))

_OTHER_VIEWS: Final = ("1…7  Tab", "show one view alone, the next view")
_OF_LISTS: Final = "Lists of events"

HELP: Final[tuple[tuple[str, tuple[Hint, ...]], ...]] = (
    (
        "Move",
        (
            ("↑ ↓  j k", "select the next row; new events don't move it"),
            ("← →  h l", "select a card of the next column of a board"),
            ("PgUp PgDn", "move by a screen"),
            ("Home g", "the first row; a list of events follows again"),
            ("End G", "the last row that is kept"),
            _OTHER_VIEWS,
        ),
    ),
    (
        "Look",
        (
            ("Enter", "details of the selected row; Esc closes them"),
            ("/", "search while typing; n N next and previous; Esc ends it"),
            ("space", "pause and go on; what waits is counted"),
        ),
    ),
    (
        _OF_LISTS,
        (
            ("f", "filter: a text, table=…, event=…, COLUMN=VALUE"),
            ("c b p s", "changes, broadcasts, presence, statuses: off and on"),
            ("x", "clear what has been seen so far"),
        ),
    ),
    (
        "Keep",
        (
            ("y", "copy the selected row as JSON (OSC 52)"),
            ("e", "save the screen as SVG and the events as NDJSON"),
        ),
    ),
    (
        "End",
        (
            ("?", "these keys"),
            ("^L", "draw the screen anew"),
            ("^Z", "stop; fg comes back"),
            ("q  ^C", "end; the last rows stay in the scrollback"),
        ),
    ),
)
"""All keys, grouped by purpose."""

REPLAY: Final[tuple[Hint, ...]] = (
    ("← →", "10 s back, 10 s on"),
    ("[ ]", "slower, faster"),
    (".", "the next event"),
    ("0", "the start"),
)
EDITING: Final[tuple[Hint, ...]] = (
    ("< >", "move the card to the next column"),
    ("r", "mark the notification as read"),
)


def foot(viewport: Viewport, width: int, own: tuple[Hint, ...] = (), usual: tuple[Hint, ...] = LIST) -> Text:
    """Return one line with the five keys that matter now.

    Args:
        viewport: The state of the list: search, filter, position and overlay.
        width: The most cells of the line.
        own: The keys of a view that is not a list of events.
        usual: The keys while the list follows the newest event.
    """
    hints = _hints(viewport, own, usual)
    line, (*_, last) = plain(), hints
    left = width - cell_len(last[0] + last[1]) - 4
    for index, (keys, what) in enumerate(hints):
        between = "   " if index else ""
        room = width if (keys, what) == last else left
        if line.cell_len + cell_len(between + keys + what) + 1 > room:
            continue
        line.append(between).append(keys, "bold").append(f" {what}")
    return line


def _hints(viewport: Viewport, own: tuple[Hint, ...], usual: tuple[Hint, ...]) -> tuple[Hint, ...]:
    if viewport.prompt is not None:
        return _TYPING
    if viewport.overlay is Overlay.DETAILS:
        return _DETAILS
    if viewport.overlay is Overlay.HELP:
        return _HELP
    if viewport.query:
        return _SEARCHED
    if viewport.paused_at is not None:
        return _PAUSED
    if own:
        return own
    if not viewport.is_following:
        return _SCROLLED
    return _FILTERED if viewport.is_narrowed else usual


def help_lines(
    width: int,
    *,
    is_replay: bool,
    can_edit: bool,
    has_lists: bool = True,
    views: Sequence[tuple[str, bool]] = (),
    own: tuple[Hint, ...] = (),
) -> list[Text]:
    """Return all keys that can have an effect, with what they do.

    Args:
        width: The most cells of a line.
        is_replay: Whether a recording is played.
        can_edit: Whether keys may write.
        has_lists: Whether any of the views is a list of events.
        views: The name of each view that a digit shows, and whether it is drawn now.
        own: The keys of a view that takes none of the others.
    """
    groups = [group for group in HELP if has_lists or group[0] != _OF_LISTS]
    if own:
        groups = [("Keys", own), HELP[-1]]
    if len(views) == 1:
        groups = [(title, tuple(hint for hint in hints if hint != _OTHER_VIEWS)) for title, hints in groups]
    if len(views) > 1:
        drawn = {True: "  (shown)", False: ""}
        names = [
            (f"{number}", f"{safe(name)}{drawn[is_drawn]}")
            for number, (name, is_drawn) in enumerate(views, 1)
        ]
        groups.insert(1, ("Views", tuple(names)))
    if is_replay:
        groups.append(("Recording", REPLAY))
    if can_edit:
        groups.append(("Edit", EDITING))
    lines: list[Text] = []
    for title, hints in groups:
        lines += [*([plain()] if lines else []), plain(title, "bold underline")]
        for keys, what in hints:
            line = plain("  ").append(f"{keys:<11}", "bold")
            lines.append(line.append(cut(what, max(width - line.cell_len, 0))))
    return lines
