"""What it costs to verify idle tables: requests, bytes and processor time of `prt watch`."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from prt.local.project.attach import ephemeral
from tests.faults.proxy import Proxy
from tests.running import PRT, of_project

SECONDS = 120.0
SETTLING_SECONDS = 10.0
"""How long a watch runs before it is measured: what is read at READY comes once."""


class Cost(Struct, frozen=True):
    """What a watch took in a second."""

    requests: float
    bytes: float
    cpu: float


def measure(*, seconds: float = SECONDS, settling: float = SETTLING_SECONDS) -> list[tuple[str, str]]:
    """Watch the seed's 30 tables without any change in them."""
    with ephemeral() as environment:
        plain = asyncio.run(cost_of(environment, "--no-verify", seconds=seconds, settling=settling))
        verifying = asyncio.run(cost_of(environment, "--verify", seconds=seconds, settling=settling))
    return [
        ("requests a second", f"{verifying.requests:.2f}"),
        ("bytes a second", f"{verifying.bytes:,.0f}"),
        ("CPU of one core", f"{verifying.cpu:.2%}"),
        ("CPU without verifying", f"{plain.cpu:.2%}"),
    ]


async def cost_of(environment: Mapping[str, str], option: str, *, seconds: float, settling: float) -> Cost:
    """Return what a watch with this option costs, once it has settled."""
    async with Proxy(environment["SUPABASE_URL"]).serving() as proxy:
        process = await asyncio.create_subprocess_exec(
            PRT,
            "watch",
            "--json",
            "--quiet",
            option,
            stdout=asyncio.subprocess.DEVNULL,
            env=of_project({**environment, "SUPABASE_URL": proxy.url}),
        )
        try:
            await proxy.until(lambda proxy: proxy.joins >= 1)
            await asyncio.sleep(settling)
            requests, size, cpu = proxy.rest_requests, proxy.rest_bytes, _cpu_seconds(process.pid)
            await asyncio.sleep(seconds)
            return Cost(
                requests=(proxy.rest_requests - requests) / seconds,
                bytes=(proxy.rest_bytes - size) / seconds,
                cpu=(_cpu_seconds(process.pid) - cpu) / seconds,
            )
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()


def _cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has taken so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
