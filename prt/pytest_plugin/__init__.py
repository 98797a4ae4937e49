"""The pytest plugin: the fixtures `prt_project` and `prt_realtime`, and their options.

It imports only pytest and the standard library and runs `prt` as a child process, so that it works in an
application's environment. Decisions about a project belong to `prt` itself.
"""

# ruff: noqa: PLC0415 - every run of pytest loads this module, even if it uses no fixture of it

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
        help="With --prt-remote, allow tests to write rows, which are deleted afterwards by their key.",
    )
    group.addoption(
        "--prt-program",
        metavar="PATH",
        help="Run the program PATH as prt, instead of the one beside the plugin.",
    )
    parser.addini(
        "prt_migrations",
        "SQL files, or folders of them, for the embedded project. [default: the demo's tables]",
        "paths",
        [],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse, before any test runs, a program that can't be run.

    Raises:
        UsageError: The path of --prt-program is not a program.
    """
    path = config.getoption("prt_program")
    if path is not None and shutil.which(path) is None:
        raise pytest.UsageError(f"prt: --prt-program {path} is not a program that can be run")


@pytest.fixture(scope="session")
def _prt_session_project(request: pytest.FixtureRequest) -> Iterator[Project]:
    """Yield the project of the session. With xdist, each worker has its own session."""
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
    """Yield the project that the test uses: its URL, keys, database and users.

    After the test, the tables of an embedded project that the test wrote to are emptied. In a remote project
    only the rows that the test made with `insert`, or registered with `made`, are deleted.
    """
    with _prt_session_project.cleaned():
        yield _prt_session_project


@pytest.fixture
def prt_realtime(prt_project: Project) -> Iterator[Realtime]:
    """Yield an object that opens watches of the project's tables and topics, which end with the test."""
    from prt.pytest_plugin.realtime import Realtime

    with Realtime(prt_project) as realtime:
        yield realtime
