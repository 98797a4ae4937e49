"""Storage of broadcasts that their senders ask to keep for a later replay.

psycopg is imported only for its exceptions, which `prt.local.postgres.session` raises.
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
"""Transaction ids are taken modulo this number, because the replication stream has only 32 bits of them."""


class NotStoredError(Exception):
    """A broadcast could not be stored. `str()` is the server's `Code: message`."""

    def __init__(self, words: str) -> None:
        super().__init__(f"UnableToPersistMessage: {words}")


class Retention(Struct, frozen=True):
    """How long a broadcast is stored; None for the time that broadcasts of the database are kept."""

    seconds: int | None = None


class Stored(Struct, frozen=True):
    """The id of a stored broadcast, and the id of the transaction that wrote it."""

    id: str
    transaction: int


def retention_of(persist: Any) -> Retention | None:
    """Return the retention for a sender's `persist`, None if the broadcast is not to be stored.

    `persist` is true, or an object whose `ttl` is in seconds.

    Raises:
        NotStoredError: `persist` is something else.
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
    """Store a broadcast to a private topic, marked so that the database does not send it again.

    Args:
        session: The database session.
        subtopic: The topic without the prefix `realtime:`.
        message: The broadcast.
        retention: How long it is stored.

    Raises:
        NotStoredError: The broadcast has no event, its payload is not an object, or PostgreSQL refuses it.
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
    """Return the event, the payload as JSON text, and the payload as bytes; one of the payloads is None."""
    if isinstance(message, UserBroadcast):
        if message.encoding == BINARY_ENCODED:
            return message.event, None, message.body
        return message.event, message.body.decode(errors="replace"), None
    match msgspec.json.decode(message.payload):
        case {"event": str(event), "payload": dict() as payload}:
            return event, encoded(payload), None
        case _:
            raise NotStoredError("the message needs an event, and an object as its payload")
