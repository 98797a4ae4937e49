"""The server as its clients and its database meet it, beyond what the transcripts show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import psycopg.sql
import pytest
from websockets.exceptions import InvalidStatus

from prt.errors import UnreachableError
from prt.local.realtime import Realtime, Settings
from prt.local.realtime.channels import connection, outbox
from tests.local.realtime.serving import Backend, Client, Running
from tests.running import PATIENCE

TODOS = {"event": "*", "schema": "public", "table": "todos"}
ITEMS = {"event": "*", "schema": "public", "table": "rls_items"}
EVERYTHING = {"event": "*", "schema": "*"}
ME = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"


def run(
    backend: Backend, scenario: Callable[[Running], Awaitable[None]], settings: Settings | None = None
) -> None:
    async def serve() -> None:
        async with backend.serving(settings) as running:
            await scenario(running)

    asyncio.run(serve())


def records(changes: list[dict[str, Any]]) -> list[Any]:
    return [change["record"] for change in changes]


def test_what_is_committed_after_subscribed_arrives(backend: Backend) -> None:
    """Many times, because the log contains a row a moment before policies can see it."""

    async def scenario(running: Running) -> None:
        writer = await psycopg.AsyncConnection.connect(backend.conninfo, autocommit=True)
        async with writer, running.client() as client:
            await client.subscribe("realtime:a", ITEMS, token=backend.user(1))
            for number in range(300):
                await writer.execute(
                    "insert into rls_items (id, owner, body) values (%s, %s, 'x')", [number, ME]
                )
                assert records(await client.changes(1)) == [{"id": number, "body": "x", "owner": ME}]

    run(backend, scenario)


def test_a_burst_arrives_whole_and_in_order(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", TODOS)
            backend.sql.execute("insert into todos (id, task) select i, 'r' from generate_series(1, 5000) i")
            backend.sql.execute("delete from todos")
            inserted = await client.changes(5000)
            deleted = await client.changes(5000)
            assert [change["record"]["id"] for change in inserted] == list(range(1, 5001))
            assert [change["old_record"]["id"] for change in deleted] == list(range(1, 5001))

    run(backend, scenario)


def test_a_client_that_does_not_read_holds_up_nobody(backend: Backend, monkeypatch: Any) -> None:
    monkeypatch.setattr(outbox, "CROWDED", 100_000)
    monkeypatch.setattr(outbox, "OVERFLOWING", 2_000_000)
    monkeypatch.setattr(outbox, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(connection, "CLOSE_SECONDS", PATIENCE)

    async def scenario(running: Running) -> None:
        async with running.client() as reader, running.client() as sleeper:
            await reader.subscribe("realtime:a", {**TODOS, "filter": "priority=eq.1"})
            await sleeper.subscribe("realtime:a", TODOS)
            sleeper.websocket.transport.pause_reading()
            for _ in range(8):
                backend.sql.execute(
                    "insert into todos (task) select repeat('x', 1000000) from generate_series(1, 4)"
                )
            backend.sql.execute("insert into todos (id, task, priority) values (99, 'after', 1)")
            assert [record["id"] for record in records(await reader.changes(1))] == [99]
            sleeper.websocket.transport.resume_reading()
            assert await sleeper.closed() == 1013
            await reader.push("phoenix", "heartbeat", {})
            assert (await reader.receive_json())["event"] == "phx_reply"

    run(backend, scenario)


def test_a_silent_socket_is_closed_and_one_that_speaks_stays_open(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as silent, running.client() as joined, running.client() as speaking:
            await joined.join("realtime:a")
            ends = asyncio.gather(silent.closed(), joined.closed())
            while not ends.done():
                await speaking.push("phoenix", "heartbeat", {})
                assert (await speaking.receive_json())["payload"]["status"] == "ok"
                await asyncio.wait([ends], timeout=0.1)
            assert await ends == [1000, 1000]
            await speaking.push("phoenix", "heartbeat", {})
            assert (await speaking.receive_json())["payload"]["status"] == "ok"

    run(backend, scenario, Settings(idle_seconds=2.0))


def test_sockets_close_with_1012_when_the_server_stops(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", TODOS)
            await running.realtime.stop()
            assert await client.closed() == 1012
        query = (
            "select pg_sleep(0.01), count(*) from pg_stat_activity"
            " where application_name like 'prt_realtime%'"
        )
        async with asyncio.timeout(PATIENCE):
            while (await asyncio.to_thread(backend.sql.execute, query)).fetchone() != ("", 0):
                pass

    run(backend, scenario)


def test_changes_that_can_not_be_followed_are_reported(backend: Backend) -> None:
    """A slot is made only when no transaction is writing."""

    async def scenario() -> None:
        with psycopg.connect(backend.conninfo) as writer:
            writer.execute("insert into todos (task) values ('open')")
            with pytest.raises(UnreachableError, match="a transaction stays open"):
                await Realtime(
                    backend.own_conninfo, backend.keys, settings=Settings(start_seconds=0.2)
                ).start()
        dead = Realtime(
            "host=127.0.0.1 port=1 password=hidden", backend.keys, settings=Settings(start_seconds=1.0)
        )
        with pytest.raises(UnreachableError, match="refused") as refused:
            await dead.start()
        assert "hidden" not in refused.value.message

    asyncio.run(scenario())


def test_knocks_at_a_quiet_walsender(backend: Backend) -> None:
    """It can miss a commit otherwise, see `prt.local.realtime.changes.decoding.replication`."""

    async def scenario(running: Running) -> None:
        replies: set[Any] = set()
        async with asyncio.timeout(PATIENCE):
            # In the server's own time: nothing else makes it look at the clock.
            while len(replies) < 4:
                query = "select pg_sleep(0.01), max(reply_time) from pg_stat_replication"
                row = (await asyncio.to_thread(backend.sql.execute, query)).fetchone()
                replies |= {row and row[1]}

    run(backend, scenario)


def test_a_table_published_later_is_received_by_a_new_join_and_after_the_next_check(backend: Backend) -> None:
    """Wildcards too find their tables when they subscribe."""

    async def scenario(running: Running) -> None:
        later = {"event": "*", "schema": "public", "table": "later"}
        async with running.client() as every, running.client() as one:
            await every.subscribe("realtime:all", EVERYTHING)
            backend.sql.execute(
                "begin; create table public.later (id int primary key);"
                "alter publication supabase_realtime add table public.later;"
                "insert into public.later values (1); commit"
            )
            try:
                await one.subscribe("realtime:later", later)
                backend.sql.execute("insert into public.later values (2)")
                assert records(await one.changes(1)) == [{"id": 2}]
                await running.realtime.publication.check()
                for client in (every, one):
                    assert (await client.expect("system"))["message"] == "Subscribed to PostgreSQL"
                backend.sql.execute("insert into public.later values (3)")
                assert records(await every.changes(1)) == [{"id": 3}]
            finally:
                backend.sql.execute("drop table public.later")

    run(backend, scenario)


def test_grants_and_row_security_changed_later_are_heeded(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            backend.sql.execute(
                "create table public.moody (id int primary key, a text, b text);"
                "alter publication supabase_realtime add table public.moody"
            )
            try:
                await client.subscribe("realtime:a", {"event": "*", "schema": "public", "table": "moody"})
                backend.sql.execute("insert into moody values (1, 'a', 'b')")
                assert records(await client.changes(1)) == [{"id": 1, "a": "a", "b": "b"}]
                backend.sql.execute("revoke select on moody from anon; grant select (id, a) on moody to anon")
                backend.sql.execute("insert into moody values (2, 'a', 'b')")
                assert records(await client.changes(1)) == [{"id": 2, "a": "a"}]
                backend.sql.execute("alter table moody enable row level security")
                backend.sql.execute("insert into moody values (3, 'a', 'b')")
                await running.delivered()
                backend.sql.execute("create policy p on moody for select using (id = 4)")
                backend.sql.execute("insert into moody values (4, 'a', 'b')")
                assert records(await client.changes(1)) == [{"id": 4, "a": "a"}]
            finally:
                backend.sql.execute("drop table public.moody")

    run(backend, scenario)


def test_a_policy_that_raises_hides_rows_from_nobody_else(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        backend.sql.execute(
            "create table public.touchy (a int, b text, primary key (a, b));"
            "alter table public.touchy enable row level security;"
            "create policy p on public.touchy for select using (b = auth.jwt() ->> 'sub'"
            " and (auth.jwt() ->> 'divisor')::int is not null);"
            "alter publication supabase_realtime add table public.touchy"
        )
        table = {"event": "*", "schema": "public", "table": "touchy"}
        try:
            async with running.client() as good, running.client() as bad:
                await good.subscribe("realtime:a", table, token=backend.user(1, divisor="1"))
                await bad.subscribe("realtime:a", table, TODOS, token=backend.user(1, divisor="x"))
                backend.sql.execute("insert into touchy values (1, %s), (1, 'else'), (2, %s)", [ME, ME])
                backend.sql.execute("insert into todos (id, task) values (1, 'after')")
                assert records(await good.changes(2)) == [{"a": 1, "b": ME}, {"a": 2, "b": ME}]
                assert [record["id"] for record in records(await bad.changes(1))] == [1]
        finally:
            backend.sql.execute("drop table public.touchy")

    run(backend, scenario)


def test_a_new_token_changes_what_is_seen(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", ITEMS, token=backend.user(1))
            backend.sql.execute("insert into rls_items (id, owner) values (1, %s), (2, %s)", [ME, OTHER])
            assert [record["id"] for record in records(await client.changes(1))] == [1]
            await client.push("realtime:a", "access_token", {"access_token": backend.user(2)}, join_ref="1")
            assert (await client.receive_json())["payload"]["message"] == "Subscribed to PostgreSQL"
            backend.sql.execute("insert into rls_items (id, owner) values (3, %s), (4, %s)", [ME, OTHER])
            assert [record["id"] for record in records(await client.changes(1))] == [4]

    run(backend, scenario)


def test_a_new_token_that_may_not_subscribe_ends_the_subscription(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", TODOS)
            token = backend.keys.sign({"role": "nosuchrole"})
            await client.push("realtime:a", "access_token", {"access_token": token}, join_ref="1")
            assert 'role "nosuchrole" does not exist' in (await client.receive_json())["payload"]["message"]
            backend.sql.execute("insert into todos (id, task) values (1, 'x')")
            await running.delivered()
            await client.push("phoenix", "heartbeat", {})
            assert (await client.receive_json())["event"] == "phx_reply"

    run(backend, scenario)


def test_after_leaving_nothing_comes_and_nothing_is_replayed(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", TODOS)
            await client.push("realtime:a", "phx_leave", {}, join_ref="1")
            assert [(await client.receive_json())["event"] for _ in range(2)] == ["phx_reply", "phx_close"]
            backend.sql.execute("insert into todos (id, task) values (1, 'away')")
            await running.delivered()
            await client.subscribe("realtime:a", TODOS)
            backend.sql.execute("insert into todos (id, task) values (2, 'back')")
            assert [record["id"] for record in records(await client.changes(1))] == [2]

    run(backend, scenario)


@pytest.mark.parametrize(
    ("filter_", "matching"),
    [
        ("task=ilike.AL%", [1, 4]),
        ("task=imatch.^(AL|b)", [1, 2, 4]),
        ("task=not.imatch.^al,priority=not.is.null", [2]),
        ("priority=in.(1,3),task=like.al%", [1]),
        ("id=gt.1,id=lt.4", [2, 3]),
        ("user_id=isdistinct." + ME, [2, 3, 4]),
        ("inserted_at=gt.2020-01-01,task=eq.beta", [2]),
        ("user_id=eq." + ME.replace("-", ""), [1]),
    ],
)
def test_filters(backend: Backend, filter_: str, matching: list[int]) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", {**TODOS, "filter": filter_})
            backend.sql.execute(
                "insert into todos (id, task, priority, user_id) values"
                " (1, 'alpha', 1, %s), (2, 'beta', 2, null), (3, 'gamma', null, null), (4, 'ALSO', null, %s)",
                [ME, OTHER],
            )
            changes = await client.changes(len(matching))
            assert [record["id"] for record in records(changes)] == matching
            await running.delivered()
            await client.push("phoenix", "heartbeat", {})
            assert (await client.receive_json())["event"] == "phx_reply"

    run(backend, scenario)


REFUSED = {
    "filters: 101 values": (
        {**TODOS, "filter": f"id=in.({','.join(map(str, range(101)))})"},
        "ERROR P0001 (raise_exception) too many values for `in` filter. Maximum 100",
    ),
    "a broken regular expression": (
        {**TODOS, "filter": "task=match.(a"},
        "ERROR P0001 (raise_exception) invalid regular expression for match filter: "
        "invalid regular expression: parentheses () not balanced",
    ),
    "is true of a number": (
        {**TODOS, "filter": "priority=is.true"},
        "ERROR P0001 (raise_exception) is true filter requires a boolean column, got integer",
    ),
    "match on a number": (
        {**TODOS, "filter": "priority=match.1"},
        "ERROR P0001 (raise_exception) operator match requires a text-compatible column type, got integer",
    ),
    "equality of json": (
        {"table": "all_types", "schema": "public", "filter": "c_json=eq.{}"},
        "ERROR P0001 (raise_exception) operator eq is not supported on column c_json of type json: "
        "operator does not exist: json = json",
    ),
    "a column that the role can't read": (
        {"table": "colgrant", "schema": "public", "filter": "b=eq.x"},
        "ERROR P0001 (raise_exception) invalid column for filter b",
    ),
    "an unknown selected column": (
        {**TODOS, "select": ["nope"]},
        "ERROR P0001 (raise_exception) invalid column for select nope",
    ),
    "a broken date": (
        {**TODOS, "filter": "inserted_at=gt.yesterdayish"},
        "ERROR 22007 (invalid_datetime_format) "
        'invalid input syntax for type timestamp with time zone: "yesterdayish"',
    ),
    "a number out of range": (
        {**TODOS, "filter": "priority=eq.99999999999"},
        'ERROR 22003 (numeric_value_out_of_range) value "99999999999" is out of range for type integer',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_bindings(backend: Backend, name: str) -> None:
    binding, words = REFUSED[name]

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.join("realtime:a", binding)
            payload = (await client.receive_json())["payload"]
            assert payload["status"] == "error"
            assert payload["message"].endswith(f"Exception: {words}")

    run(backend, scenario)


def test_hostile_names_and_values_are_data(backend: Backend) -> None:
    name = "a'; drop table todos; --\" %s {} %"
    table, column = psycopg.sql.Identifier("public", name), psycopg.sql.Identifier(name)

    def execute(template: str) -> None:
        query = psycopg.sql.SQL(template).format(table=table, column=column, value=psycopg.sql.Literal(name))
        backend.sql.execute(query.as_string(None).encode())

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            binding = {"event": "*", "schema": "public", "table": name, "filter": f'{name}=ilike."A\'%"'}
            await client.subscribe("realtime:a", binding)
            execute("insert into {table} values ({value})")
            assert records(await client.changes(1)) == [{name: name}]

    execute("create table {table} ({column} text primary key)")
    try:
        execute("alter publication supabase_realtime add table {table}")
        execute("alter table {table} enable row level security")
        execute("create policy p on {table} for select using (true)")
        run(backend, scenario)
    finally:
        execute("drop table {table}")


def test_opaque_keys_of_this_project_are_exchanged(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with (
            running.client(backend.keys.secret) as secret,
            running.client(backend.keys.publishable) as public,
        ):
            await secret.subscribe("realtime:a", ITEMS, token=backend.keys.secret)
            await public.subscribe("realtime:a", ITEMS)
            backend.sql.execute("insert into rls_items (id, owner) values (1, %s)", [ME])
            assert [record["id"] for record in records(await secret.changes(1))] == [1]
            await running.delivered()
            await public.push("phoenix", "heartbeat", {})
            assert (await public.receive_json())["event"] == "phx_reply"
        with pytest.raises(InvalidStatus):
            async with running.client("sb_secret_of_somebody_else"):
                pass

    run(backend, scenario)


def test_private_topics_are_closed_until_somebody_has_a_policy(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.push("realtime:room", "phx_join", {"config": {"private": True}}, join_ref="1")
            payload = (await client.receive_json())["payload"]
            assert payload["status"] == "error"
            assert payload["response"]["reason"] == (
                "Unauthorized: You do not have permissions to read from this Channel topic: room"
            )

    run(backend, scenario)


@pytest.mark.parametrize(
    ("topic", "reason"),
    [("realtime:", "TopicNameRequired: You must provide a topic name"), ("else", "unmatched topic")],
)
def test_topics_that_do_not_exist(backend: Backend, topic: str, reason: str) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.push(topic, "phx_join", {"config": {}}, join_ref="1")
            reply = await client.receive_json()
            assert reply["payload"] == {"status": "error", "response": {"reason": reason}}

    run(backend, scenario)


def test_a_binary_broadcast_reaches_both_versions(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client(vsn="2.0.0") as sender, running.client() as receiver:
            config = {"config": {"broadcast": {"self": True, "ack": True}}}
            await sender.send(json.dumps(["10", "10", "realtime:b", "phx_join", config]))
            await sender.receive()
            await receiver.join("realtime:b")
            await sender.send(bytes.fromhex("0302020a010001313031317265616c74696d653a62657b2261223a317d"))
            assert await sender.receive() == bytes.fromhex("040a0100017265616c74696d653a62657b2261223a317d")
            assert await sender.receive_json() == [
                "10", "11", "realtime:b", "phx_reply", {"status": "ok", "response": {}},
            ]  # fmt: skip
            assert (await receiver.receive_json())["payload"] == {
                "event": "e", "payload": {"a": 1}, "type": "broadcast",
            }  # fmt: skip

    run(backend, scenario)


def test_refusals_can_be_as_late_as_on_the_real_server(backend: Backend) -> None:
    async def took(client: Client) -> float:
        start = asyncio.get_running_loop().time()
        await client.push("realtime:a", "phx_join", {"config": {}, "access_token": "x"}, join_ref="1")
        await client.receive()
        return asyncio.get_running_loop().time() - start

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            assert await took(client) >= 0.2

    run(backend, scenario, Settings(refused_join_seconds=0.2))


@pytest.mark.parametrize(
    ("table", "filter_", "deleted"),
    [
        ("todos", "id=gt.1", [2, 3]),
        ("todos", "priority=is.null", []),
        ("todos", "priority=isdistinct.5", []),
        ("todos", "id=gt.1,task=eq.b", []),
        ("todos_full", "priority=is.null", [1]),
        ("todos_full", "id=gt.1,task=eq.b", [2]),
    ],
)
def test_a_filter_sees_of_a_deleted_row_only_its_identity(
    backend: Backend, table: str, filter_: str, deleted: list[int]
) -> None:
    async def scenario(running: Running) -> None:
        backend.sql.execute(
            f"insert into {table} (id, task, priority) values (1, 'a', null), (2, 'b', 2), (3, 'c', 3)"
        )
        async with running.client() as client:
            binding = {"event": "DELETE", "schema": "public", "table": table, "filter": filter_}
            await client.subscribe("realtime:a", binding, {**TODOS, "filter": "id=eq.9"})
            backend.sql.execute(f"delete from {table}")
            backend.sql.execute("insert into todos (id, task) values (9, 'after')")
            *changes, last = await client.changes(len(deleted) + 1)
            assert [change["old_record"]["id"] for change in changes] == deleted
            assert last["record"]["id"] == 9

    run(backend, scenario)


@pytest.mark.parametrize(("table", "is_known"), [("big", False), ("big_full", True)])
def test_an_unchanged_value_out_of_line_comes_from_the_old_row(
    backend: Backend, table: str, is_known: bool
) -> None:
    async def scenario(running: Running) -> None:
        backend.sql.execute(
            f"insert into {table} (id, body, n)"
            " select 1, string_agg(md5(i::text), ''), 1 from generate_series(1, 3000) i"
        )
        async with running.client() as client:
            await client.subscribe("realtime:a", {"event": "*", "schema": "public", "table": table})
            backend.sql.execute(f"update {table} set n = 2")
            (change,) = await client.changes(1)
            assert change["errors"] is None
            assert change["record"]["n"] == 2
            assert len(change["record"].get("body", "")) == (96_000 if is_known else 0)
            assert ("body" in change["record"]) is is_known

    run(backend, scenario)


def test_select_brings_the_key_and_makes_a_frame_of_its_own(backend: Backend) -> None:
    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.subscribe("realtime:a", {**TODOS, "select": ["task"]}, TODOS)
            backend.sql.execute("insert into todos (id, task) values (1, 'x')")
            whole, selected = await client.changes(2)
            assert len(whole["record"]) == len(whole["columns"]) == 6
            assert selected["record"] == {"id": 1, "task": "x"}
            assert [column["name"] for column in selected["columns"]] == ["id", "task"]

    run(backend, scenario)


@pytest.mark.parametrize("depth", [100, 900])
def test_a_join_that_is_nested_deeply_is_refused_in_words(backend: Backend, depth: int) -> None:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]

    async def scenario(running: Running) -> None:
        async with running.client() as client:
            await client.join("realtime:a", {**TODOS, "filter": nested})
            reported = await client.expect("system")
            assert reported["message"].startswith("No subscription params provided.")
            await client.expect_nothing_more()

    run(backend, scenario)
