"""The division of a SQL script into statements, as psql does it, so that an error can name a line.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* )
    | (?P<block> /\* )
    | (?P<string> [eE]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*' | '[^']*(?:''[^']*)*' | "[^"]*(?:""[^"]*)*" )
    | (?P<unclosed> ['"] )
    | (?P<dollar> \$(?:[^\W\d]\w*)?\$ )
    | (?P<word> [^\W\d][\w$]* )
    | (?P<sign> [;()\\] )
    | (?P<space> \s+ )
    """,
    re.DOTALL | re.VERBOSE,
)
BLOCK_EDGE = re.compile(r"/\*|\*/")
ROUTINE = re.compile(r"create\s+(or\s+replace\s+)?(function|procedure)\b", re.IGNORECASE)
COPY_IN = re.compile(r"copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
END_OF_ROWS = re.compile(r"^\\\.\r?(?:\n|\Z)", re.MULTILINE)


class Statement(Struct, frozen=True):
    """A statement of a script, or a command of psql, which begins with a backslash.

    Attributes:
        line: The line on which it begins, counted from 1.
        text: The statement without its semicolon.
        rows: The rows that follow a `copy … from stdin`, else None.
    """

    line: int
    text: str
    rows: str | None = None


def split(script: str) -> Iterator[Statement]:
    """Yield the statements of a script, without the comments before them.

    A string or comment that is not closed runs to the end of the script.
    """
    position = line = 0
    while (start := _skip_blank(script, position)) < len(script):
        line += script.count("\n", position, start)
        if script[start] == "\\":
            end = _end_of_line(script, start)
            yield Statement(line + 1, script[start:end].rstrip())
            after = end
        else:
            end = _end_of_statement(script, start)
            text, after = script[start:end].rstrip(), end + 1
            if COPY_IN.match(text):
                first = _end_of_line(script, end)
                last = END_OF_ROWS.search(script, first)
                rows = script[first : last.start() if last else len(script)]
                after = last.end() if last else len(script)
                yield Statement(line + 1, text, rows)
            elif text:
                yield Statement(line + 1, text)
        line += script.count("\n", start, after)
        position = after


def _skip_blank(script: str, position: int) -> int:
    while match := TOKEN.match(script, position):
        match match.lastgroup:
            case "comment" | "space":
                position = match.end()
            case "block":
                position = _end_of_block(script, match.end())
            case _:
                break
    return position


def _end_of_statement(script: str, start: int) -> int:
    """Return where a statement's semicolon stands, or the end of the script."""
    is_routine = ROUTINE.match(script, start) is not None
    parentheses = bodies = 0
    previous = ""
    position = start
    while match := TOKEN.search(script, position):
        found, position = match.group(), match.end()
        match match.lastgroup:
            case "block":
                position = _end_of_block(script, position)
            case "dollar":
                closing = script.find(found, position)
                position = len(script) if closing < 0 else closing + len(found)
            case "unclosed":
                return len(script)
            case "sign" if found == "(":
                parentheses += 1
            case "sign" if found == ")":
                parentheses -= 1
            case "sign" if found == ";" and parentheses <= 0 and bodies == 0:
                return match.start()
            case "word" if is_routine:
                # A body of standard SQL, `begin atomic … end`, has semicolons of its own.
                word = found.lower()
                if (word == "atomic" and previous == "begin") or (word == "case" and bodies):
                    bodies += 1
                elif word == "end" and bodies:
                    bodies -= 1
                previous = word
    return len(script)


def _end_of_block(script: str, position: int) -> int:
    depth = 1
    for edge in BLOCK_EDGE.finditer(script, position):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(script)


def _end_of_line(script: str, position: int) -> int:
    """Return the position behind the line break."""
    return script.find("\n", position) + 1 or len(script)
