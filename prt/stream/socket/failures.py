"""The failures that end a connection, a join or a channel, and whether a further attempt makes sense.

UnreachableError
├── LostError             the connection is gone
├── NoAnswerError         the server did not answer a handshake
├── JoinTimedOutError     the server did not answer a join, or never became READY
└── NothingTakenError     the server refused every binding
PrtError
├── HandshakeRefusedError an HTTP status instead of a websocket
│   └── VersionRefusedError   of a version of the protocol
├── EndedError            the server refused the join, or ended the channel
├── MessageRefusedError   the server refused a broadcast
└── UnacknowledgedError   the server did not acknowledge a broadcast
"""

from __future__ import annotations

from prt.errors import ProtocolError, PrtError, UnreachableError
from prt.stream.reaching import EndedProjectError, ObstacleError
from prt.stream.socket import refusal_codes
from prt.stream.socket.refusal_codes import Code
from prt.stream.socket.refusals import Refusal

SILENCE = "answers no heartbeat"


class LostError(UnreachableError):
    """`code` is the websocket's close code, None if none came; `is_silence` is set if nothing came."""

    id = "E-CONNECTION-LOST"

    def __init__(self, message: str, code: int | None = None, *, is_silence: bool = False) -> None:
        super().__init__(message, "is the server up, and is the network?")
        self.code = code
        self.is_silence = is_silence


class JoinTimedOutError(UnreachableError):
    """A join that was not answered in time."""

    id = "E-NOT-READY"

    def __init__(self, message: str) -> None:
        super().__init__(message, "is the project's database up?")


class NothingTakenError(UnreachableError):
    """The refusal of every binding; `why` and `code` are those of the last one."""

    def __init__(self, what: str, why: str, hint: str | None, code: Code = "other") -> None:
        super().__init__(f"{what}: {why}", hint)
        self.what = what
        self.why = why
        self.code: Code = code
        self.id = refusal_codes.error_id(code)  # type: ignore[misc]


class RefusedByServerError(PrtError):
    """A refusal of the server; `exit_code` and `id` follow from its meaning."""

    attempt = "prt status"

    def __init__(self, message: str, refused: Refusal) -> None:
        super().__init__(message, refused.hint)
        self.refused = refused
        self.exit_code = refused.error.exit_code  # type: ignore[misc]
        self.id = refusal_codes.error_id(refused.code)  # type: ignore[misc]


class HandshakeRefusedError(RefusedByServerError):
    """A handshake that the server refused."""

    def __init__(self, host: str, refused: Refusal) -> None:
        super().__init__(f"{host} refused the connection: {refused.reason}", refused)


class VersionRefusedError(HandshakeRefusedError):
    """An empty 403: how a server refuses a version of the protocol that it doesn't know."""


class EndedError(RefusedByServerError):
    """`is_of_bindings` if the server looked at a live subscription again and refused a table of it.

    It looks every 60 s, and the table may have been silent since the look before.
    """

    def __init__(self, message: str, refused: Refusal, *, is_of_bindings: bool = False) -> None:
        super().__init__(message, refused)
        self.is_of_bindings = is_of_bindings


class NoAnswerError(UnreachableError):
    """A handshake that nobody answered in time."""

    id = "E-NO-ANSWER"

    def __init__(self, host: str) -> None:
        super().__init__(f"no answer from {host}", "check the project's URL")


class MessageRefusedError(PrtError):
    """A broadcast that the server refused."""

    def __init__(self, message: str, hint: str | None, code: Code) -> None:
        super().__init__(message, hint)
        self.code: Code = code
        self.id = refusal_codes.error_id(code)  # type: ignore[misc]


class UnacknowledgedError(PrtError):
    """A broadcast without an acknowledgement in time: the server does not answer who may not send."""

    id = "E-UNACKNOWLEDGED"


def is_retryable(failure: PrtError, *, was_ready: bool) -> bool:
    """One decision for all: the server's refusals by their table, and what a restart may look like.

    A project that once was READY is a project: what it refuses while it restarts is not final.
    """
    if isinstance(failure, EndedProjectError):
        return False
    if isinstance(failure, RefusedByServerError):
        return failure.refused.is_retryable
    if isinstance(failure, NothingTakenError | ProtocolError | ObstacleError):
        return was_ready
    return isinstance(failure, UnreachableError)


def wait_of(failure: PrtError) -> float:
    """The least pause that the server asked for, in seconds."""
    return failure.refused.wait_seconds if isinstance(failure, RefusedByServerError) else 0.0
