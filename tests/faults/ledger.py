"""Writes rows, and reads the database's own log of them: what was committed, when, in which order.

psycopg writes; the log is the WAL, read through a logical slot that outlives crashes, with the commit
times that replication itself sends. Only for tests.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import psycopg
from psycopg import AsyncConnection, sql

from prt.stream.database.decoding import PgoutputDecoder
from tests.faults.judge import Write, audited_table
from tests.running import PATIENCE

TRAFFIC_SECONDS = 0.003
"""Between two writes: the reader is tested elsewhere."""

_versions = itertools.count(1)


class Ledger:
    """Tables of its own, published; `names` as prt shows them. Keys and versions are never used again."""

    def __init__(self, database: str, tables: Sequence[str]) -> None:
        self._database = database
        suffix = secrets.token_hex(4)
        self.tables = [f"{table}_{suffix}" for table in tables]
        self._slot = f"ledger_{suffix}"
        self._keys = itertools.count(1)
        self._log: list[Write] = []
        self._written = 0
        self._is_writing = False
        self._happened = asyncio.Event()
        self._connection: AsyncConnection[Any] | None = None

    @classmethod
    @asynccontextmanager
    async def kept(cls, database: str, tables: Sequence[str] = ("orders", "notes")) -> AsyncIterator[Self]:
        """`database` is a superuser's conninfo or URL. Table and slot are gone afterwards."""
        ledger = cls(database, tables)
        try:
            await ledger.reconnect()
            await ledger._create()
            yield ledger
        finally:
            await ledger._drop()

    @property
    def names(self) -> list[str]:
        return [f"public.{table}" for table in self.tables]

    async def reconnect(self, database: str | None = None) -> None:
        """After a restart of PostgreSQL, whose port may be another."""
        self._database = database or self._database
        if self._connection is not None:
            await self._connection.close()
        self._connection = await AsyncConnection.connect(self._database, autocommit=True)

    async def reconnect_soon(self) -> None:
        """After a crash, as soon as PostgreSQL has recovered."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await self.reconnect()
                    return
                except psycopg.OperationalError:
                    await asyncio.sleep(0.02)

    @asynccontextmanager
    async def no_new_slot(self) -> AsyncIterator[None]:
        """Within the block no replication slot starts: it would wait for a transaction that writes."""
        async with await AsyncConnection.connect(self._database) as writer:
            await writer.execute("create temporary table writes () on commit drop")
            await writer.execute("select pg_current_xact_id()")
            yield
            await writer.rollback()

    async def end_backends(self, which: str) -> None:
        """End those whose row in pg_stat_activity holds it, and wait until they have gone."""
        await self.execute(
            f"select pg_terminate_backend(pid, 60000) from pg_stat_activity where {which}"
            " and pid <> pg_backend_pid()"
        )

    async def until_streamed(self) -> None:
        """Wait for the slot in which the server follows the changes, after its backend was ended."""
        query = (
            "select pg_sleep(0.01), count(*) from pg_stat_replication"
            " where application_name = %s and state <> 'startup'"
        )
        async with asyncio.timeout(PATIENCE):
            while not (await self.execute(query, "prt_realtime_stream"))[0][1]:
                pass

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """What is written in the block is committed at its end."""
        assert self._connection is not None
        async with self._connection.transaction():
            yield

    async def insert(self, count: int = 1, *, table: int = 0, body: str = "") -> list[int]:
        """That many rows, a transaction each; their keys."""
        keys = [next(self._keys) for _ in range(count)]
        for key in keys:
            await self._run(
                "insert into {table} (id, version, body) values (%s, %s, %s)",
                table,
                key,
                next(_versions),
                body,
            )
        return keys

    async def update(self, *keys: int, table: int = 0, age: float = 0.0) -> None:
        """`age` in seconds: how long before its commit the transaction seems to have begun."""
        for key in keys:
            await self._run(
                "update {table} set version = %s, updated_at = now() - make_interval(secs => %s) "
                "where id = %s",
                table,
                next(_versions),
                age,
                key,
            )

    async def delete(self, *keys: int, table: int = 0) -> None:
        for key in keys:
            await self._run("delete from {table} where id = %s", table, key)

    async def flood(self, count: int, *, size: int, table: int = 0) -> None:
        """That many rows of `size` bytes in one transaction."""
        rows = [(next(self._keys), next(_versions), "x" * size) for _ in range(count)]
        assert self._connection is not None
        async with self._connection.transaction(), self._connection.cursor() as cursor:
            query = sql.SQL("copy {} (id, version, body) from stdin").format(
                sql.Identifier(self.tables[table])
            )
            async with cursor.copy(query) as copy:
                for row in rows:
                    await copy.write_row(row)

    @asynccontextmanager
    async def traffic(self) -> AsyncIterator[None]:
        """Writes without end into all tables, up to 300 a second: new rows, and changes of former ones."""
        writing = asyncio.create_task(self._write_on())
        try:
            yield
        finally:
            # Not cancelled: that could leave the connection in the middle of a statement.
            self._is_writing = False
            await writing

    async def until_more(self, count: int) -> None:
        """Waits for that many further writes of the traffic."""
        goal = self._written + count
        async with asyncio.timeout(PATIENCE):
            while self._written < goal:
                self._happened.clear()
                await self._happened.wait()

    async def _write_on(self) -> None:
        keys: list[list[int]] = [[] for _ in self.tables]
        self._is_writing = True
        for turn in itertools.count():
            if not self._is_writing:
                return
            table = turn % len(self.tables)
            if turn % 3 == 2:
                await self.update(keys[table][turn % len(keys[table])], table=table)
            else:
                keys[table] += await self.insert(table=table)
            self._written += 1
            self._happened.set()
            await asyncio.sleep(TRAFFIC_SECONDS)

    async def execute(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Anything else; `{table}` and `{other}` are the first and second table."""
        assert self._connection is not None
        names = dict(zip(("table", "other"), map(sql.Identifier, self.tables), strict=False))
        cursor = await self._connection.execute(sql.SQL(query).format(**names), parameters)
        return await cursor.fetchall() if cursor.description else []

    async def writes(self) -> list[Write]:
        """Everything so far, in commit order."""
        messages = await self.execute(
            "select data from pg_logical_slot_get_binary_changes(%s, null, null, 'proto_version', '1', "
            "'publication_names', %s)",
            self._slot,
            self._slot,
        )
        known = {write.state for write in self._log}
        for write in _read(self.names, (bytes(data) for (data,) in messages)):
            # A slot that went through a crash may tell again what it has told.
            if write.state not in known:
                self._log.append(write)
        return self._log

    async def _run(self, query: str, table: int, *parameters: object) -> None:
        assert self._connection is not None
        statement = sql.SQL(query).format(table=sql.Identifier(self.tables[table]))
        await self._connection.execute(statement, parameters)

    async def _create(self) -> None:
        assert self._connection is not None
        for table in self.tables:
            name = sql.Identifier(table)
            await self._connection.execute(
                sql.SQL(
                    "create table {} (id int primary key, version bigint not null, body text, "
                    "created_at timestamptz not null default now(), "
                    "updated_at timestamptz not null default now())"
                ).format(name)
            )
            await self._connection.execute(
                sql.SQL("alter publication supabase_realtime add table {}").format(name)
            )
        tables = sql.SQL(", ").join(map(sql.Identifier, self.tables))
        await self._connection.execute(
            sql.SQL("create publication {} for table {}").format(sql.Identifier(self._slot), tables)
        )
        await self._connection.execute(
            "select pg_create_logical_replication_slot(%s, 'pgoutput')", [self._slot]
        )

    async def _drop(self) -> None:
        if self._connection is None:
            return
        try:
            await self._connection.execute("select pg_drop_replication_slot(%s)", [self._slot])
            await self._connection.execute(sql.SQL("drop publication {}").format(sql.Identifier(self._slot)))
            for table in self.tables:
                await self._connection.execute(sql.SQL("drop table {}").format(sql.Identifier(table)))
        except psycopg.OperationalError:
            pass  # the project is gone already, and everything with it
        finally:
            await self._connection.close()


def _read(names: Sequence[str], messages: Iterable[bytes]) -> list[Write]:
    """Read the log as `prt audit` does."""
    decoder = PgoutputDecoder([audited_table(name) for name in names], lambda *_: True)
    return [
        Write(
            table=change.table.name,
            key=int(change.row["id"] or 0),
            event=change.event,
            committed=change.committed,
            version=None if change.event == "DELETE" else int(change.row["version"] or 0),
        )
        for change in decoder.decode(messages)
    ]
