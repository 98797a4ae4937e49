"""Messages in `realtime.messages`: broadcasts of the database, and their replay."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from prt.local.postgres.session import Connection
from prt.local.realtime.channels.topics import PREFIX, Member, TopicKey, Topics
from prt.local.realtime.protocol.frames import (
    BINARY_ENCODED,
    JSON_ENCODED,
    LONGEST_PART,
    Event,
    UserBroadcast,
    broadcast_payload,
    encoded,
)
from prt.local.realtime.protocol.join_config import Replay
from prt.postgres.pgoutput import Relation, Row
from prt.postgres.snapshots import are_visible, wait_for

logger = logging.getLogger(__name__)

KEPT_HOURS = 72
KEPT_ROWS = 100_000
"""The most rows that are kept: older ones are never replayed, and would fill the user's disk."""


class ReplayedMessages(Struct, frozen=True):
    """The messages of a replay, and the snapshot in which they were read.

    A text is the JSON payload of a text frame. In version 2 it is sent like that too, although the broadcast
    was first sent as a binary frame.
    """

    messages: tuple[str | UserBroadcast, ...]
    snapshot: str

    def holds(self, transaction: int) -> bool:
        """Return whether the replay covers a transaction.

        Its message was replayed, or left out because it is too old or because there are too many.
        """
        return are_visible(self.snapshot, (transaction,))


class Missed(Struct, frozen=True):
    """A message that was sent while a channel was joining, and the id of the transaction that wrote it."""

    message: Event | UserBroadcast
    transaction: int


class Messages:
    """The delivery of stored messages to the channels of their topics.

    `largest` is the largest payload in bytes.
    """

    def __init__(self, topics: Topics, largest: int) -> None:
        self._topics = topics
        self._largest = largest
        self._collecting: list[tuple[TopicKey, list[Missed]]] = []
        self._delivered = 0

    @contextmanager
    def collecting(self, topic_key: TopicKey) -> Iterator[list[Missed]]:
        """Collect the messages to a topic while the block runs, for a channel that is joining it."""
        entry: tuple[TopicKey, list[Missed]] = (topic_key, [])
        self._collecting.append(entry)
        try:
            yield entry[1]
        finally:
            self._collecting.remove(entry)

    def deliver(self, relation: Relation, row: Row, transaction: int) -> None:
        """Send an inserted row to its topic. Drop an incomplete or too large one, as the real server does."""
        values: dict[str, Any] = {
            column.name: value for column, value in zip(relation.columns, row, strict=True)
        }
        self._delivered = transaction
        payload, event = values["payload"], values["event"]
        is_binary = payload is None
        if is_binary:
            payload = values.get("binary_payload")
        if (
            payload is None
            or event is None
            or values["private"] is None
            or values.get("skip_broadcast") == "t"
        ):
            return
        body = bytes.fromhex(payload.removeprefix("\\x")) if is_binary else payload.encode()
        if len(body) > self._largest:
            logger.warning("a broadcast of the database to %s is too large", values["topic"])
            return
        topic_key = TopicKey(PREFIX + values["topic"], values["private"] == "t")
        message = _message(topic_key, event, body, encoded({"id": values["id"]}), is_binary=is_binary)
        self.send(topic_key, message, transaction, is_streamed=True)

    def send(
        self,
        topic_key: TopicKey,
        message: Event | UserBroadcast,
        transaction: int,
        is_receiver: Callable[[Member], bool] = lambda _: True,
        *,
        is_streamed: bool = False,
    ) -> None:
        """Send a message that a transaction wrote to those channels of a topic that haven't replayed it.

        Args:
            topic_key: The topic.
            message: The message.
            transaction: The id of the transaction.
            is_receiver: Decides which channels the message is for.
            is_streamed: Whether the stream of `realtime.messages` brought the message. The stream can wait
                for clients that are slow to read it.
        """
        for joining, missed in self._collecting:
            if joining == topic_key:
                missed.append(Missed(message, transaction))
        self._topics.send(
            topic_key,
            message,
            lambda channel: is_receiver(channel) and channel.awaits(transaction),
            is_streamed=is_streamed,
        )

    async def replayed(self, connection: Connection, subtopic: str, wanted: Replay) -> ReplayedMessages:
        """Return the earlier messages of a private topic, with no gap before the messages that follow.

        Raises:
            psycopg.Error: The database reports an error.
        """
        if self._delivered:
            # The joining channel did not receive this transaction's message, so the snapshot must include it.
            await wait_for(connection, self._delivered)
        return await _replayed(connection, subtopic, wanted)


async def _replayed(connection: Connection, subtopic: str, wanted: Replay) -> ReplayedMessages:
    """Read the newest messages that a replay asks for, and return them with the oldest first."""
    cursor = await connection.execute(
        """
        select pg_current_snapshot()::text, id::text, event, payload, binary_payload
        from (select) as always left join (
          select id, event, payload, binary_payload, inserted_at from realtime.messages
          where topic = %s and private and extension = 'broadcast'
            and inserted_at >= to_timestamp(%s / 1000.0) at time zone 'utc'
            and inserted_at >= (now() at time zone 'utc') - make_interval(hours => %s)
            and (expires_at is null or expires_at > now() at time zone 'utc')
          order by inserted_at desc limit %s
        ) as found on true order by inserted_at
        """,
        [subtopic, wanted.since, KEPT_HOURS, wanted.limit],
    )
    rows = await cursor.fetchall()
    messages = (
        broadcast_payload(event, encoded(payload), meta)
        if binary is None
        else UserBroadcast(event=event or "", encoding=BINARY_ENCODED, body=binary, meta=meta)
        for _, id_, event, payload, binary in rows
        if id_ is not None
        for meta in [encoded({"id": id_, "replayed": True})]
    )
    return ReplayedMessages(tuple(messages), rows[0][0])


async def prune(connection: Connection) -> None:
    """Delete the messages that can't be replayed any more."""
    await connection.execute(
        """
        delete from realtime.messages
        where expires_at <= now() at time zone 'utc' or inserted_at <= greatest(
          (now() at time zone 'utc') - make_interval(hours => %s),
          (select inserted_at from realtime.messages order by inserted_at desc offset %s limit 1)
        )
        """,
        [KEPT_HOURS, KEPT_ROWS],
    )


def _message(
    topic_key: TopicKey, event: str, body: bytes, meta: str, *, is_binary: bool
) -> Event | UserBroadcast:
    """Return a broadcast of the database.

    It is sent in version 2 as a binary frame if its topic and event are short enough for one.
    """
    if not is_binary and max(len(part.encode()) for part in (topic_key.topic, event)) > LONGEST_PART:
        return Event("broadcast", broadcast_payload(event, body.decode(), meta))
    encoding = BINARY_ENCODED if is_binary else JSON_ENCODED
    return UserBroadcast(event=event, encoding=encoding, body=body, meta=meta)
