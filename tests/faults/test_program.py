"""The matrix, last part: the installed `prt` in a process of its own, its project killed, itself stopped."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.judge import events_of
from tests.faults.ledger import Ledger
from tests.faults.proxy import Proxy
from tests.faults.staging import Account
from tests.local.commands import up
from tests.running import PRT, Piped, of_project

Project = dict[str, str]

HEARTBEAT_SECONDS = 0.5
HURRIED = (
    "from prt.stream.live import source; "
    f"source.DEFAULT = source.Timing(heartbeat={HEARTBEAT_SECONDS}, first_pause=0.02, longest_pause=0.5); "
    "from prt.cli.main import main; main()"
)
"""The program with short intervals."""


class Watch(Piped):
    """Reads in a thread, so that the proxy in this process goes on. `script` stands for the program."""

    def __init__(self, arguments: list[str], environment: dict[str, str], script: str | None) -> None:
        program = [PRT] if script is None else [sys.executable, "-c", script]
        self.process = subprocess.Popen(
            [*program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            bufsize=0,
        )
        self.seen = []
        self._buffer = b""

    async def until_line(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return await asyncio.to_thread(self.until, wanted)

    async def until_status(self, status: str) -> dict[str, Any]:
        return await self.until_line(lambda line: line.get("status") == status)

    async def until_key(self, key: int) -> dict[str, Any]:
        return await self.until_line(lambda line: line["type"] == "change" and line["new"].get("id") == key)


@contextmanager
def watch_of(url: str, project: Project, tables: list[str], *, is_hurried: bool = False) -> Iterator[Watch]:
    environment = {**of_project(project), "SUPABASE_URL": url}
    watch = Watch(["watch", *tables, "--json"], environment, HURRIED if is_hurried else None)
    try:
        yield watch
    finally:
        watch.process.send_signal(signal.SIGCONT)
        watch.process.kill()
        watch.process.communicate()


@asynccontextmanager
async def watched(
    project: Project, *, is_hurried: bool = False
) -> AsyncIterator[tuple[Ledger, Proxy, Watch]]:
    async with (
        Ledger.kept(project["SUPABASE_DB_URL"]) as ledger,
        Proxy(project["SUPABASE_URL"]).serving() as proxy,
    ):
        with watch_of(proxy.url, project, ledger.tables, is_hurried=is_hurried) as watch:
            await watch.until_status("READY")
            (first,) = await ledger.insert()
            await watch.until_key(first)
            yield ledger, proxy, watch


def peak_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) / 1024


def test_a_server_that_is_killed_and_restarted_costs_nothing(open_folder: Path, account: Account) -> None:
    """Down for as long as it takes to start, and for three attempts in vain; 200 rows before READY."""
    folder = open_folder / "data"

    async def main(server: Any) -> None:
        project = server.environment()
        async with watched(project, is_hurried=True) as (ledger, proxy, watch):
            keys = await ledger.insert(100)
            await watch.until_key(keys[-1])
            tried = proxy.connections
            server.process.kill()
            await watch.until_status("CLOSED")
            proxy.is_shut = True
            # The end of the watchdog, which stops PostgreSQL after a kill.
            await asyncio.to_thread(wait_for_lock, folder / "lock")
            await proxy.until(lambda proxy: proxy.connections >= tried + 3)
            with up("--data-dir", str(folder), "--port", server.port, "--no-seed") as again:
                await ledger.reconnect(again.environment()["SUPABASE_DB_URL"])
                await ledger.update(*keys[:50])
                await ledger.insert(150)
                proxy.heal()
                await watch.until_status("READY")
                gap = await watch.until_line(lambda line: line["type"] == "gap")
                assert gap["recovered"] == 200
                (last,) = await ledger.insert()
                await watch.until_key(last)
                verdict = account("killed", await ledger.writes(), events_of(watch.seen))
                assert (verdict.recovered, verdict.declared) == (200, 0)

    with up("--data-dir", str(folder), "--port", "0", "--no-seed") as server:
        asyncio.run(main(server))


def wait_for_lock(path: Path) -> None:
    with path.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


@pytest.mark.parametrize("fault", ["sleep", "stopped"])
def test_a_process_that_is_stopped_past_its_heartbeats(
    project: Project, account: Account, fault: str
) -> None:
    async def main() -> None:
        async with watched(project, is_hurried=True) as (ledger, proxy, watch):
            watch.process.send_signal(signal.SIGSTOP)
            if fault == "sleep":
                # Routers forget a connection that sleeps, and tell nobody.
                proxy.swallow()
            await ledger.insert(20)
            # The time is the fault itself; a stopped process tells nothing to wait for.
            await asyncio.sleep(3 * HEARTBEAT_SECONDS)
            proxy.heal()
            watch.process.send_signal(signal.SIGCONT)
            if fault == "sleep":
                await watch.until_status("READY")
                await watch.until_line(lambda line: line["type"] == "gap")
            (last,) = await ledger.insert()
            await watch.until_key(last)
            verdict = account(fault, await ledger.writes(), events_of(watch.seen))
            assert (verdict.recovered, verdict.gaps) == ((20, 1) if fault == "sleep" else (0, 0))

    asyncio.run(main())


def test_a_slow_reader_behind_our_pipe_costs_no_memory(project: Project, account: Account) -> None:
    async def main() -> None:
        async with watched(project) as (ledger, proxy, watch):
            # What prt remembers of so many changes, whoever reads: they come in parts that its queue holds.
            for _ in range(10):
                await ledger.flood(3_000, size=200)
                (last,) = await ledger.insert()
                await watch.until_key(last)
            before = peak_megabytes(watch.process.pid)
            # The pipe is full with the first hundred, and prt may hold 4,000 more: what the sockets between
            # hold is the kernel's affair, and waiting for it can outlast prt's patience.
            await ledger.flood(30_000, size=200)
            await proxy.until(lambda proxy: proxy.changes >= 4_000)
            (last,) = await ledger.insert()
            await watch.until_key(last)
            assert peak_megabytes(watch.process.pid) - before < 20
            verdict = account("slow-pipe", await ledger.writes(), events_of(watch.seen))
            assert (verdict.delivered, verdict.gaps) == (verdict.writes, 0)

    asyncio.run(main())
