"""Escapes for characters that could control a terminal, end a line or reorder a text.

Pipes and files get the same escapes as a terminal, because their content is often read in a terminal later.
"""

from __future__ import annotations

import re
from typing import Final

_IN_JSON: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_IN_TEXT: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]")
"""The characters that are escaped in text: fewer, because invisible characters may be a part of it.

Neither pattern has the joiners that emoji and Persian need.
"""


def escaped_line(line: bytes) -> bytes:
    r"""Return an equal line of JSON in which \uXXXX replaces each character that could control a terminal."""
    if line.isascii() and b"\x7f" not in line:
        return line
    return _IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode()).encode()


def escaped_text(text: str) -> str:
    r"""Return a text as one line: escapes such as \n and \x1b replace what could control a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return _IN_TEXT.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
