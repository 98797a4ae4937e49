"""A watch on the published tables: if they change, every channel subscribes again.

The real server checks them once a minute. Until then, a table that was added or created again has no events.
psycopg is imported only for its exceptions, which `prt.local.postgres.session` raises.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import psycopg

from prt.local.postgres.session import Session
from prt.local.realtime.changes.decoding import catalog

logger = logging.getLogger(__name__)

Again = Callable[[int], None]
"""A function that subscribes a channel again, with this number of attempts one after the other."""


class Publication:
    """The published tables when they were last read, and the bindings that were admitted since.

    A binding that was admitted counts even if the next one of its channel was refused. So a channel that lost
    one of its tables tries again at the next change of the published tables; one that lost all of them never
    does.
    """

    def __init__(self, session: Session, seconds: float) -> None:
        self._session = session
        self._seconds = seconds
        self._tables: frozenset[tuple[str, str, int]] | None = None
        self._let_in: dict[Again, set[int]] = {}

    def let_in(self, again: Again, binding: int) -> None:
        """Remember that the binding with this id was admitted."""
        self._let_in.setdefault(again, set()).add(binding)

    def forget(self, again: Again) -> None:
        """Forget the bindings of a channel that was left."""
        self._let_in.pop(again, None)

    async def run(self) -> None:
        """Check the published tables regularly until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            with suppress(psycopg.Error, OSError):
                await self.check()

    async def check(self) -> None:
        """Read the published tables, and if they have changed, subscribe every channel again.

        A channel tries this once for each of its bindings that were accepted, as on the real server.
        """
        former, self._tables = self._tables, await self._session.run(catalog.tables)
        if former in (None, self._tables):
            return
        logger.info("other tables are published: every channel is subscribed again")
        let_in, self._let_in = self._let_in, {}
        for again, bindings in let_in.items():
            again(len(bindings))
