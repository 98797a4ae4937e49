"""`prt notify send` and `read` without their process, against the session's project."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from prt.app.notifications.marking import Marked, mark_all_as_read, mark_as_read, write_marked
from prt.app.notifications.sending import Sent, send
from prt.app.notifications.table import NotificationTable, user_of_session
from prt.cli.main import run
from prt.errors import PrtError, RefusedError, UnreachableError, UsageError
from prt.local.seed.people import MEMBER, STRANGER
from prt.stream.rest.session import Endpoint, Session

Database = psycopg.Connection[Any]

TARGET = NotificationTable(schema="public", table="notifications", column="user_id")


@pytest.fixture
def database(project: dict[str, str]) -> Iterator[Database]:
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def session(project: dict[str, str]) -> Session:
    return Session(
        Endpoint(url=project["SUPABASE_URL"], key=project["SUPABASE_ANON_KEY"], token=project["PRT_TOKEN"])
    )


@pytest.fixture
def service(project: dict[str, str]) -> Session:
    return Session(Endpoint(url=project["SUPABASE_URL"], key=project["SUPABASE_SERVICE_ROLE_KEY"]))


def row_of(database: Database, its_id: str | None) -> tuple[Any, ...] | None:
    return database.execute(
        "select title, read_at is not null from notifications where id = %s", (its_id,)
    ).fetchone()


def sent(
    session: Session,
    target: NotificationTable = TARGET,
    *,
    seconds: float = 30,
    is_awaited: bool = True,
    **values: Any,
) -> tuple[Sent, PrtError | None]:
    values = {"user_id": MEMBER.id, "title": "Doors"} | values
    return asyncio.run(send(session, target, values, seconds=seconds, is_awaited=is_awaited))


def test_a_sent_notification_is_received(session: Session, database: Database) -> None:
    one, error = sent(session, type="success", message="Gate 3")
    assert error is None
    assert one.written_ms > 0
    assert one.echoed_ms is not None
    assert row_of(database, one.id) == ("Doors", False)


def test_who_does_not_wait_needs_no_subscription(session: Session, database: Database) -> None:
    one, error = sent(session, is_awaited=False)
    assert (error, one.echoed_ms) == (None, None)
    assert row_of(database, one.id) == ("Doors", False)


def test_a_notification_that_we_may_write_but_not_read_is_reported(
    session: Session, database: Database
) -> None:
    """A colleague's notification is his alone."""
    (workspace,) = database.execute("select id from workspaces order by id limit 1").fetchone() or ("",)
    title = f"for Otto {uuid4()}"
    one, error = sent(session, user_id=STRANGER.id, workspace_id=str(workspace), title=title)
    assert (one.id, one.row, one.echoed_ms) == (None, None, None)
    assert error is not None
    assert error.exit_code == 1
    assert "row-level security hides it from this identity" in error.message
    count = "select count(*) from notifications where title = %s"
    assert database.execute(count, (title,)).fetchone() == (1,), "written once"


def test_what_policies_refuse_is_not_written(session: Session) -> None:
    with pytest.raises(RefusedError, match="row-level security"):
        sent(session, user_id=STRANGER.id)


@pytest.fixture
def bulletins(database: Database) -> Iterator[NotificationTable]:
    """Notifications of another shape; from the fourth on a trigger gives them to somebody else."""
    database.execute(
        "create table bulletins"
        " (id bigint generated always as identity primary key, for_whom text, title text, seen boolean);"
        " grant all on bulletins to service_role;"
        " create function pg_temp.give_away() returns trigger language plpgsql as"
        " $$ begin new.for_whom := 'nobody'; return new; end $$;"
        " create trigger give_away before insert on bulletins for each row when (new.id > 3)"
        " execute function pg_temp.give_away();"
        " alter publication supabase_realtime add table bulletins;"
    )
    yield NotificationTable(schema="public", table="bulletins", column="for_whom")
    database.execute("drop table bulletins")


def test_an_echo_that_does_not_come_is_a_failure_with_a_reason(
    service: Session, database: Database, bulletins: NotificationTable
) -> None:
    def bulletin(**options: Any) -> tuple[Sent, PrtError | None]:
        values = {"for_whom": 'a,"b"', "title": "x"}
        return asyncio.run(send(service, bulletins, values, is_awaited=True, **options))

    one, error = bulletin(seconds=30)
    assert (one.id, error) == ("1", None)
    database.execute("insert into bulletins (title) values ('2'), ('3')")
    one, error = bulletin(seconds=0.2)
    assert (one.id, one.echoed_ms) == ("4", None)
    assert error is not None
    assert (error.exit_code, error.message) == (1, "4 was written, and no echo came in 0.2 s")
    assert error.hint is not None
    assert "has INSERT of public.bulletins" in error.hint


def test_what_is_not_published_is_not_written(
    service: Session, database: Database, bulletins: NotificationTable
) -> None:
    database.execute("alter publication supabase_realtime drop table bulletins")
    with pytest.raises(UnreachableError) as caught:
        asyncio.run(send(service, bulletins, {"for_whom": "a"}, seconds=30, is_awaited=True))
    assert "alter publication supabase_realtime add table" in f"{caught.value.hint}"
    assert database.execute("select count(*) from bulletins").fetchone() == (0,)


def test_some_are_marked_as_read(session: Session, database: Database) -> None:
    ids = [str(sent(session, is_awaited=False)[0].id) for _ in range(3)]
    assert asyncio.run(mark_as_read(session, TARGET, ids[:1])) == Marked(now=ids[:1], before=[], unknown=[])
    nobody = str(uuid4())
    marked = asyncio.run(mark_as_read(session, TARGET, [ids[0], ids[1], nobody, ids[1]]))
    assert marked == Marked(now=[ids[1]], before=[ids[0]], unknown=[nobody])
    assert [row_of(database, one) for one in ids] == [("Doors", True), ("Doors", True), ("Doors", False)]
    with pytest.raises(PrtError, match="invalid input syntax for type uuid") as caught:
        asyncio.run(mark_as_read(session, TARGET, ["seven"]))
    assert caught.value.exit_code == 1


def test_all_are_marked_as_read_and_none_of_others(
    service: Session, session: Session, database: Database
) -> None:
    add = "insert into notifications (user_id, title) values (%s, 'x') returning id::text"
    own, others = [(database.execute(add, (one.id,)).fetchone() or ("",))[0] for one in (MEMBER, STRANGER)]
    assert own in asyncio.run(mark_all_as_read(service, TARGET, MEMBER.id)).now
    assert row_of(database, others) == ("x", False)
    assert asyncio.run(mark_all_as_read(session, TARGET, None)) == Marked(now=[], before=[], unknown=[])


def test_the_column_that_marks_a_notification_as_read_is_found_by_its_name(
    service: Session, database: Database, bulletins: NotificationTable
) -> None:
    database.execute(
        "insert into bulletins (for_whom, seen) values ('a', null), ('a', false), ('a', true), ('b', null)"
    )
    assert asyncio.run(mark_all_as_read(service, bulletins, "a")).now == ["1", "2"]
    assert asyncio.run(mark_as_read(service, bulletins, ["3", "4"])) == Marked(
        now=["4"], before=["3"], unknown=[]
    )
    database.execute("alter table bulletins drop column seen")
    with pytest.raises(PrtError, match="marks a notification as read"):
        asyncio.run(mark_all_as_read(service, bulletins, "a"))


def test_whose_they_are() -> None:
    key = Endpoint(url="", key="sb_publishable_0123456789")
    assert user_of_session(key, "7") == "7"
    for user in (None, " "):
        with pytest.raises(UsageError):
            user_of_session(key, user)


def test_a_title_is_no_white_space(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["notify", "send", "--title", " "]) == 2
    assert capsys.readouterr().err.startswith("prt: --title is empty\nhint: ")


def test_a_closed_standard_output_has_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(BrokenPipeError):
        write_marked(Marked(now=["a"], before=[], unknown=[]), is_json=False)
