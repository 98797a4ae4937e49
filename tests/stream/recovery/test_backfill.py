"""Gaps, snapshots and the time before the start against a real project: rows written while nobody listens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import psycopg
import pytest
from msgspec import Raw
from msgspec.structs import replace

from prt.events import EMPTY, Change, Event, EventType, Gap, Status
from prt.local.seed.people import MEMBER, STRANGER
from prt.stream.binding import Binding
from prt.stream.recovery.backfill import Recovery
from prt.stream.recovery.options import Options
from prt.stream.rest.client import Rest
from prt.stream.rest.session import Endpoint
from prt.stream.values import timestamp

Project = Mapping[str, str]
Database = psycopg.Connection[Any]

SCHEMA = """
drop schema if exists gaps cascade;
create schema gaps;
drop table if exists
  public.notes, public.letters, public.places, public.undated, public.keyless, public.secrets, public.closed;
create table public.notes (
  id bigint primary key, text text, flag boolean, size numeric, tags text[],
  created_at timestamptz not null default now(), updated_at timestamptz default now());
create table public.letters (id int primary key, text text, created_at timestamptz not null default now());
create table public.places (
  "a b" int, c text, text text, updated_at timestamptz not null default now(), primary key ("a b", c));
create table public.undated (id int primary key, text text);
create table public.keyless (text text, updated_at timestamptz default now());
create table public.secrets (id int primary key, owner uuid, updated_at timestamptz default now());
alter table public.secrets enable row level security;
create policy own on public.secrets for select using (owner = auth.uid());
create table public.closed (id int primary key, updated_at timestamptz default now());
revoke all on public.closed from anon, authenticated, service_role;
"""


@pytest.fixture
def database(project: Project) -> Iterator[Database]:
    """Empty tables of every kind."""
    with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as connection:
        connection.execute(SCHEMA)
        yield connection


class Told:
    """A recovery of a few tables and what it emitted."""

    def __init__(self, rest: Rest, bindings: Sequence[Binding], **options: Any) -> None:
        self.bindings = list(bindings)
        self.recovery = Recovery(rest, bindings, Options(settle_seconds=0, **options))
        self.events: list[Event] = []
        self._awaited: tuple[int, asyncio.Event] | None = None

    @property
    def changes(self) -> list[Change]:
        return [event for event in self.events if isinstance(event, Change)]

    def emitted(self) -> list[tuple[str, Any]]:
        """Event and id of each change, forgotten by asking."""
        found = [
            (one.event_type, (one.old_row() if one.event_type == "DELETE" else one.new_row()).get("id"))
            for one in self.changes
        ]
        self.events.clear()
        return found

    async def begin(self) -> None:
        await self.recovery.begin(self.bindings, self._emit)

    async def until(self, count: int) -> None:
        """Wait until so many events were emitted."""
        self._awaited = (count, asyncio.Event())
        await self._awaited[1].wait()

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        if self._awaited is not None and len(self.events) >= self._awaited[0]:
            self._awaited[1].set()

    async def recover(self, *tables: str, start: int | None = None) -> Gap:
        now = time.time_ns() // 1000
        names = list(tables) or sorted({binding.name for binding in self.bindings})
        gap = Gap(
            at=now, start=now - 5_000_000 if start is None else start, end=now, tables=names, cause="lost"
        )
        return await self.recovery.recover(gap, self.bindings, self._emit)


def endpoint_of(project: Project, who: str = "service", port: str | None = None) -> Endpoint:
    if who == "service":
        return Endpoint(url=project["SUPABASE_URL"], key=project["SUPABASE_SERVICE_ROLE_KEY"])
    return Endpoint(url=project["SUPABASE_URL"], key=project["SUPABASE_ANON_KEY"], token=who or None)


def watched(
    project: Project | Endpoint,
    bindings: Sequence[Binding],
    script: Callable[[Told], Awaitable[None]],
    **options: Any,
) -> None:
    endpoint = project if isinstance(project, Endpoint) else endpoint_of(project)

    async def main() -> None:
        async with Rest(lambda: endpoint, pauses=(), timeout=options.pop("timeout", 10)) as rest:
            await script(Told(rest, bindings, **options))

    asyncio.run(main())


def write_old(database: Database, count: int) -> None:
    """Rows that were there before anyone watched."""
    database.execute(
        "insert into notes (id, text, created_at, updated_at) "
        f"select g, 'old', {AGO}, {AGO} from generate_series(1, {count}) g"
    )


def streamed(
    database: Database, table: str, row_id: int, *, kind: EventType = "INSERT", commit: int | None = None
) -> Change:
    """The row as the stream would have delivered it, with its commit now."""
    query = (
        f"select to_jsonb(t)::text, (extract(epoch from now()) * 1e6)::bigint from {table} t where id = %s"
    )
    text, now = database.execute(query, [row_id]).fetchone() or ("{}", time.time_ns() // 1000)
    at = now if commit is None else commit
    key = Raw(msgspec.json.encode({"id": row_id}))
    return Change(
        at=at,
        topic="t",
        event_type=kind,
        schema="public",
        table=table,
        commit_timestamp=timestamp(at),
        new=EMPTY if kind == "DELETE" else Raw(text.encode()),
        old=EMPTY if kind == "INSERT" else key,
    )


NOTES = [Binding(table="notes")]
AGO = "now() - interval '1 min'"
NO_DELETES = "deletes can't be asked for without --snapshot"


def test_rows_written_in_a_gap_are_emitted_once(project: Project, database: Database) -> None:
    write_old(database, 5)

    async def script(watch: Told) -> None:
        await watch.begin()
        assert watch.events == []
        database.execute("insert into notes select g, 'new' from generate_series(6, 8) g")
        database.execute("update notes set text = 'changed', updated_at = clock_timestamp() where id = 2")
        gap = await watch.recover()
        assert gap.recovered == 4
        assert (gap.complete, gap.cause) == (False, f"lost; {NO_DELETES}")
        (first, *_), last = watch.changes, watch.changes[-1]
        assert (first.source, first.commit_timestamp, first.lag_ms) == ("backfill", None, None)
        assert (last.new_row()["text"], last.old_row()) == ("changed", {"id": 2})
        assert watch.emitted() == [("INSERT", 6), ("INSERT", 7), ("INSERT", 8), ("UPDATE", 2)]
        gap = await watch.recover()
        assert (gap.recovered, watch.emitted()) == (0, [])

    watched(project, NOTES, script)


def test_rows_read_at_ready_that_never_arrived_are_emitted(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        database.execute("insert into notes (id) values (1)")
        await watch.begin()
        now = time.time_ns() // 1000
        await watch.recover(start=now + 60_000_000)
        assert watch.emitted() == [], "it was there before that gap"

    watched(project, NOTES, script)

    async def doubtful(watch: Told) -> None:
        await watch.begin()
        await watch.recover()
        assert watch.emitted() == [("INSERT", 1)], "it may have been written after READY"
        await watch.recover()
        assert watch.emitted() == []

    watched(project, NOTES, doubtful)


@pytest.mark.parametrize("keeps_snapshot", [False, True])
def test_a_gap_may_begin_before_what_was_read_last(
    project: Project, database: Database, keeps_snapshot: bool
) -> None:
    def write(row_id: int, seconds_ago: int) -> None:
        dated = f"now() - interval '{seconds_ago} s'"
        database.execute(
            f"insert into notes (id, created_at, updated_at) values ({row_id}, {dated}, {dated})"
        )

    async def script(watch: Told) -> None:
        write(1, 8)
        write(2, 0)
        await watch.begin()
        watch.events.clear()
        start = time.time_ns() // 1000 - 20_000_000
        write(3, 8)
        await watch.recover(start=start)
        doubtful = [] if keeps_snapshot else [("INSERT", 2)]
        assert watch.emitted() == [("INSERT", 3), *doubtful]
        await watch.recover(start=start)
        assert watch.emitted() == []

    watched(project, NOTES, script, keeps_snapshot=keeps_snapshot)


def test_of_a_busy_table_the_latest_rows_are_remembered(project: Project, database: Database) -> None:
    write_old(database, 250)

    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into notes (id) values (300)")
        await watch.recover()
        assert watch.emitted() == [("INSERT", 300)], "of those that were there, all have the same date"

    watched(project, NOTES, script)


def test_a_table_that_was_altered_is_looked_at_anew(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("alter table notes drop column updated_at")
        database.execute("insert into notes (id) values (1)")
        gap = await watch.recover()
        assert "updated_at does not exist" in gap.cause
        watch.recovery.observe(streamed(database, "notes", 1))
        database.execute("insert into notes (id) values (2)")
        gap = await watch.recover()
        assert watch.emitted() == [("INSERT", 2)]

    watched(project, NOTES, script)


def test_an_empty_table_has_a_starting_point_too(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute(
            "insert into notes (id, created_at, updated_at) values (1, '2020-01-01', '2020-01-01')"
        )
        await watch.recover()
        assert watch.emitted() == [("INSERT", 1)]

    watched(project, NOTES, script)


def test_pages_and_a_limit_that_is_announced(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        # One transaction: every row has the same date, so that only the key tells pages apart.
        database.execute("insert into notes select g from generate_series(1, 2500) g")
        gap = await watch.recover()
        assert gap.recovered == 2500
        assert watch.emitted() == [("INSERT", n) for n in range(1, 2501)]

    watched(project, NOTES, script)
    database.execute("delete from notes")

    async def limited(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into notes select g from generate_series(1, 2001) g")
        gap = await watch.recover()
        assert gap.recovered == 2000
        assert "stopped at 2,000 rows" in gap.cause
        gap = await watch.recover()
        assert (gap.recovered, "stopped" in gap.cause) == (1, False), "the next one goes on from there"

    watched(project, NOTES, limited, limit=2000)


def test_streamed_changes_are_not_emitted_again(project: Project, database: Database) -> None:
    database.execute("insert into notes (id, text, size) values (1, 'a', 1.50), (2, 'b', null), (3, 'c', 2)")

    async def script(watch: Told) -> None:
        for n in (1, 2, 3):
            watch.recovery.observe(streamed(database, "notes", n))
        watch.recovery.observe(streamed(database, "notes", 3, kind="DELETE"))
        database.execute("update notes set text = 'B', updated_at = clock_timestamp() where id = 2")
        database.execute("delete from notes where id = 3; insert into notes (id) values (3)")
        database.execute("insert into notes (id) values (4)")
        await watch.recover()
        assert sorted(watch.emitted()) == [("INSERT", 3), ("INSERT", 4), ("UPDATE", 2)]

    watched(project, NOTES, script)


def test_the_start_is_the_last_commit_and_never_our_clock(project: Project, database: Database) -> None:
    database.execute("insert into notes (id, updated_at) values (1, now() - interval '1 h'), (2, now())")
    hour = 3600 * 1_000_000

    async def script(watch: Told) -> None:
        before = streamed(database, "notes", 1)
        emitted = msgspec.structs.replace(
            before, at=0, commit_timestamp=timestamp(before.at - hour + 60_000_000)
        )
        watch.recovery.observe(emitted)
        watch.recovery.observe(streamed(database, "notes", 2, kind="UPDATE"))  # after the gap, before we ask
        database.execute("insert into notes (id, updated_at) values (3, now() - interval '30 min')")
        await watch.recover(start=before.at - hour + 60_000_000)
        assert [key for _, key in watch.emitted()] == [3]

    watched(project, NOTES, script)


def test_rows_that_no_update_has_dated_are_found(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into notes (id, updated_at) values (1, null), (2, now())")
        gap = await watch.recover()
        assert sorted(watch.emitted()) == [("INSERT", 1), ("INSERT", 2)]
        assert gap.cause == f"lost; {NO_DELETES}"

    watched(project, NOTES, script)


def test_a_table_that_dates_no_updates_is_never_complete(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into letters values (1, 'a')")
        gap = await watch.recover()
        assert watch.emitted() == [("INSERT", 1)]
        assert "no column dates its updates" in gap.cause

    watched(project, [Binding(table="letters")], script, keeps_snapshot=True)

    async def inserts(watch: Told) -> None:
        database.execute(f"update letters set created_at = {AGO}")
        await watch.begin()
        database.execute("insert into letters values (2, 'b')")
        gap = await watch.recover()
        assert (watch.emitted(), gap.complete, gap.cause) == ([("INSERT", 2)], True, "lost")

    watched(project, [Binding(table="letters", event="INSERT")], inserts)


def test_an_update_that_leaves_its_date_is_noticed(project: Project, database: Database) -> None:
    database.execute("insert into notes (id, updated_at) values (1, now() - interval '1 day')")

    async def script(watch: Told) -> None:
        watch.recovery.observe(streamed(database, "notes", 1, kind="UPDATE"))
        gap = await watch.recover()
        assert "an UPDATE left updated_at as it was" in gap.cause

    watched(project, NOTES, script)


def test_each_binding_receives_only_its_own_events(project: Project, database: Database) -> None:
    write_old(database, 3)

    def written() -> None:
        database.execute("insert into notes (id, text) values (4, 'new'), (5, 'new')")
        database.execute(
            "update notes set text = 'changed', updated_at = clock_timestamp() where id in (1, 4)"
        )

    async def script(watch: Told) -> None:
        await watch.begin()
        written()
        gap = await watch.recover()
        event = watch.bindings[0].event
        emitted = watch.emitted()
        if event == "INSERT":
            assert (sorted(emitted), gap.complete) == ([("INSERT", 4), ("INSERT", 5)], True)
        elif event == "UPDATE":
            assert (emitted, gap.complete) == ([("UPDATE", 1), ("UPDATE", 4)], True)
        else:
            assert (emitted, gap.complete) == ([], False)
        database.execute("delete from notes where id > 3")

    for event in ("INSERT", "UPDATE", "DELETE"):
        watched(project, [Binding(table="notes", event=event)], script)


def test_several_bindings_of_a_table_emit_a_row_once(project: Project, database: Database) -> None:
    bindings = [Binding(table="notes", filter="id=gt.1"), Binding(table="notes", filter="id=lt.3")]

    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into notes select g from generate_series(1, 3) g")
        await watch.recover()
        assert sorted(watch.emitted()) == [("INSERT", 1), ("INSERT", 2), ("INSERT", 3)]

    watched(project, bindings, script)


def test_select_keeps_its_columns(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into notes (id, text) values (1, 'a')")
        await watch.recover()
        assert [change.new_row() for change in watch.changes] == [{"text": "a", "flag": None}]

    watched(project, [Binding(table="notes", select=("text", "flag"))], script)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("id=eq.2", [2]),
        ("id=neq.2", [1, 3, 4]),
        ("id=lt.3", [1, 2]),
        ("id=lte.2", [1, 2]),
        ("id=gt.3", [4]),
        ("id=gte.3", [3, 4]),
        ("id=in.(1,4)", [1, 4]),
        ('text=in.("a,b","c ""d")', [1]),
        ('text=in.("a,b",plain)', [1, 4]),
        ("id=not.in.(1,NULL)", []),
        ("id=in.(1,NULL)", [1]),
        ("text=like.%b", [1]),
        ("text=like.x*y", [2]),
        ("text=ilike.X*Y", [2]),
        ("text=ilike.PL%", [4]),
        ("text=match.^x.y$", [2]),
        ("text=imatch.^PLAIN$", [4]),
        ("flag=is.null", [3, 4]),
        ("flag=is.unknown", [3, 4]),
        ("flag=is.true", [1]),
        ("flag=is.false", [2]),
        ("flag=not.is.null", [1, 2]),
        ("text=isdistinct.plain", [1, 2, 3]),
        ("id=not.eq.2", [1, 3, 4]),
        ("id=gt.1,id=lt.4", [2, 3]),
        ('text=eq."a,b"', [1]),
        ('text=eq.say "hi" (1,2)', [3]),
        (None, [1, 2, 3, 4]),
    ],
)
def test_every_filter_means_the_same_over_rest(
    project: Project, database: Database, text: str | None, found: list[int]
) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute(
            "insert into notes (id, text, flag) values (1, 'a,b', true), (2, 'x*y', false), "
            "(3, 'say \"hi\" (1,2)', null), (4, 'plain', null)"
        )
        gap = await watch.recover()
        assert gap.cause == f"lost; {NO_DELETES}"
        assert [key for _, key in watch.emitted()] == found

    watched(project, [Binding(table="notes", filter=text)], script)


def test_composite_keys_with_odd_names(project: Project, database: Database) -> None:
    keys = {("public", "places"): ("a b", "c")}

    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into places select g % 40, 'c,' || g, 't' from generate_series(1, 1200) g")
        gap = await watch.recover()
        assert gap.recovered == 1200
        rows = {(change.new_row()["a b"], change.new_row()["c"]) for change in watch.changes}
        assert len(rows) == 1200
        watch.events.clear()
        database.execute("""delete from places where "a b" = 7""")
        gap = await watch.recover()
        assert (gap.recovered, gap.complete) == (30, True)
        assert {change.old_row()["a b"] for change in watch.changes} == {7}

    watched(project, [Binding(table="places")], script, keys=keys, keeps_snapshot=True)


def test_a_key_is_learned_from_what_streams(project: Project, database: Database) -> None:
    database.execute("insert into places values (1, 'x', 'text')")
    row = {"a b": 1, "c": "x", "text": "text", "updated_at": "2020-01-01T00:00:00+00:00"}
    change = Change(
        at=0,
        topic="t",
        event_type="UPDATE",
        schema="public",
        table="places",
        commit_timestamp="2020-01-01T00:00:00+00:00",
        new=Raw(msgspec.json.encode(row)),
        old=Raw(b'{"a b":1,"c":"x"}'),
    )

    async def script(watch: Told) -> None:
        gap = await watch.recover()
        assert "no column id tells its rows apart: name the key (--key)" in gap.cause
        watch.recovery.observe(change)
        gap = await watch.recover()
        assert (gap.recovered, gap.cause) == (1, f"lost; {NO_DELETES}")

    watched(project, [Binding(table="places")], script)


def test_a_named_cursor_comes_first(project: Project, database: Database) -> None:
    database.execute(f"create table gaps_named as select 1 as id, {AGO} as seen, now() as updated_at")
    database.execute("grant all on gaps_named to service_role")
    try:

        async def script(watch: Told) -> None:
            await watch.begin()
            database.execute("insert into gaps_named values (2, clock_timestamp(), '2020-01-01')")
            await watch.recover()
            assert watch.emitted() == [("UPDATE", 2)]

        watched(project, [Binding(table="gaps_named")], script, cursor="seen")
    finally:
        database.execute("drop table gaps_named")


def test_tables_that_cannot_be_read_are_reported_with_the_reason(
    project: Project, database: Database
) -> None:
    bindings = [Binding(table=name) for name in ("undated", "keyless", "closed", "nowhere", "notes")]

    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into notes (id) values (1)")
        gap = await watch.recover(*(binding.name for binding in bindings), "public.gone")
        assert watch.emitted() == [("INSERT", 1)], "one table's failure is none of the others'"
        assert gap.complete is False
        for reason in (
            "no column dates its rows: name one with --cursor (public.undated)",
            "no column id tells its rows apart: name the key (--key) (public.keyless)",
            "permission denied for table closed (public.closed)",
            "REST answered 404",
            "no longer subscribed (public.gone)",
        ):
            assert reason in gap.cause, gap.cause

    watched(project, bindings, script)


def test_without_a_starting_point_nothing_is_asked(project: Project, database: Database) -> None:
    database.execute("insert into notes (id) values (1)")

    async def script(watch: Told) -> None:
        gap = await watch.recover()
        assert (watch.emitted(), gap.complete) == ([], False)
        assert "to start from" in gap.cause

    watched(project, NOTES, script)


def test_a_missing_backfill_is_reported(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into notes (id) values (1)")
        gap = await watch.recover()
        assert (watch.emitted(), gap.complete) == ([], False)
        assert gap.cause == "lost; not asked for (--no-backfill)"

    watched(project, NOTES, script, is_backfilling=False)


def test_a_project_that_is_away_leaves_the_gap_open_to_doubt(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        watch.recovery.observe(streamed(database, "notes", 1))
        gap = await watch.recover()
        assert (gap.recovered, gap.complete) == (0, False)
        assert "REST can't be reached" in gap.cause

    watched(Endpoint(url="http://127.0.0.1:1", key="key"), NOTES, script)


@pytest.mark.parametrize("token", ["not.a.token", ""])
def test_an_identity_that_is_refused(project: Project, database: Database, token: str) -> None:
    async def script(watch: Told) -> None:
        watch.recovery.observe(streamed(database, "notes", 1))
        gap = await watch.recover()
        assert gap.complete is False
        assert "REST answered 401" in gap.cause

    watched(endpoint_of(project, token), [Binding(table="closed" if not token else "notes")], script)


def test_row_security_holds_and_hides(project: Project, database: Database) -> None:
    member = endpoint_of(project, project["PRT_TOKEN"])

    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute(
            "insert into secrets values (1, %s), (2, %s), (3, %s)", [MEMBER.id, STRANGER.id, MEMBER.id]
        )
        await watch.recover()
        assert watch.emitted() == [("INSERT", 1), ("INSERT", 3)]
        database.execute("update secrets set owner = %s where id = 1", [STRANGER.id])
        gap = await watch.recover()
        assert (gap.recovered, gap.complete) == (1, True)
        assert watch.changes[0].errors == ["deleted or no longer visible"]
        assert watch.emitted() == [("DELETE", 1)]

    watched(member, [Binding(table="secrets")], script, keeps_snapshot=True)


def test_a_snapshot_and_the_deletes_after_it(project: Project, database: Database) -> None:
    database.execute("insert into notes select g, 'in' from generate_series(1, 1100) g")
    database.execute("insert into notes values (2000, 'out')")

    async def script(watch: Told) -> None:
        watch.recovery.observe(streamed(database, "notes", 7, kind="UPDATE"))
        await watch.begin()
        assert {change.source for change in watch.changes} == {"snapshot"}
        assert watch.emitted() == [("INSERT", n) for n in range(1, 1101) if n != 7]
        watch.recovery.observe(streamed(database, "notes", 3, kind="DELETE"))
        database.execute("delete from notes where id in (3, 5, 7)")
        database.execute("update notes set text = 'out' where id = 9")  # leaves the filter: no event for it
        database.execute("insert into notes values (1101, 'in')")
        gap = await watch.recover()
        assert sorted(watch.emitted()) == [("DELETE", 5), ("DELETE", 7), ("INSERT", 1101)]
        assert (gap.recovered, gap.complete, gap.cause) == (3, True, "lost")
        assert (await watch.recover()).recovered == 0
        database.execute("delete from notes where id = 9")
        await watch.recover()
        assert watch.emitted() == [("DELETE", 9)], "a delete is told whatever the filter, as the stream does"

    watched(project, [Binding(table="notes", filter="text=eq.in")], script, keeps_snapshot=True)


def test_deletes_beside_a_filter_bring_no_rows_of_others(project: Project, database: Database) -> None:
    database.execute("insert into notes values (1, 'in'), (2, 'out'), (3, 'in')")
    inserts = Binding(table="notes", event="INSERT", filter="text=eq.in")
    bindings = [inserts, Binding(table="notes", event="UPDATE", filter="text=eq.in")]

    async def script(watch: Told) -> None:
        await watch.begin()
        assert watch.emitted() == [("INSERT", 1), ("INSERT", 3)]
        database.execute("delete from notes where id in (2, 3)")
        gap = await watch.recover()
        assert watch.emitted() == [("DELETE", 3)]
        assert gap.complete

    watched(project, [*bindings, Binding(table="notes", event="DELETE")], script, keeps_snapshot=True)


def test_an_incomplete_snapshot_is_reported(project: Project, database: Database) -> None:
    write_old(database, 30)
    bindings = [Binding(table="notes"), Binding(table="closed")]

    async def script(watch: Told) -> None:
        await watch.begin()
        reasons = {event.reason: event.tables for event in watch.events if isinstance(event, Status)}
        assert reasons["the snapshot is not whole: stopped at 20 rows"] == ["public.notes"]
        assert ["public.closed"] in reasons.values()
        assert len(watch.emitted()) == 20
        database.execute("delete from notes where id in (4, 25)")
        gap = await watch.recover("public.notes")
        assert watch.emitted() == [("DELETE", 4)]
        assert "deletes can't be told of rows that the snapshot left out" in gap.cause

    watched(project, bindings, script, keeps_snapshot=True, limit=20)


def test_since_a_moment(project: Project, database: Database) -> None:
    database.execute(
        "insert into notes (id, created_at, updated_at) values (1, '2020-01-01', '2020-01-01'), "
        "(2, '2020-01-01', '2021-06-01'), (3, '2021-06-02', '2021-06-02')"
    )

    async def script(watch: Told) -> None:
        await watch.begin()
        (status,) = [event for event in watch.events if isinstance(event, Status)]
        assert status.reason == "what was deleted since 2021-01-01T00:00:00Z can't be asked for"
        assert status.tables == ["public.notes"]
        assert watch.emitted() == [("UPDATE", 2), ("INSERT", 3)]
        database.execute("insert into notes (id) values (4)")
        await watch.recover()
        assert watch.emitted() == [("INSERT", 4)]

    watched(project, NOTES, script, since="2021-01-01T00:00:00Z")

    async def limited(watch: Told) -> None:
        await watch.begin()
        (gap,) = [event for event in watch.events if isinstance(event, Gap)]
        assert (gap.recovered, gap.complete) == (1, False)
        assert gap.cause == "what was written since 2021-01-01T00:00:00Z: stopped at 1 rows"

    watched(project, NOTES, limited, since="2021-01-01T00:00:00Z", limit=1)


def cut(database: Database, row_id: int, kind: EventType = "INSERT", *, leaves_out: str = "text") -> Change:
    """The row as the server streams it if it is too large."""
    whole = streamed(database, "notes", row_id, kind=kind)
    kept = {name: value for name, value in whole.new_row().items() if name != leaves_out}
    errors = ["Error 413: Payload Too Large"]
    return replace(whole, new=Raw(msgspec.json.encode(kept)), errors=errors)


@pytest.mark.parametrize("keeps_snapshot", [False, True])
@pytest.mark.parametrize(("event", "emitted"), [("*", "UPDATE"), ("INSERT", "INSERT"), ("UPDATE", "UPDATE")])
def test_a_row_that_the_server_cut_is_read(
    project: Project, database: Database, event: Any, emitted: str, *, keeps_snapshot: bool
) -> None:
    """Also if nothing dates the change that made it too large."""

    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute(f"insert into notes (id, text, updated_at) values (1, 'long', {AGO})")
        change = cut(database, 1, "UPDATE" if event == "UPDATE" else "INSERT")
        watch.recovery.observe(change)
        watch.recovery.cut(change)
        await watch.recover()
        assert [one.new_row()["text"] for one in watch.changes] == ["long"]
        assert watch.emitted() == [(emitted, 1)]
        await watch.recover()
        assert watch.emitted() == []

    bindings = [Binding(table="notes", event=event)]
    watched(project, bindings, script, keeps_snapshot=keeps_snapshot)


def test_a_row_that_streamed_whole_since_it_was_cut_is_known(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into notes (id, text) values (1, 'long')")
        change = cut(database, 1)
        watch.recovery.observe(change)
        watch.recovery.cut(change)
        database.execute("update notes set text = 'short' where id = 1")
        watch.recovery.observe(streamed(database, "notes", 1, kind="UPDATE"))
        gap = await watch.recover()
        assert (watch.emitted(), gap.cause) == ([], f"lost; {NO_DELETES}")

    watched(project, NOTES, script)


def test_a_cut_row_that_nobody_can_read_leaves_its_gap_open(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into notes (id, text) values (1, 'long'), (2, 'longer')")
        rows = [cut(database, 1), replace(cut(database, 2, "DELETE"), new=EMPTY)]
        for change in rows:
            watch.recovery.observe(change)
            watch.recovery.cut(change)
        database.execute("delete from notes")
        gap = await watch.recover()
        assert not gap.complete
        assert "rows that the server cut could not be read" in gap.cause
        assert "the server cut a row that was deleted" in gap.cause

    watched(project, NOTES, script, keeps_snapshot=True)


def test_of_a_whole_schema_only_seen_tables_are_asked_for(project: Project, database: Database) -> None:
    database.execute("insert into notes (id) values (1)")

    async def script(watch: Told) -> None:
        await watch.begin()
        watch.recovery.observe(streamed(database, "notes", 1))
        database.execute("insert into notes (id) values (2); insert into letters (id) values (1)")
        gap = await watch.recover()
        assert watch.emitted() == [("INSERT", 2)]
        assert "only tables that changes have come from can be asked for" in gap.cause

    watched(project, [Binding(table="*")], script)


def test_a_cancelled_recovery_is_taken_up_again(project: Project, database: Database) -> None:
    async def script(watch: Told) -> None:
        await watch.begin()
        database.execute("insert into notes select g from generate_series(1, 1500) g")
        task = asyncio.create_task(watch.recover())
        await watch.until(1000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert 1000 <= len(watch.events) < 1500
        gap = await watch.recover()
        assert gap.recovered == 1500, "what was told before counts"
        assert watch.emitted() == [("INSERT", n) for n in range(1, 1501)]

    watched(project, NOTES, script)


def test_more_rows_than_can_be_remembered_are_reported(project: Project, database: Database) -> None:
    database.execute("insert into notes (id) values (1)")

    async def script(watch: Told) -> None:
        change = streamed(database, "notes", 1)
        for _ in range(20_000):
            watch.recovery.observe(change)
        gap = await watch.recover()
        assert (gap.complete, watch.emitted()) == (False, [])
        assert "too much came at once to tell what is news" in gap.cause

    watched(project, NOTES, script)
