"""The direct connection against a real PostgreSQL: the log through a slot, judgements, the server's state."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from prt.postgres.snapshots import NotYet
from prt.stream.database import judging, preflight
from prt.stream.database.change_log import ChangeLog
from prt.stream.database.judging import Identity, Judge
from prt.stream.database.probe import Probe
from prt.stream.database.session import DatabaseSession
from prt.stream.database.values import AuditedTable, Judgement, LoggedChange
from prt.stream.filters import grammar
from tests.running import PATIENCE

OWNER = "11111111-1111-4111-8111-111111111111"
CLAIMS = json.dumps({"role": "authenticated", "sub": OWNER})


class Base:
    """A published table under row level security, its log and whoever writes to it."""

    def __init__(
        self, url: str, name: str, connection: AsyncConnection[Any], session: DatabaseSession
    ) -> None:
        self.url = url
        self.name = name
        self.session = session
        self.connection = connection
        self.changes: list[LoggedChange] = []
        self.holes: list[str] = []
        self._happened = asyncio.Event()

    async def table(self) -> AuditedTable:
        found = await preflight.read(self.session, [("public", self.name)], role="authenticated")
        return found.tables[0]

    async def execute(self, query: str) -> list[Any]:
        cursor = await self.connection.execute(query.replace("{table}", self.name))  # type: ignore[arg-type]
        return await cursor.fetchall() if cursor.description else []

    async def log(self) -> ChangeLog:
        def deliver(changes: list[LoggedChange]) -> None:
            self.changes += changes
            self._happened.set()

        def hole(trouble: str) -> None:
            self.holes.append(trouble)
            self._happened.set()

        return ChangeLog(
            self.url, [await self.table()], is_asked=lambda *_: True, deliver=deliver, on_hole=hole
        )

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not is_so():
                self._happened.clear()
                await self._happened.wait()


@asynccontextmanager
async def base(project: dict[str, str]) -> AsyncIterator[Base]:
    url, name = project["SUPABASE_DB_URL"], f"audited_{secrets.token_hex(4)}"
    session = DatabaseSession(url, "prt_test")
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        made = Base(url, name, connection, session)
        for query in (
            "create table {table} (id int primary key, owner uuid, title text, rank numeric)",
            "alter table {table} enable row level security",
            "create policy own on {table} for select to authenticated using (owner = auth.uid())",
            "grant select on {table} to authenticated",
            "alter publication supabase_realtime add table {table}",
        ):
            await made.execute(query)
        try:
            yield made
        finally:
            await session.close()
            await made.execute("drop table {table}")


def run(project: dict[str, str], test: Callable[[Base], Awaitable[None]]) -> None:
    async def with_base() -> None:
        async with base(project) as made:
            await test(made)

    asyncio.run(with_base())


@asynccontextmanager
async def following(log: ChangeLog) -> AsyncIterator[None]:
    async with log:
        task = asyncio.create_task(log.follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def slots(made: Base) -> list[str]:
    rows = await made.execute("select slot_name from pg_replication_slots where slot_name like 'prt_audit%'")
    return [name for (name,) in rows]


def test_every_commit_is_read_once_in_order_and_the_slot_ends_with_the_connection(
    project: dict[str, str],
) -> None:
    async def test(made: Base) -> None:
        log = await made.log()
        async with following(log):
            assert log.plugin == "pgoutput"
            assert log.slot in await slots(made)
            await made.execute("insert into {table} (id, title) select n, 'x' from generate_series(1, 3) n")
            await made.execute("update {table} set title = 'y' where id = 2")
            await made.execute("delete from {table} where id = 3")
            await made.until(lambda: len(made.changes) == 5)
        found = [(change.event, change.key) for change in made.changes]
        assert found == [
            ("INSERT", ("1",)),
            ("INSERT", ("2",)),
            ("INSERT", ("3",)),
            ("UPDATE", ("2",)),
            ("DELETE", ("3",)),
        ]
        assert len({change.transaction for change in made.changes}) == 3
        assert [change.number for change in made.changes] == [1, 2, 3, 4, 5]
        # PostgreSQL notices the end of a connection a moment later.
        async with asyncio.timeout(PATIENCE):
            while log.slot in await slots(made):
                pass

    run(project, test)


def test_a_slot_that_was_ended_is_replaced_and_the_time_between_is_declared(project: dict[str, str]) -> None:
    async def test(made: Base) -> None:
        log = await made.log()
        async with following(log):
            first = log.slot
            await made.execute(
                "select pg_terminate_backend(active_pid) from pg_replication_slots "
                f"where slot_name = '{first}'"
            )
            await made.until(lambda: bool(made.holes))
            assert log.slot != first
            await made.execute("insert into {table} (id) values (1)")
            await made.until(lambda: bool(made.changes))
        assert [change.key for change in made.changes] == [("1",)]

    run(project, test)


async def judged(made: Base, filter_text: str | None, role: str = "authenticated") -> list[Judgement]:
    """Insert rows of two owners, and ask about them."""
    async with following(await made.log()):
        await made.execute(
            "insert into {table} (id, owner, title, rank) values "
            f"(1, '{OWNER}', 'a%b', 10), (2, '{OWNER}', null, 2), (3, gen_random_uuid(), 'a%b', 10)"
        )
        await made.until(lambda: len(made.changes) == 3)
    identity = Identity(role=role, claims=CLAIMS, is_unrestricted=role == "service_role")
    judge = Judge(made.session, identity, {f"public.{made.name}": grammar.read(filter_text)})
    assert all(judge.needs(change) for change in made.changes)
    return await judge.judge(made.changes)


def test_policies_are_asked_as_the_identity_and_with_the_database_time(project: dict[str, str]) -> None:
    async def test(made: Base) -> None:
        judgements = await judged(made, None)
        assert [one.is_visible for one in judgements] == [True, True, False]
        assert [one.is_matching for one in judgements] == [True, True, True]
        assert all(one.at > change.committed for one, change in zip(judgements, made.changes, strict=True))

    run(project, test)


def test_a_row_is_asked_for_until_its_transaction_can_be_seen(
    project: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log may report a commit a moment before the database shows it."""

    async def test(made: Base) -> None:
        judge = Judge(made.session, Identity(role="authenticated", claims=CLAIMS), {})
        async with await AsyncConnection.connect(made.url) as writer:
            await writer.execute(
                f"insert into {made.name} (id, owner) values (1, '{OWNER}')"  # type: ignore[arg-type]
            )
            cursor = await writer.execute("select pg_current_xact_id()::text::int8")
            (transaction,) = await cursor.fetchone() or (0,)
            change = LoggedChange(
                number=1,
                table=await made.table(),
                event="INSERT",
                committed=0,
                transaction=transaction,
                key=("1",),
                row={"id": "1"},
            )
            has_asked = asyncio.Event()

            class Noticed(NotYet):
                async def wait(self) -> bool:
                    has_asked.set()
                    return await super().wait()

            monkeypatch.setattr(judging, "NotYet", Noticed)
            asking = asyncio.create_task(judge.judge([change]))
            asked = asyncio.create_task(has_asked.wait())
            await asyncio.wait([asking, asked], return_when=asyncio.FIRST_COMPLETED)
            await writer.commit()
            asked.cancel()
        (judgement,) = await asking
        assert judgement.is_visible

    run(project, test)


def test_a_role_that_passes_policies_sees_every_row_at_its_commit(project: dict[str, str]) -> None:
    async def test(made: Base) -> None:
        judgements = await judged(made, None, "service_role")
        assert [one.is_visible for one in judgements] == [True, True, True]
        assert [one.at for one in judgements] == [change.committed for change in made.changes]

    run(project, test)


def test_a_row_that_may_not_be_selected_has_no_answer(project: dict[str, str]) -> None:
    async def test(made: Base) -> None:
        await made.execute("revoke select on {table} from authenticated")
        assert [one.is_visible for one in await judged(made, None)] == [None, None, None]

    run(project, test)


@pytest.mark.parametrize(
    ("text", "matching"),
    [
        ("rank=gt.9", [1, 3]),  # as numbers, where 2 would come after 10 as text
        ("rank=eq.10.0", [1, 3]),
        ("rank=not.eq.10", [2]),
        ("title=like.a\\%%", [1, 3]),
        ("title=eq.a%b,rank=lte.10", [1, 3]),
        ("title=neq.x", [1, 3]),  # null is not unequal
        ("title=is.null", [2]),
        ("title=not.is.null", [1, 3]),
        ("title=isdistinct.x", [1, 2, 3]),
        ('title=in.("a%b",x)', [1, 3]),
        ("rank=in.(2,3)", [2]),
        ("title=match.^a", [1, 3]),
    ],
)
def test_filters_are_evaluated_as_the_server_does(
    project: dict[str, str], text: str, matching: list[int]
) -> None:
    async def test(made: Base) -> None:
        judgements = await judged(made, text)
        found = [one.number for one in judgements if one.is_matching]
        assert found == matching

    run(project, test)


def test_a_delete_matches_by_its_key_alone(project: dict[str, str]) -> None:
    async def test(made: Base) -> None:
        await made.execute("insert into {table} (id, rank) values (1, 10)")
        async with following(await made.log()):
            await made.execute("delete from {table}")
            await made.until(lambda: bool(made.changes))
        identity = Identity(role="authenticated", claims=CLAIMS)
        for text, is_matching in (("rank=eq.10", False), ("rank=is.null", False), ("id=eq.1", True)):
            judge = Judge(made.session, identity, {f"public.{made.name}": grammar.read(text)})
            (judgement,) = await judge.judge(made.changes)
            assert (judgement.is_matching, judgement.is_visible) == (is_matching, True)

    run(project, test)


def test_the_state_shows_what_has_changed(project: dict[str, str]) -> None:
    async def test(made: Base) -> None:
        table = await made.table()
        probe = Probe(made.session, [table])
        calm, again = await probe.state(), await probe.state()
        assert calm is not None
        assert again is not None
        assert calm.publication == {table.name}
        assert (calm.started, calm.slots, calm.policies) == (again.started, again.slots, again.policies)
        assert again.at > calm.at
        await made.execute("alter policy own on {table} using (true)")
        await made.execute("alter publication supabase_realtime drop table {table}")
        changed = await probe.state()
        assert changed is not None
        assert changed.policies != calm.policies
        assert changed.publication == frozenset()

    run(project, test)


def test_a_database_that_does_not_answer_has_no_state(project: dict[str, str]) -> None:
    async def test(made: Base) -> None:
        nowhere = DatabaseSession("postgresql://postgres@127.0.0.1:1/postgres", "prt_test")
        assert await Probe(nowhere, [await made.table()]).state() is None

    run(project, test)


def test_what_the_slot_holds_back_is_measured(project: dict[str, str]) -> None:
    async def test(made: Base) -> None:
        log, probe = await made.log(), Probe(made.session, [await made.table()])
        async with following(log):
            probe.slot = log.slot
            await made.execute("insert into {table} (id) values (1)")
            await probe.until_read(PATIENCE)
            assert [change.key for change in made.changes] == [("1",)]
            state = await probe.state()
            assert state is not None
            assert state.retained is not None

    run(project, test)


def test_preflight_reads_the_table_as_it_is(project: dict[str, str]) -> None:
    async def test(made: Base) -> None:
        table = await made.table()
        assert (table.key, table.has_row_security, table.is_published) == (("id",), True, True)
        assert [(one.name, one.type) for one in table.columns] == [
            ("id", "integer"),
            ("owner", "uuid"),
            ("title", "text"),
            ("rank", "numeric"),
        ]
        found = await preflight.read(made.session, [("public", "*")], role="service_role")
        assert found.role_is_unrestricted
        assert made.name in [one.table for one in found.tables]
        assert all(one.is_published for one in found.tables)
        with pytest.raises(psycopg.Error):
            await made.session.run(lambda connection: connection.execute("select nothing"))

    run(project, test)
