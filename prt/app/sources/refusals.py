"""The refusals of tables, explained with what REST reports about these tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from types import TracebackType
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from prt import quoting
from prt.app.loop import Source
from prt.errors import PrtError, UnreachableError
from prt.events import Event, Status
from prt.stream.rest.answers import UnavailableError, UnknownTableError
from prt.stream.rest.client import Rest
from prt.stream.socket import refusal_codes
from prt.stream.socket.failures import NothingAcceptedError
from prt.suggestions import nearest

ANSWER_SECONDS: Final = 3.0
"""How long REST may take to answer. If it takes longer, it is not asked again."""
MOST_NAMED: Final = 3
"""How many of the project's tables a hint lists; which of them are published is not known."""
_NAME_YOURS: Final = "name the tables to watch, or '*' for every published table"
MOST_ASKED: Final = 5
"""About how many refused tables REST is asked in one watch."""


class NoDefaultTableError(UnreachableError):
    """The server refused all tables of the demo, which were watched because no table was named."""

    id = refusal_codes.error_id("unpublished")


class Remedies(Struct, frozen=True, kw_only=True):
    """The remedies of a command for a refused table.

    Attributes:
        command: The command to which another table's name can be appended.
        missing: The hint for a table that does not exist.
        column: The hint for a column that the command filters by without being told; None if it has none.
    """

    command: str = "prt watch"
    missing: str = "name a table that exists, or run the missing migration"
    column: str | None = None


class ExplainingSource:
    """A source that yields the batches of another one, in which refusals of tables have a better hint.

    The server refuses a table that does not exist with the same text as one that is not published. REST can
    tell them apart, and is asked only after such a refusal.
    """

    def __init__(
        self,
        source: Source,
        rest: Rest,
        default_tables: frozenset[str] = frozenset(),
        remedies: Remedies | None = None,
    ) -> None:
        """Prepare the source.

        Args:
            source: The source whose batches are yielded.
            rest: The REST client of the same project.
            default_tables: The tables, as `schema.table`, that are watched because none was named.
            remedies: The remedies of the command; None is `prt watch`.
        """
        self._source = source
        self._rest = rest
        self._default_tables = default_tables
        self._remedies = Remedies() if remedies is None else remedies
        self._batch: list[Event] | None = None
        self._error: PrtError | None = None
        self._explained: dict[str, tuple[str | None, str | None]] = {}
        self._shown: dict[str, list[str]] = {}
        self._is_asking = True

    async def __aenter__(self) -> AsyncIterator[list[Event]]:
        self._batches = await self._source.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._source.__aexit__(kind, error, traceback)

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        return self

    async def __anext__(self) -> list[Event]:
        # What was read is kept until it is explained: the caller may cancel the wait and call again.
        if self._batch is None and self._error is None:
            try:
                self._batch = await anext(self._batches)
            except NothingAcceptedError as exc:
                self._error = exc
        if self._error is not None:
            raise await self._of_all(self._error)
        batch = [await self._of_one(event) for event in self._batch or ()]
        self._batch = None
        return batch

    async def _of_one(self, event: Event) -> Event:
        if type(event) is not Status or not event.tables:
            return event
        if event.code == "filter_column" and self._remedies.column is not None:
            return replace(event, hint=self._remedies.column)
        if event.code != "unpublished":
            return event
        [name] = event.tables
        if name in self._default_tables:
            schema, _, table = name.partition(".")
            own = await self._names(schema)
            # No SQL publishes a table that does not exist.
            return replace(event, hint=_NAME_YOURS) if own and table not in own else event
        if name not in self._explained:
            self._explained[name] = await self._explanation(name, event)
        reason, hint = self._explained[name]
        return replace(event, reason=reason, hint=hint)

    async def _explanation(self, name: str, refused: Status) -> tuple[str | None, str | None]:
        """Return the reason and the hint of a refused table."""
        schema, _, table = name.partition(".")
        prefix = "" if schema == "public" else f"{quoting.table(schema)}."
        if self._is_asking and len(self._explained) < MOST_ASKED:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._rest.read(schema, table, [("limit", "0")], is_repeated=False)
            except UnknownTableError as exc:
                near = exc.near or nearest(table, await self._names(schema))
                if near is None:
                    return f"there is no table {name}", self._remedies.missing
                command = f"{self._remedies.command} {prefix}{quoting.table(near)}"
                return f"there is no table {name}; did you mean {near}?", command
            except (UnavailableError, TimeoutError):
                self._is_asking = False
            except PrtError:
                pass  # the table exists, or REST can't tell: the server's own reason stays
        question = quoting.comment(f"or ask `prt status {prefix}{quoting.table(table)}`")
        return refused.reason, f"{refused.hint} {question}"

    async def _of_all(self, error: PrtError) -> PrtError:
        count = len(self._default_tables)
        if count:
            schema, _, table = min(self._default_tables).partition(".")
            which = (
                f"none of the demo's {count} tables, which are watched without TABLE, is published here"
                if count > 1
                else f"the demo's table {table}, which is watched without TABLE, is not published here"
            )
            own = ", ".join(quoting.table(name) for name in (await self._names(schema))[:MOST_NAMED])
            yours = f"name some of yours ({own}, …)" if own else "name yours, such as `prt watch TABLE`"
            return NoDefaultTableError(which, f"{yours}, or '*' for every published table")
        if not isinstance(error, NothingAcceptedError):
            return error
        if error.code == "filter_column" and self._remedies.column is not None:
            return NothingAcceptedError(error.what, error.why, self._remedies.column, error.code)
        if self._explained:
            reason, advice = list(self._explained.values())[-1]
            if error.code == "unpublished":
                return NothingAcceptedError(error.what, reason or error.why, advice, error.code)
        return error

    async def _names(self, schema: str) -> list[str]:
        """Return the names of the tables that REST shows to us; none if it does not answer."""
        if schema not in self._shown:
            self._shown[schema] = []
            if self._is_asking:
                with suppress(PrtError, TimeoutError):
                    async with asyncio.timeout(ANSWER_SECONDS):
                        self._shown[schema] = await self._rest.tables(schema)
        return self._shown[schema]
