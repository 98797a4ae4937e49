"""Characters that could steer a terminal, end a line or reorder a text, and their replacements.

A pipe often ends in a terminal or in a log that somebody looks at in one, so pipes and files get the same.
"""

from __future__ import annotations

import re
from typing import Final

_IN_JSON: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_IN_TEXT: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]")
"""Fewer: what is only invisible is a part of a text. Neither has the joiners of emoji and of Persian."""


def escaped_line(line: bytes) -> bytes:
    """Return a line of JSON that means the same, with such characters as \\uXXXX; its newline is kept."""
    if line.isascii() and b"\x7f" not in line:
        return line
    return _IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode()).encode()


def escaped_text(text: str) -> str:
    """Return a text as a part of one line, with such characters as \\n, \\x1b or \\u202e."""
    if text.isascii() and text.isprintable():
        return text
    return _IN_TEXT.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
