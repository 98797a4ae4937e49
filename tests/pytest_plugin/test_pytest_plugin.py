"""The plugin, run by a pytest of its own against an embedded project."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
import pytest

from prt import pytest_plugin
from tests.running import PRT, clean_environment

INSERT = """
import json, urllib.request
import pytest

@pytest.fixture
def rows(prt_project):
    def rows(table):
        with urllib.request.urlopen(urllib.request.Request(
                prt_project.url + "/rest/v1/" + table + "?select=id", headers={
                    "apikey": prt_project.service_key,
                    "Authorization": "Bearer " + prt_project.service_key})) as answer:
            return [row["id"] for row in json.load(answer)]
    return rows

@pytest.fixture
def title(prt_project, rows):
    member = next(user for user in prt_project.users if user.email == "maya@example.com")

    def insert(title):
        return prt_project.insert(
            "notifications", workspace_id=rows("workspaces")[0], user_id=member.id, type="info",
            title=title, message="m")
    return insert
"""
"""The fixtures of the application whose tests these are."""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run pytest on a module of tests, warnings being errors; return its exit code and output."""

    def run_tests(
        module: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
        (tmp_path / "conftest.py").write_text(INSERT, encoding="utf-8")
        (tmp_path / "test_app.py").write_text(module, encoding="utf-8")
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-x", *arguments],
            cwd=tmp_path,
            env=clean_environment(**(environment or {})),
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout + ended.stderr

    return run_tests


TABLES = """
from uuid import UUID
import pytest

def test_a_row_arrives(prt_realtime, title):
    with prt_realtime.watch("notifications", filter="type=eq.info") as w:
        row = title("Test")
        line = w.expect("INSERT", title="Test", id=UUID(row["id"]), within=60)
        assert line["new"]["message"] == "m"
        w.expect_none("INSERT", title="Test", within=0.1)

def test_only_its_reader_receives_it(prt_project, prt_realtime, title):
    otto = prt_project.sign_in("otto@example.com")
    with prt_realtime.watch("notifications", as_=otto) as w, prt_realtime.watch("notifications") as mine:
        title("Secret")
        mine.expect("INSERT", title="Secret", within=60)
        w.expect_none()

def test_a_cut_loses_nothing(prt_realtime, title):
    with prt_realtime.watch("notifications") as w:
        title("Before")
        w.expect("INSERT", title="Before", within=60)
        with w.cut():
            title("While the link was down")
        w.expect("INSERT", title="While the link was down", within=60)
        w.cut()
        title("After")
        w.expect("INSERT", title="After", within=60)
"""


def test_rows_arrive_for_whom_they_are_and_through_a_cut(run: Callable[..., tuple[int, str]]) -> None:
    code, output = run(TABLES)
    assert code == 0, output
    assert "3 passed" in output


TOPICS = """
def test_broadcast_and_presence(prt_realtime):
    with prt_realtime.broadcast("document:7", "cursor-move") as w:
        prt_realtime.send("document:7", "cursor-move", {"x": 1})
        w.expect("cursor-move", x=1, within=60)
    with prt_realtime.presence("workers") as w:
        with prt_realtime.track("workers", "worker-1", job=7):
            w.expect("join", key="worker-1", job=7, within=60)
        w.expect("leave", key="worker-1", within=60)
"""


def test_broadcasts_and_presence_arrive(run: Callable[..., tuple[int, str]]) -> None:
    code, output = run(TOPICS)
    assert code == 0, output


EMPTIED = """
def test_writes(rows, title):
    assert rows("notifications")
    title("Test")

def test_finds_the_table_empty_and_others_as_they_were(rows):
    assert rows("notifications") == []
    assert rows("workspaces")
"""


def test_the_tables_that_a_test_wrote_to_are_emptied(run: Callable[..., tuple[int, str]]) -> None:
    code, output = run(EMPTIED)
    assert code == 0, output


INSTEAD = """
def test_another_title(prt_realtime, title):
    with prt_realtime.watch("notifications") as w:
        title("Other")
        w.expect("INSERT", title="Other", within=60)
        title("Another")
        w.expect("INSERT", title="Test", within=2)
"""


def test_a_failure_shows_what_came_instead_and_the_diagnosis(run: Callable[..., tuple[int, str]]) -> None:
    code, output = run(INSTEAD)
    assert code == 1
    assert "no INSERT with title='Test' came to notifications within 2 s" in output
    assert '"title": "Another"' in output
    assert "prt's diagnosis:" in output


UNPUBLISHED = """
def test_unpublished(prt_realtime):
    with prt_realtime.watch("tasks") as w:
        w.expect("INSERT")
"""


def test_an_unpublished_table_fails_with_its_remedy(
    run: Callable[..., tuple[int, str]], open_folder: Path
) -> None:
    sql = open_folder / "tasks.sql"
    sql.write_text(
        "create table tasks (id int primary key); grant select on tasks to anon, authenticated;",
        encoding="utf-8",
    )
    code, output = run(UNPUBLISHED, "-o", f"prt_migrations={sql}")
    assert code == 1
    assert "the watch of tasks did not become READY" in output
    assert "alter publication supabase_realtime add table" in output


REMOTE = """
def test_writes(prt_project, title):
    title("Mine")
"""


def test_a_remote_project_is_only_read_unless_writes_are_allowed(
    run: Callable[..., tuple[int, str]], project: dict[str, str]
) -> None:
    code, output = run(REMOTE, "--prt-remote", environment=project)
    assert code == 1
    assert "--allow-writes" in output


REMOTE_ROWS = """
import pytest

def test_writes(rows, title):
    pytest.before = set(rows("notifications"))
    made = title("Mine")
    assert set(rows("notifications")) - pytest.before == {made["id"]}

def test_finds_what_was_there(rows):
    assert set(rows("notifications")) == pytest.before != set()
"""


def test_a_remote_project_loses_only_the_rows_of_the_test(
    run: Callable[..., tuple[int, str]], project: dict[str, str]
) -> None:
    code, output = run(REMOTE_ROWS, "--prt-remote", "--allow-writes", environment=project)
    assert code == 0, output


REMOTE_WITHOUT_ID = """
import pytest

def test_writes(prt_project):
    with pytest.raises(pytest.UsageError, match="nothing was written"):
        prt_project.insert("plain.notes", text="left?")
    prt_project.insert("plain.lines", id=7, text="goes")

def test_finds_the_row_gone(prt_project):
    assert prt_project.insert("plain.lines", id=7, text="again")["id"] == 7
"""


def test_a_remote_table_without_an_id_is_refused_before_a_row_would_be_left(
    run: Callable[..., tuple[int, str]], project: dict[str, str]
) -> None:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        connection.execute(
            "create schema plain; grant usage on schema plain to service_role;"
            "create table plain.notes (text text primary key);"
            "create table plain.lines (id int primary key, text text);"
            "grant all on all tables in schema plain to service_role;"
            "notify pgrst, 'reload schema'"
        )
        try:
            code, output = run(REMOTE_WITHOUT_ID, "--prt-remote", "--allow-writes", environment=project)
            rows = connection.execute("select * from plain.notes").fetchall()
        finally:
            connection.execute("drop schema plain cascade; notify pgrst, 'reload schema'")
    assert code == 0, output
    assert rows == []


WORKERS = """
import os
from pathlib import Path

def test_has_a_project_of_its_own(prt_project, prt_realtime, rows, title):
    worker = os.environ["PYTEST_XDIST_WORKER"]
    Path(worker).write_text(prt_project.url)
    with prt_realtime.watch("notifications") as w:
        title(worker)
        w.expect("INSERT", title=worker, within=60)
        w.expect_none("INSERT")

def test_finds_no_row_of_the_other(rows):
    assert rows("notifications") == []
"""


def test_each_worker_of_xdist_has_a_project_of_its_own(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, output = run(WORKERS, "-n", "2", "--dist", "each")
    assert code == 0, output
    assert "4 passed" in output
    urls = [(tmp_path / worker).read_text() for worker in ("gw0", "gw1")]
    assert len(set(urls)) == 2
    for url in urls:
        with pytest.raises(URLError):
            urlopen(url)


BARE = """
import importlib.util
import pytest

def test_the_application_has_none_of_our_libraries(prt_realtime, title):
    for name in {libraries!r}:
        with pytest.raises(ImportError):
            __import__(name)
    with prt_realtime.watch("notifications") as w:
        title("Test")
        w.expect("INSERT", title="Test", within=60)
"""
LIBRARIES = ("msgspec", "realtime", "rich", "supabase", "typer", "websockets")


def test_another_environments_prt_is_run(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    """The application's own environment has other versions of our libraries, or none: here they break."""
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in LIBRARIES:
        (broken / f"{name}.py").write_text("raise ImportError('of the application')", encoding="utf-8")
    program = tmp_path / "other-prt"
    program.write_text(
        f'#!/bin/sh\necho "$1" >> {tmp_path}/commands\nunset PYTHONPATH\nexec {PRT} "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    code, output = run(
        BARE.replace("{libraries!r}", repr(LIBRARIES)),
        f"--prt-program={program}",
        environment={"PYTHONPATH": str(broken)},
    )
    assert code == 0, output
    assert (tmp_path / "commands").read_text().split() == ["local", "watch"]


@pytest.mark.parametrize("is_there", [False, True])
def test_a_program_that_can_not_be_run_is_reported_in_one_line(
    run: Callable[..., tuple[int, str]], tmp_path: Path, is_there: bool
) -> None:
    program = tmp_path / "prt"
    if is_there:
        program.write_text("", encoding="utf-8")
    code, output = run(REMOTE, f"--prt-program={program}")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert output.strip() == f"ERROR: prt: --prt-program {program} is not a program that can be run"


def test_it_imports_pytest_and_the_standard_library_alone() -> None:
    allowed = {*sys.stdlib_module_names, "pytest"}
    folder = Path(pytest_plugin.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert name.split(".")[0] in allowed or name.startswith("prt.pytest_plugin"), (path, name)


def test_a_run_that_needs_none_of_it_loads_only_its_options() -> None:
    script = (
        "import sys; import pytest; before = set(sys.modules); import prt.pytest_plugin;"
        "print(sorted(set(sys.modules) - before))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "['prt', 'prt.pytest_plugin']"
