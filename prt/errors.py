"""What can go wrong, each with the exit code that scripts rely on.

PrtError                1   a test or an expectation failed, an update was rolled back
├── UsageError          2   usage or configuration
├── RefusedError        3   authentication or authorization refused
├── UnreachableError    4   the project can't be reached, or the subscription was refused
├── ProtocolError       5   the server spoke something that is not its protocol
└── TimedOutError     124   `--timeout` ran out

Foreign exceptions are translated once, where the library is called.
"""

from __future__ import annotations

from typing import ClassVar

from prt.redaction import redact


class PrtError(Exception):
    """One line for the user, and one that says what to do about it.

    Both may hold the words of a library or a server, so secrets are removed here, whatever shows them.
    """

    exit_code: ClassVar[int] = 1
    is_told = False
    """Whether standard error has it already."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = redact(message)
        self.hint = None if hint is None else redact(hint)
        super().__init__(self.message)


class UsageError(PrtError):
    exit_code = 2


class RefusedError(PrtError):
    exit_code = 3


class UnreachableError(PrtError):
    exit_code = 4


class ProtocolError(PrtError):
    exit_code = 5


class TimedOutError(PrtError):
    exit_code = 124
