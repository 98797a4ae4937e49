"""supabase-js behind `prt tap` while its connection is broken on purpose, and how its recovery is judged."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from prt.tap.chaos.faults import FaultProxy
from prt.tap.chaos.plan import ChaosPlan, FaultPlan
from tests.end_to_end.tapped import Tap, fault, tapped
from tests.running import PATIENCE, ran

TOO_LATE_SECONDS = 4.0
"""How long an app is given that will not recover."""


class Run:
    """An app behind a tap, and what it prints."""

    def __init__(self, tap: Tap, app: asyncio.subprocess.Process) -> None:
        self.tap = tap
        self.source = tap.source
        self.app = app

    async def word(self) -> str:
        assert self.app.stdout is not None
        line = (await self.app.stdout.readline()).decode().strip()
        assert line, "the app ended early"
        return line


@asynccontextmanager
async def running(
    plan: ChaosPlan, name: str, project: dict[str, str], scripts: Path, environment: dict[str, str]
) -> AsyncIterator[Run]:
    async with tapped(plan, project) as tap:
        app = await asyncio.create_subprocess_exec(
            "node",
            scripts / "chaos.mjs",
            name,
            stdout=asyncio.subprocess.PIPE,
            env={**environment, "SUPABASE_URL": tap.url},
        )
        try:
            yield Run(tap, app)
        finally:
            app.kill()
            await app.wait()


RECOVERED = [
    (fault("cut", seconds=0.5), "reading"),
    (fault("half-open"), "reading"),
    *((fault("refuse", seconds=0.5, status=status), "reading") for status in (401, 403, 429, 503)),
    (fault("expire-token"), "renewing"),
]
LOST = (fault("expire-token"), "reading")
"""supabase-js doesn't join again what the server has closed: the app has to."""


def test_what_supabase_js_recovers_from(
    scripts: Path, project: dict[str, str], node_environment: dict[str, str]
) -> None:
    """The faults run at the same time, each behind a tap of its own."""

    async def judged(plan: FaultPlan, name: str, seconds: float) -> tuple[str, set[str], bool]:
        chaos = ChaosPlan(faults=(plan,), expect_recovery=seconds)
        async with running(chaos, name, project, scripts, node_environment) as run:
            assert await run.word() == "ready"
            return plan.name, await run.tap.until_judged(), run.source.has_recovered

    async def main() -> None:
        *recovered, lost = await asyncio.gather(
            *(judged(*one, PATIENCE) for one in RECOVERED), judged(*LOST, TOO_LATE_SECONDS)
        )
        assert recovered == [(plan.name, set(), True) for plan, _ in RECOVERED]
        assert lost == ("expire-token", {"not-recovered"}, False)

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
    """An app that ends well before its recovery could be judged fails the line, with the reason."""
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
