"""(e) From the server back to READY: `prt watch` beside supabase-js and the bare SDK, all at one server."""

from __future__ import annotations

import json
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.subjects import (
    HERE,
    ROOT,
    install_supabase_js,
    own_environment,
    prt_watch,
    supabase_js,
)

PATIENCE = 32.0
"""Seconds after which a client counts as gone for good: longer than any of their pauses."""


class Outages:
    """The server as a process of its own, and the clients at it, each known by its API key."""

    def __init__(self, process: subprocess.Popen[bytes], commands: dict[str, list[str]]) -> None:
        self._process = process
        self._commands = commands
        self._clients: dict[str, subprocess.Popen[bytes]] = {}
        self._rest = b""
        self._url = f"http://127.0.0.1:{self._next(PATIENCE)['port']}"

    def outage(self, seconds: float) -> dict[str, float | None]:
        """Breaks all connections; the seconds that each client needed once the server was back."""
        for name in self._commands:
            self._run(name)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n".encode())
        self._process.stdin.flush()
        while "back" not in (printed := self._next(seconds + PATIENCE)):
            pass
        back = float(printed["back"])
        found: dict[str, float | None] = dict.fromkeys(self._commands)
        while None in found.values() and (left := back + PATIENCE - time.monotonic()) > 0:
            printed = self._next(left)
            if "ready" in printed:
                found[printed["ready"]] = float(printed["at"]) - back
        # Each outage is a client's first: what it waits grows with every one that it has lived through.
        self.end()
        return found

    def end(self) -> None:
        for name in list(self._clients):
            self._end(name)

    def _run(self, name: str) -> None:
        environment = {**own_environment(), "SUPABASE_URL": self._url, "SUPABASE_ANON_KEY": name}
        self._clients[name] = subprocess.Popen(
            self._commands[name],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=ROOT,
        )
        while self._next(PATIENCE).get("ready") != name:
            pass

    def _end(self, name: str) -> None:
        client = self._clients.pop(name)
        client.kill()
        client.wait()

    def _next(self, seconds: float) -> dict[str, Any]:
        """Return the next line of the server; an empty one if none came in that time."""
        assert self._process.stdout is not None
        end = time.monotonic() + seconds
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._process.stdout], [], [], max(end - time.monotonic(), 0))
            if not ready:
                return {}
            data = self._process.stdout.read1()  # type: ignore[attr-defined]
            if not data:
                raise RuntimeError("the server is gone")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return dict(json.loads(line))


@contextmanager
def outages(commands: dict[str, list[str]]) -> Iterator[Outages]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.outage"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    clients = None
    try:
        clients = Outages(process, commands)
        yield clients
    finally:
        if clients is not None:
            clients.end()
        process.terminate()
        process.communicate()


def measure(
    folder: Path, *, lengths: tuple[float, ...] = (2, 7, 20), rounds: int = 3
) -> list[tuple[str, str]]:
    install_supabase_js(folder)
    commands = {
        "prt": prt_watch(),
        "supabase-js": supabase_js(folder, 1),
        "bare SDK": [sys.executable, str(HERE / "bare_sdk.py")],
    }
    rows = []
    with outages(commands) as clients:
        for seconds in lengths:
            found = [clients.outage(seconds) for _ in range(rounds)]
            for name in commands:
                took = [one[name] for one in found]
                rows.append((f"away {seconds:g} s, back → READY, s: {name}", _spread(took)))
    return rows


def _spread(took: list[float | None]) -> str:
    back = sorted(seconds for seconds in took if seconds is not None)
    lost = f"never in {len(took) - len(back)} of {len(took)}" if len(back) < len(took) else ""
    if not back:
        return lost
    shown = f"{statistics.median(back):.2f} ({back[0]:.2f} to {back[-1]:.2f})"
    return f"{shown}, {lost}" if lost else shown
