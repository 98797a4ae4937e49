"""The decoder of bytes to keys, for xterm, tmux, linux and Apple Terminal, in both cursor modes."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

ESCAPE = "escape"

SEQUENCES: Final[dict[bytes, str]] = {
    b"\x1b[A": "up",
    b"\x1b[B": "down",
    b"\x1b[C": "right",
    b"\x1b[D": "left",
    b"\x1bOA": "up",  # application mode, after smkx
    b"\x1bOB": "down",
    b"\x1bOC": "right",
    b"\x1bOD": "left",
    b"\x1b[H": "home",
    b"\x1b[F": "end",
    b"\x1bOH": "home",
    b"\x1bOF": "end",
    b"\x1b[1~": "home",  # linux, tmux, screen
    b"\x1b[4~": "end",
    b"\x1b[7~": "home",  # rxvt
    b"\x1b[8~": "end",
    b"\x1b[5~": "page up",
    b"\x1b[6~": "page down",
    b"\x1b[Z": "back tab",
    b"\x1bOM": "enter",  # of the keypad
}
"""The keys by the sequences that terminals send. Other sequences that begin with Esc are ignored."""

CONTROLS: Final[dict[str, str]] = {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x0c": "ctrl l",
    "\x15": "ctrl u",
}

PASTE_BEGIN, PASTE_END = b"\x1b[200~", b"\x1b[201~"
LONGEST_PASTE = 65_536
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[^\[O])", re.DOTALL)
_BEGUN = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
_UTF8_LENGTHS = ((0xF0, 4), (0xE0, 3), (0xC0, 2))


class Key(Struct, frozen=True):
    """A named key or a letter; `is_text` marks pasted text, which is never a command."""

    name: str
    is_text: bool = False


class Decoder:
    """Decodes bytes to keys as they arrive.

    If the decoder `is_waiting` for the rest of a sequence for too long, call `end`.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._is_pasting = False
        self._pasted = b""

    @property
    def is_waiting(self) -> bool:
        """Whether there are bytes that may be the beginning of a sequence."""
        return bool(self._rest) and not self._is_pasting

    def feed(self, data: bytes) -> list[Key]:
        """Add bytes, and return the keys that are complete."""
        self._rest += data
        keys: list[Key] = []
        while self._rest:
            if not (self._paste(keys) if self._is_pasting else self._next(keys)):
                break
        return keys

    def end(self) -> list[Key]:
        """Return the keys if no more bytes follow: Esc, or none for an unknown sequence."""
        rest, self._rest = self._rest, b""
        return [Key(ESCAPE)] if rest == b"\x1b" else []

    def _next(self, keys: list[Key]) -> bool:
        """Decode one key. Return False if more bytes are needed."""
        rest = self._rest
        if rest[0] == 0x1B:
            return self._escaped(keys)
        length = next((size for least, size in _UTF8_LENGTHS if rest[0] >= least), 1)
        if len(rest) < length:
            return False
        letter = rest[:length].decode(errors="replace")
        if rest[0] >= 0x80 and "\ufffd" in letter:
            length, letter = 1, ""  # not UTF-8; the next byte may be
        self._rest = rest[length:]
        name = CONTROLS.get(letter, letter if letter.isprintable() else "")
        if name:
            keys.append(Key(name))
        return True

    def _escaped(self, keys: list[Key]) -> bool:
        rest = self._rest
        if rest.startswith(PASTE_BEGIN):
            self._rest, self._is_pasting, self._pasted = rest[len(PASTE_BEGIN) :], True, b""
            return True
        if _BEGUN.match(rest):
            return False
        if rest.startswith(b"\x1b\x1b"):  # two Esc, or Esc before another sequence
            self._rest = rest[1:]
            keys.append(Key(ESCAPE))
            return True
        found = _SEQUENCE.match(rest)
        if found is None:  # it has a byte that no sequence has
            self._rest = rest[1:].lstrip(b"[O")
            return True
        self._rest = rest[found.end() :]
        name = SEQUENCES.get(found[0])
        if name is not None:
            keys.append(Key(name))
        return True

    def _paste(self, keys: list[Key]) -> bool:
        text, end, rest = self._rest.partition(PASTE_END)
        if not end:
            # The end of the paste may be split, so its beginning is kept.
            kept = next((n for n in range(len(PASTE_END) - 1, 0, -1) if text.endswith(PASTE_END[:n])), 0)
            self._pasted += text[: len(text) - kept]
            self._rest = text[len(text) - kept :]
            self._pasted = self._pasted[:LONGEST_PASTE]
            return False
        self._pasted += text
        self._rest, self._is_pasting = rest, False
        pasted = self._pasted[:LONGEST_PASTE].decode(errors="replace")
        shown = "".join(letter for letter in pasted if letter.isprintable())
        if shown:
            keys.append(Key(shown, is_text=True))
        return True
