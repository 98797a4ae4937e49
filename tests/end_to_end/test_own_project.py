"""A command whose own embedded project dies while it runs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.local.processes import descendants
from tests.running import clean_environment, piped


@pytest.mark.parametrize("whom", ["project", "postgres"])
@pytest.mark.parametrize("arguments", [("watch", "project_tasks"), ("presence", "room")])
def test_it_ends_with_the_reason(arguments: tuple[str, ...], whom: str, tmp_path: Path) -> None:
    environment = clean_environment(HOME=str(tmp_path), PRT_RUNTIME_DIR=str(tmp_path / "runtime"))
    with piped(*arguments, "--local", "--json", environment=environment) as watch:
        watch.until(lambda line: line.get("status") in ("READY", "SUBSCRIBED"))
        os.kill(_the(whom, watch.process.pid), signal.SIGKILL)
        code, lines, err = watch.finish()

    assert code == 4
    assert lines[-1]["type"] == "end"
    assert lines[-1]["exit_code"] == 4
    assert "prt: the embedded project has ended: " in err


def _the(whom: str, pid: int) -> int:
    """The process id of a child of ours that serves the project, or of its PostgreSQL."""
    wanted = {"project": "prt.local.project.child", "postgres": "-D"}[whom]
    for one in descendants(pid):
        command = Path(f"/proc/{one}/cmdline").read_bytes().decode().split("\0")
        if wanted in command:
            return one
    raise AssertionError(f"no {whom} among the children")
