"""The `.env` dialect that Supabase's users write: `export`, quotes, comments, values over several lines.

Variables inside values are not expanded: a cloned folder's `.env` could put a secret of the
environment into its URL. That is why no library reads it here.
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
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def parse(text: str) -> dict[str, str]:
    """Return names and values, the last value of each name; lines without an assignment are skipped."""
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
