"""Text from the wire, made safe to print and measured in terminal cells.

Safe text can't set colours, move the cursor, open a link or reverse the reading order, and terminals agree on
its width.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from rich.cells import cell_len, get_character_cell_size

if TYPE_CHECKING:
    from rich.text import Text

ELLIPSIS = "…"
_MARK = "\x1a"  # stands before a combining mark while the marks are counted; no safe text holds a control
# A letter of any script needs three marks at most; more would be stacked over the lines above.
_TOO_MANY_MARKS = re.compile(f"((?:{_MARK}.){{3}})(?:{_MARK}.)+")
_REMEMBERED = 8192
_DOTTED_CIRCLE = "\u25cc"  # carries a mark that has no letter before it

# Terminals disagree on the width of a sequence that these join, and Rich on the width of a joiner that joins
# nothing. Without them, each part has the same width everywhere. The JSON outputs keep them.
_DROPPED = frozenset(
    [*map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0)), *map(chr, range(0x1F3FB, 0x1F400))]
) | {"\u200c", "\u200d"}
_INVISIBLE_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")


class _Shown(dict[int, str]):
    """The replacement of each character, for `str.translate`; each is worked out once and then cached."""

    def __missing__(self, code: int) -> str:
        shown = _shown(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = shown
        return shown


_TRANSLATION = _Shown()


def safe(text: str) -> str:
    r"""Return `text` as one line that is safe to print.

    Control characters become symbols such as ␛, or escapes such as \x9b. Invisible characters, and those that
    change the direction of the text, become escapes such as \u202e.
    """
    if text.isascii():
        return text if text.isprintable() else text.translate(_TRANSLATION)
    shown = unicodedata.normalize("NFC", text).translate(_TRANSLATION)
    if _MARK not in shown:
        return shown
    if shown.startswith(_MARK):
        shown = _DOTTED_CIRCLE + shown
    return _TOO_MANY_MARKS.sub(r"\1", shown).replace(_MARK, "")


def cut(text: str, width: int) -> str:
    """Cut safe text to at most `width` cells; `…` stands for the part that is cut off."""
    if cell_len(text) <= width:
        return text
    return _head(text, width - 1) + ELLIPSIS if width > 0 else ""


def cut_middle(text: str, width: int) -> str:
    """Cut safe text to at most `width` cells, with `…` in its middle.

    It's used for keys, which often differ only at their beginning or their end.
    """
    if cell_len(text) <= width:
        return text
    if width < 3:
        return cut(text, width)
    tail = _tail(text, width // 2)
    return _head(text, width - 1 - cell_len(tail)) + ELLIPSIS + tail


def wrapped(text: str, width: int) -> list[str]:
    """Return safe text as lines of at most `width` cells, broken at spaces if there are any."""
    if width <= 0:
        return [text] if text else []
    lines: list[str] = []
    start, count = 0, len(text)
    while start < count:
        end = fitting(text, start, width)
        if end == count:
            lines.append(text[start:])
            break
        end = max(end, start + 1)
        space = text.rfind(" ", start + 1, end)
        end = space + 1 if space > 0 else end
        lines.append(text[start:end].rstrip())
        start = end
        while start < count and text[start].isspace():
            start += 1
    return lines


def fitting(text: str, start: int, width: int) -> int:
    """Return where the part of a text that begins at `start` and fits into `width` cells ends."""
    used = 0
    for index in range(start, len(text)):
        used += get_character_cell_size(text[index])
        if used > width:
            return index
    return len(text)


def within(lines: list[Text], width: int, height: int) -> list[Text]:
    """Return the first `height` lines, each cropped to `width` cells because terminals can be very narrow."""
    lines = lines[:height]
    for line in lines:
        if line.cell_len > width:
            line.truncate(width)
    return lines


def _shown(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if character in _DROPPED:
        return ""
    category = unicodedata.category(character)
    if character.isprintable() and character not in _INVISIBLE_LETTERS:
        return _MARK + character if category in {"Mn", "Me"} else character
    if category == "Zs":
        return " "
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _head(text: str, width: int) -> str:
    return text[: fitting(text, 0, width)]


def _tail(text: str, width: int) -> str:
    used = 0
    for index in range(len(text) - 1, -1, -1):
        used += get_character_cell_size(text[index])
        if used > width:
            start = index + 1
            while start < len(text) and get_character_cell_size(text[start]) == 0:
                start += 1  # a mark is dropped with its letter
            return text[start:]
    return text
