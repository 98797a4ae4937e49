"""Looks which tables are published, and lets every channel subscribe again when others are.

The real server does so once a minute. Until then a table that was added, or made anew, is not heard of.
psycopg only for the errors of `prt.local.postgres.session`.
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
"""Subscribes a channel that often, one attempt after the other."""


class Publication:
    """The published tables as they were last seen, and the bindings that were let in since.

    A binding that was let in counts even if the next one of its channel was refused. So a channel that
    lost one of its tables tries again at the next change, while a channel that lost all of them never does.
    """

    def __init__(self, session: Session, seconds: float) -> None:
        self._session = session
        self._seconds = seconds
        self._tables: frozenset[tuple[str, str, int]] | None = None
        self._let_in: dict[Again, set[int]] = {}

    def let_in(self, again: Again, binding: int) -> None:
        """Remember that a binding, given by its id, was let in."""
        self._let_in.setdefault(again, set()).add(binding)

    def forget(self, again: Again) -> None:
        """Forget a channel that was left."""
        self._let_in.pop(again, None)

    async def run(self) -> None:
        """Check every so often until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            with suppress(psycopg.Error, OSError):
                await self.check()

    async def check(self) -> None:
        """Let every channel subscribe again, once for each binding, unless the same tables are published."""
        former, self._tables = self._tables, await self._session.run(catalog.tables)
        if former in (None, self._tables):
            return
        logger.info("other tables are published: every channel is subscribed again")
        let_in, self._let_in = self._let_in, {}
        for again, bindings in let_in.items():
            again(len(bindings))
