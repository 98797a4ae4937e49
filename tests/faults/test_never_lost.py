"""What is missing in the stream and yet no loss: every case has its table, its writes, and no gap."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from psycopg import AsyncConnection

from prt.local.seed.people import MEMBER
from prt.stream.binding import Binding
from tests.faults.scene import ALL, OURS, THEIRS, Project, Scene, played


@pytest.mark.parametrize(
    ("bindings", "writes"),
    [
        (
            [Binding(table="facts", event="INSERT")],
            "update facts set text = 'new', updated_at = clock_timestamp() where id < 3",
        ),
        (
            [Binding(table="facts", event="UPDATE")],
            "insert into facts (id) values (10), (11); "
            "insert into facts (id, updated_at) values (12, now() + interval '1 ms')",
        ),
        ([Binding(table="facts", filter="kind=eq.rumour")], "insert into facts (id) values (10)"),
        (
            [Binding(table="facts", event="INSERT"), Binding(table="undated", event="DELETE")],
            "insert into undated values (1); update undated set text = 'x'; delete from facts where id = 2",
        ),
    ],
)
def test_events_that_no_binding_asks_for(project: Project, bindings: Sequence[Binding], writes: str) -> None:
    async def script(stage: Scene) -> None:
        await stage.write(writes)
        await stage.until_compared()
        assert stage.watch.gaps == []

    played(project, bindings, script, before="insert into facts (id) values (1), (2);")


@pytest.mark.parametrize(
    ("published", "shown", "left_out"),
    [
        ("insert", "insert into facts (id) values (3)", "update facts set updated_at = clock_timestamp()"),
        ("update", "update facts set updated_at = clock_timestamp()", "insert into facts (id) values (4)"),
        ("insert", "", "update facts set updated_at = clock_timestamp()"),
    ],
)
def test_operations_that_the_publication_leaves_out(
    project: Project, published: str, shown: str, left_out: str
) -> None:
    async def script(stage: Scene) -> None:
        if shown:
            await stage.write(shown)
            await stage.watch.until(lambda watch: bool(watch.changes))
        await stage.write(left_out)
        await stage.until_compared()
        assert stage.watch.gaps == []

    publish = f"alter publication supabase_realtime set (publish = '{published}');"
    played(project, ALL, script, before=f"insert into facts (id) values (1), (2); {publish}")


@pytest.mark.parametrize("is_compared_between", [True, False])
def test_rows_that_a_new_membership_shows(project: Project, is_compared_between: bool) -> None:
    async def script(stage: Scene) -> None:
        watch = stage.watch
        await stage.write("insert into spaces_notes (id, space) values (1, %s)", OURS)
        await watch.until_seen(1)
        await stage.write("insert into spaces_notes (id, space) values (2, %s), (3, %s)", THEIRS, THEIRS)
        if is_compared_between:
            await stage.until_compared("public.spaces_notes")
        await stage.write("insert into spaces_notes (id, space) values (4, %s)", OURS)
        await watch.until_seen(4)
        await stage.write("insert into spaces_members values (%s, %s)", THEIRS, MEMBER.id)
        await stage.until_compared("public.spaces_notes")
        assert watch.gaps == []
        # From now on they are seen, and what is lost of them is a loss.
        stage.proxy.loses = lambda _: True
        await stage.write("insert into spaces_notes (id, space) values (5, %s)", THEIRS)
        await stage.proxy.until(lambda proxy: proxy.dropped_changes == 1)
        await watch.until_gap()
        assert watch.keys("backfill") == [5]

    before = f"insert into spaces_members values ('{OURS}', '{MEMBER.id}');"
    played(project, [Binding(table="spaces_notes")], script, before=before, token=project["PRT_TOKEN"])


def test_dates_in_the_future(project: Project) -> None:
    async def script(stage: Scene) -> None:
        soon = "now() + interval '2 s'"
        await stage.write(f"insert into facts (id, updated_at) values (3, {soon})")
        await stage.watch.until_seen(3)
        await stage.write("insert into facts (id, updated_at) values (4, now() + interval '1 day')")
        await stage.watch.until_seen(4)
        # Long enough for what is dated two seconds ahead to lie in the past.
        await stage.write("select pg_sleep(2.5)")
        await stage.until_compared()
        assert stage.watch.gaps == []

    before = (
        "insert into facts (id, updated_at) values (1, now() + interval '2 s'), "
        "(2, now() + interval '1 day');"
    )
    played(project, ALL, script, before=before)


def test_updates_that_leave_the_date_as_it_was(project: Project) -> None:
    async def script(stage: Scene) -> None:
        await stage.write("update facts set text = 'new'")
        await stage.watch.until(lambda watch: len(watch.changes) == 2)
        stage.proxy.loses = lambda _: True
        await stage.write("update facts set text = 'newer'")
        await stage.proxy.until(lambda proxy: proxy.dropped_changes == 2)
        await stage.until_compared()
        assert stage.watch.gaps == []
        last = stage.watch.verified[-1]
        assert (last.scope, last.reason) == ("inserts", "an UPDATE left `updated_at` as it was")

    before = "insert into facts (id, updated_at) values (1, now() - interval '2 min'), (2, '2020-01-01');"
    played(project, ALL, script, before=before)


def test_rows_that_were_deleted(project: Project) -> None:
    async def script(stage: Scene) -> None:
        stage.proxy.loses = lambda _: True
        await stage.write("insert into facts (id) values (3)")
        await stage.write("delete from facts where id = 3")
        await stage.proxy.until(lambda proxy: proxy.dropped_changes == 2)
        stage.proxy.loses = None
        await stage.until_compared()
        assert stage.watch.gaps == []

    played(project, ALL, script)


def test_a_transaction_that_is_open_for_several_windows(project: Project) -> None:
    async def script(stage: Scene) -> None:
        async with await AsyncConnection.connect(project["SUPABASE_DB_URL"]) as other:
            await other.execute("insert into facts (id) values (3)")
            await stage.until_compared()
            await other.execute("insert into facts (id) values (4)")
        await stage.watch.until_seen(3, 4)
        await stage.until_compared()
        assert stage.watch.gaps == []
        assert sorted(stage.watch.keys()) == [3, 4]

    played(project, ALL, script)


def test_what_a_select_leaves_out_does_not_date_the_rows(project: Project) -> None:
    async def script(stage: Scene) -> None:
        for key in range(3, 8):
            await stage.write("insert into facts (id) values (%s)", key)
            await stage.write("update facts set text = 'x', updated_at = clock_timestamp()")
        await stage.watch.until_seen(7)
        await stage.until_compared()
        assert stage.watch.gaps == []
        stage.proxy.loses = lambda _: True
        await stage.write("insert into facts (id, text) values (9, 'lost')")
        await stage.proxy.until(lambda proxy: proxy.dropped_changes == 1)
        await stage.watch.until_gap()
        assert stage.watch.changes[-1].new_row() == {"id": 9, "text": "lost"}

    played(project, [Binding(table="facts", select=("id", "text"))], script)


def test_a_gap_that_was_declared_for_another_cause(project: Project) -> None:
    async def script(stage: Scene) -> None:
        stage.proxy.is_shut = True
        stage.proxy.cut("rst")
        await stage.write("insert into facts (id) values (3)")
        stage.proxy.heal()
        await stage.watch.until_ready(2)
        await stage.watch.until_gap()
        await stage.until_compared()
        (gap,) = stage.watch.gaps
        assert gap.recovered == 0

    played(project, ALL, script, is_backfilling=False)
