"""The errors that end a connection, a join or a channel.

Another attempt makes sense after an UnreachableError. The others say by themselves whether it does.

UnreachableError
├── LostError             the connection is gone
├── NoAnswerError         the server did not answer a handshake
├── JoinTimedOutError     the server did not answer a join, or the channel never became READY
└── NothingAcceptedError  the server refused every binding
PrtError
├── HandshakeRefusedError the server answered with an HTTP status instead of a websocket
│   └── VersionRefusedError   the server does not support the version of the protocol
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
    """The connection is gone.

    Attributes:
        code: The websocket's close code; None if the server sent none.
        is_silence: Whether the server had stopped answering heartbeats.
    """

    id = "E-CONNECTION-LOST"

    def __init__(self, message: str, code: int | None = None, *, is_silence: bool = False) -> None:
        super().__init__(message, "is the server up, and is the network?")
        self.code = code
        self.is_silence = is_silence


class JoinTimedOutError(UnreachableError):
    """The server did not answer a join in time, or changes never flowed."""

    id = "E-NOT-READY"

    def __init__(self, message: str) -> None:
        super().__init__(message, "is the project's database up?")


class NothingAcceptedError(UnreachableError):
    """The server refused every binding.

    Attributes:
        what: The refused subscriptions, in words.
        why: The server's reason for the last refusal.
        code: The meaning of the last refusal.
    """

    def __init__(self, what: str, why: str, hint: str | None, code: Code = "other") -> None:
        super().__init__(f"{what}: {why}", hint)
        self.what = what
        self.why = why
        self.code: Code = code
        self.id = refusal_codes.error_id(code)  # type: ignore[misc]


class RefusedByServerError(PrtError):
    """The server refused something. `exit_code` and `id` follow from the meaning of the refusal."""

    attempt = "prt status"

    def __init__(self, message: str, refused: Refusal) -> None:
        super().__init__(message, refused.hint)
        self.refused = refused
        self.exit_code = refused.error.exit_code  # type: ignore[misc]
        self.id = refusal_codes.error_id(refused.code)  # type: ignore[misc]


class HandshakeRefusedError(RefusedByServerError):
    """The server answered a handshake with an HTTP status."""

    def __init__(self, host: str, refused: Refusal) -> None:
        super().__init__(f"{host} refused the connection: {refused.reason}", refused)


class VersionRefusedError(HandshakeRefusedError):
    """The server answered with an empty 403: it does not know the requested version of the protocol."""


class EndedError(RefusedByServerError):
    """The server refused a join, or ended a channel.

    Attributes:
        is_of_bindings: Whether the server checked a live subscription again and refused a table of it. It
            checks every 60 s, and the table may have been silent since the check before.
    """

    def __init__(self, message: str, refused: Refusal, *, is_of_bindings: bool = False) -> None:
        super().__init__(message, refused)
        self.is_of_bindings = is_of_bindings


class NoAnswerError(UnreachableError):
    """The server did not answer a handshake in time."""

    id = "E-NO-ANSWER"

    def __init__(self, host: str) -> None:
        super().__init__(f"no answer from {host}", "check the project's URL")


class MessageRefusedError(PrtError):
    """The server refused a broadcast."""

    def __init__(self, message: str, hint: str | None, code: Code) -> None:
        super().__init__(message, hint)
        self.code: Code = code
        self.id = refusal_codes.error_id(code)  # type: ignore[misc]


class UnacknowledgedError(PrtError):
    """The server did not acknowledge a broadcast in time. It gives no answer to clients that may not send."""

    id = "E-UNACKNOWLEDGED"


def is_retryable(failure: PrtError, *, was_ready: bool) -> bool:
    """Return whether another attempt may succeed.

    Args:
        failure: What ended the attempt or the connection.
        was_ready: Whether the project was READY before. If so, it exists, and what it refuses during a
            restart is not final.
    """
    if isinstance(failure, EndedProjectError):
        return False
    if isinstance(failure, RefusedByServerError):
        return failure.refused.is_retryable
    if isinstance(failure, NothingAcceptedError | ProtocolError | ObstacleError):
        return was_ready
    return isinstance(failure, UnreachableError)


def wait_of(failure: PrtError) -> float:
    """Return the least pause in seconds that the server asked for; 0 if it did not."""
    return failure.refused.wait_seconds if isinstance(failure, RefusedByServerError) else 0.0
