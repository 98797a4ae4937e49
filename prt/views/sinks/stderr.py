"""Messages for standard error: each is one line without secrets, wrapped at words on a terminal."""

from __future__ import annotations

import os
import re
import sys
from typing import Final

from prt.config.terminal import is_terminal
from prt.redaction import redact

_COMMAND: Final = re.compile(
    r"(hint: )?(alter|create|drop|eval|export|grant|prt|psql|revoke|supabase|uv) |.*; -- |.*;$"
)
"""A line with a command or SQL that users copy: a line break in it would be copied too."""
_QUOTED: Final = re.compile(r"`[^`]*`")
_HELD: Final = "\u00a0"
"""The character in place of a space at which a line must not be broken."""


def printable(text: str) -> str:
    """Return a text as one line in which characters that could control a terminal are escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text.strip()
    )


def complain(message: str, hint: str | None) -> None:
    """Print an error as `prt: MESSAGE`, and its hint as `hint: HINT`."""
    _write(f"prt: {printable(redact(message))}", *([f"hint: {printable(redact(hint))}"] if hint else []))


def notice(message: str) -> None:
    """Print a notice as one line. It has no effect on the exit code, and the caller respects `--quiet`."""
    _write(f"prt: {printable(redact(message))}")


def wrapped_message(line: str, width: int) -> list[str]:
    """Return a line as lines of at most `width` cells, without a break inside of a command."""
    if len(line) < width or _COMMAND.match(line):
        return [line]
    from prt.views.drawing.cells import wrapped  # noqa: PLC0415 - most messages are short

    held = _QUOTED.sub(lambda match: match[0].replace(" ", _HELD), line)
    if any(len(word) > width for word in held.split(" ")):
        return [line]
    return [part.replace(_HELD, " ") for part in wrapped(held, width)]


def _write(*lines: str) -> None:
    if sys.stderr is None:
        return
    try:
        width = _width()
        parts = [part for line in lines for part in (wrapped_message(line, width) if width else [line])]
        sys.stderr.write("".join(f"{part}\n" for part in parts))
        sys.stderr.flush()
    except (OSError, ValueError):
        # Nobody reads standard error any more.
        return


def _width() -> int:
    """Return the width of the terminal that shows standard error; 0 if there is none, or if it is unknown."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns if is_terminal(sys.stderr) else 0
    except (OSError, ValueError):
        return 0
