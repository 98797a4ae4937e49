"""A watch with its verification, behind a proxy, on tables of its own: the stage of single cases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from prt.stream.binding import Binding
from prt.stream.rest.session import Endpoint, Session
from tests.faults.proxy import Proxy
from tests.faults.watching import Watch, watching

Project = dict[str, str]

TABLES = """
drop table if exists public.facts, public.undated, public.spaces_notes, public.spaces_members cascade;
create table public.facts (
  id int primary key, text text, kind text default 'fact',
  created_at timestamptz default now(), updated_at timestamptz default now());
create table public.undated (id int primary key, text text);
create table public.spaces_members (space uuid, member uuid, primary key (space, member));
create table public.spaces_notes (
  id int primary key, space uuid, updated_at timestamptz default now(), created_at timestamptz default now());
alter table public.spaces_notes enable row level security;
create policy members on public.spaces_notes for select to authenticated
  using (space in (select space from public.spaces_members where member = auth.uid()));
grant all on public.facts, public.undated, public.spaces_notes, public.spaces_members
  to anon, authenticated, service_role;
alter publication supabase_realtime add table public.facts, public.undated, public.spaces_notes;
"""
OURS = "0a000000-0000-4000-8000-000000000001"
THEIRS = "0b000000-0000-4000-8000-000000000002"
FACTS = "public.facts"


@dataclass(frozen=True)
class Scene:
    """A watch behind a proxy, and the database."""

    database: AsyncConnection[Any]
    proxy: Proxy
    watch: Watch

    async def write(self, query: str, *values: object) -> None:
        await self.database.execute(query, values)

    async def until_compared(self, *tables: str) -> None:
        """What was written is in a window whose suspects have been judged."""
        await self.watch.until_verified(*(tables or (FACTS,)), times=3)

    async def lose(self, query: str, changes: int) -> None:
        """Writes whose changes, so many of them, the server loses without a word."""
        dropped = self.proxy.dropped_changes
        self.proxy.loses = lambda _: True
        await self.write(query)
        await self.proxy.until(lambda proxy: proxy.dropped_changes == dropped + changes)
        self.proxy.loses = None


@asynccontextmanager
async def scene(
    project: Mapping[str, str],
    bindings: Sequence[Binding],
    *,
    before: str = "",
    token: str | None = None,
    **options: Any,
) -> AsyncIterator[Scene]:
    """READY; `before` is SQL that runs before the watch. The publication is as it was in the end."""
    async with await AsyncConnection.connect(project["SUPABASE_DB_URL"], autocommit=True) as database:
        await database.execute(TABLES + before)
        try:
            async with Proxy(project["SUPABASE_URL"]).serving() as proxy:
                endpoint = Endpoint(url=proxy.url, key=project["SUPABASE_ANON_KEY"], token=token)
                async with watching(Session(endpoint), bindings, is_verifying=True, **options) as watch:
                    await watch.until_ready()
                    yield Scene(database, proxy, watch)
        finally:
            await database.execute(
                "alter publication supabase_realtime set (publish = 'insert, update, delete, truncate');"
                "drop table facts, undated, spaces_notes, spaces_members cascade"
            )


def played(
    project: Project,
    bindings: Sequence[Binding],
    script: Callable[[Scene], Awaitable[None]],
    **options: Any,
) -> None:
    async def main() -> None:
        async with scene(project, bindings, **options) as stage:
            await script(stage)

    asyncio.run(main())


ALL = [Binding(table="facts")]
