"""A test that hangs fails alone, and the run of the others goes on to its end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.running import PATIENCE, clean_environment

SETTINGS = Path(__file__).parents[1] / "pyproject.toml"

HANGING = """
import asyncio, subprocess, threading
import pytest

pytestmark = pytest.mark.timeout(1)


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
OTHERS = """
import pytest


@pytest.mark.parametrize("number", range(3))
def test_another(number): ...
"""


def test_a_test_that_hangs_fails_alone(tmp_path: Path) -> None:
    """With our own settings and as many processes as CI has; they would wait for ever for a lost one."""
    for name in ("first", "second"):
        (tmp_path / f"test_{name}.py").write_text(HANGING + OTHERS)
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
    assert closing.startswith("6 failed, 6 passed, 2 errors in "), done.stdout
    assert done.stdout.count("Failed: Timeout (>1.0s) from pytest-timeout") >= 8, done.stdout
    assert done.returncode == 1
