"""Reports of unexpected errors: one line and a hint, and a traceback only with --debug.

Besides errors of the command, these come from tasks that nobody awaits, callbacks of the event loop, threads,
finalizers, and the warnings and loggers of libraries. Python writes them to standard error unchanged, with a
traceback and with texts that a server may have sent.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prt.redaction import redact
from prt.views.sinks.stderr import complain, notice, printable

if TYPE_CHECKING:
    from types import TracebackType


def complain_of(error: BaseException, *, is_debug: bool) -> None:
    """Report an unexpected error, and what to do about it."""
    complain(*words_of(error, is_debug=is_debug))


def words_of(error: BaseException, *, is_debug: bool) -> tuple[str, str]:
    """Return the message and the hint for an unexpected error."""
    text = str(error)
    return (
        f"unexpected {type(error).__name__}{f': {text}' if text else ''}; this is a bug in prt",
        "report it with the traceback" if is_debug else "run it again with --debug and report the traceback",
    )


def show_traceback(error: BaseException) -> None:
    """Print a traceback without secrets, in which the text of each exception is one escaped line."""
    if sys.stderr is not None:
        sys.stderr.write("".join(f"{_indented(line)}\n" for line in _traceback(error, set())))


def _traceback(error: BaseException, shown: set[int]) -> Iterator[str]:
    """Yield the lines of a Python traceback, each with the text of at most one exception."""
    shown.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in shown:
        yield from _traceback(before, shown)
        how = (
            "The above exception was the direct cause of"
            if error.__cause__
            else "While it was handled, there was"
        )
        yield from ("", f"{how} the following exception:", "")
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):"
        for part in traceback.format_tb(error.__traceback__):
            yield from part.rstrip("\n").split("\n")
    yield from (f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ()))
    for number, one in enumerate(error.exceptions if isinstance(error, BaseExceptionGroup) else (), 1):
        yield f"  Exception {number} of the group:"
        yield from (f"    {line}" for line in _traceback(one, shown))


def guard(*, is_debug: bool) -> None:
    """Report with `complain_of`, from now on, everything that Python itself would write to standard error."""

    def report(error: BaseException | None) -> None:
        if error is None or isinstance(error, SystemExit | KeyboardInterrupt):
            return
        if is_debug:
            show_traceback(error)
        complain_of(error, is_debug=is_debug)

    def of_process(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        report(error)

    def of_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        notice(f"{category.__name__}: {message}")

    class Reporter(logging.Handler):
        """Takes what no other handler does; asyncio logs the errors of its tasks and callbacks."""

        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            if error is not None:
                report(error)
            else:
                notice(record.getMessage().partition("\n")[0])

        def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
            """Ignore a record that can't be written: it would be written as it is, with a traceback."""

    sys.excepthook = of_process
    sys.unraisablehook = lambda unraisable: report(unraisable.exc_value)
    threading.excepthook = lambda thread: report(thread.exc_value)
    warnings.showwarning = of_warning
    # PyJWT warns at each token about a secret that is too short, but Supabase's CLI accepts it.
    warnings.filterwarnings("ignore", message="The HMAC key is")
    logging.lastResort = Reporter(logging.WARNING)


def _indented(line: str) -> str:
    """Return a line for printing without secrets, with the spaces before it."""
    line = redact(line)
    return line[: len(line) - len(line.lstrip(" "))] + printable(line)
