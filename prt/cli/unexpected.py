"""Errors that nobody expected, wherever they come up: one line and a hint, and a traceback only if asked for.

Beside what a command raises there are tasks that nobody waits for, callbacks of the event loop, threads,
finalizers, and the warnings and loggers of libraries. Python writes all of these to standard error as they
are, with a traceback and with whatever a server put into them.
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
    """Write what an unexpected error is, and what to do about it."""
    complain(*words_of(error, is_debug=is_debug))


def words_of(error: BaseException, *, is_debug: bool) -> tuple[str, str]:
    """Return what an unexpected error is, and what to do about it."""
    text = str(error)
    return (
        f"unexpected {type(error).__name__}{f': {text}' if text else ''}; this is a bug in prt",
        "report it with the traceback" if is_debug else "run it again with --debug and report the traceback",
    )


def show_traceback(error: BaseException) -> None:
    """Write a traceback without secrets, in which an exception's words are one line and escaped."""
    if sys.stderr is not None:
        sys.stderr.write("".join(f"{_indented(line)}\n" for line in _traceback(error, set())))


def _traceback(error: BaseException, shown: set[int]) -> Iterator[str]:
    """The lines that Python would write, each with the words of at most one exception."""
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
    """Report from now on whatever Python would write to standard error by itself, as `complain_of` does."""

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
    # PyJWT's, of a secret that Supabase's CLI takes: whoever wrote it into a file is not told at each token.
    warnings.filterwarnings("ignore", message="The HMAC key is")
    logging.lastResort = Reporter(logging.WARNING)


def _indented(line: str) -> str:
    """`printable` without secrets, with the white space before the line kept."""
    line = redact(line)
    return line[: len(line) - len(line.lstrip(" "))] + printable(line)
