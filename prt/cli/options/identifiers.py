"""Names as they are typed, separated by commas; any name that PostgreSQL allows can be written in quotes."""

from __future__ import annotations

import re
from typing import Final

QUOTED: Final = r'"(?:[^"]|"")+"'
"""A name in double quotes; a quote in it is doubled, as in SQL."""
_NAME: Final = re.compile(rf"\s*(?P<quoted>{QUOTED})\s*|[^,]*")
_WHOLE: Final = re.compile(QUOTED)


def unquoted(name: str) -> str:
    """Return the name that is meant: what is in quotes as it is, anything else without blanks around it."""
    stripped = name.strip()
    return stripped[1:-1].replace('""', '"') if _WHOLE.fullmatch(stripped) else stripped


def names_of(text: str) -> tuple[str, ...]:
    """Return the names between the commas; an empty one if nothing stands there."""
    found, at = [], 0
    while True:
        match = _NAME.match(text, at)
        if match is None or (match["quoted"] and match.end() < len(text) and text[match.end()] != ","):
            # A quote within a name is an ordinary character of it.
            match = re.compile("[^,]*").match(text, at)
        assert match is not None  # noqa: S101 - it matches nothing at all, too
        found.append(unquoted(match[0]))
        at = match.end() + 1
        if at > len(text):
            return tuple(found)
