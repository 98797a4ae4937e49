"""The benchmarks measure what they promise; how fast it was does not matter here."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.benchmarks import (
    batching,
    broadcast,
    help,  # noqa: A004 - named after the option
    hostile,
    latency,
    memory,
    plugin,
    rooms,
    start,
    suites,
    tap,
    verifying,
)
from tests.benchmarks.flood import CHUNK
from tests.benchmarks.subjects import flooding_server, own_environment, prt_watch, serving
from tests.benchmarks.throughput import rate_of

COUNT = CHUNK + 7


@pytest.mark.parametrize("vsn", ["1.0.0", "2.0.0"])
def test_the_flood_is_whole_in_both_versions(vsn: str) -> None:
    async def changes(url: str) -> list[int]:
        async with connect(f"{url.replace('http', 'ws')}/realtime/v1/websocket?vsn={vsn}") as client:
            payload = {"config": {"postgres_changes": [{"event": "*", "schema": "public", "table": "t"}]}}
            words = {"topic": "realtime:t", "event": "phx_join", "payload": payload, "ref": "1"}
            array = ["1", "1", words["topic"], words["event"], payload]
            await client.send(json.dumps(array if vsn == "2.0.0" else words))
            flood.order(COUNT)
            found = []
            while len(found) < COUNT:
                data = await client.recv()
                frame = json.loads(data)
                event = frame[3] if vsn == "2.0.0" else frame["event"]
                if event == "postgres_changes":
                    found.append(len(data))
            return found

    with flooding_server() as flood:
        sizes = asyncio.run(changes(flood.url))
    assert len(sizes) == COUNT
    assert all(600 < size < 720 for size in sizes)


def test_the_suites_of_prt_are_read(project: dict[str, str]) -> None:
    levels = suites.of_prt(("2", "2", "40", "0.4"), {**own_environment(), **project})
    for suite in suites.SUITES:
        assert levels[suite]["delivered"] == levels[suite]["expected"] > 0
        assert set(levels[suite]["lag_ms"]) == set(suites.PERCENTILES)


@pytest.mark.parametrize("name", plugin.MODULES)
def test_the_same_test_passes_by_hand_and_with_the_plugin(
    name: str, project: dict[str, str], tmp_path: Path
) -> None:
    took = plugin.run(name, project, tmp_path, count=1)
    assert len(took.each) == 1
    assert 0 < took.each[0] < took.whole
    assert took.cpu > 0


def test_verifying_counts_the_requests_of_a_watch(project: dict[str, str]) -> None:
    cost = asyncio.run(verifying.cost_of(project, "--verify", seconds=3.0, settling=0.0))
    assert cost.requests > 0
    assert cost.bytes > 0
    assert cost.cpu > 0


def test_throughput_counts_every_change(tmp_path: Path) -> None:
    with flooding_server() as flood:
        rate = rate_of(prt_watch("--count", str(COUNT)), flood, COUNT, tmp_path / "out.ndjson")
    assert rate.wall > 0
    assert rate.cpu > 0


def test_throughput_notices_a_client_that_fails(tmp_path: Path) -> None:
    with flooding_server() as flood, pytest.raises(RuntimeError, match="wrote 500 of 507"):
        rate_of(prt_watch("--count", str(CHUNK)), flood, COUNT, tmp_path / "out.ndjson")


@pytest.mark.parametrize(
    ("figures", "last"),
    [
        (lambda: memory.measure(marks=(CHUNK, 3 * CHUNK)), "growth"),
        (lambda: latency.measure(samples=3), "a polling server's p50 / ours"),
        (lambda: help.measure(rounds=1), "prt --help / bare import"),
        (lambda: batching.measure(count=2 * CHUNK, rounds=1), "batched / not batched"),
        (lambda: start.measure(rounds=1, settling=0.0), "second start / first start, memory"),
        (lambda: tap.measure(samples=6, frames=50, sockets=5), "added delay a direction, p50 ms"),
    ],
    ids=["memory", "latency", "help", "batching", "start", "tap"],
)
def test_the_others_measure(figures: object, last: str) -> None:
    found = figures()  # type: ignore[operator]
    assert found[-1][0] == last
    assert all(figure for _, figure in found)


def test_a_good_client_is_timed_beside_a_hostile_one() -> None:
    worst = hostile.worst_of("many bindings", seconds=0.3)
    assert set(worst) == {"heartbeat", "broadcast", "change", "rest", "join"}
    assert all(0 < delay < float("inf") for delay in worst.values())


@pytest.mark.parametrize("kind", ["diffs", "moves"])
def test_a_busy_topic_is_followed_to_its_last_move(kind: str, tmp_path: Path) -> None:
    with serving("tests.benchmarks.moving") as server:
        found = rooms.followed(rooms.commands(tmp_path, kind)["prt"], server, kind, 200, 0.1)
    assert found.early > 0
    assert found.late > 0


def test_broadcasts_are_timed_one_by_one(project: dict[str, str]) -> None:
    assert len(broadcast.prt_to_prt(project, 3, 0)) == 3
    assert all(time > 0 for time in broadcast.send_to_watch(project, 3, 0))
