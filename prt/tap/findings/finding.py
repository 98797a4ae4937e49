"""The ids of all findings, and the functions from which every finding is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from prt.events import Evidence, Severity, TapFinding
from prt.tap.observe.messages import Asked, Framed, Observed
from prt.tap.observe.traffic import Traffic

SECOND: Final = 1_000_000
"""A second in µs."""

SEVERITIES: Final[dict[str, Severity]] = {
    "server-key-in-browser": "error",
    "socket-role": "error",
    "token-expired": "error",
    "joined-twice": "warning",
    "channels-never-left": "warning",
    "too-many-connections": "warning",
    "push-outside-join": "error",
    "binding-refused": "error",
    "change-twice": "warning",
    "delete-filter": "warning",
    "presence-not-enabled": "warning",
    "presence-rate": "warning",
    "private-and-public": "error",
    "no-acknowledgement": "error",
    "heartbeat-late": "warning",
    "not-rejoined": "error",
    "not-read-again": "warning",
    "not-recovered": "error",
}
"""The severity of each finding by id, in the order in which findings are shown: the most serious first."""


class Rule(Protocol):
    """A rule that finds one kind of mistake, without clock and I/O."""

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Process a message that `traffic` already includes; yield the findings that it proves."""
        ...


def finding(
    id_: str,
    at: int,
    evidence: list[Evidence],
    *,
    connection: int | None = None,
    topic: str | None = None,
    **data: str,
) -> TapFinding:
    """Return a finding with the severity of its id.

    Args:
        id_: A key of `SEVERITIES`.
        at: The time of the finding, in µs.
        evidence: The observations that prove it.
        connection: The number of the connection that it is about.
        topic: The topic that it is about, without `realtime:`.
        data: Values for the placeholders of the finding's sentences.
    """
    return TapFinding(
        at=at,
        id=id_,
        severity=SEVERITIES[id_],
        evidence=evidence,
        connection=connection,
        topic=topic,
        data=data,
    )


def of_frame(message: Framed) -> Evidence:
    """Return a frame as evidence."""
    ref = f" (ref {message.ref})" if message.ref else ""
    verb = "sent" if message.is_sent else "received"
    return Evidence(
        at=message.at, connection=message.number, what=f"{verb} {message.event} on {message.name}{ref}"
    )


def of_request(message: Asked, status: int | None = None) -> Evidence:
    """Return a request as evidence, without its query; `status` is the status of its answer."""
    answered = "" if status is None else f": {status}"
    number = message.number if message.is_socket else None
    return Evidence(at=message.at, connection=number, what=f"{message.method} {message.path}{answered}")


def at_moment(at: int, what: str, connection: int | None = None) -> Evidence:
    """Return an observation at the time `at` (µs) as evidence."""
    return Evidence(at=at, what=what, connection=connection)
