"""Messages for standard error: each is one line without secrets."""

from __future__ import annotations

import sys

from prt.redaction import redact


def printable(text: str) -> str:
    """Return a text as one line in which characters that could control a terminal are escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text.strip()
    )


def complain(message: str, hint: str | None) -> None:
    """Print an error as `prt: MESSAGE`, and its hint as `hint: HINT`."""
    _write(f"prt: {printable(redact(message))}\n" + (f"hint: {printable(redact(hint))}\n" if hint else ""))


def notice(message: str) -> None:
    """Print a notice as one line. It has no effect on the exit code, and the caller respects `--quiet`."""
    _write(f"prt: {printable(redact(message))}\n")


def _write(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        # Nobody reads standard error any more.
        return
