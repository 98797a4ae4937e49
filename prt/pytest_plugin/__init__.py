"""The pytest plugin: the fixtures `prt_project` and `prt_realtime`, and their options.

It imports pytest and the standard library alone, and runs `prt` as a child process, so that it can live in
an application's environment. What decides anything about a project belongs to `prt` itself.
"""

# ruff: noqa: PLC0415 - every run of pytest loads this module, also those that need none of it

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from prt.pytest_plugin.project import Project
    from prt.pytest_plugin.realtime import Realtime


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the group `prt`."""
    group = parser.getgroup("prt", "Supabase Realtime")
    group.addoption(
        "--prt-remote",
        action="store_true",
        help="Use the project of SUPABASE_URL instead of an embedded one.",
    )
    group.addoption(
        "--allow-writes",
        action="store_true",
        help="With --prt-remote, let tests make rows, which are deleted by their key.",
    )
    group.addoption(
        "--prt-program", metavar="PATH", help="Run this prt instead of the one beside the plugin."
    )
    parser.addini(
        "prt_migrations", "SQL files or folders for the embedded project [prt's seed].", "paths", []
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a program that can't be run before any test is. Raises UsageError."""
    path = config.getoption("prt_program")
    if path is not None and shutil.which(path) is None:
        raise pytest.UsageError(f"prt: --prt-program {path} is not a program that can be run")


@pytest.fixture(scope="session")
def _prt_session_project(request: pytest.FixtureRequest) -> Iterator[Project]:
    """One project for the session, which is one for each xdist worker."""
    from prt.pytest_plugin import project
    from prt.pytest_plugin.program import Program

    config = request.config
    program = Program(config.getoption("prt_program"))
    if config.getoption("prt_remote"):
        yield project.remote(program, is_writable=bool(config.getoption("allow_writes")))
        return
    with project.embedded(program, [str(path) for path in config.getini("prt_migrations")]) as found:
        yield found


@pytest.fixture
def prt_project(_prt_session_project: Project) -> Iterator[Project]:
    """The project that the test uses: its URL, keys, database and users.

    An embedded project is cleaned after the test: the tables that it wrote to are emptied. A remote project
    loses the rows that the test made with `insert`, and nothing else.
    """
    with _prt_session_project.cleaned():
        yield _prt_session_project


@pytest.fixture
def prt_realtime(prt_project: Project) -> Iterator[Realtime]:
    """Watches of the project's tables, broadcasts and presence, which end with the test."""
    from prt.pytest_plugin.realtime import Realtime

    with Realtime(prt_project) as realtime:
        yield realtime
