"""Rich consoles for the terminal, and whether the process is in the foreground."""

from __future__ import annotations

import os
import sys
from typing import IO

from rich.console import Console

from prt.config.terminal import may_color
from prt.errors import ReaderGoneError


class TerminalConsole(Console):
    """A console that raises an error if its pipe is closed; Rich would exit with 1."""

    def on_broken_pipe(self) -> None:
        """Raise ReaderGoneError."""
        raise ReaderGoneError


def is_in_foreground(terminal: IO[str]) -> bool:
    """Return whether the process may use the terminal; True if there is no shell that could forbid it."""
    try:
        return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except (OSError, AttributeError):  # not our controlling terminal; no terminal; no process groups here
        return True


def terminal_console(has_color: bool | None, *, is_stderr: bool) -> Console:
    """Return a console for plain text.

    If `has_color` is None, the terminal and NO_COLOR decide about colours.
    """
    stream = sys.stderr if is_stderr else sys.stdout
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")  # don't fail at characters that the terminal's encoding lacks
    return TerminalConsole(
        stderr=is_stderr,
        force_terminal=None if may_color() else False,
        no_color=True if has_color is False else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
