"""Quoting of text from outside, for commands and SQL that people paste into a shell or a database."""

from __future__ import annotations

import re
import shlex
from typing import Final
from urllib.parse import quote

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")
_WORDS: Final = """
all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
collation column concurrently constraint create cross current_catalog current_date current_role
current_schema current_time current_timestamp current_user default deferrable desc distinct do else end
except false fetch for foreign freeze from full grant group having ilike in initially inner intersect
into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null
offset on only or order outer overlaps placing primary references returning right select session_user
similar some symmetric system_user table tablesample then to trailing true union unique user using
variadic verbose when where window with
"""
_RESERVED: Final = frozenset(_WORDS.split())
"""The words that PostgreSQL does not accept as a name without quotes.

https://www.postgresql.org/docs/current/sql-keywords-appendix.html
"""
_GROUPS: Final = ("core", "module", "all")
"""The words that `prt` reads as a group of several tables."""


def identifier(name: str) -> str:
    """Return a name as an SQL identifier, in quotes if it would mean something else without them."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    return _quoted(name, '"')


def qualified(name: str) -> str:
    """Return a name such as `schema.table` as SQL, with each part as an identifier."""
    return ".".join(map(identifier, name.split(".", 1)))


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return _quoted(text, "'")


def word(text: str) -> str:
    """Return a text as a single word of a shell command, in which no shell expands anything.

    Quotes and backslashes stand outside of the quotes: inside, a backslash quotes in fish, but not in others.
    """
    if not set("'\\") & set(text):
        return shlex.quote(text)
    parts = re.split(r"(['\\])", text)
    return "".join(f"\\{part}" if index % 2 else part and f"'{part}'" for index, part in enumerate(parts))


def script_text(text: str) -> str:
    """Return a text as a string of JavaScript or Python."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    shown = (one if one.isprintable() else one.encode("unicode_escape").decode() for one in escaped)
    return f"'{''.join(shown)}'"


def host(name: str) -> str:
    """Return a host as the last words of a shell command, so that it can't be read as an option."""
    return f"-- {word(name)}" if name.startswith("-") else word(name)


def table(name: str) -> str:
    """Return a table as a word of a shell command for `prt`, in double quotes if the name is unusual."""
    is_plain = re.fullmatch(r"[^\W\d]\w*", name) is not None and name not in _GROUPS
    return word(name if is_plain else '"' + name.replace('"', '""') + '"')


def comment(text: str) -> str:
    """Return a text as an SQL comment that ends a line. A line break in the text would end the comment."""
    return "-- " + "".join(character if character.isprintable() else "?" for character in text)


def path(text: str) -> str:
    """Return a text as a segment of a URL."""
    return quote(text, safe="")


def _quoted(text: str, mark: str) -> str:
    doubled = text.replace(mark, mark * 2)
    if text.isprintable():
        return f"{mark}{doubled}{mark}"
    # Control characters would act on the terminal, and escapes made for display would change the text.
    escaped = "".join(
        character if character.isprintable() else f"\\+{ord(character):06x}"
        for character in doubled.replace("\\", "\\\\")
    )
    return f"U&{mark}{escaped}{mark}"
