"""Changes that the server loses without a word: a comparison with the tables finds and declares them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.faults.staging import Account, Stage, play
from tests.faults.watching import hurried

Project = dict[str, str]


def everything(_: dict[str, Any]) -> bool:
    return True


def of_table(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda data: data["table"] == name


async def lost(stage: Stage, count: int) -> None:
    """Waits until so many changes were dropped; what follows passes."""
    await stage.proxy.until(lambda proxy: proxy.dropped_changes >= count)
    stage.proxy.loses = None


def test_inserts_that_never_come_are_found_in_a_silent_stream(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        stage.proxy.loses = everything
        await stage.ledger.insert(3)
        await stage.ledger.insert(2, table=1)
        await lost(stage, 5)
        await stage.watch.until_gap(2)
        assert {table for gap in stage.watch.gaps for table in gap.tables} == set(stage.ledger.names)
        assert sorted((gap.recovered, gap.losses) for gap in stage.watch.gaps) == [(2, 2), (3, 3)]

    verdict = play(project, script, account, "lost-silently", is_verifying=True)
    assert (verdict.recovered, verdict.declared) == (5, 0)


def test_losses_amid_traffic_are_found_when_later_commits_have_come(
    project: Project, account: Account
) -> None:
    async def script(stage: Stage) -> None:
        async with stage.ledger.traffic():
            await stage.ledger.until_more(20)
            stage.proxy.loses = of_table(stage.ledger.tables[0])
            await lost(stage, 10)
            await stage.watch.until_gap()
            assert stage.watch.gaps[0].tables == [stage.ledger.names[0]]
            await stage.watch.until_verified(*stage.ledger.names)
        (last,) = await stage.ledger.insert()
        await stage.watch.until_seen(last)

    # The stream is never silent for so long.
    timing = hurried(silence=1_000)
    verdict = play(project, script, account, "lost-in-traffic", is_verifying=True, timing=timing)
    assert verdict.recovered >= 1


def test_an_update_of_a_row_that_had_come_is_found(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        first, second = await stage.ledger.insert(2)
        await stage.ledger.update(second)
        await stage.watch.until(lambda watch: any(one.event_type == "UPDATE" for one in watch.changes))
        stage.proxy.loses = everything
        await stage.ledger.update(first)
        await lost(stage, 1)
        await stage.watch.until_gap()
        assert stage.watch.changes[-1].event_type == "UPDATE"
        assert stage.watch.changes[-1].source == "backfill"

    assert play(project, script, account, "lost-update", is_verifying=True).recovered == 1


def test_a_loss_that_may_not_be_backfilled_is_declared_once(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        stage.proxy.loses = everything
        await stage.ledger.insert(3)
        await lost(stage, 3)
        await stage.watch.until_gap()
        await stage.watch.until_verified(stage.ledger.names[0])
        (gap,) = stage.watch.gaps
        assert (gap.recovered, gap.complete) == (0, False)
        assert "--no-backfill" in gap.cause

    verdict = play(project, script, account, "lost-not-backfilled", is_verifying=True, is_backfilling=False)
    assert verdict.declared == 3


def test_thousands_of_rows_of_one_moment_are_checked_page_by_page(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        await stage.watch.until_verified(*stage.ledger.names, times=1)
        stage.proxy.loses = everything
        await stage.ledger.flood(2_500, size=10)
        await lost(stage, 2_500)
        await stage.watch.until(lambda watch: sum(gap.recovered for gap in watch.gaps) == 2_500)

    # Pages of one window are judged together, unless reading them takes longer than this: then there are
    # several gaps.
    timing = hurried(every=2.0)
    verdict = play(project, script, account, "lost-burst", is_verifying=True, timing=timing)
    assert verdict.recovered == 2_500


def test_a_transaction_that_began_before_the_last_window_is_found(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        (key,) = await stage.ledger.insert()
        await stage.ledger.update(key)
        await stage.watch.until(lambda watch: any(one.event_type == "UPDATE" for one in watch.changes))
        # A row with such a date could have been there at READY, if it was not looked at before.
        await stage.watch.until_verified(*stage.ledger.names, times=1)
        stage.proxy.loses = everything
        await stage.ledger.execute(
            "insert into {table} (id, version, updated_at, created_at) "
            "values (900, 900, now() - interval '50 s', now() - interval '50 s')"
        )
        await lost(stage, 1)
        await stage.watch.until_gap()

    assert play(project, script, account, "lost-transaction", is_verifying=True).recovered == 1


def test_a_stalled_server_that_streams_later_has_lost_nothing(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        stage.proxy.hold()
        keys = await stage.ledger.insert(5)
        # The rows were read, and the silence that would decide has passed more than once.
        before = stage.proxy.heartbeats_sent
        await stage.proxy.until(lambda proxy: proxy.heartbeats_sent >= before + 3)
        stage.proxy.release()
        await stage.watch.until_seen(*keys)
        await stage.watch.until_verified(*stage.ledger.names)
        assert stage.watch.gaps == []

    verdict = play(
        project, script, account, "stalled", is_verifying=True, timing=hurried(slow=0.2, silence=0.2)
    )
    assert verdict.delivered == verdict.writes


def test_ten_thousand_rows_in_one_burst_are_no_gap(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        await stage.ledger.flood(10_000, size=100)
        await stage.watch.until(lambda watch: len(watch.changes) >= 10_000)
        await stage.watch.until_verified(*stage.ledger.names)
        assert stage.watch.gaps == []

    verdict = play(project, script, account, "burst", is_verifying=True)
    assert verdict.delivered == verdict.writes


def test_traffic_is_no_gap(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        async with stage.ledger.traffic():
            await stage.watch.until_verified(*stage.ledger.names, times=10)
        await stage.watch.until_verified(*stage.ledger.names)
        assert stage.watch.gaps == []

    verdict = play(project, script, account, "traffic", is_verifying=True)
    assert verdict.delivered == verdict.writes


@pytest.mark.parametrize("hours", [-1, 1])
def test_our_clock_takes_no_part(
    project: Project, account: Account, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    jump, wall_ns = hours * 3600 * 1_000_000, time.time_ns

    async def script(stage: Stage) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: wall_ns() + jump * 1_000)
        await stage.ledger.insert(5)
        await stage.watch.until_verified(*stage.ledger.names, times=4)
        assert stage.watch.gaps == []
        stage.proxy.loses = everything
        await stage.ledger.insert(3)
        await lost(stage, 3)
        await stage.watch.until_gap()
        monkeypatch.setattr(time, "time_ns", wall_ns)
        stage.watch.events[:] = [without_jump(event) for event in stage.watch.events]

    def without_jump(event: Any) -> Any:
        is_moved = abs(event.at - wall_ns() // 1000) > abs(jump) / 2
        return replace(event, at=event.at - jump) if is_moved else event

    assert play(project, script, account, "lost-and-clocks", is_verifying=True).recovered == 3


@pytest.mark.parametrize("seconds", [-5, 5])
def test_the_clocks_of_rest_and_of_the_database_may_differ(
    project: Project, account: Account, seconds: int
) -> None:
    async def script(stage: Stage) -> None:
        stage.proxy.rest_clock_seconds = seconds
        stage.proxy.cut_requests()
        await stage.ledger.insert(5)
        await stage.watch.until_verified(*stage.ledger.names, times=4)
        assert stage.watch.gaps == []
        stage.proxy.loses = everything
        await stage.ledger.insert(3)
        await lost(stage, 3)
        await stage.watch.until_gap()
        (gap,) = stage.watch.gaps
        # The judge would hold it against the clock of the database.
        stage.watch.events[stage.watch.events.index(gap)] = replace(gap, at=gap.at + abs(seconds) * 1_000_000)

    assert play(project, script, account, "lost-and-clocks", is_verifying=True).recovered == 3
