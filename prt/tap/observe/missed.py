"""Proof that a table changed: a write over REST, or a change that a client received or was denied."""

from __future__ import annotations

from prt.events import Evidence
from prt.tap.observe.connections import CHANGES
from prt.tap.observe.messages import Answered, Asked, Dropped, Framed, Observed
from prt.tap.observe.traffic import Traffic

WRITES = ("POST", "PATCH", "PUT", "DELETE")


def change_of(message: Observed, traffic: Traffic) -> tuple[str, Evidence] | None:
    """Return the table (`schema.table`) that a message proves to have changed, and the proof, or None."""
    match message:
        case Dropped():
            what = f"a change of {message.table} was dropped on purpose"
            return message.table, Evidence(at=message.at, what=what, connection=message.number)
        case Answered() if 200 <= message.status < 300:
            asked = traffic.requests.get(message.number)
            if asked is not None and asked.table is not None and asked.method in WRITES:
                what = f"{asked.method} {asked.path}: {message.status}"
                return f"public.{asked.table}", Evidence(at=message.at, what=what)
        case Framed() if not message.is_sent and message.event == CHANGES:
            payload = message.read()
            data = payload.get("data") if isinstance(payload, dict) else None
            if isinstance(data, dict):
                table = f"{data.get('schema')}.{data.get('table')}"
                what = f"connection {message.number} received a change of {table}"
                return table, Evidence(at=message.at, what=what, connection=message.number)
    return None


def read_of(message: Observed) -> str | None:
    """Return the table (`schema.table`) that a request reads over REST; None for any other message."""
    if isinstance(message, Asked) and message.table is not None and message.method in ("GET", "HEAD"):
        return f"public.{message.table}"
    return None
