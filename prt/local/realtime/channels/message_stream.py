"""The delivery of broadcasts of the database, from the replication stream of `realtime.messages`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from prt.local.realtime.channels.messages import Messages
from prt.postgres import pgoutput
from prt.postgres.pgoutput import Begin, Change, Relation


class MessageStream:
    """A decoder that passes each inserted row and its transaction to `messages`.

    `settle` is awaited after each batch, so that the sockets can catch up.
    """

    def __init__(self, messages: Messages, settle: Callable[[], Awaitable[None]]) -> None:
        self._messages = messages
        self._settle = settle
        self._relations: dict[int, Relation] = {}
        self._transaction = 0

    async def deliver(self, batch: list[bytes]) -> None:
        """Send the broadcasts of a batch of the stream."""
        has_broadcast = False
        for data in batch:
            message = pgoutput.decode(data)
            if isinstance(message, Change):
                if message.event == "INSERT" and message.new is not None:
                    relation = self._relations[message.relation]
                    self._messages.deliver(relation, message.new, self._transaction)
                    has_broadcast = True
            elif isinstance(message, Begin):
                self._transaction = message.transaction
            elif isinstance(message, Relation):
                self._relations[message.oid] = message
        if has_broadcast:
            # Reading doesn't wait while more data is there. Without this, no other task could send.
            await asyncio.sleep(0)
            await self._settle()
