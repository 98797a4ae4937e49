"""What is done before anything else is loaded."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from prt.signals import INTERRUPTED
from tests.running import PRT, clean_environment

FLOOD = Path(__file__).parents[1] / "manual" / "recordings" / "demo.ndjson"

CLOSED = """
import errno, os
from prt.cli import entry
os.close(0), os.close(1)
entry._keep_standard_files()
assert os.open(os.devnull, os.O_RDWR) > 2, "a file of ours stands where our output goes"
try:
    os.write(1, b"a line")
except OSError as exc:
    assert exc.errno == errno.EBADF
else:
    raise AssertionError("nobody was told that nothing was written")
"""


def test_what_is_closed_is_no_socket_of_ours() -> None:
    command = [sys.executable, "-c", CLOSED]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("module", ["typer", "msgspec", "httpx"])
def test_ctrl_c_while_modules_are_imported_prints_nothing(module: str, tmp_path: Path) -> None:
    """The module interrupts the program that imports it; the shell's exit code is 130 either way."""
    (tmp_path / f"{module}.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")

    ended = subprocess.run(
        [PRT, "send", "room", "event", "--http"],
        env=clean_environment(
            PYTHONPATH=str(tmp_path), SUPABASE_URL="http://127.0.0.1:1", SUPABASE_ANON_KEY="sb_publishable_x"
        ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode in (-signal.SIGINT, INTERRUPTED)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("form", [[], ["--json"], ["--template", "{table}"]])
def test_a_reader_that_leaves_a_flood_gets_no_error(form: list[str]) -> None:
    ended = subprocess.run(
        ["sh", "-c", 'prt replay "$0" --speed max "$@" | head -5 | wc -l', str(FLOOD), *form],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (ended.stdout.strip(), ended.stderr) == ("5", "")
