"""No file of the working folder is executed: it may be cloned from a stranger."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from prt.pytest_plugin.program import Program
from prt.pytest_plugin.project import embedded
from tests.running import PATIENCE, PRT, clean_environment

TRAP = "with open({marker!r}, 'a') as marker:\n    marker.write({name!r} + ' ')\n"
LOCAL_RUN = """#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
SUPABASE_URL=http://127.0.0.1:1 exec "$@"
"""
CUSTOMIZED = {"sitecustomize", "usercustomize"}


def trapped(folder: Path, names: set[str]) -> Path:
    """A marker, which a file for each of the modules in the folder would write."""
    marker = folder.parent / "executed"
    folder.mkdir()
    for name in names:
        (folder / f"{name}.py").write_text(TRAP.format(marker=str(marker), name=name))
    return marker


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "--count", "1", "--timeout", f"{PATIENCE:.0f}"),
        ("test", "connect", "--local"),
        ("local", "run", "--no-seed", "--", "true"),
    ],
    ids=["demo", "--local", "run"],
)
def test_no_file_of_the_working_folder_runs(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Nothing of the standard library's names, of the packages that are installed, of Python's own hooks."""
    marker = trapped(tmp_path / "cloned", {*sys.stdlib_module_names, *packages_distributions(), *CUSTOMIZED})
    done_in(tmp_path / "cloned", PRT, *arguments)
    assert not marker.exists(), marker.read_text()


def test_nor_with_python_m_but_for_what_python_imports_before_us(tmp_path: Path) -> None:
    marker = trapped(tmp_path / "cloned", {*packages_distributions(), *CUSTOMIZED} - {"prt"})
    done_in(tmp_path / "cloned", sys.executable, "-m", "prt", "demo", "--count", "1")
    assert not marker.exists(), marker.read_text()


def test_no_file_beside_the_tests_runs_in_the_programs_of_the_pytest_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cloned"
    marker = trapped(folder, {*sys.stdlib_module_names, *packages_distributions(), *CUSTOMIZED})
    done_in(folder, *Program().command, "--version")
    local_run = tmp_path / "local-run"
    local_run.write_text(LOCAL_RUN)
    local_run.chmod(0o755)
    monkeypatch.chdir(folder)
    with embedded(Program(str(local_run)), []) as project:
        assert project.url == "http://127.0.0.1:1"
    assert not marker.exists(), marker.read_text()


def done_in(folder: Path, *command: str) -> None:
    environment = clean_environment(PRT_RUNTIME_DIR=str(folder.parent / "runtime"))
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE * 2,
    )
    assert done.returncode == 0, done.stderr
