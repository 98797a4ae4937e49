"""(m) From the start of an embedded project to its first event, and what all its processes hold in memory.

A start that copies a kept cluster is measured in turns with one that makes its own, and with an older prt if
the variable `PRT_BENCHMARK_BEFORE` names the folder of a checkout.
"""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from websockets.sync.client import ClientConnection, connect

from tests.benchmarks.subjects import PRT, ROOT, own_environment
from tests.local.processes import descendants

TABLE = "incidents"
UPDATE = (
    "update public.incidents set title = title"
    " where id = (select id from public.incidents order by id limit 1)"
)
SETTLING_SECONDS = 3.0
BEFORE = "PRT_BENCHMARK_BEFORE"


class Start(NamedTuple):
    """Seconds to the line that says it is up, and to the first event; megabytes when it is idle."""

    up: float
    event: float
    pss: float
    alone: float


def measure(*, rounds: int = 5, settling: float = SETTLING_SECONDS) -> list[tuple[str, str]]:
    """Start the subjects in turns. The first start of those that keep a cluster is not counted."""
    before = os.environ.get(BEFORE)
    found: dict[str, list[Start]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="prt-benchmark-") as kept:
        start(ROOT, Path(kept), 0.0)
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(prefix="prt-benchmark-") as empty:
                if before:
                    found["an older prt"].append(start(Path(before), Path(empty), settling))
                found["first start"].append(start(ROOT, Path(empty), settling))
            found["second start"].append(start(ROOT, Path(kept), settling))
    medians = {
        name: Start(*map(statistics.median, zip(*starts, strict=True))) for name, starts in found.items()
    }
    lines = []
    for name, median in medians.items():
        lines += [
            (f"{name}: up, first event, s", f"{median.up:.2f}, {median.event:.2f}"),
            (f"{name}: PSS, and without other programs, MB", f"{median.pss:.0f}, {median.alone:.0f}"),
        ]
    whole = medians["second start"]
    for name in medians.keys() - {"second start"}:
        lines.append((f"second start / {name}, first event", f"{whole.event / medians[name].event:.2f}"))
        lines.append((f"second start / {name}, memory", f"{whole.alone / medians[name].alone:.2f}"))
    return lines


def start(source: Path, cache: Path, settling: float) -> Start:
    """Start `prt local up` of this source with this cache folder, and end it."""
    began = time.perf_counter()
    with _up(source, cache) as (process, url, runtime):
        up = time.perf_counter() - began
        environment = _environment(runtime)
        with _subscribed(url, environment) as socket:
            with psycopg.connect(environment["SUPABASE_DB_URL"], autocommit=True) as connection:
                connection.execute(UPDATE.encode())
            _until(socket, "postgres_changes")
            event = time.perf_counter() - began
        time.sleep(settling)
        pids = [process.pid, *descendants(process.pid)]
        return Start(up, event, proportional_mb(pids), alone_mb(pids))


@contextmanager
def _up(source: Path, cache: Path) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    with tempfile.TemporaryDirectory(prefix="prt-benchmark-") as runtime:
        process = subprocess.Popen(
            [*PRT, "local", "up", "--port", "0"],
            stderr=subprocess.PIPE,
            text=True,
            cwd=source,
            env=_variables(source, Path(runtime) / "runtime") | {"XDG_CACHE_HOME": str(cache)},
        )
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if "is up at" in line:
                    yield process, line.split()[-1], Path(runtime) / "runtime"
                    return
            raise RuntimeError("prt local up did not come up")
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()


def _variables(source: Path, runtime: Path) -> dict[str, str]:
    return own_environment() | {"PYTHONPATH": str(source), "PRT_RUNTIME_DIR": str(runtime)}


def _environment(runtime: Path) -> dict[str, str]:
    """Read what `prt local env` would print, without the time that it takes."""
    (entry,) = runtime.glob("*.json")
    environment: dict[str, str] = json.loads(entry.read_bytes())["environment"]
    return environment


@contextmanager
def _subscribed(url: str, environment: dict[str, str]) -> Iterator[ClientConnection]:
    key = environment["SUPABASE_SERVICE_ROLE_KEY"]
    address = f"{url.replace('http', 'ws', 1)}/realtime/v1/websocket?apikey={key}&vsn=1.0.0"
    with connect(address, proxy=None, compression=None) as socket:
        config = {"postgres_changes": [{"event": "*", "schema": "public", "table": TABLE}]}
        payload = {"config": config, "access_token": key}
        join = {"topic": "realtime:a", "event": "phx_join", "payload": payload, "ref": "1", "join_ref": "1"}
        socket.send(json.dumps(join))
        _until(socket, "system")
        yield socket


def _until(socket: ClientConnection, event: str) -> dict[str, Any]:
    while True:
        frame: dict[str, Any] = json.loads(socket.recv(60))
        if frame["event"] == event:
            return frame


def proportional_mb(pids: list[int]) -> float:
    """What the kernel counts: a page that others use too, such as another Python's, counts in part."""
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8") for pid in pids]
    return sum(int(found[1]) for text in rollups if (found := re.search(r"(?m)^Pss:\s+(\d+)", text))) / 1024


def alone_mb(pids: list[int]) -> float:
    """The same as if no other program ran: private pages, and each shared part of a file once."""
    private, shared = 0, defaultdict[tuple[str, ...], int](int)
    for pid in pids:
        key: tuple[str, ...] = ()
        here: dict[tuple[str, ...], int] = defaultdict(int)
        for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
            name, *values = line.split()
            if not name.endswith(":"):
                place, inode = values[1:3], values[3]
                key = (*place, inode) if inode != "0" else (name,)
            elif name.startswith("Private_"):
                private += int(values[0])
            elif name in ("Shared_Clean:", "Shared_Dirty:"):
                here[key] += int(values[0])
        for part, size in here.items():
            shared[part] = max(shared[part], size)
    return (private + sum(shared.values())) / 1024
