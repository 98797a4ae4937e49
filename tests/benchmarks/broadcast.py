"""(f) Broadcast latency on the embedded project: prt to prt beside supabase-js to supabase-js, in turns.

Each pair is one process with two connections. The programs, `prt send` with a line of standard input a
message and `prt watch` with a line of output, have two pipes more on their way.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

from prt.events import Broadcast, Event, Status
from prt.local.project.attach import ephemeral
from prt.stream.live.source import Live
from prt.stream.rest.session import Endpoint, Session
from prt.stream.topic import TopicSettings
from tests.benchmarks.subjects import HERE, PRT, install_supabase_js, own_environment

TOPIC, EVENT = "document:7", "cursor-move"


def move(number: int) -> bytes:
    return b'{"userId":"u","position":{"x":%d,"y":%d}}' % (number, number)


async def _talked(url: str, key: str, count: int, pause: float) -> list[float]:
    def live() -> Live:
        return Live(Session(Endpoint(url=url, key=key)), [], settings=TopicSettings(topic=TOPIC))

    mouth, times = live(), []
    async with live() as ears, mouth as status:
        for batches in (ears, status):
            await _next(batches, Status, "READY")
        for number in range(count):
            sent = time.perf_counter()
            await mouth.send(EVENT, move(number))
            await _next(ears, Broadcast, EVENT)
            times.append((time.perf_counter() - sent) * 1000)
            # Bursts would measure the queue.
            await asyncio.sleep(pause)
    return times


async def _next(batches: AsyncIterator[list[Event]], kind: type, name: str) -> None:
    async for batch in batches:
        if any(
            isinstance(event, kind) and name in (getattr(event, "status", ""), getattr(event, "event", ""))
            for event in batch
        ):
            return


def prt_to_prt(environment: dict[str, str], count: int, pause: float) -> list[float]:
    return asyncio.run(_talked(environment["SUPABASE_URL"], environment["SUPABASE_ANON_KEY"], count, pause))


def js_to_js(folder: Path, environment: dict[str, str], count: int, pause: float) -> list[float]:
    script = folder / "talk.mjs"
    shutil.copy(HERE / "talk.mjs", script)
    command = ["node", str(script), TOPIC, str(count), str(pause * 1000)]
    out = subprocess.run(
        command, env={**own_environment(), **environment}, check=True, capture_output=True
    ).stdout
    return [float(one) for one in json.loads(out)]


def send_to_watch(environment: dict[str, str], count: int, pause: float) -> list[float]:
    whole = {**own_environment(), **environment}
    watching = [*PRT, "watch", "--broadcast", f"{TOPIC}={EVENT}", "--json"]
    sending = [*PRT, "send", TOPIC, EVENT, "-", "--quiet"]
    times = []
    with (
        subprocess.Popen(watching, stdout=subprocess.PIPE, env=whole) as watch,
        subprocess.Popen(sending, stdin=subprocess.PIPE, env=whole) as send,
    ):
        assert watch.stdout is not None
        assert send.stdin is not None
        while json.loads(watch.stdout.readline()).get("status") != "READY":
            pass
        for number in range(-1, count):  # the first one waits until the sender has joined
            sent = time.perf_counter()
            send.stdin.write(move(number) + b"\n")
            send.stdin.flush()
            watch.stdout.readline()
            times.append((time.perf_counter() - sent) * 1000)
            time.sleep(pause)
        send.stdin.close()
        watch.terminate()
    return times[1:]


def measure(
    folder: Path, *, count: int = 500, rounds: int = 3, pause: float = 0.005
) -> list[tuple[str, str]]:
    install_supabase_js(folder)
    found: dict[str, list[float]] = {}
    with ephemeral() as environment:
        for _ in range(rounds):
            found.setdefault("prt → prt", []).extend(prt_to_prt(environment, count, pause))
            found.setdefault("supabase-js → supabase-js", []).extend(
                js_to_js(folder, environment, count, pause)
            )
            found.setdefault("prt send → prt watch, programs", []).extend(
                send_to_watch(environment, count, pause)
            )
    rows = []
    for name, times in found.items():
        cuts = statistics.quantiles(times, n=100, method="inclusive")
        rows.append((f"{name}, ms", f"p50 {cuts[49]:.2f}, p95 {cuts[94]:.2f}, p99 {cuts[98]:.2f}"))
    ours, theirs, _ = (statistics.median(times) for times in found.values())
    rows.append(("supabase-js / prt, p50", f"{theirs / ours:.2f}"))
    return rows
