"""Programs that we start end as we do, with what they started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from prt.processes import Program
from tests.running import PATIENCE, read_to_end

DEAF = "trap '' TERM; exec 3> {fifo}; echo ready >&3; sleep 1000"

EXITING = """
import os, sys
from prt.processes import Program
program = Program(["sh", "-c", sys.argv[1]], environment=dict(os.environ), has_own_group=True)
assert open(sys.argv[2]).readline() == "ready\\n"
"""


STOPPED = """
import os, signal, subprocess, sys
from prt.processes import Program

class Popen(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        assert open(sys.argv[2]).readline() == "ready\\n"
        os.kill(os.getpid(), signal.SIGTERM)
        sum(range(10))

subprocess.Popen = Popen
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
Program(["sh", "-c", sys.argv[1]], environment=dict(os.environ), has_own_group=True)
"""


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def test_a_second_cancellation_kills_at_once(fifo: Path) -> None:
    async def main() -> str:
        command = ["sh", "-c", DEAF.format(fifo=fifo)]
        program = Program(command, environment=dict(os.environ), has_own_group=True)
        with fifo.open() as alive:
            assert alive.readline() == "ready\n"
            ended = asyncio.create_task(program.wait())
            ending = asyncio.create_task(program.end(PATIENCE * 2))
            await asyncio.sleep(0)
            ending.cancel()
            await asyncio.wait([ending, ended])
            return read_to_end(alive)

    assert asyncio.run(main()) == ""


def test_what_a_program_leaves_behind_at_our_signal_ends_too(fifo: Path) -> None:
    """The program itself ends at SIGTERM, and what it started ignores it."""

    async def main() -> tuple[int, str]:
        command = ["sh", "-c", f"({DEAF.format(fifo=fifo)}) & wait"]
        program = Program(command, environment=dict(os.environ), has_own_group=True)
        with fifo.open() as alive:
            assert alive.readline() == "ready\n"
            program.send_signal(signal.SIGTERM)
            try:
                code = await program.wait()
            finally:
                await program.end(0.05)
            return code, read_to_end(alive)

    assert asyncio.run(main()) == (-signal.SIGTERM, "")


@pytest.mark.parametrize(("owners", "code"), [(EXITING, 0), (STOPPED, 3)], ids=["at its end", "at a start"])
def test_an_exit_that_leaves_no_time_kills_all(fifo: Path, owners: str, code: int) -> None:
    command = [sys.executable, "-c", owners, DEAF.format(fifo=fifo), str(fifo)]
    with subprocess.Popen(command) as owner:
        alive = fifo.open()
        assert owner.wait(PATIENCE) == code
    with alive:
        assert read_to_end(alive) == ""


def test_what_a_program_leaves_behind_at_its_own_end_goes_on(fifo: Path) -> None:
    async def main() -> int:
        script = f"(read line < {fifo}; echo went on > {fifo}) & exit 7"
        program = Program(["sh", "-c", script], environment=dict(os.environ), has_own_group=True)
        try:
            return await program.wait()
        finally:
            await program.end(PATIENCE)

    assert asyncio.run(main()) == 7
    fifo.write_text("go on\n")
    assert fifo.read_text() == "went on\n"
