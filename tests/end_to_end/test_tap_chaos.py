"""supabase-js behind `prt tap` while its connection is broken on purpose, and how its recovery is judged."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from prt.app.tap.request import TapRequest
from prt.app.tap.source import TapSource
from prt.config.project import Project
from prt.events import Event, TapFinding
from prt.tap.chaos.faults import FaultProxy
from prt.tap.chaos.plan import ChaosPlan, FaultPlan
from tests.running import PATIENCE, ran


class Run:
    """An app behind a tap, what it says, and the events of the tap."""

    def __init__(self, source: TapSource, app: asyncio.subprocess.Process) -> None:
        self.source = source
        self.app = app
        self.events: list[Event] = []
        self.happened = asyncio.Event()

    async def read(self) -> None:
        async for batch in self.source:
            self.events += batch
            self.happened.set()

    async def word(self) -> str:
        assert self.app.stdout is not None
        line = (await self.app.stdout.readline()).decode().strip()
        assert line, "the app ended early"
        return line

    async def until_judged(self) -> set[str]:
        """Wait for the judgement; return the ids of all findings."""
        assert self.source.recovery is not None
        while not self.source.recovery.judged:
            await self.source.ticked()
        await self.source.ticked()  # by then what the judgement has brought is read
        return {event.id for event in self.events if isinstance(event, TapFinding)}


@asynccontextmanager
async def running(
    plan: ChaosPlan, name: str, project: dict[str, str], scripts: Path, environment: dict[str, str]
) -> AsyncIterator[Run]:
    target = Project(url=project["SUPABASE_URL"], identity="anon")
    source = TapSource(TapRequest(project=target, port=0, form=None, chaos=plan), lambda _: None)
    async with asyncio.timeout(PATIENCE), source:
        assert source.proxy is not None
        app = await asyncio.create_subprocess_exec(
            "node",
            scripts / "chaos.mjs",
            name,
            stdout=asyncio.subprocess.PIPE,
            env={**environment, "SUPABASE_URL": source.proxy.url},
        )
        run = Run(source, app)
        reading = asyncio.create_task(run.read())
        try:
            yield run
        finally:
            app.kill()
            await app.wait()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def fault(kind: Any, **more: Any) -> FaultPlan:
    return FaultPlan(kind=kind, at=2.0, **more)


@pytest.mark.parametrize(
    ("plan", "name"),
    [
        (fault("cut", seconds=0.5), "reading"),
        (fault("half-open"), "reading"),
        (fault("refuse", seconds=0.5, status=401), "reading"),
        (fault("refuse", seconds=0.5, status=403), "reading"),
        (fault("refuse", seconds=0.5, status=429), "reading"),
        (fault("refuse", seconds=0.5, status=503), "reading"),
        (fault("expire-token"), "renewing"),
        (fault("expire-token"), "reading"),
    ],
    ids=lambda value: value.name if isinstance(value, FaultPlan) else str(value),
)
def test_what_supabase_js_recovers_from(
    plan: FaultPlan,
    name: str,
    scripts: Path,
    project: dict[str, str],
    node_environment: dict[str, str],
) -> None:
    async def main() -> None:
        # supabase-js doesn't join again what the server has closed: the app has to.
        expected = {"not-recovered"} if (plan.kind, name) == ("expire-token", "reading") else set()
        seconds = 4.0 if expected else PATIENCE
        chaos = ChaosPlan(faults=(plan,), expect_recovery=seconds)
        async with running(chaos, name, project, scripts, node_environment) as run:
            assert await run.word() == "ready"
            assert await run.until_judged() == expected
            assert run.source.has_recovered == (not expected)

    asyncio.run(main())


def test_a_delay_is_added_in_both_directions(
    scripts: Path, project: dict[str, str], node_environment: dict[str, str]
) -> None:
    async def main() -> None:
        plan = ChaosPlan(delay=(0.2, 0.05), seed=1)
        async with running(plan, "delay", project, scripts, node_environment) as run:
            assert await run.word() == "ready"
            assert float((await run.word()).removeprefix("took ")) >= 2 * 150

    asyncio.run(main())


def test_changes_are_dropped_and_nothing_else(
    scripts: Path, project: dict[str, str], node_environment: dict[str, str]
) -> None:
    async def main() -> None:
        plan = ChaosPlan(drop_rate=1.0)
        async with running(plan, "drop", project, scripts, node_environment) as run:
            assert await run.word() == "ready"
            proxy = run.source.proxy
            assert isinstance(proxy, FaultProxy)
            while proxy.dropped_changes < 4:
                await run.source.ticked()
            assert proxy.changes == 0

    asyncio.run(main())


def test_the_same_seed_drops_the_same() -> None:
    def dropped(seed: int) -> list[bool]:
        chance = ChaosPlan(drop_rate=0.5, seed=seed).random()
        return [chance.random() < 0.5 for _ in range(100)]

    assert dropped(7) == dropped(7) != dropped(8)


@pytest.mark.parametrize("name", ["once", "careless"])
def test_a_line_in_ci(
    name: str, scripts: Path, project: dict[str, str], node_environment: dict[str, str]
) -> None:
    """An app that ends well before its recovery could be judged fails the line, and says why."""
    command = ["node", str(scripts / "chaos.mjs"), name]
    if name == "careless":
        command = ["node", "-e", "process.exit(0)"]
    run = ran(
        "tap",
        "--port",
        "0",
        "--cut",
        "at=1s,for=1s",
        "--expect-recovery",
        "60s",
        "--",
        *command,
        environment={**node_environment, "PATH": f"{node_environment['PATH']}:{os.environ['PATH']}"},
    )
    if name == "once":
        assert (run.returncode, "no recovery was judged" in run.stderr) == (0, False), run.stderr
    else:
        assert (run.returncode, "no recovery was judged" in run.stderr) == (1, True), run.stderr
