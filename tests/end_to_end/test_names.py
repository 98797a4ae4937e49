"""Columns and tables of every legal name, from the command line to what is shown of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.running import of_project, piped, ran, terminal

NAMES = (
    *('we"ird', "back\\slash", "com,ma", "dot.ted", "per%cent", "[b]", "{b}", " lead", "a=b", "a:b", "ünï"),
    *("new\nline", "\x1b]0;title\x07", "\u202eturned"),
)
TABLE = 'od"d, \x1b[31mtable'
WORD = '"od""d, \x1b[31mtable"'


@pytest.fixture(scope="module")
def odd(project: dict[str, str]) -> Iterator[dict[str, str]]:
    """A project with a table whose columns and key have names of every kind; it has one row."""
    table = sql.Identifier(TABLE)
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in NAMES)
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as database:
        database.execute(
            sql.SQL("create table {} ({}, primary key ({}, {}))").format(
                table, columns, sql.Identifier(NAMES[0]), sql.Identifier(NAMES[2])
            )
        )
        database.execute(sql.SQL("alter publication supabase_realtime add table {}").format(table))
        database.execute(sql.SQL("grant all on {} to authenticated").format(table))
        database.execute(
            sql.SQL("insert into {} values ({})").format(
                table, sql.SQL(", ").join(sql.Literal(f"v{number}") for number, _ in enumerate(NAMES))
            )
        )
        yield project
        database.execute(sql.SQL("drop table {}").format(table))


def quoted(*names: str) -> str:
    return ",".join('"' + name.replace('"', '""') + '"' for name in names)


KEY = ("--key", quoted(NAMES[0], NAMES[2]))


@pytest.mark.parametrize("output", ["json", "text"])
@pytest.mark.parametrize("batch", [(), ("--batch", "20")], ids=["each", "batch"])
def test_a_snapshot_and_a_change_are_shown(odd: dict[str, str], output: str, batch: tuple[str, ...]) -> None:
    arguments = (WORD, "--snapshot", *KEY, "--output", output, "--count", "1", *batch)
    with piped("watch", *arguments, environment=of_project(odd)) as watch:
        watch.until_words("v0")
        with psycopg.connect(odd["SUPABASE_DB_URL"], autocommit=True) as database:
            change = sql.SQL("update {} set {} = 'changed'")
            database.execute(change.format(sql.Identifier(TABLE), sql.Identifier(NAMES[5])))
        out, err = watch.rest()
    assert watch.process.returncode == 0, err
    assert "changed" in out
    assert "\x1b[31m" not in out + err
    assert "bug" not in err


def test_a_view_in_a_terminal_shows_them_as_text(odd: dict[str, str]) -> None:
    with terminal(
        "watch", WORD, "--snapshot", *KEY, environment=of_project(odd), columns=200, lines=30
    ) as watch:
        watch.until(lambda text: "v0" in text and 'we"ird' in text and "␛]0;title␇" in text)
        watch.send(b"q")
        assert watch.finish() == 0
    assert b"\x1b]0;title" not in watch.raw


@pytest.mark.parametrize("name", NAMES)
def test_each_is_selected_and_dates_rows(odd: dict[str, str], name: str) -> None:
    select = quoted(name, NAMES[0])
    arguments = (WORD, "--snapshot", *KEY, "--select", select, "--cursor", name, "--json", "--timeout", "60")
    with piped("watch", *arguments, environment=of_project(odd)) as watch:
        row = watch.until(lambda line: line.get("source") == "snapshot")["new"]
    assert set(row) == {name, NAMES[0]}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in (NAMES[0], NAMES[2])])
def test_each_is_updated(odd: dict[str, str], name: str) -> None:
    key = f"{quoted(NAMES[0])}=v0,{quoted(NAMES[2])}=v2"
    done = ran("update", WORD, key, f"{quoted(name)}=now {name[:3]}", "--json", environment=of_project(odd))
    assert done.returncode == 0, done.stderr
    with psycopg.connect(odd["SUPABASE_DB_URL"]) as database:
        (value,) = database.execute(  # type: ignore[misc]
            sql.SQL("select {} from {}").format(sql.Identifier(name), sql.Identifier(TABLE))
        ).fetchone()
    assert value == f"now {name[:3]}"
    assert [json.loads(line) for line in done.stdout.splitlines()]
