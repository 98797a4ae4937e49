"""realtime.messages: broadcasts that the database sends by inserting them, and their replay."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from prt.local.postgres.session import Connection
from prt.local.realtime.channels.topics import PREFIX, Room, Topics
from prt.local.realtime.protocol.frames import Event, encoded
from prt.local.realtime.protocol.join_config import Replay
from prt.postgres.pgoutput import Relation, Row
from prt.postgres.snapshots import are_visible, wait_for

logger = logging.getLogger(__name__)

LARGEST_REPLAY = 25
KEPT_HOURS = 72
KEPT_ROWS = 100_000
"""Of a project that sends without end: more is never replayed, and the disk is somebody's own."""


class Past(Struct, frozen=True):
    """Messages as the payloads of their events, and the snapshot in which they were read."""

    payloads: tuple[str, ...]
    snapshot: str

    def holds(self, transaction: int) -> bool:
        """Whether what that transaction sent is past: replayed, or left out as too old or too many."""
        return are_visible(self.snapshot, (transaction,))


class Missed(Struct, frozen=True):
    event: Event
    transaction: int


class Messages:
    """Hands each inserted message to those who joined its topic."""

    def __init__(self, topics: Topics, largest: int) -> None:
        self._topics = topics
        self._largest = largest
        self._collecting: list[tuple[Room, list[Missed]]] = []
        self._delivered = 0

    @contextmanager
    def collecting(self, room: Room) -> Iterator[list[Missed]]:
        """What comes while somebody is on the way into the room, asking for a replay."""
        entry: tuple[Room, list[Missed]] = (room, [])
        self._collecting.append(entry)
        try:
            yield entry[1]
        finally:
            self._collecting.remove(entry)

    def deliver(self, relation: Relation, row: Row, transaction: int) -> None:
        """Incomplete or too large ones go to nobody, as on the real server."""
        values: dict[str, Any] = {
            column.name: value for column, value in zip(relation.columns, row, strict=True)
        }
        payload = values["payload"]
        self._delivered = transaction
        if payload is None or values["event"] is None or values["private"] is None:
            return
        if len(payload) > self._largest:
            logger.warning("a broadcast of the database to %s is too large", values["topic"])
            return
        meta = encoded({"id": values["id"]})
        event = Event("broadcast", _payload(values["event"], meta, payload))
        room = Room(PREFIX + values["topic"], values["private"] == "t")
        for joining, missed in self._collecting:
            if joining == room:
                missed.append(Missed(event, transaction))
        self._topics.send(room, event, lambda channel: channel.awaits(transaction))

    async def past(self, connection: Connection, subtopic: str, wanted: Replay) -> Past:
        """What a private topic was sent before, without a seam to what comes. Raises psycopg.Error."""
        if self._delivered:
            # Who joins now was not there for it, so it has to be seen.
            await wait_for(connection, self._delivered)
        return await _replayed(connection, subtopic, wanted)


async def _replayed(connection: Connection, subtopic: str, wanted: Replay) -> Past:
    """The last ones, the oldest first."""
    cursor = await connection.execute(
        """
        select pg_current_snapshot()::text, id::text, event, payload
        from (select) as always left join (
          select id, event, payload, inserted_at from realtime.messages
          where topic = %s and private and extension = 'broadcast'
            and inserted_at >= to_timestamp(%s / 1000.0) at time zone 'utc'
            and inserted_at >= (now() at time zone 'utc') - make_interval(hours => %s)
          order by inserted_at desc limit %s
        ) as found on true order by inserted_at
        """,
        [subtopic, wanted.since, KEPT_HOURS, max(1, min(wanted.limit, LARGEST_REPLAY))],
    )
    rows = await cursor.fetchall()
    payloads = (
        _payload(event, encoded({"id": id_, "replayed": True}), encoded(payload))
        for _, id_, event, payload in rows
        if id_ is not None
    )
    return Past(tuple(payloads), rows[0][0])


async def prune(connection: Connection) -> None:
    """Removes what can't be replayed any more."""
    await connection.execute(
        """
        delete from realtime.messages where inserted_at <= greatest(
          (now() at time zone 'utc') - make_interval(hours => %s),
          (select inserted_at from realtime.messages order by inserted_at desc offset %s limit 1)
        )
        """,
        [KEPT_HOURS, KEPT_ROWS],
    )


def _payload(event: str | None, meta: str, payload: str) -> str:
    return f'{{"event":{encoded(event)},"meta":{meta},"payload":{payload},"type":"broadcast"}}'
