"""supabase-py and `prt watch` behind `prt tap` while their connection is broken on purpose.

The faults run at the same time, each behind a tap of its own. The manual has the table of what recovers.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest
from realtime._async import client as realtime_client
from supabase import AClient, AsyncClientOptions, acreate_client

from prt.local.seed.people import MEMBER
from prt.tap.chaos.faults import FaultProxy
from prt.tap.chaos.plan import ChaosPlan, FaultPlan
from tests.end_to_end.tapped import fault, tapped
from tests.running import PATIENCE, of_project

Project = dict[str, str]

TASKS = "project_tasks"
TOO_LATE_SECONDS = 4.0
"""How long an app is given that will not recover."""
INTERVAL_SECONDS = 0.5
"""Between two signs of life, so that a half-open connection is noticed soon."""

HURRIED = (
    "from prt.stream.live import source; "
    f"source.DEFAULT = source.Timing(heartbeat={INTERVAL_SECONDS}, first_pause=0.02, longest_pause=0.5); "
    "from prt.cli.main import main; main()"
)
"""`prt` with short intervals."""

FAULTS = {
    "cut": fault("cut", seconds=0.5),
    "half-open": fault("half-open"),
    "refuse 401": fault("refuse", seconds=0.5, status=401),
    "refuse 503": fault("refuse", seconds=0.5, status=503),
    "expire-token": fault("expire-token"),
}


class Behind:
    """An app behind a tap: `ready` once its changes flow, `changes` are those that it has received."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.changes: list[Any] = []
        self.changed = asyncio.Event()

    def take(self, change: Any) -> None:
        self.changes.append(change)
        self.changed.set()


App = Callable[[str, Project], AbstractAsyncContextManager[Behind]]


@asynccontextmanager
async def supabase_py(url: str, project: Project, *, renews: bool = False) -> AsyncIterator[Behind]:
    """Join again at CLOSED with a new session if it `renews`, as an app has to."""
    behind = Behind()
    rejoining: list[asyncio.Task[None]] = []
    async with httpx.AsyncClient() as connections:
        options = AsyncClientOptions(
            httpx_client=connections, auto_refresh_token=False, realtime={"initial_backoff": 0.2}
        )
        client = await acreate_client(url, project["SUPABASE_ANON_KEY"], options)
        await client.auth.sign_in_with_password({"email": MEMBER.email, "password": MEMBER.password})

        async def renew() -> None:
            renewed = await client.auth.refresh_session()
            assert renewed.session is not None
            await client.remove_all_channels()  # or the closed one would join again with the old token
            await client.realtime.set_auth(renewed.session.access_token)
            await join()

        async def join() -> None:
            def received(status: Any, _: Exception | None) -> None:
                if renews and status == "CLOSED" and not rejoining:
                    rejoining.append(asyncio.create_task(renew()))

            await listen(client, behind, received)

        await join()
        try:
            yield behind
        finally:
            for task in rejoining:
                task.cancel()
            await client.realtime.close()


async def listen(client: AClient, behind: Behind, received: Callable[[Any, Exception | None], None]) -> None:
    def reported(message: Any) -> None:
        if message.status == "ok" and message.extension == "postgres_changes":
            behind.ready.set()

    channel = client.channel("steady")
    channel.on_postgres_changes("*", behind.take, table=TASKS, schema="public").on_system(reported)
    await channel.subscribe(received)


@asynccontextmanager
async def prt_watch(url: str, project: Project, *, renews: bool = False) -> AsyncIterator[Behind]:
    """The program, with a token that can't be renewed, or signed in."""
    behind = Behind()
    own = {"SUPABASE_URL": url, "PRT_PASSWORD": MEMBER.password}
    environment = {**of_project(project), **own, **({"PRT_TOKEN": ""} if renews else {})}
    identity = ["--as", MEMBER.email] if renews else []
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", HURRIED, "watch", TASKS, "--json", "--no-verify", *identity),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
    )

    async def read() -> None:
        assert program.stdout is not None
        async for text in program.stdout:
            line = json.loads(text)
            if line.get("status") == "READY":
                behind.ready.set()
            elif line["type"] == "change":
                behind.take(line)

    reading = asyncio.create_task(read())
    try:
        yield behind
    finally:
        if program.returncode is None:
            program.kill()
        await program.wait()
        await reading


@pytest.fixture(autouse=True)
def _pings(monkeypatch: pytest.MonkeyPatch) -> None:
    """supabase-py ignores the answers to its heartbeats: it lives by the pings of `websockets`."""
    hurried = partial(
        realtime_client.connect,
        ping_interval=INTERVAL_SECONDS,
        ping_timeout=2 * INTERVAL_SECONDS,
        close_timeout=INTERVAL_SECONDS,
    )
    monkeypatch.setattr(realtime_client, "connect", hurried)


async def findings(app: App, plan: FaultPlan, project: Project, seconds: float) -> set[str]:
    async with (
        tapped(ChaosPlan(faults=(plan,), expect_recovery=seconds), project) as tap,
        app(tap.url, project) as behind,
    ):
        await behind.ready.wait()
        return await tap.until_judged()


# supabase-py calls a deprecated function of its own when it connects again.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("app", "lost"),
    [(supabase_py, {"expire-token"}), (prt_watch, {"refuse 401", "expire-token"})],
    ids=["supabase-py", "prt watch"],
)
def test_what_recovers_from_which_fault(project: Project, app: App, lost: set[str]) -> None:
    async def main() -> None:
        apps = dict.fromkeys(FAULTS, app) | {"expire-token, renewing": partial(app, renews=True)}
        judged = await asyncio.gather(
            *(
                findings(
                    each,
                    FAULTS[name.partition(",")[0]],
                    project,
                    TOO_LATE_SECONDS if name in lost else PATIENCE,
                )
                for name, each in apps.items()
            )
        )
        assert dict(zip(apps, judged, strict=True)) == {
            name: {"not-recovered"} if name in lost else set() for name in apps
        }

    asyncio.run(main())


@pytest.mark.parametrize("app", [supabase_py, prt_watch], ids=["supabase-py", "prt watch"])
def test_delays_and_drops(project: Project, app: App) -> None:
    """A delayed change arrives late, a dropped one never; the connection goes on in both cases."""

    async def received(plan: ChaosPlan) -> tuple[int, int]:
        async with tapped(plan, project) as tap, app(tap.url, project) as behind:
            await behind.ready.wait()
            proxy = tap.source.proxy
            assert isinstance(proxy, FaultProxy)
            begun = asyncio.get_running_loop().time()
            await asyncio.to_thread(touch, project)
            while not proxy.dropped_changes and not behind.changes:
                await tap.source.ticked()
            waited = asyncio.get_running_loop().time() - begun
            assert plan.delay is None or waited >= plan.delay[0]
            return proxy.dropped_changes, len(behind.changes)

    async def main() -> None:
        delayed, dropped = await asyncio.gather(
            received(ChaosPlan(delay=(0.3, 0.0))), received(ChaosPlan(drop_rate=1.0))
        )
        assert delayed[0] == 0 < delayed[1]
        assert dropped[1] == 0 < dropped[0]

    asyncio.run(main())


def touch(project: Project) -> None:
    """Change one row."""
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        connection.execute(
            "update public.project_tasks set title = title"
            " where id = (select id from public.project_tasks order by id limit 1)"
        )
