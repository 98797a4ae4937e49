"""Lines on standard error, where everything goes that is not data: one line each, without secrets."""

from __future__ import annotations

import sys

from prt.redaction import redact


def printable(text: str) -> str:
    """The text as one line that can't steer a terminal: controls, bidi marks and the like as escapes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text.strip()
    )


def complain(message: str, hint: str | None) -> None:
    """`prt: WHAT`, and `hint: WHAT TO DO`."""
    _write(f"prt: {printable(redact(message))}\n" + (f"hint: {printable(redact(hint))}\n" if hint else ""))


def notice(message: str) -> None:
    """One line that no exit code depends on; `--quiet` is the caller's to keep."""
    _write(f"prt: {printable(redact(message))}\n")


def _write(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        # Nobody is left to be told.
        return
