"""The entry point of `prt`: a TAB is answered before anything is imported that takes time."""

# ruff: noqa: E402 - while modules are imported, Ctrl-C must end us without a traceback

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
    """The `prt` command."""
    _keep_standard_files()
    withdraw(LIBRARIES)
    if sys.argv[1:2] == [COMPLETE]:
        _offer(sys.argv[2] if len(sys.argv) > 2 else "")
        return
    from prt.cli.main import main  # noqa: PLC0415 - Typer takes longer than a TAB may

    # From here on the stack is unwound, so that whoever opened something closes it.
    main(heeds_interrupts=_IS_FIRST_TO_HEED)


def _keep_standard_files() -> None:
    """Open the standard files that are closed (`prt … >&-`), whose numbers the next socket would be given.

    Such a file is one that can't be written then; nobody misses what goes to standard error.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, mode)  # the lowest number that is free


def _offer(kind: str) -> None:
    """The words of a kind, a line each; none where something is wrong."""
    from prt.cli.completion.offers import offers  # noqa: PLC0415

    try:
        sys.stdout.write("".join(f"{word}\n" for word in offers(kind)))
        sys.stdout.flush()
    except OSError:
        return
