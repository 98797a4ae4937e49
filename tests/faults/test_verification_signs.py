"""Signs of a loss start a verification at once; where nothing can be verified they are gaps themselves."""

from __future__ import annotations

import pytest

from prt.stream.binding import Binding
from tests.faults.scene import ALL, FACTS, Project, Scene, played
from tests.faults.watching import hurried

SELDOM = hurried(every=1_000.0, heartbeat=0.4)
"""After the first window nothing is read but for a sign; a heartbeat is late after 0.4 s."""
UNDATED = [*ALL, Binding(table="undated")]


async def stalled(stage: Scene) -> None:
    """The server answers a heartbeat later than the next one is due."""
    answered = stage.proxy.heartbeats
    await stage.proxy.until(lambda proxy: proxy.heartbeats > answered)
    stage.proxy.hold()
    sent = stage.proxy.heartbeats_sent
    await stage.proxy.until(lambda proxy: proxy.heartbeats_sent >= sent + 1)
    await stage.write("select pg_sleep(0.5)")
    stage.proxy.release()


def test_a_heartbeat_that_is_answered_late(project: Project) -> None:
    async def script(stage: Scene) -> None:
        await stage.watch.until_verified(FACTS, times=1)
        await stage.lose("insert into facts (id) values (3)", 1)
        await stalled(stage)
        await stage.watch.until(lambda watch: any(gap.tables == [FACTS] for gap in watch.gaps))
        assert stage.watch.keys("backfill") == [3]
        (hopeless,) = [gap for gap in stage.watch.gaps if gap.tables == ["public.undated"]]
        assert not hopeless.complete
        assert hopeless.cause.startswith("the server answered a heartbeat late")
        assert 400_000 < hopeless.end - hopeless.start < 60_000_000

    played(project, UNDATED, script, timing=SELDOM)


def test_the_end_of_a_burst(project: Project) -> None:
    async def script(stage: Scene) -> None:
        await stage.watch.until_verified(FACTS, times=1)
        await stage.lose("insert into facts (id) values (3)", 1)
        await stage.write("insert into undated select g, 'x' from generate_series(1, 2000) g")
        await stage.watch.until(lambda watch: len(watch.changes) >= 2_000)
        await stage.watch.until_gap()
        # The table of the burst can't be verified; the other one had no part in it.
        (gap,) = stage.watch.gaps
        assert (gap.tables, gap.complete) == (["public.undated"], False)
        await stage.write("insert into facts (id) select g from generate_series(10, 2010) g")
        await stage.watch.until_gap(2)
        assert stage.watch.gaps[1].tables == [FACTS]
        assert stage.watch.keys("backfill") == [3]

    played(project, UNDATED, script, timing=SELDOM)


@pytest.mark.parametrize("keeps_snapshot", [False, True])
def test_a_row_that_is_inserted_another_time(project: Project, keeps_snapshot: bool) -> None:
    async def script(stage: Scene) -> None:
        watch = stage.watch
        await stage.watch.until_verified(FACTS, times=1)
        await stage.write("insert into facts (id) values (3)")
        await watch.until_seen(3)
        await stage.write("truncate facts")
        await stage.write("insert into facts (id) values (3)")
        await watch.until_gap()
        (gap,) = watch.gaps
        if keeps_snapshot:
            assert gap.cause.startswith("2 rows are gone without a DELETE")
            deleted = [one.old_row()["id"] for one in watch.changes if one.event_type == "DELETE"]
            assert (sorted(deleted), gap.complete) == ([1, 2], True)
        else:
            assert "inserted that was there already" in gap.cause
            assert not gap.complete

    before = "insert into facts (id) values (1), (2);"
    played(project, ALL, script, before=before, timing=SELDOM, keeps_snapshot=keeps_snapshot)


def test_a_table_that_is_slow_to_read_is_verified_no_more(project: Project) -> None:
    async def script(stage: Scene) -> None:
        await stage.watch.until_verified(FACTS, times=1)
        stage.proxy.rest_delay = lambda line: 1.0 if "lte.now" in line else 0.0
        await stage.watch.until(lambda watch: watch.verified[-1].scope == "none")
        assert stage.watch.verified[-1].reason == "no index on `updated_at`"
        last = stage.watch.statuses("READY")[-1]
        assert last.reason == "public.facts is not verified: no index on `updated_at`"
        assert last.hint == "create index on public.facts (updated_at)"

    played(project, ALL, script, timing=hurried(slow=0.3))


def test_a_project_that_is_slow_for_a_while_is_verified_on(project: Project) -> None:
    async def script(stage: Scene) -> None:
        await stage.watch.until_verified(FACTS, times=1)
        asked: list[str] = []

        def delay(line: str) -> float:
            asked.append(line)
            return 1.0

        stage.proxy.rest_delay = delay
        await stage.proxy.until(lambda _: len(asked) >= 4)
        stage.proxy.rest_delay = lambda _: 0.0
        await stage.lose("insert into facts (id) values (3)", 1)
        await stage.watch.until_gap()
        assert all(event.scope != "none" for event in stage.watch.verified)

    played(project, ALL, script, timing=hurried(slow=0.3))


def test_a_database_that_rest_can_not_reach_is_verified_when_it_is_back(project: Project) -> None:
    async def script(stage: Scene) -> None:
        await stage.watch.until_verified(FACTS, times=1)
        stage.proxy.rest_answer = (503, '{"code":"PGRST001","message":"no connection"}')
        stage.proxy.cut_requests()
        await stage.lose("insert into facts (id) values (3)", 1)
        asked = stage.proxy.requests
        await stage.proxy.until(lambda proxy: proxy.requests >= asked + 3)
        stage.proxy.rest_answer = None
        await stage.watch.until_gap()
        assert stage.watch.keys("backfill") == [3]

    played(project, ALL, script)


def test_a_table_that_may_not_be_read_is_reported_and_read_again(project: Project) -> None:
    async def script(stage: Scene) -> None:
        await stage.watch.until(lambda watch: bool(watch.verified))
        first = stage.watch.verified[0]
        assert (first.scope, first.verified_at) == ("none", None)
        assert first.reason is not None
        assert "permission denied" in first.reason
        await stage.write("grant select on facts to anon")
        await stage.watch.until_verified(FACTS, times=1)

    played(project, ALL, script, before="revoke all on public.facts from anon;")
