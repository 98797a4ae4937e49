"""The view of `prt notify`: one user's notifications as toasts, unread ones first and the newest on top.

Free text stands in the last column: terminals draw some scripts in other widths than expected, and the
columns before it stay aligned.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len
from rich.text import Text

from prt.events import Event
from prt.state.notifications import Notification, Notifications
from prt.state.screen import Screen
from prt.views.drawing.cells import cut, cut_middle, safe, wrapped
from prt.views.drawing.figures import counted, roughly
from prt.views.drawing.lines import line_of
from prt.views.panels.head import waiting
from prt.views.panels.inspection import Inspected
from prt.views.panels.keys import Hint
from prt.views.panels.listed import SELECTED, Listed

COLORS = {
    "blue": ("info", "notice", "message"),
    "green": ("success", "ok", "done"),
    "yellow": ("warning", "warn"),
    "red": ("error", "danger", "failure", "critical", "alert"),
}
"""The types of notifications by colour; other types have no colour."""

MESSAGE_LINES = 3
WIDEST = 100
"""The most cells of a line of a message; longer lines are hard to read."""
WITH_KEY = 120
"""The width in cells from which toasts show their key, which `prt notify read` accepts."""

_COLOR_OF = {kind: color for color, kinds in COLORS.items() for kind in kinds}
_BAR = "▌ "
_KIND, _READ, _AGE, _KEY = 10, 4, 6, 36
_KIND_WIDE = 18
"""The cells of a type if there is room for keys too."""


class _Widths(Struct, frozen=True):
    kind: int
    key: int
    text: int


class Toasts(Listed[str]):
    """A view of the notifications of `user`."""

    title = "notifications"

    def __init__(self, state: Notifications, screen: Screen, *, user: str) -> None:
        super().__init__()
        self.can_edit = False
        self._state = state
        self._screen = screen
        self._user = user
        self._first = 0

    def apply(self, event: Event) -> None:
        """Apply an event to the notifications."""
        self._state.apply(event)

    @property
    def hints(self) -> tuple[Hint, ...]:
        """The keys that matter for notifications."""
        marking: tuple[Hint, ...] = (("r", "mark as read"),) if self.can_edit else ()
        return (self.moving, ("Enter", "open"), *marking, ("/", "search"), ("y", "copy"), ("?", "keys"))

    def row_keys(self) -> list[str]:
        """Return the keys of the notifications in their order."""
        return [one.key for one in self._state.newest()]

    def content(self, key: str) -> bytes:
        """Return the text of a notification that a search looks at: its row as JSON."""
        return self._state.row(key) or b""

    def inspect(self, key: str) -> Inspected | None:
        """Return the details of a notification; None if it is gone."""
        one = next((one for one in self._state.newest() if one.key == key), None)
        if one is None:
            return None
        facts = (one.title, one.message, "read" if one.is_read else "unread")
        return Inspected(
            title=f"{one.kind or 'notification'} {one.key}",
            facts=tuple(filter(None, facts)),
            payload=self._state.row(key),
            label="row",
        )

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the notifications in at most `height` lines of at most `width` cells; `now` in µs."""
        newest = self._state.newest()
        if not newest:
            is_ready = self._screen.channel == "READY"
            text = "waiting for the first notification" if is_ready else waiting(self._screen)
            return [_count(newest, self._user, width), Text(""), line_of(text, width, "italic")][:height]
        lines, widths = [_count(newest, self._user, width)], _widths_of(newest, width)
        newest = newest[self._scrolled(newest, widths, height, now) :]
        for index, one in enumerate(newest):
            is_first_read = one.is_read and (index == 0 or not newest[index - 1].is_read)
            toast = _toast(one, widths, now)
            if one.key == self.selected:
                toast[0] = Text(SELECTED, "bold", no_wrap=True, overflow="crop").append_text(
                    toast[0][len(_BAR) :]
                )
                toast[0].stylize("reverse")
            for line in toast:
                line.truncate(width)
            if not one.is_read or is_first_read:
                toast.insert(0, Text(""))
            room = height - len(lines) - (index + 1 < len(newest))
            if len(toast) > room:
                more = line_of(f"and {len(newest) - index:,} more", width, "italic")
                return [*lines, *([] if index else toast[:room]), more][:height]
            lines += toast
        return lines

    def _scrolled(self, newest: Sequence[Notification], widths: _Widths, height: int, now: int) -> int:
        """Return the index of the first notification to draw, so that the selected one is visible in full."""
        self.choice.height = max(height // 4, 1)
        chosen = self.choice.sync([one.key for one in newest])
        if chosen is None:
            self._first = 0
            return 0
        self._first = min(self._first, chosen)
        heights = [len(_toast(one, widths, now)) + 1 for one in newest[self._first : chosen + 1]]
        while len(heights) > 1 and sum(heights) > height - 2:
            del heights[0]
            self._first += 1
        return self._first

    def summary(self) -> list[str]:
        """Return how many notifications there are, and how many are unread."""
        newest = self._state.newest()
        unread = sum(not one.is_read for one in newest)
        return [f"{counted(len(newest), 'notification')} of {safe(self._user)}, {unread:,} unread"]


def _count(newest: Sequence[Notification], user: str, width: int) -> Text:
    unread = sum(not one.is_read for one in newest)
    figures = f"{unread:,} unread, {len(newest) - unread:,} read"
    text = line_of(figures, width, "bold")
    return text.append(cut(f" · of {safe(user)}", width - text.cell_len), "not bold")


def _widths_of(newest: Sequence[Notification], width: int) -> _Widths:
    most = _KIND_WIDE if width >= WITH_KEY else _KIND
    kind = min(max(cell_len(safe(one.kind)) for one in newest), most)
    key = min(max(cell_len(safe(one.key)) for one in newest), _KEY) if width >= WITH_KEY else 0
    taken = len(_BAR) + (kind and kind + 2) + _READ + 1 + _AGE + 2 + (key and key + 2)
    return _Widths(kind, key, max(width - taken, 0))


def _toast(one: Notification, widths: _Widths, now: int) -> list[Text]:
    """Return a line with the title, then the lines of the message.

    A notification that was read has one line.
    """
    color = _COLOR_OF.get(one.kind.lower(), "")
    texts = [one.title, one.message] if one.title else [one.message]
    bold = "" if one.is_read else "bold"
    head = Text(_BAR, color, no_wrap=True, overflow="crop")
    if widths.kind:
        head.append(
            _padded(cut(safe(one.kind), widths.kind), widths.kind), f"{bold} {color}".strip() or "none"
        )
    head.append(f"{'read' if one.is_read else 'new':{_READ}} ", bold or "none")
    head.append(f"{_age(now - one.at):>{_AGE}}  ", "none")
    if widths.key:
        head.append(_padded(cut_middle(safe(one.key), widths.key), widths.key), "none")
    indent = head.cell_len - len(_BAR)
    if one.is_read:
        head.append(cut(safe("  ".join(filter(None, texts))), widths.text), "none")
        return [head]
    head.append(cut(safe(texts[0]), widths.text), "bold")
    below = _message("".join(texts[1:]), min(widths.text, WIDEST))
    return [head, *(line_of(_BAR, len(_BAR), color).append(" " * indent + line, "none") for line in below)]


def _message(text: str, width: int) -> list[str]:
    paragraphs = text.replace("\r\n", "\n").replace("\t", " ").split("\n")
    lines = [line for one in paragraphs for line in wrapped(safe(one), width)] if width else []
    if len(lines) > MESSAGE_LINES:
        last = " ".join(lines[MESSAGE_LINES - 1 : MESSAGE_LINES + 1])
        lines = [*lines[: MESSAGE_LINES - 1], cut(last, width - 1).removesuffix("…") + "…"]
    return lines


def _age(microseconds: int) -> str:
    """Return the largest unit of an age: `12 s`, `4 min`, `23 h`, `8 d`."""
    return " ".join(roughly(max(microseconds, 0)).split()[:2])


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text) + 2)
