"""The database's log of committed changes, read through a temporary replication slot.

The slot is TEMPORARY: PostgreSQL drops it when the connection ends, for any reason, including `kill -9` of
this process. After a slot was lost, a new one is created, and what was committed in between is missing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, Literal

import psycopg
from psycopg import AsyncConnection

from prt.errors import PrtError, RefusedError, UnreachableError
from prt.postgres import replication
from prt.stream.database.decoding import IsAsked, LogDecoder, PgoutputDecoder, Wal2JsonDecoder
from prt.stream.database.preflight import PUBLICATION
from prt.stream.database.session import connect, first_line
from prt.stream.database.values import AuditedTable, LoggedChange

Plugin = Literal["wal2json", "pgoutput"]

NAME = "prt_audit"
"""The name of the connection, and the beginning of the slot's name."""
CREATION_SECONDS = 30
"""How long creating a slot may take. It waits for transactions that began before."""
RETRY_SECONDS = 0.2
"""The pause before another attempt to open a slot."""
_ESCAPED = " \\'*,."
"""The characters that wal2json requires a backslash before, in names of tables."""


class ChangeLog:
    """The committed changes of tables. `async with` opens the slot; `follow` delivers changes from then on.

    Attributes:
        plugin: The plugin that decodes the log.
        slot: The name of the slot.
    """

    def __init__(
        self,
        url: str,
        tables: Sequence[AuditedTable],
        *,
        is_asked: IsAsked,
        deliver: Callable[[list[LoggedChange]], None],
        on_hole: Callable[[str], None],
    ) -> None:
        """Prepare the reading.

        Args:
            url: The URL of the direct connection, with a role that may replicate.
            tables: The tables whose changes are wanted.
            is_asked: Returns whether a binding asks for a kind of event of a table.
            deliver: Receives the changes, in the order of their commits.
            on_hole: Called after the slot was lost and another one was opened, with the error that lost it.
        """
        self._url = url
        self._tables = tables
        self._is_asked = is_asked
        self._deliver = deliver
        self._on_hole = on_hole
        self._connection: AsyncConnection[Any] | None = None
        self._decoder: LogDecoder | None = None
        self.plugin: Plugin = "wal2json"
        self.slot = ""

    async def __aenter__(self) -> ChangeLog:
        try:
            await self._open()
        except psycopg.Error as exc:
            raise UnreachableError(f"the replication slot could not be opened: {first_line(exc)}") from exc
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def follow(self) -> None:
        """Deliver changes until cancelled, and open a new slot whenever one is lost."""
        while True:
            try:
                await self._read()
            except psycopg.OperationalError as exc:
                trouble = first_line(exc)
            await self._reopen()
            self._on_hole(trouble)

    async def _read(self) -> None:
        assert self._connection is not None and self._decoder is not None  # noqa: S101, PT018 - it is open
        async with aclosing(replication.streamed(self._connection.pgconn)) as batches:
            async for messages in batches:
                changes = list(self._decoder.decode(messages))
                if changes:
                    self._deliver(changes)

    async def _reopen(self) -> None:
        while True:
            if self._connection is not None:
                await self._connection.close()
            try:
                await self._open()
            except (psycopg.Error, PrtError):
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _open(self) -> None:
        """Open a slot with wal2json, or with pgoutput if the database has no wal2json or refuses it."""
        self._connection = await connect(self._url, NAME, replication="database")
        self.slot = f"{NAME}_{secrets.token_hex(8)}"
        try:
            async with asyncio.timeout(CREATION_SECONDS):
                await self._create()
        except TimeoutError as exc:
            raise RefusedError(
                f"the replication slot was not ready in {CREATION_SECONDS} s",
                "a transaction that began before is still open: select pid, xact_start, query from "
                "pg_stat_activity where xact_start is not null order by xact_start;",
            ) from exc
        await replication.command(self._connection.pgconn, self._start())
        if self._decoder is None:
            decoder = Wal2JsonDecoder if self.plugin == "wal2json" else PgoutputDecoder
            self._decoder = decoder(self._tables, self._is_asked)
        self._decoder.reset()

    async def _create(self) -> None:
        assert self._connection is not None  # noqa: S101 - `_open` has just opened it
        create = f"CREATE_REPLICATION_SLOT {self.slot} TEMPORARY LOGICAL"
        if self.plugin == "wal2json":
            try:
                await replication.command(self._connection.pgconn, f"{create} wal2json NOEXPORT_SNAPSHOT")
                return
            except psycopg.OperationalError:
                # Not installed (58P01) or not allowed (42501, output_plugin_libraries).
                if self._decoder is not None or self._connection.closed:
                    raise
                self.plugin = "pgoutput"
        await replication.command(self._connection.pgconn, f"{create} pgoutput NOEXPORT_SNAPSHOT")

    def _start(self) -> str:
        if self.plugin == "pgoutput":
            options = {"proto_version": "1", "publication_names": PUBLICATION}
        else:
            names = ",".join(f"{_escaped(one.schema)}.{_escaped(one.table)}" for one in self._tables)
            options = {
                "format-version": "2",
                "include-transaction": "false",
                "include-timestamp": "true",
                "include-xids": "true",
                "actions": "insert,update,delete",
                "add-tables": names,
            }
        words = ", ".join(f'"{name}" {_quoted(value)}' for name, value in options.items())
        return f"START_REPLICATION SLOT {self.slot} LOGICAL 0/0 ({words})"


def _escaped(name: str) -> str:
    return "".join(f"\\{character}" if character in _ESCAPED else character for character in name)


def _quoted(value: str) -> str:
    """Return a literal of the replication protocol, whose only escape is the doubled quote."""
    return "'" + value.replace("'", "''") + "'"
