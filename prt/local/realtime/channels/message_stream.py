"""The stream of `realtime.messages`: from the database to the topics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from prt.local.realtime.channels.messages import Messages
from prt.postgres import pgoutput
from prt.postgres.pgoutput import Begin, Change, Relation


class MessageStream:
    """Hands the rows that are inserted to `messages`, each with its transaction.

    `settle` is awaited after each batch: it lets the sockets catch up.
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
            # Reading never blocks while there is more to read: without this no sender would get a turn.
            await asyncio.sleep(0)
            await self._settle()
