"""Reading and writing of `.env` files as Supabase's users write them: `export`, quotes, multi-line values.

Variables inside values are not expanded, because the `.env` of a cloned folder could put a secret of the
environment into its URL. For this reason no library reads the file.
"""

from __future__ import annotations

import re

_LINE = re.compile(
    r"""
    ^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)[ \t]*=[ \t]*
    (?:
        '(?P<single>[^']*)'
      | "(?P<double>(?:\\.|[^"\\])*)"
      | (?P<bare>[^\r\n]*?)
    )
    [ \t]*(?:(?:^|(?<=[\s'"]))\#[^\r\n]*)?\r?$
    """,
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(r"[\w.:/@%+=,-]*", re.ASCII)
_SPECIAL = re.compile(r'[\\"$`]')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def parse(text: str) -> dict[str, str]:
    """Return the values by name, the last value of each name.

    Lines without an assignment are skipped.
    """
    values: dict[str, str] = {}
    for match in _LINE.finditer(text.removeprefix("\ufeff")):
        single, double, bare = match["single"], match["double"], match["bare"]
        if single is not None:
            value = single
        elif double is not None:
            value = _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[1]), double)
        else:
            value = bare.strip()
        values[match["name"]] = value
    return values


def value_text(text: str) -> str:
    """Return a printable text as a value of a `.env` file, which a shell may also read."""
    if _PLAIN.fullmatch(text):
        return text
    if "'" not in text:
        return f"'{text}'"
    return '"' + _SPECIAL.sub(r"\\\g<0>", text) + '"'
