"""Parsers of names separated by commas; any name that PostgreSQL allows can be written in double quotes."""

from __future__ import annotations

import re
from typing import Final

QUOTED: Final = r'"(?:[^"]|"")+"'
"""A name in double quotes; a quote inside the name is doubled, as in SQL."""
_NAME: Final = re.compile(rf"\s*(?P<quoted>{QUOTED})\s*|[^,]*")
_WHOLE: Final = re.compile(QUOTED)


def unquoted(name: str) -> str:
    """Return a name without its quotes, or without spaces around it if it has no quotes."""
    stripped = name.strip()
    return stripped[1:-1].replace('""', '"') if _WHOLE.fullmatch(stripped) else stripped


def names_of(text: str) -> tuple[str, ...]:
    """Return the names between commas; a missing name is empty."""
    found, at = [], 0
    while True:
        match = _NAME.match(text, at)
        if match is None or (match["quoted"] and match.end() < len(text) and text[match.end()] != ","):
            # A quote inside a name is an ordinary character.
            match = re.compile("[^,]*").match(text, at)
        assert match is not None  # noqa: S101 - the pattern also matches an empty text
        found.append(unquoted(match[0]))
        at = match.end() + 1
        if at > len(text):
            return tuple(found)
