"""The matrix, fourth part: slow readers, slow lines, frames that can't be read, clocks that jump."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from msgspec.structs import replace

from prt.stream.socket.queue import EventQueue
from tests.fakes import change_data
from tests.faults.staging import Account, Stage, play
from tests.faults.watching import hurried

Project = dict[str, str]
Patch = pytest.MonkeyPatch


class SmallQueue(EventQueue):
    """Holds 50 events, and records when it had to drop some."""

    def __init__(self) -> None:
        super().__init__(max_events=50)
        self.has_dropped = asyncio.Event()
        self.most = 0

    def _drop_older_half(self) -> None:
        self.most = max(self.most, len(self._events))
        super()._drop_older_half()
        self.has_dropped.set()


def test_a_reader_that_stops_costs_events_which_are_counted(project: Project, account: Account) -> None:
    queue = SmallQueue()

    async def script(stage: Stage) -> None:
        watch = stage.watch
        watch.may_read.clear()
        await stage.ledger.flood(2_000, size=2_000)
        await queue.has_dropped.wait()
        watch.may_read.set()
        await stage.settle()
        assert all("slow" in gap.cause for gap in watch.gaps)
        # What one read of the socket held comes on top of the bound.
        assert queue.most <= 50 + 256

    verdict = play(project, script, account, "slow-reader", queue=queue, timing=hurried(heartbeat=0.5))
    assert verdict.declared + verdict.recovered + verdict.delivered == verdict.writes
    assert verdict.delivered < verdict.writes


def test_a_slow_line_delays_and_loses_nothing(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        stage.proxy.bytes_per_second = 1_000_000
        await stage.ledger.flood(200, size=5_000)
        await stage.settle(gaps=0)

    verdict = play(project, script, account, "throttled")
    assert (verdict.delivered, verdict.gaps) == (verdict.writes, 0)


def test_a_line_with_latency_delays_and_loses_nothing(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        stage.proxy.delay_seconds = 0.1
        answered = stage.proxy.heartbeats
        async with stage.ledger.traffic():
            await stage.ledger.until_more(100)
            await stage.proxy.until(lambda proxy: proxy.heartbeats > answered)
        await stage.settle(gaps=0)
        assert stage.proxy.connections == 1

    verdict = play(project, script, account, "delayed", timing=hurried(heartbeat=0.75))
    assert (verdict.delivered, verdict.gaps) == (verdict.writes, 0)


def frame(topic: str, **data: Any) -> str:
    return json.dumps(
        [None, None, topic, "postgres_changes", {"data": change_data(**data), "ids": [1]}],
        separators=(",", ":"),
    )


TOPIC = "realtime:prt-watch"


def test_a_frame_of_three_megabytes_passes(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        stage.proxy.inject(frame(TOPIC, table="elsewhere", record={"id": 1, "body": "x" * 3_000_000}))
        await stage.settle(gaps=0)
        (large,) = [change for change in stage.watch.changes if change.table == "elsewhere"]
        assert len(large.new_row()["body"]) == 3_000_000
        stage.watch.events.remove(large)

    verdict = play(project, script, account, "frame-3mb")
    assert (verdict.delivered, verdict.gaps) == (verdict.writes, 0)


def test_a_frame_above_the_bound_costs_the_connection_and_is_healed(
    project: Project, account: Account
) -> None:
    async def script(stage: Stage) -> None:
        stage.proxy.inject(frame(TOPIC, table="elsewhere", record={"id": 1, "body": "x" * 20_000_000}))
        await stage.ledger.insert(3)
        await stage.watch.until_ready(2)
        await stage.settle()
        assert not any(change.table == "elsewhere" for change in stage.watch.changes)

    play(project, script, account, "frame-20mb")


def test_garbage_is_reported_and_the_stream_goes_on(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        for data in (b"", b"\x00\xff garbage", "{", "[1,2,3]", b'"half \xe2\x82', "null"):
            stage.proxy.inject(data)
        stage.proxy.send("an_event_that_nobody_knows", {"a": 1})
        await stage.settle()
        assert len(stage.watch.malformed) >= 5
        assert stage.proxy.connections == 1

    verdict = play(project, script, account, "garbage")
    assert verdict.delivered == verdict.writes


def test_deep_nesting_is_reported_and_the_stream_goes_on(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        deep = "[" * 100_000 + "]" * 100_000
        stage.proxy.inject(deep)
        row = frame(TOPIC, table="elsewhere", record={"id": 1, "body": None})
        stage.proxy.inject(row.replace("null}", deep + "}", 1))
        stage.proxy.inject(f'[null,null,"{TOPIC}","system",{deep}]')
        await stage.settle()
        assert len(stage.watch.malformed) >= 2
        assert stage.proxy.connections == 1

    verdict = play(project, script, account, "nesting")
    assert verdict.delivered == verdict.writes


def test_garbled_changes_are_reported_and_recovered(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        stage.proxy.garble(3)
        await stage.ledger.insert(6)
        await stage.settle()
        assert len(stage.watch.malformed) == 3

    verdict = play(project, script, account, "garbled")
    assert verdict.recovered == 3


def test_a_damaged_frame_brings_back_no_row_from_before_the_watch(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        stage.proxy.garble(1)
        await stage.ledger.insert(1)
        await stage.watch.until_gap()
        await stage.settle()
        (gap,) = stage.watch.gaps
        assert gap.recovered == 1
        assert set(stage.watch.keys()).isdisjoint(stage.present)

    # They were written in the seconds before READY.
    assert play(project, script, account, "garbled", present=3).recovered == 1


@pytest.mark.parametrize(("fault", "hours"), [("clock-forward", 1), ("clock-back", -1)])
def test_a_clock_that_jumps_moves_no_gap(
    project: Project, account: Account, monkeypatch: Patch, fault: str, hours: int
) -> None:
    jump = hours * 3600
    wall, wall_ns = time.time, time.time_ns

    async def script(stage: Stage) -> None:
        async with stage.ledger.traffic():
            await stage.ledger.until_more(20)
            monkeypatch.setattr(time, "time", lambda: wall() + jump)
            monkeypatch.setattr(time, "time_ns", lambda: wall_ns() + jump * 1_000_000_000)
            await stage.ledger.until_more(20)
            # More than what may be remembered of the time before.
            passed = stage.proxy.changes
            await stage.ledger.until_more(300)
            await stage.proxy.until(lambda proxy: proxy.changes >= passed + 300)
            await stage.down(lambda proxy: proxy.cut("rst"))
            stage.proxy.heal()
            await stage.watch.until_ready(2)
        await stage.settle()
        monkeypatch.setattr(time, "time", wall)
        monkeypatch.setattr(time, "time_ns", wall_ns)
        # The judge compares READY with commits; what prt shows as `at` is what its clock said.
        stage.watch.events[:] = [without(jump, event) for event in stage.watch.events]

    def without(jump: int, event: Any) -> Any:
        is_moved = abs(event.at / 1_000_000 - wall()) > abs(jump) / 2
        return replace(event, at=event.at - jump * 1_000_000) if is_moved else event

    assert play(project, script, account, fault).recovered >= 20
