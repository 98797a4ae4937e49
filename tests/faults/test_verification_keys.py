"""The keys of a snapshot, compared: deletes, and tables without dates."""

from __future__ import annotations

from prt.stream.binding import Binding
from tests.faults.scene import ALL, FACTS, Project, Scene, played

THREE = "insert into facts (id) values (1), (2), (3); insert into undated values (1), (2), (3);"


def test_a_delete_that_never_came(project: Project) -> None:
    async def script(stage: Scene) -> None:
        await stage.watch.until_verified(FACTS, times=1)
        await stage.lose("delete from facts where id in (1, 3)", 2)
        await stage.watch.until_gap()
        (gap,) = stage.watch.gaps
        assert (gap.tables, gap.recovered, gap.complete) == ([FACTS], 2, True)
        gone = [
            (one.old_row()["id"], one.source) for one in stage.watch.changes if one.event_type == "DELETE"
        ]
        assert sorted(gone) == [(1, "backfill"), (3, "backfill")]
        await stage.until_compared()
        assert len(stage.watch.gaps) == 1

    played(project, ALL, script, before=THREE, keeps_snapshot=True)


def test_a_table_without_dates(project: Project) -> None:
    async def script(stage: Scene) -> None:
        watch, table = stage.watch, "public.undated"
        await watch.until_verified(table, times=1)
        assert (watch.verified[-1].scope, watch.verified[-1].reason) == (
            "inserts",
            "no column dates its rows",
        )
        await stage.lose("insert into undated values (4), (5)", 2)
        await stage.lose("delete from undated where id = 2", 1)
        await watch.until(lambda _: sum(gap.recovered for gap in watch.gaps) == 3)
        assert {name for gap in watch.gaps for name in gap.tables} == {table}
        assert sorted(watch.keys("backfill")) == [2, 4, 5]

    played(project, [Binding(table="undated")], script, before=THREE, keeps_snapshot=True)


def test_what_comes_and_goes_while_keys_are_compared_is_no_loss(project: Project) -> None:
    async def script(stage: Scene) -> None:
        before = len(stage.watch.verified)
        for key in range(10, 60):
            await stage.write("insert into undated values (%s, 'x')", key)
            await stage.write("update undated set text = 'y' where id = %s", key)
            await stage.write("delete from undated where id = %s", key - 1)
        await stage.watch.until(lambda watch: len(watch.verified) > before + 5)
        await stage.until_compared("public.undated")
        assert stage.watch.gaps == []

    played(project, [Binding(table="undated")], script, before=THREE, keeps_snapshot=True)


def test_more_than_a_page_of_keys(project: Project) -> None:
    async def script(stage: Scene) -> None:
        await stage.watch.until_verified(FACTS, times=1)
        await stage.lose("delete from facts where mod(id, 20) = 0", 125)
        await stage.watch.until_gap()
        (gap,) = stage.watch.gaps
        assert (gap.recovered, gap.complete) == (125, True)

    before = "insert into facts (id) select g from generate_series(1, 2500) g;"
    played(project, ALL, script, before=before, keeps_snapshot=True)


def test_a_row_that_has_left_the_filter_is_not_gone(project: Project) -> None:
    async def script(stage: Scene) -> None:
        await stage.watch.until_verified(FACTS, times=1)
        await stage.write("update facts set kind = 'rumour', updated_at = clock_timestamp() where id = 2")
        await stage.until_compared()
        assert stage.watch.gaps == []

    bindings = [Binding(table="facts", filter="kind=eq.fact")]
    played(project, bindings, script, before=THREE, keeps_snapshot=True)
