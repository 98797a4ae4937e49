"""Words from outside in commands that people paste: tried in a real shell and a real PostgreSQL."""

from __future__ import annotations

import ast
import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import psycopg
import pytest

from prt import quoting
from prt.checks.status.layers import configuration, database, evidence, gateway, network, tables
from prt.checks.status.layers.catalog import Database, Publication, Relation, Server
from prt.checks.test.suites import rls
from prt.cli.commands.local_project import Format, written
from prt.cli.options.targets import parse_table
from prt.config import dotenv
from prt.config.project import Project, parse_url, resolve
from prt.config.secret import KeyFacts, Secret
from prt.errors import ConfigError, UsageError
from prt.events import Status, TapFinding
from prt.results import Finding
from prt.stream.binding import Binding
from prt.stream.policies import receives_sql, sends_sql
from prt.stream.recovery.verification.verifier import index_sql
from prt.stream.socket import refusals
from prt.views.drawing.findings import remedy_of
from tests.folders import Folder

MARK = "pasted"
HOSTILE = (
    *(
        f"$(>{MARK})",
        f"`>{MARK}`",
        f";>{MARK};",
        f"|>{MARK}",
        f"\n>{MARK}\n",
        f"'$(>{MARK})'",
        f'"$(>{MARK})"',
    ),
    *(
        f"x&>{MARK}&",
        f">{MARK}",
        f"${{x:=$(>{MARK})}}",
        f"\\'$(>{MARK})",
        # In fish a backslash quotes the quote before which it stands, and $(…) is run in double quotes.
        f"\\'$(printf x >{MARK})\"\\'",
        f"<(>{MARK})",
        "-rf",
        "*",
        "~",
        "!!",
        "",
    ),
)
TABLES = ("core", "all", "odd.name", 'say "hi"', "a:b", "--url=http://x", "ünï")
SHELLS = [name for name in ("bash", "sh", "zsh", "fish") if shutil.which(name)]


def pasted(command: str, folder: Path, shell: str = "bash") -> str:
    """Run a command in a folder of its own, without any program in reach."""
    programs = {"PATH": str(folder / "nowhere"), "HOME": str(folder)}
    done = subprocess.run(
        [shutil.which(shell) or shell, "-c", command],
        cwd=folder,
        env=programs,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not (folder / MARK).exists(), command
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_word_means_itself_in_a_shell(text: str, shell: str, tmp_path: Path) -> None:
    assert pasted(f"printf '<%s>' {quoting.word(text)}", tmp_path, shell) == f"<{text}>"


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell != "fish"])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_host_is_no_option(text: str, shell: str, tmp_path: Path) -> None:
    """`set` takes options and then words, as the programs do that are given a host."""
    shown = pasted(f"set {quoting.host(text)}; printf '<%s>' \"$@\"", tmp_path, shell)
    assert shown == f"<{text}>"


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.isprintable()])
def test_the_variables_of_local_env_mean_themselves(text: str, tmp_path: Path) -> None:
    """A secret comes from `supabase/config.toml` if the project has its ports and keys."""
    variables, asked = {"SUPABASE_JWT_SECRET": text}, "; printf '<%s>' \"$SUPABASE_JWT_SECRET\""
    for shell in SHELLS:
        exported = written(variables, Format.EXPORT).rstrip("\n")
        assert pasted(exported + asked, tmp_path, shell) == f"<{text}>"
    lines = written(variables, Format.DOTENV)
    assert dotenv.parse(lines) == variables
    assert pasted(lines.rstrip("\n") + asked, tmp_path, "sh") == f"<{text}>"


@pytest.mark.parametrize(
    "name", [*HOSTILE[:-1], "core", "all", "odd.name", 'say "hi"', "a:b", "--url=http://x", "ünï"]
)
def test_a_table_comes_to_prt_as_it_is_called(name: str, tmp_path: Path) -> None:
    typed = pasted(f"printf '%s' {quoting.table(name)}", tmp_path)
    assert not typed.startswith("-")
    assert parse_table(typed) == ("public", name)


# --- every remedy that names something from outside


def facts_of(schema: str, table: str, role: str = "anon", **more: Any) -> evidence.TableFacts:
    values: dict[str, Any] = {"bindings": (), "passes_row_security": False, "is_catalog_read": False}
    values |= {"relation": None, "read": None, "counted": None, "is_ready": False}
    return evidence.TableFacts(schema=schema, table=table, role=role, **{**values, **more})


def answered(**more: Any) -> gateway.Answer:
    return gateway.Answer(**more)


def key_of_project(ref: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"role": "anon", "ref": ref}).encode()).decode().rstrip("=")
    return f"e30.{claims}.sig"


def refused(url: str, **variables: str) -> str:
    with pytest.raises(UsageError) as caught:
        resolve(local={"SUPABASE_URL": url, **variables})
    return caught.value.hint or ""


def remedies(*findings: Finding) -> list[str]:
    return [cause.remedy for finding in findings for cause in finding.causes if cause.remedy]


def of_shell(text: str) -> list[str]:
    """The remedies for a shell in which a text from outside stands; a URL has no blanks in it."""
    host = text.replace("\n", "").replace(" ", "") or "x"
    url = f"http://{host.replace('/', '')}"
    address = network.Address("http", host, 1)
    facts = KeyFacts("jwt")
    silent = network.Answered(milliseconds=1.0, error="no address")
    closed = network.Answered(milliseconds=1.0, error="refused", code=111)
    project = Project(url=url, identity="anon", client_key=Secret("key"))
    redirect = answered(status=302, headers={"location": f"{url}/auth/v1/health"})
    found = [
        gateway.judge(url, redirect, key_origin="k", facts=facts),
        gateway.judge(url, answered(status=400), key_origin="k", facts=facts, speaks_tls=True),
        configuration._url(project),
        network.judge_dns(url, address, silent),
        network.judge_tcp(address, closed),
        network.judge_tcp(address, silent),
        network.judge_tls(url, address, network.Answered(milliseconds=1.0, error="x", code=18), 0),
        network.judge_tls(url, address, silent, 0),
        network.judge_tls(url, address, silent, 0, speaks_http=True),
        evidence.missing(facts_of("public", "x", known=(text,)), text),
        tables.judge_default(2, [text, text]),
    ]
    hint = refused("https://abcdefghijklmnopqrst.supabase.co", SUPABASE_ANON_KEY=key_of_project(text))
    with pytest.raises(UsageError) as caught:
        parse_url(f"https://supabase.com/dashboard/project/{host.replace('/', '')}/settings", "--url")
    return [*remedies(*found), hint.partition(", or ")[2], caught.value.hint or ""]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("text", [text for text in HOSTILE if text and not set(text) & set("?#[]@")])
def test_nothing_in_a_remedy_for_a_shell_is_run(text: str, shell: str, tmp_path: Path) -> None:
    for remedy in of_shell(text):
        pasted(remedy.replace("openssl", "true"), tmp_path, shell)


def test_a_redirect_is_one_word(tmp_path: Path) -> None:
    redirect = answered(status=302, headers={"location": f"http://evil/$(>{MARK})/auth/v1/health"})
    finding = gateway.judge("http://x", redirect, key_origin="k", facts=KeyFacts("jwt"))
    assert remedies(finding) == [f"set SUPABASE_URL='http://evil/$(>{MARK})'"]
    pasted(remedies(finding)[0], tmp_path)


@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_a_variable_that_a_cloned_folder_names_is_run_by_no_shell(text: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    key = f"anon_key = {{ env = {json.dumps(text)} }}"
    folder.write("prt.toml", f"[profiles.default]\nurl = 'http://x'\n{key}\n")
    with pytest.raises(ConfigError) as caught:
        folder.resolve()
    for shell in SHELLS:
        pasted(caught.value.hint or "", tmp_path, shell)


@pytest.mark.parametrize("text", [*HOSTILE, "new\nline", "\x1b[31m", "\u202e"])
def test_a_text_of_a_script_means_itself(text: str) -> None:
    quoted = quoting.script_text(text)
    assert ast.literal_eval(quoted) == text
    assert quoted.isprintable()
    found = TapFinding(at=0, id="not-read-again", severity="error", evidence=[], data={"name": text})
    assert f"supabase.from({quoted}).select()" in remedy_of(found)


# --- SQL

NAMES = (
    *(
        'we"ird',
        "q'uote",
        "back\\slash",
        "\\'; drop table kept; --",
        '"; drop table kept; --',
        "user",
        "order",
    ),
    *("select", "UPPER", "sp ace", "new\nline", "\x1b[31m", "\u202e", "$$", "%s", ":x", "ünï", "1x", ""),
)


@pytest.fixture(scope="module")
def sql(project: dict[str, str]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(project["SUPABASE_DB_URL"]) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("text", NAMES)
def test_a_literal_means_itself(sql: psycopg.Connection[Any], text: str) -> None:
    assert sql.execute(f"select {quoting.literal(text)}".encode()).fetchall() == [(text,)]
    assert quoting.literal(text).isprintable()


@pytest.mark.parametrize("name", [name for name in NAMES if name])
def test_each_statement_has_only_its_intended_effect(sql: psycopg.Connection[Any], name: str) -> None:
    """The remedies for a schema, a table, a column, a role and a topic of such a name."""
    identifier = psycopg.sql.Identifier
    sql.execute("create table kept ()")
    for statement in (
        "create schema {0}",
        "create role {0}",
        "create table {0}.{0} ({0} int, updated_at text)",
    ):
        sql.execute(psycopg.sql.SQL(statement).format(identifier(name)))
    one = facts_of(name, name, name)
    relation = Relation(
        schema=name,
        name=name,
        kind="r",
        identity="n",
        has_row_security=True,
        is_published=False,
        key=(),
        identity_columns=(),
        columns=(name, "updated_at"),
        readable=("updated_at",),
        may_use_schema=False,
        policies=(),
    )
    binding = Binding(schema=name, table=name, filter="x=eq.1")
    row = answered(status=200, body=json.dumps([{name: 1}]).encode())
    statements = [
        evidence.unpublished(one).remedy,
        evidence.ungranted(one).remedy,
        evidence.policy_sql(one),
        evidence.policies_sql(one),
        receives_sql(name, name),
        sends_sql(name, name),
        *remedies(
            tables._grants(one, relation),
            tables._grants(one, _with(relation, may_use_schema=True)),
            tables._grants(one, _with(relation, may_use_schema=True, readable=())),
            tables._identity(one, _with(relation, is_published=True)),
            tables._row_security(one, _with(relation, has_row_security=False, is_open_to_anon=True)),
            tables._key(one, relation),
        ),
        refusals.of_binding(binding, "Please check Realtime is enabled").hint,
        tables._parameters(_facts_with(one, read=row), _refused_column(name), "")[0].remedy,
        index_sql(f"{name}.{name}", name),
        *of_the_tap(name),
        of_the_suite_rls(name),
    ]
    for statement in statements:
        assert statement is not None
        assert statement.isprintable()
        with sql.transaction(force_rollback=True):
            sql.execute(statement.encode())
            assert sql.execute("select to_regclass('kept') is not null").fetchone() == (True,)
    slot = database.judge(database_with_slot(name), "anon")
    (drop,) = [cause.remedy for found in slot for cause in found.causes]
    assert drop == f"select pg_drop_replication_slot({quoting.literal(name)});"
    sql.rollback()


def of_the_tap(name: str) -> list[str]:
    """The statements that the remedies of `prt tap` begin with; the app and the server chose the names."""
    data = {"table": f"{name}.{name}", "role": name}
    ids = {"binding-refused": "; and", "delete-filter": "; or", "no-acknowledgement": "; for"}
    found = [TapFinding(at=0, id=id_, severity="error", evidence=[], data=data) for id_ in ids]
    return [remedy_of(one).rpartition(ids[one.id])[0] for one in found]


def of_the_suite_rls(name: str) -> str:
    context: Any = SimpleNamespace(table=f"{name}.{name}")
    return (rls._leak(context, "anon", "INSERT").remedy or "").rpartition("; and")[0]


def _refused_column(name: str) -> Status:
    """Return what a binding gets whose filter names a column that may not be read."""
    return Status(at=0, topic="t", status="CHANNEL_ERROR", code="filter_column", subject=name)


def database_with_slot(name: str) -> Any:
    server = Server(
        version="17",
        wal_level="logical",
        slots=1,
        max_slots=1,
        idle_slots=(name,),
        connections=1,
        max_connections=100,
        publication=Publication(True, True, True),
        has_role=True,
        passes_row_security=False,
    )
    return Database(milliseconds=1.0, server=server, relations={}, others=())


def _with(relation: Relation, **more: Any) -> Relation:
    return msgspec.structs.replace(relation, **more)


def _facts_with(one: evidence.TableFacts, **more: Any) -> evidence.TableFacts:
    return msgspec.structs.replace(one, **more)
