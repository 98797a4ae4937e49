"""What a user of `prt watch` reads if tables are refused, or if rows were not read."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import psycopg
import pytest

from tests.running import of_project, piped, ran

UNPUBLISHED = "prt_refused"


PUBLISHED = "prt_watched"
LOCK = 26_11


@pytest.fixture
def published(project: dict[str, str]) -> Iterator[str]:
    """A published table whose row can be read only while nobody holds the lock."""
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        connection.execute(
            f"create table public.{PUBLISHED} (id int primary key, updated_at timestamptz default now());"
            f"insert into public.{PUBLISHED} values (1);"
            f"alter table public.{PUBLISHED} enable row level security;"
            f"create policy reading on public.{PUBLISHED} for select "
            f"using (pg_advisory_xact_lock({LOCK}) is not null);"
            f"alter publication supabase_realtime add table public.{PUBLISHED};"
            f"grant select on public.{PUBLISHED} to anon, authenticated"
        )
        try:
            yield PUBLISHED
        finally:
            connection.execute(f"drop table public.{PUBLISHED}")


@pytest.fixture
def unpublished(project: dict[str, str]) -> Iterator[str]:
    """A table that exists, and is not published."""
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        connection.execute(f"create table public.{UNPUBLISHED} (id int primary key)")
        connection.execute(f"grant select on public.{UNPUBLISHED} to anon, authenticated")
        try:
            yield UNPUBLISHED
        finally:
            connection.execute(f"drop table public.{UNPUBLISHED}")


@pytest.mark.parametrize("option", [("--snapshot",), ("--since", "2h")])
def test_rows_that_were_not_read_before_the_end_are_reported(
    project: dict[str, str], published: str, option: tuple[str, ...]
) -> None:
    with psycopg.connect(project["SUPABASE_DB_URL"]) as connection:
        connection.execute(f"select pg_advisory_xact_lock({LOCK})")
        ended = ran("watch", published, *option, "--idle", "100ms", environment=of_project(project))
    assert ended.returncode == 0
    assert ended.stderr.splitlines()[-1] == (
        f"prt: the watch ended before the rows of `{option[0]}` were all read: give it longer"
    )


def test_default_tables_that_are_all_refused_are_one_line_and_one_hint(project: dict[str, str]) -> None:
    ended = ran("watch", "--schema", "prt_elsewhere", environment=of_project(project))
    assert ended.returncode == 4
    assert ended.stderr.splitlines() == [
        "prt: none of the demo's 30 tables, which are watched without TABLE, is published here",
        "hint: name yours, such as `prt watch TABLE`, or '*' for every published table",
    ]


def test_a_misspelt_table_is_reported_once_with_the_similar_name(project: dict[str, str]) -> None:
    ended = ran("watch", "invoicez", environment=of_project(project))
    assert ended.returncode == 4
    assert ended.stderr.splitlines() == [
        "prt: there is no table public.invoicez; did you mean invoices?",
        "hint: prt watch invoices",
    ]


def test_a_table_that_is_not_published_is_reported_once_with_the_remedy(
    project: dict[str, str], unpublished: str
) -> None:
    ended = ran("watch", unpublished, environment=of_project(project))
    assert ended.returncode == 4
    error, hint = ended.stderr.splitlines()
    assert error.startswith(f"prt: public.{unpublished} is not in the publication supabase_realtime")
    assert hint == (
        f"hint: alter publication supabase_realtime add table public.{unpublished}; "
        f"-- or ask `prt status {unpublished}`"
    )


NO_TABLE = "there is no table public.qqq"
NAME_TABLE = "hint: name the table of your notifications with --table"
NAME_COLUMN = "hint: name the column that holds the user's id with --user-column"
SEND = ("notify", "send", "--title", "x")


@pytest.mark.parametrize(
    ("command", "code", "what", "hint"),
    [
        (("notify", "--table", "qqq"), 4, NO_TABLE, NAME_TABLE),
        (("notify", "--expect", "INSERT qqq", "--table", "qqq", "-q"), 4, NO_TABLE, NAME_TABLE),
        (("notify", "--table", "notification"), 4, "did you mean", "hint: prt notify --table notifications"),
        (("notify", "--table", "invoices"), 4, "invalid column for filter user_id", NAME_COLUMN),
        ((*SEND, "--table", "qqq"), 4, NO_TABLE, NAME_TABLE),
        ((*SEND, "--table", "qqq", "--no-wait"), 4, "Could not find the table 'public.qqq'", NAME_TABLE),
        ((*SEND, "--table", "invoices"), 4, "invalid column for filter user_id", NAME_COLUMN),
        (("notify", "read", "--all", "--table", "qqq"), 4, "Could not find the table", NAME_TABLE),
        (("notify", "read", "--all", "--table", "invoices"), 2, "user_id does not exist", NAME_COLUMN),
        (("update", "qqq", "1", "a=b"), 4, NO_TABLE, "hint: name a table that exists"),
        (
            ("update", "budgets", "key=1", "id=2"),
            4,
            "invalid column for filter key",
            "hint: name the columns of the key: COL=VALUE,COL=VALUE",
        ),
    ],
)
def test_a_project_without_the_demos_tables_learns_how_to_name_its_own(
    project: dict[str, str], command: tuple[str, ...], code: int, what: str, hint: str
) -> None:
    ended = ran(*command, environment=of_project(project))
    assert ended.returncode == code
    *_, error, advice = [line for line in ended.stderr.splitlines() if not line.startswith("prt: missing")]
    assert what in error
    assert advice.startswith(hint)


def test_a_date_column_that_does_not_exist_is_reported_and_nothing_counts_as_verified(
    project: dict[str, str],
) -> None:
    arguments = ("watch", "budgets", "--cursor", "nowhere")
    with piped(*arguments, environment=of_project(project)) as watch:
        line = watch.until(lambda line: line["type"] == "status" and line["reason"] is not None)
        watch.process.send_signal(signal.SIGINT)
        _, lines, err = watch.finish()
    assert line["reason"] == "public.budgets has no column nowhere (--cursor): its missed rows can't be found"
    assert err.splitlines()[0] == f"prt: {line['reason']}"
    verified = lines[-1]["verified"].get("public.budgets")
    assert verified is None or verified["scope"] == "none"
