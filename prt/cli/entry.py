"""The entry point of `prt`, which answers shell completion before slow modules are imported."""

# ruff: noqa: E402 - during imports, Ctrl-C must end the process without a traceback

from __future__ import annotations

import signal

_IS_FIRST_TO_HEED = signal.getsignal(signal.SIGINT) is signal.default_int_handler
if _IS_FIRST_TO_HEED:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import contextlib
import os
import sys

from prt.config.environment import LIBRARIES, withdraw

COMPLETE = "__complete"


def main() -> None:
    """Run the `prt` command."""
    _keep_standard_files()
    withdraw(LIBRARIES)
    if sys.argv[1:2] == [COMPLETE]:
        _offer(sys.argv[2] if len(sys.argv) > 2 else "")
        return
    from prt.cli.main import main  # noqa: PLC0415 - completion can't wait for Typer

    # From now on Ctrl-C unwinds the stack, so that open resources are closed.
    main(heeds_interrupts=_IS_FIRST_TO_HEED)


def _keep_standard_files() -> None:
    """Open the standard files that are closed (`prt … >&-`), because the next socket would get their numbers.

    They are opened so that standard output can't be written; what goes to standard error is discarded.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, mode)  # it gets the lowest free number


def _offer(kind: str) -> None:
    """Print the words of a kind, one on each line; nothing if an error occurs."""
    from prt.cli.completion.offers import offers  # noqa: PLC0415

    try:
        sys.stdout.write("".join(f"{word}\n" for word in offers(kind)))
        sys.stdout.flush()
    except OSError:
        return
