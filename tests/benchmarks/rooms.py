"""(g) 1,000 presence diffs and 5,000 cursor moves a second, followed: `prt` beside supabase-js.

Who falls behind is later at the end than at the start; what it costs is processor time.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.subjects import HERE, PRT, Flood, install_supabase_js, serving
from tests.benchmarks.throughput import cpu_seconds

TOPIC = "document:7"
KINDS = {"diffs": ("presence diffs", 1_000), "moves": ("cursor moves", 5_000)}
PART = 10
"""The first and the last part of so many are compared."""


class Following(NamedTuple):
    """Milliseconds from the server's send to the line in the pipe, at the start and at the end; its cost."""

    early: float
    late: float
    cpu: float


def followed(command: list[str], server: Flood, kind: str, rate: int, seconds: float) -> Following:
    client = subprocess.Popen(command, stdout=subprocess.PIPE, env=server.environment)
    assert client.stdout is not None
    try:
        server.await_("joined")
        idle = cpu_seconds(client.pid)
        server.tell(f"{kind} {rate} {seconds}")
        count = round(rate * seconds)
        lags: list[float] = []
        while len(lags) < count:
            line = client.stdout.readline()
            if not line:
                raise RuntimeError(f"{command[0]} ended after {len(lags)} of {count}")
            sent = _sent(json.loads(line))
            if sent is not None:
                lags.append((time.time() - sent) * 1000)
        used = cpu_seconds(client.pid) - idle
    finally:
        client.kill()
        client.communicate()
    part = max(count // PART, 1)
    return Following(statistics.median(lags[:part]), statistics.median(lags[-part:]), used / seconds)


def commands(folder: Path, kind: str) -> dict[str, list[str]]:
    script = folder / "room.mjs"
    shutil.copy(HERE / "room.mjs", script)
    what = ["presence", TOPIC] if kind == "diffs" else ["watch", "--broadcast", TOPIC]
    return {"prt": [*PRT, *what, "--json"], "supabase-js": ["node", str(script), kind, TOPIC]}


def measure(folder: Path, *, seconds: float = 10.0, rounds: int = 3) -> list[tuple[str, str]]:
    install_supabase_js(folder)
    rows = []
    with serving("tests.benchmarks.moving") as server:
        for kind, (name, rate) in KINDS.items():
            found: dict[str, list[Following]] = {}
            for turn in range(rounds):
                pair = commands(folder, kind)
                for who in sorted(pair, reverse=turn % 2 == 1):
                    found.setdefault(who, []).append(followed(pair[who], server, kind, rate, seconds))
            for who, some in found.items():
                early, late, cpu = (statistics.median(one[part] for one in some) for part in range(3))
                figures = f"{early:.1f} → {late:.1f}, {cpu:.0%} of a processor"
                rows.append((f"{rate:,} {name}/s, late by ms: {who}", figures))
            pairs = zip(found["prt"], found["supabase-js"], strict=True)
            ratio = statistics.median(theirs.cpu / ours.cpu for ours, theirs in pairs)
            rows.append((f"{name}: supabase-js / prt, by CPU", f"{ratio:.2f}"))
    return rows


def _sent(line: dict[str, Any]) -> float | None:
    """Return when the server sent the event of a line; None for other lines."""
    if line.get("event") in ("update", "join"):
        sent = line["presences"][0].get("sent")
    elif line.get("event") == "cursor-move":
        sent = line["payload"]["sent"]
    else:
        return None
    return float(sent)
