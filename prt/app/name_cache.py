"""The tables and columns of a watch, kept for completion; one change of each batch is enough."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType

import msgspec

from prt.app.loop import Source
from prt.config import name_cache
from prt.events import Change, Event

MOST = 500
"""How many tables are noted in one watch at most."""


class NameCachingSource:
    """A source that yields the batches of another one, and saves names of tables and columns at the end."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._columns: dict[str, list[str]] = {}

    async def __aenter__(self) -> AsyncIterator[list[Event]]:
        self._batches = await self._source.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._source.__aexit__(kind, error, traceback)
        if self._columns:
            name_cache.keep(name_cache.path(), self._columns)

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        return self

    async def __anext__(self) -> list[Event]:
        batch = await anext(self._batches)
        last = batch[-1]
        if type(last) is Change and last.event_type != "DELETE":
            self._note(last)
        return batch

    def _note(self, change: Change) -> None:
        table = change.table if change.schema == "public" else f"{change.schema}.{change.table}"
        if table in self._columns or len(self._columns) >= MOST:
            return
        try:
            self._columns[table] = list(change.new_row())
        except (msgspec.DecodeError, RecursionError):  # the output reports what is wrong with the row
            return
