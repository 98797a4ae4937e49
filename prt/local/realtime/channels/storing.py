"""Broadcasts that their sender asks to store, so that a later replay brings them back.

psycopg for the errors of `prt.local.postgres.session`.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import psycopg
from msgspec import Struct

from prt.local.postgres.session import Connection, Session
from prt.local.realtime.channels.messages import KEPT_HOURS
from prt.local.realtime.protocol.frames import BINARY_ENCODED, Event, UserBroadcast, encoded

logger = logging.getLogger(__name__)

LONGEST_SECONDS = KEPT_HOURS * 3600
EPOCH = 2**32
"""The stream of changes gives a transaction's number within its epoch."""


class NotStoredError(Exception):
    """A broadcast could not be stored. `str()` is the server's `Code: words`."""

    def __init__(self, words: str) -> None:
        super().__init__(f"UnableToPersistMessage: {words}")


class Retention(Struct, frozen=True):
    """How many seconds a broadcast is kept. None is as long as those of the database."""

    seconds: int | None = None


class Stored(Struct, frozen=True):
    """The id of a stored broadcast, and the transaction that wrote it."""

    id: str
    transaction: int


def retention_of(persist: Any) -> Retention | None:
    """Return what a sender asks for: `true`, or an object whose `ttl` is in seconds. None does not ask.

    Raises:
        NotStoredError: The sender asks for something else.
    """
    match persist:
        case None | False:
            return None
        case True:
            return Retention()
        case dict() if persist.get("ttl") is None:
            return Retention()
        case {"ttl": int(seconds)} if not isinstance(seconds, bool) and seconds > 0:
            return Retention(min(seconds, LONGEST_SECONDS))
        case _:
            raise NotStoredError("persist must be true, or an object whose ttl is a number of seconds")


async def store(
    session: Session, subtopic: str, message: Event | UserBroadcast, retention: Retention
) -> Stored:
    """Store a broadcast to a private topic. It is not sent from the database a second time.

    Raises:
        NotStoredError: It has no event, its payload is not an object, or PostgreSQL refuses it.
    """
    event, payload, binary = _fields(message)

    async def insert(connection: Connection) -> Stored:
        cursor = await connection.execute(
            """
            insert into realtime.messages
              (topic, extension, event, private, payload, binary_payload, skip_broadcast, expires_at)
            values (%s, 'broadcast', %s, true, %s::jsonb, %s, true,
              (now() at time zone 'utc') + make_interval(secs => %s))
            returning id::text, pg_current_xact_id()::text
            """,
            [subtopic, event, payload, binary, retention.seconds],
        )
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - `returning` of one row
        return Stored(row[0], int(row[1]) % EPOCH)

    try:
        return await session.run(insert)
    except (psycopg.Error, OSError, UnicodeError) as error:
        logger.info("a broadcast to %s was not stored: %s", subtopic, error)
        raise NotStoredError("Realtime was unable to store the message") from error


def _fields(message: Event | UserBroadcast) -> tuple[str, str | None, bytes | None]:
    """Return the event, the payload as JSON and the payload as bytes, one of which is None."""
    if isinstance(message, UserBroadcast):
        if message.encoding == BINARY_ENCODED:
            return message.event, None, message.body
        return message.event, message.body.decode(errors="replace"), None
    match msgspec.json.decode(message.payload):
        case {"event": str(event), "payload": dict() as payload}:
            return event, encoded(payload), None
        case _:
            raise NotStoredError("the message needs an event, and an object as its payload")
