"""The findings that there are, and what every one of them is made with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from prt.events import Evidence, Severity, TapFinding
from prt.tap.observe.messages import Asked, Framed, Observed
from prt.tap.observe.traffic import Traffic

SECOND: Final = 1_000_000
"""In µs."""

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
"""By id, the gravest first where several are shown."""


class Rule(Protocol):
    """A pure reducer that finds one thing."""

    def apply(self, message: Observed, traffic: Traffic) -> Iterator[TapFinding]:
        """Take a message, which `traffic` has taken already; yield what it proves."""
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
    """Return a finding of an id that there is; `data` fills its sentences."""
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
    """Return a request as evidence, without its query."""
    answered = "" if status is None else f": {status}"
    number = message.number if message.is_socket else None
    return Evidence(at=message.at, connection=number, what=f"{message.method} {message.path}{answered}")


def at_moment(at: int, what: str, connection: int | None = None) -> Evidence:
    """Return what is known of a moment as evidence."""
    return Evidence(at=at, what=what, connection=connection)
