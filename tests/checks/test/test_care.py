"""What `prt test` does to a table, and what it reports if a project allows less than it needs."""

from __future__ import annotations

import asyncio
import json

import pytest

from prt.checks.test.identities import identities_of
from prt.checks.test.outcomes import failure_of
from prt.checks.test.plan import littered
from prt.checks.test.row_factory import text_column
from prt.checks.test.rows import Row, Rows
from prt.checks.test.suites.load import Step, moments
from prt.config.project import resolve
from prt.errors import UnreachableError
from prt.local.project.variables import keys_of
from prt.local.seed.people import MEMBER, STRANGER
from prt.stream.rest.answers import UnknownFateError
from prt.stream.socket.failures import NothingAcceptedError
from tests.checks.checking import SOON, Ran, made, marked_rows, run_suites
from tests.running import clean_environment, ran

TABLE = """
create table public.cared (id int generated always as identity primary key, title text, user_id uuid);
alter table public.cared enable row level security;
alter publication supabase_realtime add table public.cared;
"""
DROPPED = "drop table public.cared;"
OWN = "create policy own on public.cared for all to authenticated using (user_id = auth.uid());"
ADDS = """create policy reads on public.cared for select to authenticated using (true);
  create policy adds on public.cared for insert to authenticated with check (true);"""


def without_server_key(project: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in project.items()
        if name not in ("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY")
    }


def why(ran_: Ran, name: str) -> tuple[str, str, str]:
    failure = ran_[name].failure
    assert failure is not None, ran_[name]
    return failure.came, failure.cause or "", failure.remedy or ""


def test_a_row_gets_its_owner_where_the_column_may_be_empty(project: dict[str, str]) -> None:
    with made(project, TABLE + OWN, DROPPED):
        done = run_suites(project, "changes", "rls", only=["insert", "visibility"], table="cared")
    assert done.outcomes["changes insert"] == "pass"
    seen = "seen by service, member (1 of 2 rows), stranger (1 of 2 rows); hidden from anon"
    assert done["rls visibility"].note == seen


def test_messages_of_a_room_are_written_and_judged_by_their_own_key(project: dict[str, str]) -> None:
    """A policy that asks for a room's members refuses a message without a room, and does not name it."""
    tables = f"""
      create table public.cared_rooms (id int primary key, member uuid);
      create table public.cared (
        room_id int not null references public.cared_rooms, seq int generated always as identity,
        author uuid not null, body text not null, primary key (room_id, seq));
      create function public.is_in_room(room int) returns boolean language sql security definer stable as
        $$ select exists (select from public.cared_rooms where id = room and member = auth.uid()) $$;
      insert into public.cared_rooms values (7, '{MEMBER.id}'), (8, '{STRANGER.id}');
      insert into public.cared (room_id, author, body)
        values (8, '{STRANGER.id}', 'x'), (7, '{STRANGER.id}', 'y');
      alter table public.cared enable row level security;
      create policy reads on public.cared for select to authenticated using (public.is_in_room(room_id));
      create policy adds on public.cared for insert to authenticated
        with check (author = auth.uid() and public.is_in_room(room_id));
      create policy changes on public.cared for update to authenticated using (author = auth.uid());
      grant all on public.cared to authenticated, service_role;
      alter publication supabase_realtime add table public.cared;"""
    dropped = DROPPED + "drop function public.is_in_room; drop table public.cared_rooms;"
    with made(project, tables, dropped):
        done = run_suites(project, "changes", only=["insert", "update", "select"], table="cared")
        again = run_suites(project, "reconnect", table="cared")
    passed = [name for name, outcome in done.outcomes.items() if outcome == "pass"]
    assert passed == ["connect handshake", "changes insert", "changes update", "changes select"]
    assert again["reconnect recovered"].reason == (
        "public.cared has no column id, which tells rows apart when missed ones are read"
    )


def test_a_column_that_takes_no_text_can_not_hold_the_mark(project: dict[str, str]) -> None:
    with made(project, TABLE + OWN, DROPPED):
        done = run_suites(project, "changes", only=["insert"], table="cared", marker="user_id")
    reason = str(done["changes insert"].reason)
    assert reason.startswith("user_id of public.cared takes no text for the mark; name a text column with ")


def test_rows_without_a_date_are_not_expected_back_after_an_outage(project: dict[str, str]) -> None:
    with made(project, TABLE + OWN, DROPPED):
        done = run_suites(project, "reconnect", table="cared")
    assert done["reconnect recovered"].reason == (
        "public.cared has no column updated_at or created_at, by which missed rows are found"
    )


def test_a_row_gets_the_claims_that_its_columns_are_called_like(project: dict[str, str]) -> None:
    table = TABLE.replace("user_id uuid", "team text not null")
    own = "create policy own on public.cared for all to authenticated using (team = auth.jwt() ->> 'team');"
    token = keys_of(project).sign({"role": "authenticated", "sub": MEMBER.id, "team": "blue"}, seconds=600)
    with made(project, table + own, DROPPED):
        member = {**project, "PRT_TOKEN": token}
        done = run_suites(member, "changes", "rls", only=["insert", "visibility"], table="cared")
    assert done.outcomes["changes insert"] == "pass"
    assert done["rls visibility"].note == "seen by service, member (1 of 2 rows); hidden from stranger, anon"


def test_a_table_that_the_user_only_reads_is_written_as_the_service(project: dict[str, str]) -> None:
    reads = "create policy reads on public.cared for select to authenticated using (true);"
    with made(project, TABLE + reads, DROPPED):
        done = run_suites(project, "rls", table="cared")
    assert done["rls visibility"].note == "seen by service, member, stranger; hidden from anon"
    assert done.outcomes["rls deletes"] == "pass"


def test_one_row_at_most_stays_where_none_can_be_removed(project: dict[str, str]) -> None:
    """A policy for DELETE can't be asked for: it shows when the first row would not go."""
    environment = clean_environment(**without_server_key(project))
    with made(project, TABLE + ADDS, DROPPED):
        first = ran("test", "changes", "rls", "--table", "cared", environment=environment)
        second = ran("test", "changes", "--table", "cared", environment=environment)
        assert marked_rows(project, "cared") == 1
        cleaned = ran("test", "--clean", "--table", "cared", environment=clean_environment(**project))
        assert cleaned.returncode == 0
        assert marked_rows(project, "cared") == 0
    left = json.loads(first.stdout.splitlines()[-2])
    assert (first.returncode, left["suite"], left["outcome"]) == (1, "rows", "fail")
    assert left["failure"]["expected"] == "every row of this run removed from public.cared"
    assert "prt test --clean" in left["failure"]["remedy"]
    assert second.returncode == 0
    assert "rows of former test runs (1)" in json.loads(second.stdout.splitlines()[1])["reason"]


@pytest.mark.parametrize(("check", "doing"), [("update", "UPDATE"), ("delete", "DELETE")])
def test_a_write_that_policies_make_nothing_of(project: dict[str, str], check: str, doing: str) -> None:
    """REST answers as if it were done."""
    with made(project, TABLE + ADDS, DROPPED):
        done = run_suites(project, "changes", only=[check], table="cared")
    assert done.outcomes[f"changes {check}"] == "skip"
    assert f"no policy of public.cared lets this identity {doing} its row" in str(
        done[f"changes {check}"].reason
    )


def test_a_table_to_which_rows_are_only_added_can_leak_too(project: dict[str, str]) -> None:
    leak = ADDS.replace("to authenticated using (true)", "using (user_id = auth.uid() or {})").format(
        "(auth.role() = 'anon' and nullif(current_setting('request.headers', true), '') is null)"
    )
    with made(project, TABLE + leak, DROPPED):
        done = run_suites(project, "rls", only=["visibility"], table="cared")
    came, _, _ = why(done, "rls visibility")
    assert came == "the INSERT with its values: a leak"
    with made(project, TABLE + ADDS, DROPPED):
        done = run_suites(project, "rls", table="cared")
    assert done.outcomes["rls deletes"] == "pass"
    assert "; INSERT alone: no policy" in done["rls visibility"].note


def test_deletes_that_nobody_receives(project: dict[str, str]) -> None:
    publish = "alter publication supabase_realtime set (publish = '{}');"
    some, all_ = publish.format("insert, update"), publish.format("insert, update, delete, truncate")
    with made(project, some, all_):
        done = run_suites(project, "rls", only=["deletes"], wait_seconds=SOON)
    came, cause, _ = why(done, "rls deletes")
    assert (came, cause) == ("none", "the publication leaves out deletes")


@pytest.mark.parametrize(
    ("is_named", "remedy"),
    [
        (True, "REST says: Perhaps you meant the table 'public.notifications'"),
        (False, "name one of yours with "),
    ],
)
@pytest.mark.parametrize("suites", [("changes", "notify", "rls"), ("notify",), ("rls",)])
def test_a_table_that_is_not_there_fails_once_and_no_remedy_adds_it_to_a_publication(
    project: dict[str, str], is_named: bool, remedy: str, suites: tuple[str, ...]
) -> None:
    done = run_suites(project, *suites, table="notification", is_table_named=is_named)
    first, *others = [result for result in done.results if result.suite != "connect"]
    assert why(done, f"{first.suite} {first.name}")[2].startswith(remedy)
    assert {(one.outcome, one.reason) for one in others} == {
        ("skip", "there is no table public.notification, as the first failure says")
    }


def test_a_table_that_nobody_can_look_for_is_a_failure(project: dict[str, str]) -> None:
    """REST that is away must not make a suite one that the project doesn't offer."""

    async def main() -> str:
        away = resolve(local={**project, "SUPABASE_URL": "http://127.0.0.1:9"})
        async with identities_of(away, None) as identities:
            with pytest.raises(UnreachableError) as raised:
                await text_column(await identities.rest("self"), "public", "notifications", None)
            return raised.value.message

    assert "REST" in asyncio.run(main())


def test_figures_measured_before_the_end_are_reported(
    project: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inserting = Rows.insert

    async def failing(rows: Rows, tag: str, mark: str | None = None, **more: object) -> Row:
        if rows.next_mark(tag).endswith(" 9 latency"):  # each row takes two numbers here
            raise UnknownFateError("REST went away before it answered")
        return await inserting(rows, tag, mark, **more)

    monkeypatch.setattr(Rows, "insert", failing)
    lag = run_suites(project, "latency", samples=20)["latency lag"]
    assert lag.outcome == "fail"
    assert (lag.figures["expected"], lag.figures["delivered"], len(lag.lags_ms)) == (3, 3, 3)
    assert lag.failure is not None
    assert (lag.failure.expected, lag.failure.cause is None) == ("20 changes", False)


def test_a_schema_in_any_script(project: dict[str, str]) -> None:
    done = ran("test", "changes", "--table", "Bücher.Bände", environment=clean_environment(**project))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1, done.stderr
    assert lines[1]["failure"]["expected"] == "the table Bücher.Bände, which --table names"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("test", "--table", ""), "is not the name of a table"),
        (("test", "load", "--clients", "201"), "more than the plan's 200 connections"),
    ],
)
def test_what_can_not_be_asked_for(arguments: tuple[str, ...], words: str) -> None:
    done = ran(*arguments, environment=clean_environment(SUPABASE_URL="http://127.0.0.1:9"))
    assert done.returncode == 2
    assert words in done.stderr


def test_a_summary_that_can_not_be_written_fails_no_run(project: dict[str, str]) -> None:
    environment = clean_environment(**project, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY="/dev/full")
    done = ran("test", "channel", "--junit", "/dev/stderr", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "GITHUB_STEP_SUMMARY can't be written: No space left on device" in done.stderr
    assert "</testsuites>" in done.stderr


def test_rows_are_due_as_the_rate_adds_up() -> None:
    assert list(moments([Step(4, 1), Step(8, 0.5)])) == [0, 0.25, 0.5, 0.75, 1, 1.125, 1.25, 1.375]
    assert list(moments([Step(0.1 * share, 5) for share in (0.25, 0.5, 0.75, 1)])) == pytest.approx([0, 17.5])


def test_a_failure_names_its_cause_apart_from_what_came() -> None:
    failure = failure_of(
        NothingAcceptedError("the subscription was refused", "t is not published", "sql"), "READY"
    )
    assert (failure.came, failure.cause, failure.remedy) == (
        "the subscription was refused",
        "t is not published",
        "sql",
    )
    assert failure_of(UnreachableError("can't connect", "up?"), "a websocket").cause is not None
    assert littered("public.t", "1 may not be deleted").outcome == "fail"
