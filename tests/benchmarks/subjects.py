"""What is measured, and against what: `prt`, a supabase-js script, and the server that floods both."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
JS = ROOT / "tests" / "end_to_end" / "js"
KEY = "anon-key-of-a-server-that-asks-for-none"

PRT = [sys.executable, "-m", "prt"]


class Flood:
    """A server as a process of its own: `next()` returns the next line that it prints."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{self.next()['port']}"

    def next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the server is gone")
        return dict(json.loads(line))

    def await_(self, word: str) -> Any:
        """The value of the next line that has the word."""
        while True:
            printed = self.next()
            if word in printed:
                return printed[word]

    def order(self, count: int) -> None:
        self.tell(str(count))

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    @property
    def environment(self) -> dict[str, str]:
        return {**own_environment(), "SUPABASE_URL": self.url, "SUPABASE_ANON_KEY": KEY}


def flooding_server() -> AbstractContextManager[Flood]:
    return serving("tests.benchmarks.flood")


@contextmanager
def serving(module: str) -> Iterator[Flood]:
    """The server that a module is."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Flood(process)
    finally:
        process.terminate()
        process.communicate()


def own_environment() -> dict[str, str]:
    """The environment without any project that the caller has configured."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SUPABASE_", "PRT_"))}


def prt_watch(*options: str) -> list[str]:
    return [*PRT, "watch", "project_tasks", "--json", *options]


def supabase_js(folder: Path, count: int) -> list[str]:
    """The script, beside the packages that it imports."""
    script = folder / "flood.mjs"
    shutil.copy(HERE / "flood.mjs", script)
    return ["node", str(script), str(count)]


def install_supabase_js(folder: Path) -> None:
    """The packages that the end-to-end tests use, into a folder of our own."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(JS / name, folder / name)
    subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
