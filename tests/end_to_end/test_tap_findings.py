"""Each finding of `prt tap` in a small app with supabase-js, and none in the same app without the mistake."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from prt.app.tap.request import TapRequest
from prt.app.tap.source import TapSource
from prt.config.project import Project
from prt.events import TapFinding
from prt.local.project.variables import keys_of
from prt.local.seed.people import MEMBER
from prt.tap.findings.finding import SEVERITIES
from tests.running import PATIENCE

FAST = 10
"""How many times faster than ours the tap's clock runs: half a minute of silence would take as long."""
SETTLED = 15_000_000
"""µs of the tap's time after which a finding would have come: longer than every grace of the rules."""
EXPIRY_SECONDS = 5


def clock_of(speed: int) -> Callable[[], int]:
    begun = time.time_ns() // 1000
    return lambda: begun + (time.time_ns() // 1000 - begun) * speed


async def found_of(
    script: Path, name: str, kind: str, project: dict[str, str], environment: dict[str, str]
) -> set[str]:
    """Run an app behind a tap: a bad one until a finding comes, a good one until none can come any more."""
    # A token's expiry is real time.
    clock = clock_of(1 if name == "token-expired" else FAST)
    source = TapSource(
        TapRequest(
            project=Project(url=project["SUPABASE_URL"], identity="anon"), port=0, form=None, is_quiet=True
        ),
        lambda _: None,
        clock,
    )
    found: set[str] = set()
    happened = asyncio.Event()

    async def read() -> None:
        async for batch in source:
            found.update(event.id for event in batch if isinstance(event, TapFinding))
            happened.set()

    async with asyncio.timeout(PATIENCE), source:
        assert source.proxy is not None
        keys = keys_of(project)
        claims = {"role": "authenticated", "aud": "authenticated", "sub": MEMBER.id}
        app = await asyncio.create_subprocess_exec(
            "node",
            script,
            name,
            kind,
            stdout=asyncio.subprocess.PIPE,
            env={
                **environment,
                "SUPABASE_URL": source.proxy.url,
                "SHORT_TOKEN": keys.sign(claims, seconds=EXPIRY_SECONDS),
                "LONG_TOKEN": keys.sign(claims, seconds=3600),
            },
        )
        reading = asyncio.create_task(read())
        try:
            assert app.stdout is not None
            while (word := (await app.stdout.readline()).decode().strip()) != "ready":
                assert word == "cut", f"{name} ended early"
                for link in list(source.proxy.links):
                    if link.is_websocket:
                        link.close(is_reset=True)
            if kind == "bad":
                while not found:
                    happened.clear()
                    await happened.wait()
            else:
                silence = EXPIRY_SECONDS * 2_000_000 if name == "token-expired" else SETTLED
                if name == "heartbeat-late":
                    silence = 60_000_000
                await ticked(source, clock() + silence)
        finally:
            app.kill()
            await app.wait()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
    return found


async def ticked(source: TapSource, moment: int) -> None:
    """Wait until the tap has judged at a moment of its clock."""
    async with asyncio.timeout(PATIENCE):
        while source.judged_at < moment:
            await source.ticked()


@pytest.mark.parametrize("kind", ["bad", "good"])
@pytest.mark.parametrize("name", [name for name in SEVERITIES if name != "not-recovered"])
@pytest.mark.usefixtures("private_topics")
def test_an_app_and_its_corrected_twin(
    name: str, kind: str, scripts: Path, project: dict[str, str], node_environment: dict[str, str]
) -> None:
    found = asyncio.run(found_of(scripts / "tap.mjs", name, kind, project, node_environment))
    assert found == ({name} if kind == "bad" else set())
