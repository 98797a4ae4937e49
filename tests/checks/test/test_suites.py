"""The suites on a project as it should be, and on projects that are broken for real."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from prt.checks.free_values import FreeValues
from prt.checks.test.suites import changes, latency, load, reconnect
from prt.events import Gap
from prt.local.project.variables import keys_of
from prt.local.seed.people import MEMBER, PASSWORD, STRANGER
from tests.checks.checking import SOON, Ran, cleaned, count_of, made, marked_rows, row_of, run_suites
from tests.fakes import Peer, change_data, scripted_server
from tests.faults.proxy import Proxy

TABLE = """
create table public.checked (
  id int generated always as identity primary key, title text, user_id uuid default auth.uid(),
  created_at timestamptz not null default now(), updated_at timestamptz not null default now()
);
alter table public.checked enable row level security;
create policy own on public.checked for all to authenticated using (user_id = auth.uid());
"""
PUBLISHED = TABLE + "alter publication supabase_realtime add table public.checked;"
DROPPED = "drop table public.checked;"
ROLES = """
create policy checked_read on realtime.messages for select to authenticated
  using (realtime.topic() in ('checked:both', 'checked:read'));
create policy checked_write on realtime.messages for insert to authenticated
  with check (realtime.topic() = 'checked:both');
"""
NO_ROLES = "drop policy checked_read on realtime.messages; drop policy checked_write on realtime.messages;"


def test_a_sound_project_passes_them_all(project: dict[str, str]) -> None:
    before = marked_rows(project)
    suites = ["channel", "changes", "broadcast", "presence", "notify", "rls", "reconnect", "latency"]
    ran = run_suites(project, *suites, samples=5)
    assert set(ran.outcomes.values()) == {"pass"}, ran.outcomes
    assert ran["changes filters"].figures["operators"] == 15
    assert ran["changes types"].note.endswith(" columns as REST reads them")
    assert ran["rls visibility"].note == "seen by service, member; hidden from stranger, anon"
    assert ran["reconnect recovered"].figures["recovered"] == 1
    assert len(ran["latency lag"].lags_ms) == 5
    assert {"write_ms", "database_ms", "server_ms", "wire_ms", "client_ms"} <= set(ran["latency lag"].figures)
    assert marked_rows(project) == before == 0


def test_a_user_gets_fresh_tokens(project: dict[str, str]) -> None:
    with_password = {**project, "PRT_PASSWORD": PASSWORD}
    ran = run_suites(with_password, "token", only=["refresh"], as_=MEMBER.email)
    assert ran.outcomes["token refresh"] == "pass"


def test_what_is_missing_is_skipped_with_its_reason(project: dict[str, str]) -> None:
    bare = {name: project[name] for name in ("SUPABASE_URL", "SUPABASE_ANON_KEY")}
    ran = run_suites(bare, "changes", "broadcast", "notify", "rls", "token")
    reasons = {f"{one.suite} {one.name}": one.reason or "" for one in ran.results if one.outcome == "skip"}
    assert "row-level security" in reasons["changes insert"]
    assert "--private-topic" in reasons["broadcast private"]
    assert "needs a user" in reasons["notify own"]
    assert "needs two identities" in reasons["rls visibility"]
    assert "server key" in reasons["rls visibility"]
    assert "--as EMAIL" in reasons["token refresh"]
    assert "SUPABASE_JWT_SECRET" in reasons["token expiry"]


def test_a_server_may_write_for_somebody(project: dict[str, str]) -> None:
    ran = run_suites(project, "changes", only=["insert"], as_="service")
    assert ran.outcomes["changes insert"] == "pass"


def test_a_stranger_may_be_a_user_with_a_password(project: dict[str, str]) -> None:
    environment = {name: value for name, value in project.items() if name != "SUPABASE_JWT_SECRET"}
    environment["PRT_STRANGER_PASSWORD"] = STRANGER.password
    ran = run_suites(environment, "rls", only=["visibility"], stranger=STRANGER.email)
    assert ran["rls visibility"].figures["identities"] == 4


def test_a_private_topic_with_rights(project: dict[str, str]) -> None:
    with made(project, ROLES, NO_ROLES):
        ran = run_suites(project, "broadcast", only=["private"], private_topic="checked:both")
    assert ran.outcomes["broadcast private"] == "pass"


@pytest.mark.parametrize("is_gentle", [True, False])
def test_marked_rows_go_and_others_stay(project: dict[str, str], is_gentle: bool) -> None:
    insert = """insert into notifications (user_id, title)
      select '{member}', 'prt-test:' || n from generate_series(1, 60) n;
      insert into notifications (user_id, title)
      values ('{member}', 'about prt-test:'), ('{member}', 'prt-tests');
    """
    delete = "delete from notifications where title in ('about prt-test:', 'prt-tests');"
    with made(project, insert.format(member=MEMBER.id), delete):
        swept = cleaned(project, is_gentle=is_gentle)
        assert (swept.gone, swept.left) == (60, 0)
        assert marked_rows(project) == 0
        assert count_of(project, "title in ('about prt-test:', 'prt-tests')") == 2


def test_rows_that_may_not_be_removed_are_counted(project: dict[str, str]) -> None:
    kept = """create policy seen on public.notifications for select to anon using (title like 'prt-test:%');
      insert into notifications (user_id, title) values ('{member}', 'prt-test:1');"""
    gone = "drop policy seen on public.notifications; delete from notifications where title = 'prt-test:1';"
    bare = {name: project[name] for name in ("SUPABASE_URL", "SUPABASE_ANON_KEY")}
    with made(project, kept.format(member=MEMBER.id), gone):
        swept = cleaned(bare, is_gentle=False)
    assert (swept.gone, swept.left) == (0, 1)


# --- broken for real


def reported(ran: Ran, name: str) -> dict[str, str]:
    failure = ran[name].failure
    assert failure is not None, ran[name]
    return {
        "expected": failure.expected,
        "came": failure.came,
        "server": failure.server or "",
        "cause": failure.cause or "",
        "remedy": failure.remedy or "",
    }


def test_a_table_that_is_not_published(project: dict[str, str]) -> None:
    with made(project, TABLE, DROPPED):
        ran = run_suites(project, "changes", only=["insert", "filters"], table="checked")
        assert marked_rows(project, "checked") == 0
    assert reported(ran, "changes filters")["remedy"] == reported(ran, "changes insert")["remedy"]
    failure = reported(ran, "changes insert")
    assert "READY" in failure["expected"]
    assert failure["came"] == "the subscription was refused"
    assert "not in the publication" in failure["cause"]
    assert failure["server"].startswith("Unable to subscribe to changes with given parameters.")
    assert failure["remedy"] == "alter publication supabase_realtime add table public.checked;"


def test_a_policy_that_leaks_to_realtime(project: dict[str, str]) -> None:
    """REST sets the headers of its request for policies to see, Realtime has none."""
    leak = """create policy leaking on public.checked for select to anon
      using (nullif(current_setting('request.headers', true), '') is null);"""
    with made(project, PUBLISHED + leak, DROPPED):
        ran = run_suites(project, "rls", only=["visibility"], table="checked")
    failure = reported(ran, "rls visibility")
    assert failure["expected"] == "no INSERT for anon, whom REST does not let read the row"
    assert "a leak" in failure["came"]
    assert "policy" in failure["cause"]
    assert "auth.uid()" in failure["remedy"]


def test_a_policy_that_hides_from_realtime_what_rest_shows(project: dict[str, str]) -> None:
    hiding = """drop policy own on public.checked;
      create policy hiding on public.checked for all to authenticated
      using (user_id = auth.uid() and nullif(current_setting('request.headers', true), '') is not null);"""
    with made(project, PUBLISHED + hiding, DROPPED):
        ran = run_suites(project, "changes", only=["insert"], table="checked", wait_seconds=SOON)
    failure = reported(ran, "changes insert")
    assert failure["expected"] == "INSERT of our row as token"
    assert failure["came"].startswith("READY, then nothing")
    assert "REST shows the row to this identity" in failure["cause"]


def test_a_change_that_does_not_come_because_nobody_reads_them(project: dict[str, str]) -> None:
    """According to the database, a server that keeps its subscriptions there, and no slot."""
    subscribed = """drop policy own on public.checked;
      create policy hiding on public.checked for all to authenticated
      using (user_id = auth.uid() and nullif(current_setting('request.headers', true), '') is not null);
      create type realtime.user_defined_filter as (column_name text, op text, value text, negate boolean);
      create table realtime.subscription (entity regclass, filters realtime.user_defined_filter[]);
      insert into realtime.subscription values ('public.checked', '{}');"""
    gone = "drop table realtime.subscription; drop type realtime.user_defined_filter;"
    with made(project, PUBLISHED + subscribed, DROPPED + gone):
        ran = run_suites(project, "changes", only=["insert"], table="checked", wait_seconds=SOON)
    assert "output_plugin_libraries leaves out wal2json" in reported(ran, "changes insert")["cause"]


def test_a_deleted_row_leaked_to_identities_that_may_not_read_it(project: dict[str, str]) -> None:
    """Without row level security nothing hides a row from Realtime but the grants, which REST needs too."""
    open_ = """alter table public.checked disable row level security;
      alter table public.checked replica identity full;"""
    with made(project, PUBLISHED + open_, DROPPED):
        ran = run_suites(project, "rls", table="checked")
    assert ran["rls visibility"].note == "seen by service, member, stranger, anon; hidden from nobody"
    assert ran.outcomes["rls deletes"] == "pass"


def test_a_table_whose_rows_could_not_be_removed(project: dict[str, str]) -> None:
    """PostgreSQL lets nobody delete from a published table without a key, so nothing is inserted."""
    with made(project, PUBLISHED + "alter table public.checked drop column id;", DROPPED):
        ran = run_suites(project, "changes", only=["insert"], table="checked")
        assert marked_rows(project, "checked") == 0
    assert ran.outcomes["changes insert"] == "skip"
    assert "replica identity" in str(ran["changes insert"].reason)


def test_a_broadcast_that_may_not_be_sent(project: dict[str, str]) -> None:
    with made(project, ROLES, NO_ROLES):
        ran = run_suites(
            project, "broadcast", only=["private"], private_topic="checked:read", wait_seconds=SOON
        )
    failure = reported(ran, "broadcast private")
    assert "no acknowledgement" in failure["came"]
    assert "on realtime.messages for insert to authenticated" in failure["remedy"]


def test_a_table_that_can_not_be_tested(project: dict[str, str]) -> None:
    ran = run_suites(project, "changes", only=["insert"], table="user_presence")
    assert "none of the columns" in str(ran["changes insert"].reason)


def test_a_table_with_keys_of_others_is_filled_from_its_rows(project: dict[str, str]) -> None:
    ran = run_suites(project, "changes", only=["insert"], table="project_tasks", as_="service")
    assert ran.outcomes["changes insert"] == "pass"


KEYS = """
create table public.keyed ({key} primary key, title text);
insert into public.keyed (id, title) {rows};
alter table public.keyed enable row level security;
create policy own on public.keyed for all to authenticated using (true);
alter publication supabase_realtime add table public.keyed;
"""


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        ("id int", "values (3, 'one'), (7, 'two')"),
        ("id bigint", "select 1, 'gone' where false"),
        ("id text", "values ('one', 'one')"),
        ("id varchar(8)", "values ('eight ch', 'one')"),
        ("id uuid", "values ('5eed0000-0000-4000-8000-0000000000b2'::uuid, 'one')"),
        ("id timestamptz", "values (now(), 'one')"),
    ],
    ids=["integer", "no rows", "text", "short text", "uuid", "timestamp"],
)
def test_a_key_without_a_default_is_a_free_one(project: dict[str, str], key: str, rows: str) -> None:
    with made(project, KEYS.format(key=key, rows=rows), "drop table public.keyed;"):
        before = count_of(project, "true", "keyed")
        ran = run_suites(project, "changes", only=["insert", "two bindings"], table="keyed", as_="service")
        assert count_of(project, "true", "keyed") == before
    assert set(ran.outcomes.values()) == {"pass"}, ran.results


def test_a_part_of_a_key_that_names_no_other_row_is_the_free_one(project: dict[str, str]) -> None:
    table = """
    create table public.parents (id int primary key);
    create table public.keyed (
      parent int references public.parents, n int, title text, primary key (parent, n)
    );
    insert into public.parents values (1);
    insert into public.keyed values (1, 5, 'one');
    alter publication supabase_realtime add table public.keyed;
    """
    with made(project, table, "drop table public.keyed; drop table public.parents;"):
        ran = run_suites(project, "changes", only=["insert", "two bindings"], table="keyed", as_="service")
    assert set(ran.outcomes.values()) == {"pass"}, ran.results


def test_a_free_number_is_found_beyond_rows_that_are_hidden() -> None:
    free = FreeValues(3)
    tried = []
    for _ in range(5):
        free.note_taken(5)
        tried.append(free.next(""))
    assert tried == [6, 8, 12, 20, 36]
    assert free.next("") > 36


def test_columns_that_the_server_cuts_are_named(project: dict[str, str]) -> None:
    cut = """alter table public.checked add column currency char(3) default 'EUR',
      add column bits bit(3) default '101';"""
    with made(project, PUBLISHED + cut, DROPPED):
        ran = run_suites(project, "changes", only=["types"], table="checked")
    assert ran.outcomes["changes types"] == "pass"
    words = "7 columns; the server sends only the first character of currency, bits (char(n), bit(n))"
    assert ran["changes types"].note == words


# --- servers that misbehave


async def _private_only(peer: Peer) -> None:
    while True:
        frame = await peer.receive()
        if frame[3] == "phx_join":
            await peer.reply(
                frame, {"reason": "PrivateOnly: This project only allows private channels"}, "error"
            )


async def _deaf(peer: Peer) -> None:
    while True:
        await peer.connection.recv()


def against(script: Any, *suites: str, **settings: Any) -> Ran:
    async def served() -> Ran:
        async with scripted_server(script) as url:
            environment = {"SUPABASE_URL": url, "SUPABASE_ANON_KEY": "a-key-of-nobody"}
            return await asyncio.to_thread(run_suites, environment, *suites, **settings)

    return asyncio.run(served())


def test_a_project_for_private_channels_only() -> None:
    failure = reported(against(_private_only, "channel", only=["join"]), "channel join")
    assert failure["came"] == "a refusal"
    assert failure["server"].startswith("PrivateOnly")
    assert "--private" in failure["remedy"]


async def _hangs_up(peer: Peer) -> None:
    await peer.receive()


def test_a_connection_that_breaks_is_no_word_of_the_server() -> None:
    failure = reported(against(_hangs_up, "presence", only=["track"]), "presence track")
    assert "broke" in failure["came"] or "closed" in failure["came"]
    assert failure["server"] == ""
    assert "network" in failure["cause"]


def test_a_server_that_answers_no_heartbeat() -> None:
    failure = reported(against(_deaf, "connect", wait_seconds=0.2), "connect heartbeat")
    assert failure["came"] == "none in 0.2 s"
    assert "swallows" in failure["cause"]


def test_nothing_is_tried_where_nobody_answers() -> None:
    environment = {"SUPABASE_URL": "http://127.0.0.1:9", "SUPABASE_ANON_KEY": "a-key-of-nobody"}
    ran = run_suites(environment, "channel", "changes")
    assert ran.gate_error is not None
    assert ran.gate_error.exit_code == 4
    assert set(ran.outcomes.values()) == {"fail", "skip"}
    assert ran.outcomes["channel join"] == "skip"


def test_an_expired_session_is_refused_at_the_gate(project: dict[str, str]) -> None:
    ran = run_suites({**project, "PRT_PASSWORD": "wrong"}, "channel", as_=MEMBER.email)
    assert ran.gate_error is not None
    assert ran.gate_error.exit_code == 3
    assert keys_of(project).jwt_secret not in str(ran["connect handshake"].failure)


def test_a_server_that_streams_a_row_again_after_ready(project: dict[str, str]) -> None:
    """A server that polls delivers, up to 0.6 s after READY, what was committed before."""

    async def polled() -> Ran:
        async with Proxy(project["SUPABASE_URL"]).serving() as proxy:
            environment = {**project, "SUPABASE_URL": proxy.url}
            run = asyncio.create_task(asyncio.to_thread(run_suites, environment, "reconnect"))
            await proxy.until(lambda one: one.ready == 1)
            proxy.changes_delay_seconds = 0.5
            await proxy.until(lambda one: one.ready == 2)
            await asyncio.sleep(proxy.changes_delay_seconds)
            row = row_of(project, "title like 'prt-test:% reconnect, meanwhile'")
            proxy.send("postgres_changes", {"data": change_data("notifications", record=row), "ids": [1]})
            return await run

    ran = asyncio.run(polled())
    assert ran.outcomes["reconnect recovered"] == "pass", ran["reconnect recovered"].failure
    assert ran["reconnect recovered"].figures["recovered"] == 0


@pytest.mark.parametrize(
    ("is_complete", "times", "words"),
    [(False, 0, "no column that says when"), (True, 2, "more than 1 s after READY"), (True, 0, "REST")],
)
def test_the_cause_of_a_row_that_is_not_there_once(is_complete: bool, times: int, words: str) -> None:
    gap = Gap(at=1, start=0, end=1, tables=["public.todos"], cause="cut", complete=is_complete)
    assert words in str(reconnect.not_whole(gap, times).cause)


def test_a_server_that_filters_otherwise(project: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = (changes.Operator("eq", "{c}=neq.{a}", "a"),)
    monkeypatch.setattr(changes, "OPERATORS", wrong)
    failure = reported(run_suites(project, "changes", only=["filters"]), "changes filters")
    assert failure["expected"].startswith("the first row through neq.")
    assert failure["came"] == "the second row"
    assert "operator eq" in failure["cause"]


def test_a_server_that_does_not_know_an_operator(
    project: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "OPERATORS", (changes.Operator("novel", "{c}=novel.{a}", "a"),))
    failure = reported(run_suites(project, "changes", only=["filters"]), "changes filters")
    assert failure["expected"] == "the operator novel to be taken"
    assert failure["came"] == "a refusal"
    assert "novel" in failure["server"]
    assert failure["cause"] == "the server is too old for it"


def test_changes_that_are_lost_under_load_are_counted(
    project: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two clients asks for other rows than those that are written."""
    marks = iter(["nothing that comes", ""])
    counting = load.Client.__init__

    def deaf_at_first(self: load.Client, mark: str) -> None:
        counting(self, next(marks) or mark)

    monkeypatch.setattr(load.Client, "__init__", deaf_at_first)
    ran = run_suites(project, "load", clients=2, rate=40.0, duration_seconds=0.4, wait_seconds=SOON)
    result = ran["load delivery"]
    assert result.outcome == "fail"
    assert result.figures["expected"] == 2 * result.figures["rows"]
    assert result.figures["lost"] == result.figures["rows"] > 0
    assert result.figures["delivered_percent"] == 50
    assert "rate of messages" in reported(ran, "load delivery")["cause"]


def test_clients_that_miss_changes_are_waited_for_together() -> None:
    count, seconds = 20, 0.3

    async def waited() -> float:
        clients = [load.Client("a mark") for _ in range(count)]
        started = asyncio.get_running_loop().time()
        await load.settle(clients, 1, seconds)
        return asyncio.get_running_loop().time() - started

    assert seconds <= asyncio.run(waited()) < seconds * count / 2


def test_rows_are_written_at_random_times(project: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the last change and writes at once is locked to the polls of a server."""
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    monkeypatch.setattr(latency.random, "uniform", uniform)
    ran = run_suites(project, "latency", samples=3)
    assert ran["latency lag"].figures["delivered"] == 3
    assert asked == [(0, 1.0)] * 3
