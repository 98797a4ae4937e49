"""(i) What `prt tap` adds to a websocket, beside a direct connection in turns: delay, frames, memory."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.asyncio.client import connect

from tests.benchmarks.memory import resident_mb
from tests.benchmarks.subjects import own_environment

PATH = "/realtime/v1/websocket?apikey=k&vsn=2.0.0"
MESSAGE = '[null,null,"realtime:a","broadcast",{"event":"e","payload":{"x":"%s"}}]' % ("x" * 500)
ECHO = """
import asyncio
from websockets.asyncio.server import serve
async def answer(client):
    async for message in client:
        if message.startswith("flood "):
            frame = message.split(" ", 2)
            for _ in range(int(frame[1])):
                await client.send(frame[2])
        else:
            await client.send(message)
async def main():
    async with serve(answer, "127.0.0.1", 0, compression=None, max_size=None, backlog=2000) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()
asyncio.run(main())
"""


def measure(*, samples: int = 3_000, frames: int = 50_000, sockets: int = 500) -> list[tuple[str, str]]:
    """Measure each in turns, direct and through the tap."""
    with echoing() as direct, tapping(direct) as (tapped, pid):
        delays: dict[str, list[float]] = {direct: [], tapped: []}
        rates: dict[str, list[float]] = {direct: [], tapped: []}
        for _ in range(3):
            for url in (direct, tapped):
                delays[url] += asyncio.run(round_trips(url, samples // 3))
                rates[url].append(asyncio.run(rate_of(url, frames)))
        before = resident_mb(pid)
        after = asyncio.run(memory_of(tapped, sockets, pid))
    p50 = {url: statistics.median(values) for url, values in delays.items()}
    rate = {url: statistics.median(values) for url, values in rates.items()}
    return [
        ("round trip direct, p50 ms", f"{p50[direct]:.3f}"),
        ("round trip through the tap, p50 ms", f"{p50[tapped]:.3f}"),
        ("frames/s direct", f"{rate[direct]:,.0f}"),
        ("frames/s through the tap", f"{rate[tapped]:,.0f}"),
        ("resident before, MB", f"{before:.1f}"),
        (f"resident at {sockets} sockets, MB", f"{after:.1f}"),
        ("added delay a direction, p50 ms", f"{(p50[tapped] - p50[direct]) / 2:.3f}"),
    ]


async def round_trips(url: str, samples: int) -> list[float]:
    """Return the time of each echo in ms."""
    found = []
    async with opened(url) as client:
        for _ in range(samples):
            begun = time.perf_counter()
            await client.send(MESSAGE)
            await client.recv()
            found.append((time.perf_counter() - begun) * 1000)
    return found


async def rate_of(url: str, frames: int) -> float:
    """Return how many frames a second come in a flood."""
    async with opened(url) as client:
        await client.send(f"flood {frames} {MESSAGE}")
        await client.recv()
        begun = time.perf_counter()
        for _ in range(frames - 1):
            await client.recv()
        return (frames - 1) / (time.perf_counter() - begun)


async def memory_of(url: str, sockets: int, pid: int) -> float:
    """Return the resident memory (MB) of a tap with so many sockets, each of which has echoed."""
    clients = [await connect(url.replace("http", "ws") + PATH, compression=None) for _ in range(sockets)]
    try:
        for client in clients:
            await client.send(MESSAGE)
            await client.recv()
        return resident_mb(pid)
    finally:
        await asyncio.gather(*(client.close() for client in clients))


def opened(url: str) -> connect:
    """Return a connection to open."""
    return connect(url.replace("http", "ws") + PATH, compression=None, max_size=None)


@contextmanager
def echoing() -> Iterator[str]:
    """Run a server that echoes, in a process of its own."""
    with subprocess.Popen([sys.executable, "-c", ECHO], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


@contextmanager
def tapping(project_url: str) -> Iterator[tuple[str, int]]:
    """Run `prt tap` before it; its own URL is in the line that it begins with."""
    command = [sys.executable, "-m", "prt", "tap", "--port", "0", "--json", "--url", project_url]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=own_environment()
    ) as process:
        try:
            assert process.stderr is not None
            yield process.stderr.readline().decode().split()[-1], process.pid
        finally:
            process.terminate()
