"""Tables that the server refuses, as a user of `prt watch` reads about them."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.running import of_project, ran

UNPUBLISHED = "prt_refused"


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
