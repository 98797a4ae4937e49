"""Reports of errors: two lines on standard error, an exit code, and the line `end` of NDJSON."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import typer

from prt.cli.unexpected import show_traceback, words_of
from prt.clock import wall_clock
from prt.config.terminal import is_terminal
from prt.errors import OutputError, PrtError, ReaderGoneError, UsageError
from prt.signals import INTERRUPTED
from prt.views.sinks.stderr import complain

WRITES_LINES: Final = frozenset({"watch", "presence", "notify", "replay", "demo", "update", "audit", "tap"})
"""Commands whose NDJSON ends with the line `end`."""
WITHOUT_LINES: Final = frozenset({"send", "read"})
"""Subcommands of these that don't write the line `end`."""
_UNWRITABLE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""Errors of a write. Other files than standard output have their own messages, which name the file."""
FORMS: Final = ("-o", "--output", "--template")


class FileError(PrtError):
    """An error of the operating system with a file, which no other code has explained."""

    id = "E-FILE"


class BugError(PrtError):
    """An unexpected error."""

    id = "E-BUG"


def report(exc: BaseException, arguments: Sequence[str]) -> int:
    """Report the error that ended a command, and return the exit code. Only this function does so."""
    error = _innermost(exc)
    if isinstance(error, ReaderGoneError | BrokenPipeError):
        silence_stdout()
        return 0
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    is_debug = asks_for_traceback(arguments)
    if is_debug:
        show_traceback(exc)
    if isinstance(error, typer.Abort):
        complain("aborted", None)
        return INTERRUPTED
    ours = _as_ours(error, is_debug=is_debug)
    if ours is None:
        return error.exit_code if isinstance(error, typer.TyperException) else 1
    if is_plugin(arguments):
        return _report_to_monitoring(ours)
    if not ours.is_reported:
        complain(ours.message, ours.hint)
    if not ours.is_in_lines and writes_lines(arguments):
        _write_end(ours)
    return ours.exit_code


def writes_lines(arguments: Sequence[str]) -> bool:
    """Return whether a command line asks for NDJSON that ends with the line `end`."""
    own = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    if not own or own[0] not in WRITES_LINES or (own[1:2] and own[1] in WITHOUT_LINES):
        return False
    if any(word in {"-h", "--help"} for word in own):
        return False
    if "--json" in own or "--output=json" in own:
        return True
    if any(word in FORMS or word.startswith(tuple(f"{form}=" for form in FORMS)) for word in own):
        return any(pair in {("-o", "json"), ("--output", "json")} for pair in pairwise(own))
    if own[0] == "tap" and "--" in arguments:
        return False  # standard output belongs to the tapped command
    return sys.stdout is not None and not is_terminal(sys.stdout)


def is_plugin(arguments: Sequence[str]) -> bool:
    """Return whether a command line asks for the output and the exit codes of a monitoring plugin."""
    own = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    return own[:1] == ["status"] and ("--format=nagios" in own or ("--format", "nagios") in pairwise(own))


def asks_for_traceback(arguments: Sequence[str]) -> bool:
    """Return whether `--debug` is one of prt's own arguments."""
    return "--debug" in (arguments[: arguments.index("--")] if "--" in arguments else arguments)


def asks_for_agent(arguments: Sequence[str]) -> bool:
    """Return whether `--agent` is one of prt's own arguments."""
    return "--agent" in (arguments[: arguments.index("--")] if "--" in arguments else arguments)


def silence_stdout() -> None:
    """Replace standard output by the null device.

    Python flushes it at exit and would report the closed pipe.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _innermost(exc: BaseException) -> BaseException:
    """Return the most useful error of a group: our own before others."""
    if not isinstance(exc, BaseExceptionGroup):
        return exc
    errors = [_innermost(one) for one in exc.exceptions]
    return next((one for one in errors if isinstance(one, PrtError)), errors[0])


def _as_ours(error: BaseException, *, is_debug: bool) -> PrtError | None:
    """Return an error as one of ours; None if Typer has printed the help of a group instead."""
    if isinstance(error, PrtError):
        return error
    if isinstance(error, typer.TyperException):
        return _usage_error(error)
    if isinstance(error, OSError) and error.strerror:
        if error.filename is None and error.errno in _UNWRITABLE:
            return OutputError(error)
        return FileError(f"{error.strerror}{f': {error.filename}' if error.filename else ''}")
    return BugError(*words_of(error, is_debug=is_debug))


def _usage_error(error: typer.TyperException) -> UsageError | None:
    message = error.format_message()
    if not message:
        return None
    what, _, suggestion = message.partition(" Did you mean ")
    possibilities = getattr(error, "possibilities", None)
    if possibilities:
        what, suggestion = error.message, f"{' or '.join(sorted(possibilities))}?"
    context = getattr(error, "ctx", None)
    see = f"see `{context.command_path if context else 'prt'} --help`"
    # Typer validates some values with Pydantic, which has its own messages.
    what = what.replace("Value error, ", "").replace("\n\t", " ").rstrip(". ")
    usage = UsageError(what, f"did you mean {suggestion}" if suggestion else see)
    usage.exit_code = error.exit_code  # type: ignore[misc]
    return usage


def _report_to_monitoring(error: PrtError) -> int:
    """Report why a check could not be made, and return the exit code of a plugin."""
    from prt.views.monitoring import plugin  # noqa: PLC0415 - only for the plugin's output

    hint = f" ({error.hint})" if error.hint else ""
    try:
        plugin.report(plugin.UNKNOWN, error.message + hint)
    except (OSError, ValueError, AttributeError):
        silence_stdout()
    return plugin.UNKNOWN


def _write_end(error: PrtError) -> None:
    """Write the line `end` for a command that ended before it opened its output."""
    from prt.events import End  # noqa: PLC0415 - msgspec is only needed for lines
    from prt.views.sinks.ndjson import encode, report_of  # noqa: PLC0415 - as above

    end = End(at=wall_clock(), reason="error", exit_code=error.exit_code, events=0, error=report_of(error))
    try:
        sys.stdout.buffer.write(encode(end))
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
    except (OSError, ValueError, AttributeError):
        # What can't be written to standard output has been reported on standard error.
        return
