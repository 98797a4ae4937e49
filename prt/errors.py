"""The errors of `prt`, each with the exit code that scripts rely on.

PrtError                1   a test or an expectation failed, an update was rolled back
├── OutputError         1   standard output can't be written
├── UsageError          2   usage
│   └── ConfigError     2   configuration
│       ├── NoProjectError  2   no project is configured
│       ├── MissingKeyError 2   no key is configured
│       └── WrongKeyError   2   a key that does not belong where it was found
├── RefusedError        3   authentication or authorization refused
├── UnreachableError    4   the project can't be reached, or the subscription was refused
├── ProtocolError       5   the other side did not follow the protocol
└── TimedOutError     124   `--timeout` ran out

Errors of libraries are translated once, at the place that calls the library. The page `errors` of the manual
explains every `id`.
"""

from __future__ import annotations

from typing import ClassVar

from prt.redaction import redact


class PrtError(Exception):
    """An error that a user sees: a message of one line, and a hint of one line that says what to do about it.

    Both may contain text of a library or a server. Registered secrets are therefore removed here, so that no
    output has to do it.
    """

    exit_code: ClassVar[int] = 1
    id: ClassVar[str] = "E-FAILED"
    """The name of the cause, such as `E-USAGE`; it stays the same when the message is reworded."""
    attempt: ClassVar[str | None] = None
    """A command that helps to find or to fix the cause; it is the key `try` in an error's JSON."""
    is_reported = False
    """Whether the error was already printed to standard error."""
    is_in_status = False
    """Whether a status of the error's channel already contains it."""
    is_in_lines = False
    """Whether the line `end` of the NDJSON output already contains it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = redact(message)
        self.hint = None if hint is None else redact(hint)
        super().__init__(self.message)


class ReaderGoneError(Exception):
    """The program that reads our output has closed the pipe. A command then ends successfully."""


class OutputError(PrtError):
    """Standard output can't be written, for example because the disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the output can't be written: {error.strerror}")


class UsageError(PrtError):
    """The command line asks for something that is not possible."""

    exit_code = 2
    id = "E-USAGE"


class ConfigError(UsageError):
    """A configuration file or value can't be read or understood."""

    id = "E-CONFIG"
    attempt = "prt config"


class NoProjectError(ConfigError):
    """No project is configured."""

    id = "E-NO-PROJECT"
    attempt = "prt init"


class MissingKeyError(ConfigError):
    """No key of the project is configured."""

    id = "E-NO-KEY"


class WrongKeyError(ConfigError):
    """The configured key is of the wrong kind."""

    id = "E-WRONG-KEY"


class RefusedError(PrtError):
    """The project refuses this identity."""

    exit_code = 3
    id = "E-REFUSED"
    attempt = "prt status"


class UnreachableError(PrtError):
    """The project, or a part of it, can't be reached."""

    exit_code = 4
    id = "E-UNREACHABLE"
    attempt = "prt status"


class ProtocolError(PrtError):
    """The other side does not follow the protocol."""

    exit_code = 5
    id = "E-PROTOCOL"
    attempt = "prt status"


class TimedOutError(PrtError):
    """Something that was waited for did not happen in time."""

    exit_code = 124
    id = "E-TIMEOUT"
