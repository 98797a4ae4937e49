"""The bundle of `prt status`: what is in it, and that no secret and no value of any row is."""

from __future__ import annotations

import json
import re
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.running import clean_environment, of_project, ran

TITLE = "Königin 7714 of the bundle"
MEMBERS = {
    "README.txt",
    "configuration.json",
    "layers.ndjson",
    "versions.json",
    "timings.json",
    "frames.ndjson",
}


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    else:
        yield value


def values_of_rows(connection: psycopg.Connection[Any]) -> set[str]:
    """Every text of the seed that is neither a word nor a day, which the program's own sentences may hold."""
    tables = connection.execute("select quote_ident(tablename) from pg_tables where schemaname = 'public'")
    found: set[str] = set()
    for (table,) in [*tables, ("auth.users",)]:
        for (row,) in connection.execute(f"select to_jsonb(t) from {table} t"):
            found |= {one for one in leaves(row) if isinstance(one, str)}
    is_word = re.compile(r"[A-Za-z_]*|\d{4}-\d\d-\d\d").fullmatch
    return {one for one in found if len(one) > 3 and not is_word(one)}


@pytest.fixture
def writing(project: Mapping[str, str]) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the database while rows are written all the time."""
    is_over = threading.Event()

    def write() -> None:
        with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as own:
            while not is_over.wait(0.05):
                own.execute(
                    "insert into notifications (user_id, type, title) "
                    "select id, 'info', %s from auth.users where email = 'maya@example.com'",
                    [TITLE],
                )

    writer = threading.Thread(target=write)
    writer.start()
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        yield connection
        is_over.set()
        writer.join()
        connection.execute("delete from notifications where title = %s", [TITLE])


def test_no_secret_and_no_value_is_in_a_bundle(
    project: Mapping[str, str], tmp_path: Path, writing: psycopg.Connection[Any]
) -> None:
    environment = of_project(project, SUPABASE_DB_URL=project["SUPABASE_DB_URL"], HOME=str(tmp_path))
    environment["SUPABASE_SERVICE_ROLE_KEY"] = project["SUPABASE_SERVICE_ROLE_KEY"]
    values = values_of_rows(writing) | {TITLE, "7714"}
    arguments = ("notifications", "--filter", "title=neq.Walküre 4711", "--bundle", "report.zip")
    run = ran("status", *arguments, environment=environment, folder=tmp_path)
    assert run.returncode == 0, run
    assert run.stderr.startswith("prt: written to report.zip: look through it")
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(texts) == MEMBERS

    frames = [json.loads(line) for line in texts["frames.ndjson"].splitlines()]
    changes = [one["payload"] for one in frames if one.get("frame") == "postgres_changes"]
    assert {(one["type"], one["table"]) for one in changes} == {("INSERT", "notifications")}
    assert changes[0]["record"]["title"] == "<string>"
    assert {cell[:1] for one in changes for cell in one["record"].values()} == {"<"}
    assert "phx_reply" in {one.get("frame") for one in frames}
    assert "title=neq.<value>" in texts["frames.ndjson"]
    assert json.loads(texts["versions.json"])["libraries"]["realtime"]
    assert "handshake" in json.loads(texts["timings.json"])["layers"]
    layers = [json.loads(line) for line in texts["layers.ndjson"].splitlines()]
    assert [one["state"] for one in layers if one["check"] == "READY"] == ["ok"]
    assert {"name": "url", "value": project["SUPABASE_URL"]}.items() <= json.loads(
        texts["configuration.json"]
    )[0].items()

    assert len(values) > 100
    secrets = {
        value for name, value in project.items() if name.endswith(("KEY", "SECRET", "TOKEN", "PASSWORD"))
    }
    assert len(secrets) > 3
    whole = "\n".join(texts.values())
    parts = {part for secret in secrets for part in secret.split(".")}
    for one in values | parts | {"Walküre", "4711", str(tmp_path)}:
        assert one not in whole, one


def test_a_bundle_replaces_no_file(project: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "report.zip").write_text("mine")
    run = ran("status", "--bundle", "report.zip", environment=of_project(project), folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("prt: report.zip exists\nhint: ")
    assert (tmp_path / "report.zip").read_text() == "mine"


def test_a_bundle_of_what_can_not_be_reached(project: Mapping[str, str], tmp_path: Path) -> None:
    environment = {**of_project(project), "SUPABASE_URL": "http://127.0.0.1:1"}
    run = ran("status", "--bundle", "report.zip", environment=environment, folder=tmp_path)
    assert run.returncode == 4
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        assert '"layer":"tcp"' in archive.read("layers.ndjson").decode()
        assert archive.read("frames.ndjson") == b""


def test_a_bundle_without_a_project_holds_what_was_found(tmp_path: Path) -> None:
    environment = clean_environment(HOME=str(tmp_path))
    run = ran("status", "--bundle", "report.zip", environment=environment, folder=tmp_path)
    assert run.returncode == 2
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        assert set(archive.namelist()) == MEMBERS
        assert "no project configured" in archive.read("layers.ndjson").decode()
