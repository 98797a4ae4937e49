"""The embedded project as clients meet it: one port, the gateway's words, sockets through reset and stop."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection, connect

from prt.errors import UsageError
from prt.local.project.attach import attached
from tests.local.commands import PRT, Up, local, up
from tests.running import PATIENCE


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of the test's own."""
    folder = tmp_path / "runtime"
    monkeypatch.setenv("PRT_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture(scope="module")
def shared_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "runtime"


@pytest.fixture(scope="module")
def shared(shared_runtime: Path) -> Iterator[Up]:
    """One project for the tests that leave it up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRT_RUNTIME_DIR", str(shared_runtime))
        with up("--port", "0") as project:
            yield project


@pytest.fixture
def project_up(shared: Up, shared_runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Up:
    monkeypatch.setenv("PRT_RUNTIME_DIR", str(shared_runtime))
    return shared


def ask(url: str, *, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(
        url, method=method, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


@asynccontextmanager
async def subscribed(environment: dict[str, str], table: str) -> AsyncIterator[ClientConnection]:
    """A socket that has received "Subscribed to PostgreSQL"."""
    base = environment["SUPABASE_URL"].replace("http", "ws", 1)
    url = f"{base}/realtime/v1/websocket?apikey={environment['SUPABASE_SECRET_KEY']}&vsn=1.0.0"
    async with connect(url, open_timeout=PATIENCE, close_timeout=1) as socket:
        binding = {"event": "*", "schema": "public", "table": table}
        payload = {
            "config": {"postgres_changes": [binding]},
            "access_token": environment["SUPABASE_SECRET_KEY"],
        }
        join = {
            "topic": "realtime:test",
            "event": "phx_join",
            "payload": payload,
            "ref": "1",
            "join_ref": "1",
        }
        await socket.send(json.dumps(join))
        await until(socket, lambda frame: frame["event"] == "system" and frame["payload"]["status"] == "ok")
        yield socket


async def until(socket: ClientConnection, is_it: Any) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            frame: dict[str, Any] = json.loads(await socket.recv())
            if is_it(frame):
                return frame


def titles(frame: dict[str, Any], title: str) -> bool:
    return bool(
        frame["event"] == "postgres_changes"
        and frame["payload"]["data"].get("record", {}).get("title") == title
    )


def is_change(frame: dict[str, Any]) -> bool:
    return bool(frame["event"] == "postgres_changes")


async def insert_task(environment: dict[str, str], title: str) -> None:
    async with await psycopg.AsyncConnection.connect(
        environment["SUPABASE_DB_URL"], autocommit=True
    ) as connection:
        await connection.execute(
            "insert into project_tasks (production_id, title) select id, %s from productions limit 1", [title]
        )


def test_one_port_for_everything(project_up: Up) -> None:
    environment = project_up.environment()
    anon, secret = environment["SUPABASE_PUBLISHABLE_KEY"], environment["SUPABASE_SECRET_KEY"]
    status, _, body = ask(f"{project_up.url}/rest/v1/productions?select=id", apikey=secret)
    assert status == 200
    assert len(json.loads(body)) > 10
    status, _, body = ask(f"{project_up.url}/rest/v1/productions?select=id", apikey=anon)
    assert (status, json.loads(body)) == (200, [])
    assert ask(f"{project_up.url}/auth/v1/health", apikey=anon)[0] == 200
    status, _, body = ask(f"{project_up.url}/nothing/here")
    assert (status, json.loads(body)) == (404, {"message": "no Route matched with those values"})


def test_a_page_of_any_origin_may_ask(project_up: Up) -> None:
    status, headers, _ = ask(
        f"{project_up.url}/rest/v1/productions",
        method="OPTIONS",
        Origin="https://app.example.com",
        Access_Control_Request_Method="PATCH",
        Access_Control_Request_Headers="apikey, authorization, prefer, x-client-info",
    )
    assert status == 200
    allowed = {name.lower(): value for name, value in headers.items()}
    assert allowed["access-control-allow-origin"] == "*"
    assert "PATCH" in allowed["access-control-allow-methods"]
    assert "x-client-info" in allowed["access-control-allow-headers"]


def test_reset_is_for_the_secret_key(project_up: Up) -> None:
    anon = project_up.environment()["SUPABASE_ANON_KEY"]
    assert ask(f"{project_up.url}/local/v1/reset", method="POST")[0] == 401
    assert ask(f"{project_up.url}/local/v1/reset", method="POST", apikey=anon)[0] == 401


def test_a_subscription_lives_through_a_reset(project_up: Up) -> None:
    environment = project_up.environment()

    async def scenario() -> None:
        async with subscribed(environment, "project_tasks") as socket:
            await insert_task(environment, "before")
            await until(socket, lambda frame: titles(frame, "before"))
            done = await asyncio.to_thread(local, "reset")
            assert done.returncode == 0, done.stderr
            await insert_task(environment, "after")
            await until(socket, lambda frame: titles(frame, "after"))

    asyncio.run(scenario())


@pytest.mark.usefixtures("runtime")
def test_sockets_are_notified_of_the_stop_and_one_that_never_reads_does_not_delay_it() -> None:
    async def scenario(project: Up) -> None:
        environment = project.environment()
        async with (
            subscribed(environment, "project_tasks"),
            subscribed(environment, "incidents") as reading,
            await psycopg.AsyncConnection.connect(
                environment["SUPABASE_DB_URL"], autocommit=True
            ) as connection,
        ):
            await connection.execute(
                "insert into project_tasks (production_id, title)"
                " select id, repeat('x', 1000) from productions, generate_series(1, 2000)"
            )
            project.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as caught:
                await until(reading, lambda _: False)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1012
            await asyncio.to_thread(project.process.communicate, timeout=PATIENCE)

    with up("--port", "0") as project:
        asyncio.run(scenario(project))
        assert project.process.returncode == 143


async def until_fifty_changes(socket: ClientConnection) -> None:
    for _ in range(50):
        await until(socket, is_change)


@pytest.mark.usefixtures("runtime")
def test_traffic_of_up() -> None:
    async def scenario(environment: dict[str, str]) -> None:
        async with subscribed(environment, "*") as socket:
            await until_fifty_changes(socket)
            done = await asyncio.to_thread(local, "reset")
            assert done.returncode == 0, done.stderr
            # What was on its way, and then some: only a new day can have written it.
            await insert_task(environment, "after")
            await until(socket, lambda frame: titles(frame, "after"))
            await until(socket, is_change)

    with up("--port", "0", "--traffic", "--rate", "200") as project:
        asyncio.run(scenario(project.environment()))


def test_traffic_of_the_command(project_up: Up) -> None:
    async def scenario(environment: dict[str, str]) -> None:
        async with subscribed(environment, "*") as socket:
            await until_fifty_changes(socket)

    writer = subprocess.Popen(
        [*PRT, "local", "traffic", "--rate", "200", "--seed", "7"], stderr=subprocess.PIPE, text=True
    )
    try:
        asyncio.run(scenario(project_up.environment()))
    finally:
        writer.send_signal(signal.SIGINT)
        _, printed = writer.communicate(timeout=PATIENCE)
    assert writer.returncode == 130
    assert printed == f"prt: traffic to {project_up.url} at 200 changes a second; Ctrl-C ends it\n"


def test_attached_takes_the_one_that_runs(project_up: Up) -> None:
    with attached() as environment:
        assert environment["SUPABASE_URL"] == project_up.url
        assert environment["SUPABASE_SECRET_KEY"] == project_up.environment()["SUPABASE_SECRET_KEY"]
    assert project_up.process.poll() is None


def test_attached_starts_one_where_none_runs(runtime: Path) -> None:
    with attached(seed=False) as environment:
        assert (
            ask(f"{environment['SUPABASE_URL']}/auth/v1/health", apikey=environment["SUPABASE_ANON_KEY"])[0]
            == 200
        )
        assert not runtime.exists()
    with pytest.raises(OSError, match="refused"):
        ask(f"{environment['SUPABASE_URL']}/auth/v1/health")


@pytest.mark.usefixtures("runtime")
def test_the_child_s_errors_are_ours(tmp_path: Path) -> None:
    wrong = tmp_path / "1_wrong.sql"
    wrong.write_text("selekt 1;")
    with pytest.raises(UsageError, match=r"1_wrong\.sql") as caught, attached(migrations=[wrong]):
        pytest.fail("started")
    assert caught.value.hint


def test_no_service_signs_in_as_the_superuser(project: dict[str, str]) -> None:
    """Their sessions run the users' triggers and policies, in which `reset role` leads to who signed in."""
    with psycopg.connect(project["SUPABASE_DB_URL"]) as connection:
        found = connection.execute(
            "select backend_type, usename from pg_stat_activity"
            " where backend_type in ('client backend', 'walsender')"
        ).fetchall()
    users = {user for kind, user in found if kind == "client backend"}
    assert {"authenticator", "supabase_auth_admin", "supabase_realtime_admin"} <= users
    assert users.isdisjoint({"supabase_admin", "supabase_replication_admin"})
    assert {user for kind, user in found if kind == "walsender"} == {"supabase_replication_admin"}
