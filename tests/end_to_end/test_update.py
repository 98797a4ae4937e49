"""`prt update` against a real database: confirmed by its own echo, or rolled back on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.running import of_project, piped, ran, terminal

Database = psycopg.Connection[Any]

TABLES = """
create table signs (id int primary key, text text, rating numeric, updated_at timestamptz default now());
create table signs_of_others (like signs including all);
alter publication supabase_realtime add table signs, signs_of_others;
grant all on signs, signs_of_others to anon, authenticated;
alter table signs_of_others enable row level security;
create policy "all may read" on signs_of_others for select using (true);
create policy "some may write" on signs_of_others for update using (id > 1);
create function dated() returns trigger language plpgsql as $$
  begin new.updated_at = clock_timestamp(); return new; end $$;
create trigger dated before update on signs for each row execute function dated();
insert into signs values (1, 'Exit', 1.10);
insert into signs_of_others values (1, 'Exit', 1);
"""


@pytest.fixture(scope="module")
def signs(project: dict[str, str]) -> Iterator[Database]:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        connection.execute(TABLES)
        yield connection
        connection.execute("drop table signs, signs_of_others; drop function dated")


def test_a_row_is_written_and_its_echo_confirms_it(project: dict[str, str], signs: Database) -> None:
    arguments = ("update", "signs", "1", "text=Way out", "rating=2.50", "--if", "text=Exit")
    with piped(*arguments, environment=of_project(project)) as run:
        code, lines, err = run.finish()
    assert code == 0
    assert [line["type"] for line in lines if line["type"] != "status"] == ["change", "end"]
    assert lines[-2]["new"] | {"updated_at": None} == {
        "id": 1,
        "text": "Way out",
        "rating": 2.5,
        "updated_at": None,
    }
    assert "prt: signs 1: text Exit → Way out, rating 1.10 → 2.50\n" in err
    assert "prt: applied → committed " in err
    assert " → confirmed " in err
    assert signs.execute("select text, rating::text from signs").fetchone() == ("Way out", "2.50")

    lost = ran(*arguments, environment=of_project(project))
    assert lost.returncode == 1
    assert "rolled back: somebody else has changed it: text is Way out" in lost.stderr


def test_what_a_policy_refuses_is_rolled_back_on_the_screen(project: dict[str, str], signs: Database) -> None:
    arguments = ("update", "signs_of_others", "1", "text=Way out")
    with terminal(*arguments, environment=of_project(project), columns=100) as view:
        assert view.finish() == 1
        assert "applied → rolled back" in view.text
        assert "0 rows were changed: a row level security policy" in view.text
        assert "look at the UPDATE policies of public.signs_of_others" in view.text
    drawn = bytes(view.raw).partition(b"\x1b[?1049l")[0].decode()
    assert "public.signs_of_others" not in drawn
    assert "signs_of_others 1" in drawn
    assert "\x1b[?1049h" in drawn


def test_without_a_subscription_nothing_is_written(project: dict[str, str], signs: Database) -> None:
    signs.execute("alter publication supabase_realtime drop table signs_of_others")
    done = ran("update", "signs_of_others", "1", "text=x", "--only", "end", environment=of_project(project))
    assert done.returncode == 4
    assert "alter publication supabase_realtime add table public.signs_of_others;" in done.stderr
