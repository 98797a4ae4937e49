"""The ways in which a check ends: with a result, skipped or failed."""

from __future__ import annotations

from msgspec import Struct

from prt.checks.test.contract.observations import Observation
from prt.errors import ProtocolError, PrtError, RefusedError, UnreachableError
from prt.results import Failure
from prt.stream.rest.answers import RejectedError
from prt.stream.socket.failures import HandshakeRefusedError, NothingAcceptedError, RefusedByServerError


class Found(Struct, frozen=True, kw_only=True):
    """The result of a check that passed.

    Attributes:
        note: One line for people.
        figures: What was measured. The names include the unit: `join_ms`, `rows`.
        lags_ms: The time from commit to receipt of each change, in ms.
        observed: The observations for a contract.
    """

    note: str
    figures: dict[str, float] = {}
    lags_ms: tuple[float, ...] = ()
    observed: tuple[Observation, ...] = ()


class SkippedError(Exception):
    """The project does not offer what the check needs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FailedError(Exception):
    """A check failed. `found` holds the figures that were measured before."""

    def __init__(self, failure: Failure, found: Found | None = None) -> None:
        super().__init__(f"expected {failure.expected}, came {failure.came}")
        self.failure = failure
        self.found = found


def failure_of(error: PrtError, expected: str) -> Failure:
    """Return an error of the connection or of REST as a failure, with the error's hint as the remedy."""
    if isinstance(error, NothingAcceptedError):
        return Failure(expected=expected, came=error.what, cause=error.why, remedy=error.hint)
    words = error.refused.reason if isinstance(error, RefusedByServerError) else None
    return Failure(
        expected=expected, came=error.message, server=words, cause=_cause_of(error), remedy=error.hint
    )


def _cause_of(error: PrtError) -> str | None:
    match error:
        case HandshakeRefusedError() if error.exit_code == RefusedError.exit_code:
            return "the key is of another project, of a kind that this server does not take, or not whole"
        case RefusedByServerError() if error.exit_code == RefusedError.exit_code:
            return "the token, or a policy on realtime.messages, does not let this identity in"
        case RefusedByServerError() if error.refused.code == "realtime_down":
            return "Realtime itself is down or restarting: the gateway answered in its place"
        case RefusedByServerError():
            return "the project is paused, switched off, or at a limit of its plan"
        case RejectedError():
            return "a constraint or a trigger of the table speaks against the row"
        case RefusedError():
            return "this identity lacks a right, or its token is not valid any more"
        case UnreachableError():
            return "the server, or the network on the way to it, is down or too slow"
        case ProtocolError():
            return "something else answers at this URL, or a proxy changes what passes through it"
        case _:
            return None
