"""(c) Resident memory of `prt watch --json` at two numbers of events."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.benchmarks.subjects import flooding_server, prt_watch

BLOCK = 1 << 20


def measure(*, marks: tuple[int, int] = (100_000, 1_000_000)) -> list[tuple[str, str]]:
    """Taken when the last line of each mark has come out of the pipe."""
    found: list[float] = []
    with flooding_server() as flood:
        client = subprocess.Popen(
            prt_watch("--only", "change", "--quiet"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=flood.environment,
            bufsize=0,
        )
        try:
            flood.await_("joined")
            lines = 0
            for mark in marks:
                flood.order(mark - lines)
                lines = _read_until(client, lines, mark)
                found.append(resident_mb(client.pid))
        finally:
            client.terminate()
            client.communicate()
    first, last = found
    return [
        *((f"resident at {mark:,} events, MB", f"{mb:.1f}") for mark, mb in zip(marks, found, strict=True)),
        ("growth", f"{last / first - 1:+.1%}"),
    ]


def _read_until(client: subprocess.Popen[bytes], lines: int, mark: int) -> int:
    assert client.stdout is not None
    while lines < mark:
        block = client.stdout.read(BLOCK)
        if not block:
            raise RuntimeError(f"prt ended after {lines} changes")
        lines += block.count(b"\n")
    return lines


def resident_mb(pid: int) -> float:
    if Path("/proc/self/status").exists():
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    else:
        kilobytes = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True
        ).stdout
    return int(kilobytes) / 1024
