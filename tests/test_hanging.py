"""A test that hangs fails alone, and the run of the others goes on to its end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.running import PATIENCE, clean_environment

SETTINGS = Path(__file__).parents[1] / "pyproject.toml"

CONFTEST = """
from tests.timeouts import *
"""
WAITING = """
import asyncio, subprocess, threading
import pytest

pytestmark = pytest.mark.timeout(0.3)


async def forever():
    await asyncio.get_running_loop().create_future()


@pytest.fixture
def never():
    threading.Event().wait()


def test_a_lock():
    threading.Event().wait()


def test_a_loop():
    asyncio.run(forever())


def test_a_program():
    subprocess.run(["sleep", "1000"])


def test_a_fixture(never): ...
"""
UNENDING = """
import asyncio, socket, threading
import pytest

pytestmark = pytest.mark.timeout(0.3)


async def ignore_cancellation():
    while True:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            pass


@pytest.fixture
def left_open():
    yield
    near, far = socket.socketpair()
    near.recv(1)


def test_a_task_that_ignores_its_cancellation():
    asyncio.run(ignore_cancellation())


def test_a_thread():
    thread = threading.Thread(target=threading.Event().wait, daemon=True)
    thread.start()
    thread.join()


def test_a_teardown(left_open): ...


def test_a_teardown_after_a_failure(left_open):
    raise AssertionError
"""
OTHERS = """
import pytest


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", range(3))
def test_another(number): ...
"""


def test_a_test_that_hangs_fails_alone(tmp_path: Path) -> None:
    """With our own settings and as many processes as CI has; they would wait for ever for a lost one."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name, hanging in {"first": WAITING, "second": UNENDING}.items():
        (tmp_path / f"test_{name}.py").write_text(hanging + OTHERS)
    options = ["-q", "-c", str(SETTINGS), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-n", "2", "--dist", "loadfile", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean_environment(),
        check=False,
        timeout=PATIENCE * 2,
    )
    closing = done.stdout.strip().rpartition("\n")[2]
    assert closing.startswith("6 failed, 7 passed, 3 errors in "), done.stdout
    assert done.stdout.count("Failed: Timeout (>0.3s) from pytest-timeout") >= 8, done.stdout
    assert done.returncode == 1
