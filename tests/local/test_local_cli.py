"""`prt local` from outside: what it prints, how it ends, what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
import psycopg
import pytest
from websockets.sync.client import connect

from prt.local.postgres.watchdog import is_alive
from prt.local.seed.people import MEMBER
from tests.local.commands import PRT, Up, local, prt, up
from tests.local.processes import command_lines, descendants, kill_together, wait_for_end
from tests.running import PATIENCE

NAMES = [
    "SUPABASE_URL",
    "SUPABASE_ANON_KEY",
    "SUPABASE_PUBLISHABLE_KEY",
    "SUPABASE_SERVICE_ROLE_KEY",
    "SUPABASE_SECRET_KEY",
    "SUPABASE_DB_URL",
    "SUPABASE_JWT_SECRET",
    "PRT_TOKEN",
]


@pytest.fixture(scope="module")
def shared_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "runtime"


@pytest.fixture(scope="module")
def shared(shared_runtime: Path) -> Iterator[Up]:
    """One project for the tests that only look at it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRT_RUNTIME_DIR", str(shared_runtime))
        with up("--port", "0") as project:
            yield project


@pytest.fixture
def beside_shared(shared: Up, shared_runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Up:
    monkeypatch.setenv("PRT_RUNTIME_DIR", str(shared_runtime))
    return shared


@pytest.fixture
def alone(tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of our own, and the folder where ephemeral ones put their files."""
    monkeypatch.setenv("PRT_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("TMPDIR", str(open_folder))
    return open_folder


def fetch(environment: dict[str, str], query: str) -> object:
    with psycopg.connect(environment["SUPABASE_DB_URL"], autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def execute(environment: dict[str, str], *statements: str) -> None:
    with psycopg.connect(environment["SUPABASE_DB_URL"], autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


class TestEnv:
    def test_export_is_for_the_shell(self, beside_shared: Up) -> None:
        shown = local("env")
        [named] = shown.stderr.splitlines()
        assert named.startswith(f"prt: {beside_shared.url}: up ")
        assert named.endswith(f", ephemeral, started in {Path.cwd()}")
        script = shown.stdout + 'printf "%s|" "$SUPABASE_URL" "$PRT_TOKEN"'
        evaluated = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
        assert evaluated.split("|")[0] == beside_shared.url
        assert [line.partition("=")[0] for line in shown.stdout.splitlines()] == [
            f"export {name}" for name in NAMES
        ]

    def test_dotenv(self, beside_shared: Up) -> None:
        lines = local("env", "--format", "dotenv").stdout.splitlines()
        assert [line.partition("=")[0] for line in lines] == NAMES
        assert lines[0] == f"SUPABASE_URL={beside_shared.url}"

    def test_json(self, beside_shared: Up) -> None:
        environment = beside_shared.environment()
        assert list(environment) == NAMES
        assert environment["SUPABASE_PUBLISHABLE_KEY"].startswith("sb_publishable_")
        assert environment["SUPABASE_SECRET_KEY"].startswith("sb_secret_")
        assert fetch(environment, "select current_user || current_setting('is_superuser')") == "postgresoff"

    @pytest.mark.usefixtures("beside_shared")
    def test_github_masks_secrets_before_they_are_printed(self) -> None:
        shown = local("env", "--format", "github")
        lines = dict(line.split("=", 1) for line in shown.stdout.splitlines())
        assert list(lines) == NAMES
        masks = [line for line in shown.stderr.splitlines() if not line.startswith("prt: ")]
        masked = [line.removeprefix("::add-mask::") for line in masks]
        assert set(lines.values()) - set(masked) == {lines["SUPABASE_URL"]}

    def test_keys_and_token_are_of_this_project(self, beside_shared: Up) -> None:
        environment = beside_shared.environment()

        def claims(name: str) -> dict[str, object]:
            return jwt.decode(
                environment[name],
                environment["SUPABASE_JWT_SECRET"],
                ["HS256"],
                audience=None,
                options={"verify_aud": False},
            )

        assert claims("SUPABASE_ANON_KEY")["role"] == "anon"
        assert claims("SUPABASE_SERVICE_ROLE_KEY")["role"] == "service_role"
        session = claims("PRT_TOKEN")
        assert (session["sub"], session["role"]) == (MEMBER.id, "authenticated")

    def test_up_prints_no_secret(self, beside_shared: Up) -> None:
        for name, value in beside_shared.environment().items():
            assert name == "SUPABASE_URL" or value not in beside_shared.printed


class TestToken:
    def test_claims_and_expiry(self, beside_shared: Up) -> None:
        shown = local(
            "token",
            "--role",
            "editor",
            "--sub",
            "someone",
            "--claim",
            'app_metadata={"team": 7}',
            "--claim",
            "plan=pro",
            "--expires",
            "5m",
        )
        secret = beside_shared.environment()["SUPABASE_JWT_SECRET"]
        claims = jwt.decode(shown.stdout.strip(), secret, ["HS256"], audience="authenticated")
        assert claims["exp"] - claims["iat"] == 300
        assert {name: claims[name] for name in ("role", "sub", "app_metadata", "plan")} == {
            "role": "editor",
            "sub": "someone",
            "app_metadata": {"team": 7},
            "plan": "pro",
        }

    @pytest.mark.usefixtures("beside_shared")
    @pytest.mark.parametrize("wrong", [["--expires", "soon"], ["--claim", "plan"], ["--claim", "=pro"]])
    def test_what_is_no_claim_and_no_time(self, wrong: list[str]) -> None:
        refused = local("token", *wrong)
        assert refused.returncode == 2
        assert refused.stdout == ""
        assert [line.partition(":")[0] for line in refused.stderr.splitlines()] == ["prt", "hint"]


class TestChoice:
    @pytest.mark.usefixtures("alone")
    @pytest.mark.parametrize("command", ["status", "env", "token", "reset", "stop", "traffic"])
    def test_nothing_runs(self, command: str) -> None:
        refused = local(command)
        assert refused.returncode == 4
        assert refused.stderr == "prt: no embedded project runs\nhint: start one with `prt local up`\n"

    def test_none_on_that_port(self, beside_shared: Up) -> None:
        refused = local("env", "--port", "1")
        assert refused.returncode == 4
        assert beside_shared.url in refused.stderr

    def test_several(self, beside_shared: Up) -> None:
        with up("--port", "0", "--no-seed") as second:
            assert second.process.stderr is not None
            lines = [second.process.stderr.readline().strip().split("  ")[0] for _ in range(3)]
            chosen = f'eval "$(prt local env --port {second.port})" sets URL and keys'
            assert lines == [chosen, "prt watch", "Ctrl-C"]
            refused = local("env")
            assert refused.returncode == 2
            assert beside_shared.url in refused.stderr
            assert second.url in refused.stderr
            assert local("env", "--port", second.port).returncode == 0
            shown = local("status")
            assert shown.returncode == 0
            assert len(shown.stdout.splitlines()) == 2
            attached = prt("watch", "--local", "--timeout", "1")
            assert attached.returncode == 2
            assert second.url in attached.stderr
            assert 'hint: first `eval "$(prt local env --port N)"`' in attached.stderr
            assert "then the same command without --local" in attached.stderr
        assert local("env").returncode == 0

    def test_status(self, beside_shared: Up) -> None:
        shown = local("status")
        assert shown.returncode == 0
        assert shown.stdout.startswith(
            f"{beside_shared.url} (pid {beside_shared.process.pid}, ephemeral): answers"
        )


class TestUp:
    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
    )
    def test_a_signal_ends_it_without_a_trace(self, alone: Path, number: int, code: int) -> None:
        with up("--port", "0", "--no-seed") as project:
            processes = descendants(project.process.pid)
            assert processes
            assert project.end(number) == code
        assert [pid for pid in processes if is_alive(pid)] == []
        assert list(alone.iterdir()) == []

    @pytest.mark.usefixtures("alone")
    @pytest.mark.parametrize(
        "filter_",
        ["body=like.%" + "e%" * 40 + "x", r"body=match.^(e+)(e+)(e+)(e+)\1\2\3\4$"],
        ids=["a pattern", "a regular expression"],
    )
    def test_a_signal_ends_it_whatever_a_client_asks_for(self, tmp_path: Path, filter_: str) -> None:
        migration = tmp_path / "1.sql"
        migration.write_text(
            "create table texts (id int primary key, body text);"
            "alter publication supabase_realtime add table texts"
        )
        with up("--port", "0", "--no-seed", "--migrations", str(migration)) as project:
            environment = project.environment()
            url = f"{project.url.replace('http', 'ws', 1)}/realtime/v1/websocket"
            with connect(f"{url}?apikey={environment['SUPABASE_ANON_KEY']}&vsn=1.0.0") as client:
                binding = {"event": "*", "schema": "public", "table": "texts", "filter": filter_}
                client.send(
                    json.dumps(
                        {
                            "topic": "realtime:a",
                            "event": "phx_join",
                            "payload": {"config": {"postgres_changes": [binding]}},
                            "ref": "1",
                            "join_ref": "1",
                        }
                    )
                )
                while "Subscribed to PostgreSQL" not in str(client.recv(PATIENCE)):
                    pass
                with psycopg.connect(environment["SUPABASE_DB_URL"], autocommit=True) as connection:
                    connection.execute("insert into texts values (1, repeat('e', 1001))")
                assert project.end(signal.SIGTERM) == 143

    def test_sigkill_leaves_nothing(self, alone: Path) -> None:
        with up("--port", "0") as project:
            processes = descendants(project.process.pid)
            assert project.end(signal.SIGKILL) == -signal.SIGKILL
        wait_for_end(*processes)
        assert list(alone.iterdir()) == []
        assert local("status").returncode == 4

    def test_stop_waits_until_all_is_gone(self, alone: Path, tmp_path: Path) -> None:
        with up("--port", "0", "--no-seed") as project:
            processes = descendants(project.process.pid)
            assert local("stop").returncode == 0
            assert [pid for pid in processes if is_alive(pid)] == []
            assert list(alone.iterdir()) == []
            assert not (tmp_path / "runtime").exists()

    @pytest.mark.usefixtures("alone")
    def test_postgres_died(self) -> None:
        with up("--port", "0", "--no-seed") as project:
            note = Path(str(fetch(project.environment(), "show data_directory"))) / "postmaster.pid"
            os.kill(int(note.read_text().splitlines()[0]), signal.SIGKILL)
            _, printed = project.process.communicate(timeout=PATIENCE)
            assert project.process.returncode == 4
            assert "PostgreSQL of the embedded project ended" in printed

    @pytest.mark.usefixtures("alone")
    def test_the_port_is_taken(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            refused = local("up", "--port", str(port))
        assert refused.returncode == 2
        assert refused.stderr.startswith(f"prt: port {port} is taken\nhint: ")

    @pytest.mark.parametrize(
        "wrong",
        [
            ["--rate", "0"],
            ["--port", "70000"],
            ["--migrations", "/nonexistent.sql"],
            ["--traffic", "--no-seed"],
        ],
    )
    @pytest.mark.usefixtures("alone")
    def test_wrong_options(self, wrong: list[str]) -> None:
        refused = local("up", *wrong)
        assert refused.returncode == 2
        assert [line.partition(":")[0] for line in refused.stderr.splitlines()] == ["prt", "hint"]

    def test_a_migration_that_fails(self, alone: Path, tmp_path: Path) -> None:
        wrong = tmp_path / "0001_wrong.sql"
        wrong.write_text("create table notes (id int);\nselekt 1;\n")
        refused = local("up", "--port", "0", "--migrations", str(wrong))
        assert refused.returncode == 2
        assert "0001_wrong.sql" in refused.stderr
        assert list(alone.iterdir()) == []


class TestDataDir:
    @pytest.mark.usefixtures("alone")
    def test_secrets_and_rows_persist(self, open_folder: Path) -> None:
        folder = str(open_folder / "kept")
        with up("--port", "0", "--data-dir", folder) as project:
            first = project.environment()
            execute(first, "create table kept (id int)")
        with up("--port", "0", "--data-dir", folder) as project:
            second = project.environment()
            assert fetch(second, "select to_regclass('kept')::text") == "kept"
            shown = local("status", "--data-dir", folder)
            assert folder in shown.stdout
            again = local("up", "--port", "0", "--data-dir", folder)
            assert again.returncode == 2
            assert "in use" in again.stderr
        same = [name for name in NAMES if first[name] == second[name]]
        assert set(NAMES) - set(same) <= {"SUPABASE_URL", "SUPABASE_DB_URL", "PRT_TOKEN"}
        assert {path.stat().st_mode & 0o077 for path in (open_folder / "kept").iterdir()} <= {0, 0o44}

    @pytest.mark.usefixtures("alone")
    def test_an_interrupted_first_start_is_begun_again(self, open_folder: Path) -> None:
        folder = open_folder / "kept"
        with up("--port", "0", "--data-dir", str(folder), "--no-seed") as project:
            execute(project.environment(), "create table half (id int)")
        (folder / "loaded.json").unlink()
        with up("--port", "0", "--data-dir", str(folder), "--no-seed") as project:
            assert fetch(project.environment(), "select to_regclass('half')::text") is None

    @pytest.mark.usefixtures("alone")
    def test_it_recovers_from_a_kill_of_everything(self, open_folder: Path) -> None:
        folder = str(open_folder / "kept")
        with up("--port", "0", "--data-dir", folder) as project:
            first = project.environment()
            execute(first, "create table kept (id int)")
            processes = [*descendants(project.process.pid), project.process.pid]
            kill_together(*processes)
            project.process.communicate()
        with up("--port", "0", "--data-dir", folder) as project:
            second = project.environment()
            assert fetch(second, "select to_regclass('kept')::text") == "kept"
            assert second["SUPABASE_JWT_SECRET"] == first["SUPABASE_JWT_SECRET"]

    @pytest.mark.usefixtures("alone")
    def test_out_of_reach(self, open_folder: Path) -> None:
        closed = open_folder / "closed"
        closed.mkdir()
        closed.chmod(0o000 if os.geteuid() else 0o700)
        refused = local("up", "--port", "0", "--data-dir", str(closed / "kept"))
        closed.chmod(0o700)
        assert refused.returncode == 2
        assert [line.partition(":")[0] for line in refused.stderr.splitlines()] == ["prt", "hint"]


class TestReset:
    @pytest.mark.usefixtures("alone")
    def test_the_seed_comes_back(self) -> None:
        with up("--port", "0") as project:
            environment = project.environment()
            before = fetch(environment, "select count(*) from productions")
            execute(
                environment,
                "delete from notifications",
                "drop table project_tasks cascade",
                "create schema extra",
                "create role visitor",
                "create publication mine",
                # They would count for the sessions that load everything anew as well.
                "alter database postgres set role = 'anon'",
                "alter database postgres set search_path = 'extra'",
                "alter role authenticator in database postgres set statement_timeout = '1ms'",
            )
            done = local("reset")
            assert (done.returncode, done.stdout) == (0, "")
            assert fetch(environment, "select count(*) from productions") == before
            assert fetch(environment, "select count(*) > 0 from project_tasks") is True
            assert fetch(environment, "select count(*) from pg_namespace where nspname = 'extra'") == 0
            assert fetch(environment, "select count(*) from pg_roles where rolname = 'visitor'") == 0
            assert (
                fetch(environment, "select string_agg(pubname, ',' order by pubname) from pg_publication")
                == "prt_realtime_changes,prt_realtime_messages,supabase_realtime"
            )
            published = "select count(*) from pg_publication_tables where pubname = 'supabase_realtime'"
            assert fetch(environment, published) == 30
            assert fetch(environment, "select current_user || current_setting('search_path')") == (
                'postgres"$user", public, extensions'
            )
            assert fetch(environment, "select count(*) from pg_db_role_setting where setrole <> 0") == 3
            assert project.environment()["SUPABASE_SECRET_KEY"] == environment["SUPABASE_SECRET_KEY"]

    @pytest.mark.usefixtures("alone")
    def test_migrations_come_back_in_the_order_of_their_names(self, tmp_path: Path) -> None:
        (tmp_path / "sql").mkdir()
        (tmp_path / "sql" / "2_rows.sql").write_text("insert into notes values ('mine');")
        (tmp_path / "sql" / "1_table.sql").write_text("create role clerk; create table notes (text text);")
        with up("--port", "0", "--migrations", str(tmp_path / "sql")) as project:
            environment = project.environment()
            execute(environment, "delete from notes")
            done = local("reset")
            assert done.returncode == 0, done.stderr
            assert fetch(environment, "select text from notes") == "mine"
            (tmp_path / "sql" / "3_wrong.sql").write_text("selekt 1;")
            refused = local("reset")
            assert refused.returncode == 2
            assert "3_wrong.sql" in refused.stderr


class TestRun:
    @pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137)])
    def test_it_ends_as_the_command_did(self, alone: Path, script: str, code: int) -> None:
        assert local("run", "--no-seed", "--", "sh", "-c", script).returncode == code
        assert list(alone.iterdir()) == []

    def test_the_command_has_the_environment_and_the_pipes(self, alone: Path) -> None:
        script = 'cat; test -n "$PRT_TOKEN" && env; echo said >&2'
        done = prt("local", "run", "--no-seed", "sh", "-c", script, stdin="given\n")
        given, *lines = done.stdout.splitlines()
        found = dict(line.split("=", 1) for line in lines)
        assert given == "given"
        assert found["SUPABASE_URL"].startswith("http://127.0.0.1:")
        for prefix in ("NEXT_PUBLIC_", "NUXT_PUBLIC_", "VITE_", "EXPO_PUBLIC_", "REACT_APP_", "PUBLIC_"):
            own = {name: value for name, value in found.items() if name.startswith(f"{prefix}SUPABASE_")}
            assert own == {
                f"{prefix}SUPABASE_URL": found["SUPABASE_URL"],
                f"{prefix}SUPABASE_ANON_KEY": found["SUPABASE_ANON_KEY"],
                f"{prefix}SUPABASE_KEY": found["SUPABASE_PUBLISHABLE_KEY"],
                f"{prefix}SUPABASE_PUBLISHABLE_KEY": found["SUPABASE_PUBLISHABLE_KEY"],
                f"{prefix}SUPABASE_PUBLISHABLE_DEFAULT_KEY": found["SUPABASE_PUBLISHABLE_KEY"],
            }
        assert (done.returncode, done.stderr) == (0, "said\n")
        assert list(alone.iterdir()) == []

    def test_options_of_the_command_are_its_own_and_others_do_not_find_it(self, alone: Path) -> None:
        script = f'echo "$@"; env -u PRT_LOCAL_RUN {" ".join(PRT)} local env'
        done = local("run", "--no-seed", "--", "sh", "-c", script, "sh", "--port", "7", "--help")
        assert (done.stdout, done.returncode) == ("--port 7 --help\n", 4)
        assert list(alone.iterdir()) == []

    def test_inside_every_command_means_its_project_and_no_other(self, alone: Path, tmp_path: Path) -> None:
        with up("--port", "0") as other:
            others = other.environment()
            execute(others, "create table public.mark ()")
            rows = "select string_agg(t::text, '' order by id) from project_tasks t"
            before = fetch(others, rows)
            done = local("run", "--", sys.executable, "-c", INSIDE, other.port, *PRT)
            assert done.returncode == 0, done.stderr
            assert fetch(others, "select to_regclass('public.mark')::text") == "mark", "it was not reset"
            assert fetch(others, rows) == before, "no traffic has written into it"
            assert other.process.poll() is None
            assert local("env", "--format", "json").returncode == 0, "outside it is the only one still"
        assert list(alone.iterdir()) == []
        assert not (tmp_path / "runtime").exists()

    @pytest.mark.usefixtures("alone")
    def test_stop_inside_ends_the_run_and_no_other(self) -> None:
        with up("--port", "0", "--no-seed") as other:
            done = local("run", "--no-seed", "--", *PRT, "local", "stop")
            assert done.returncode == 143, done.stderr
            assert other.process.poll() is None

    def test_a_command_that_is_not_there(self, alone: Path) -> None:
        done = local("run", "--no-seed", "--", "/nonexistent/program")
        assert done.returncode == 2
        assert done.stderr.startswith("prt: can't run /nonexistent/program: No such file or directory\n")
        assert list(alone.iterdir()) == []

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_signals_go_to_the_command(self, alone: Path, number: signal.Signals) -> None:
        script = f"trap 'echo heard; exit 5' {int(number)}; echo ready; while :; do sleep 0.01; done"
        with started_run(script) as process:
            process.send_signal(number)
            out, _ = process.communicate(timeout=PATIENCE)
            assert out == "heard\n"
            assert process.returncode == 5
        assert list(alone.iterdir()) == []

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_what_the_command_started_ends_with_it(self, alone: Path, number: signal.Signals) -> None:
        with started_run("sleep 600 & echo ready; wait") as process:
            process.send_signal(number)
            process.communicate(timeout=PATIENCE)  # the end comes when nobody is left that could write
            assert process.returncode == 128 + number
        assert list(alone.iterdir()) == []

    def test_sigkill_takes_the_command_along(self, alone: Path) -> None:
        guarded = "sleep 600 & echo guarded; exec sleep 600"
        script = f"trap '{guarded}' TERM; echo ready; while :; do sleep 0.01; done"
        with started_run(script) as process:
            # A signal is passed on only after the watchdog was told of the command; "ready" may come before.
            process.send_signal(signal.SIGTERM)
            assert process.stdout is not None
            assert process.stdout.readline() == "guarded\n"
            processes = descendants(process.pid)
        wait_for_end(*processes)
        assert list(alone.iterdir()) == []


INSIDE = """
import json, os, signal, subprocess, sys
import jwt, psycopg

other, *prt = sys.argv[1:]
own = os.environ["SUPABASE_URL"]
port = own.rpartition(":")[2]


def local(*arguments):
    done = subprocess.run([*prt, "local", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout


assert local("status").startswith(own) and other not in local("status")
assert json.loads(local("env", "--format", "json"))["SUPABASE_URL"] == own
assert json.loads(local("env", "--format", "json", "--port", port))["SUPABASE_URL"] == own
jwt.decode(local("token").strip(), os.environ["SUPABASE_JWT_SECRET"], ["HS256"], audience="authenticated")

traffic = subprocess.Popen([*prt, "local", "traffic", "--rate", "200"], stderr=subprocess.PIPE, text=True)
assert f"traffic to {own} " in traffic.stderr.readline()
watched = [*prt, "watch", "--local", "--count", "5", "--json"]
lines = subprocess.run(watched, capture_output=True, text=True)
assert lines.returncode == 0, lines
traffic.send_signal(signal.SIGINT)
traffic.communicate()

with psycopg.connect(os.environ["SUPABASE_DB_URL"], autocommit=True) as database:
    database.execute("create table public.mark ()")
    local("reset")
    assert database.execute("select to_regclass('public.mark')").fetchone() == (None,)

for command in ("status", "env", "token", "traffic", "reset", "stop"):
    refused = subprocess.run([*prt, "local", command, "--port", other], capture_output=True, text=True)
    assert refused.returncode == 4, refused
    assert f"no embedded project runs on port {other}" in refused.stderr, refused
    assert f"in this `prt local run`: {own}" in refused.stderr, refused
"""
"""What a test suite inside `prt local run` may ask, beside the other project whose port it is given."""


@contextmanager
def started_run(script: str) -> Iterator[subprocess.Popen[str]]:
    """A session of its own: Ctrl-C of a terminal that runs these tests is not what they are about."""
    process = subprocess.Popen(
        [*PRT, "local", "run", "--no-seed", "--", "sh", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


class TestAttach:
    OWNER = (
        "import sys; from prt.local.project.attach import ephemeral\n"
        "with ephemeral(seed=False) as environment:\n"
        "    print(environment['SUPABASE_URL'], flush=True); sys.stdin.read()\n"
    )

    def test_a_killed_owner_leaves_nothing(self, alone: Path) -> None:
        owner = subprocess.Popen(
            [sys.executable, "-c", self.OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert owner.stdout is not None
        assert owner.stdout.readline().startswith("http://127.0.0.1:")
        processes = descendants(owner.pid)
        assert len(processes) > 2
        owner.kill()
        owner.communicate()
        wait_for_end(*processes)
        assert list(alone.iterdir()) == []

    def test_no_secret_in_any_command_line(self, beside_shared: Up) -> None:
        secrets = [value for name, value in beside_shared.environment().items() if name != "SUPABASE_URL"]
        lines = command_lines()
        assert any("watchdog.py" in line for line in lines)
        assert [secret for secret in secrets if any(secret in line for line in lines)] == []


@pytest.mark.usefixtures("alone")
def test_help_needs_nothing_heavy() -> None:
    program = (
        "import sys; from prt.cli.main import run; code = run(['local', '--help']);"
        "heavy = {'psycopg', 'starlette', 'uvicorn', 'supabase', 'realtime', 'httpx'} & set(sys.modules);"
        "sys.exit(code or (str(heavy) if heavy else 0))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in ("up", "stop", "status", "env", "token", "reset", "traffic", "run"):
        assert f" {command} " in done.stdout
