"""The terminal as Rich sees it, and whose it is."""

from __future__ import annotations

import os
import sys
from typing import IO

from rich.console import Console

from prt.config.terminal import may_color
from prt.errors import ReaderGoneError


class TerminalConsole(Console):
    """Rich's own answer to a closed pipe is to exit with 1; ours is to end well."""

    def on_broken_pipe(self) -> None:
        """Raise ReaderGoneError instead of ending the process, as Rich would."""
        raise ReaderGoneError


def is_in_foreground(terminal: IO[str]) -> bool:
    """Whether the shell has given us the terminal; True where there is no shell that could."""
    try:
        return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except (OSError, AttributeError):  # not our controlling terminal; no terminal; no process groups here
        return True


def terminal_console(has_color: bool | None, *, is_stderr: bool) -> Console:
    """Return a console for plain text. With None the terminal and NO_COLOR decide about colour."""
    stream = sys.stderr if is_stderr else sys.stdout
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")  # a character that the terminal's encoding lacks is no reason to die
    return TerminalConsole(
        stderr=is_stderr,
        force_terminal=None if may_color() else False,
        no_color=True if has_color is False else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
