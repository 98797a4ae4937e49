from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from prt.events import Broadcast, Event, Presence, Status
from prt.local.realtime.settings import Settings
from prt.local.seed import colleagues
from prt.local.seed.story import words
from prt.local.seed.story.colleagues import (
    COLLEAGUES,
    CURSOR,
    DOCUMENT,
    HEIGHT,
    PRESENCE,
    WIDTH,
    Act,
    At,
    Leave,
    Point,
    acts,
)
from prt.stream.live.combined import CombinedSource
from prt.stream.live.source import Live
from prt.stream.rest.session import Endpoint, Session
from prt.stream.topic import TopicSettings
from tests.fakes import Peer, scripted_server
from tests.running import PATIENCE

IDS = {one.id for one in COLLEAGUES}


def day(seed: int, count: int = 4000) -> list[Act]:
    return list(islice(acts(Random(seed), 8), count))


def test_same_seed_same_day() -> None:
    assert day(1) == day(1)
    assert day(1) != day(2)


@pytest.mark.parametrize("seed", range(3))
def test_they_come_move_and_go(seed: int) -> None:
    reported = day(seed)
    assert isinstance(reported[0], At), "the first thing is to come"
    for act, following in pairwise(reported):
        assert act.after >= 0
        if isinstance(act, Leave):
            assert isinstance(following, At)
    assert {act.location for act in reported if isinstance(act, At)} == set(words.PLACES)
    points = [act for act in reported if isinstance(act, Point)]
    assert all(0 <= one.x <= WIDTH and 0 <= one.y <= HEIGHT for one in points)
    assert sum(isinstance(act, Leave) for act in reported) >= 2


def test_cursors_move_smoothly() -> None:
    """Not in jumps: of a path across the document, a step at eight a second is a part."""
    points = [act for act in day(1) if isinstance(act, Point)]
    steps = sorted(
        max(abs(two.x - one.x) / WIDTH, abs(two.y - one.y) / HEIGHT) for one, two in pairwise(points)
    )
    assert steps[len(steps) // 2] < 0.1
    assert steps[len(steps) * 9 // 10] < 0.35


@pytest.mark.parametrize("seed", range(5))
def test_nobody_meets_the_limit_on_presence(seed: int) -> None:
    limits, now, calls = Settings(), 0.0, list[float]()
    for act in day(seed):
        now += act.after
        if isinstance(act, Leave):
            calls.clear()  # a new connection counts anew
        elif isinstance(act, At):
            calls = [one for one in calls if one > now - limits.presence_window_seconds] + [now]
            assert len(calls) < limits.presence_calls


def test_they_are_of_the_seeds_personnel() -> None:
    rows = Path(colleagues.__file__).with_name("sql").joinpath("seed", "rows.sql").read_text()
    for one in COLLEAGUES:
        assert f"({int(one.id[-4:], 16)}, '{one.name}'" in rows


class Seen:
    """What a watcher of both topics received about each colleague."""

    def __init__(self) -> None:
        self.steps: dict[str, list[str]] = {one: [] for one in IDS}
        self.metas: dict[str, dict[str, Any]] = {}
        self.moves: dict[str, Any] = {}

    def note(self, event: Event) -> None:
        if isinstance(event, Broadcast):
            assert (event.topic, event.event) == (DOCUMENT, CURSOR)
            move = json.loads(bytes(event.payload))
            self.moves[move["userId"]] = move
        elif isinstance(event, Presence) and event.key is not None:
            (meta,) = event.presences or [{}]
            self.steps[event.key].append(f"{event.event} {meta.get('location', '')}".strip())
            self.metas[event.key] = meta


def test_a_project_has_them(project: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def short_day(*_: object) -> Iterator[Act]:
        yield from (At(0, "/a"), Point(0, 10, 20), At(0, "/b"), Leave(0), At(0, "/c"), Leave(1e6))

    monkeypatch.setattr(colleagues, "acts", short_day)
    seen = Seen()
    expected = ["join /a", "update /b", "leave /b", "join /c"]

    async def watch() -> None:
        session = Session(Endpoint(url=project["SUPABASE_URL"], key=project["SUPABASE_ANON_KEY"]))
        topics = [
            TopicSettings(topic=PRESENCE, events=(), has_presence=True),
            TopicSettings(topic=DOCUMENT, events=(CURSOR,)),
        ]
        playing, ready = None, 0
        async with CombinedSource([Live(session, [], settings=topic) for topic in topics]) as batches:
            async for batch in batches:
                for event in batch:
                    seen.note(event)
                    ready += isinstance(event, Status) and event.status == "READY"
                if ready == len(topics) and playing is None:
                    day = colleagues.run(project["SUPABASE_URL"], project["SUPABASE_ANON_KEY"], seed=1)
                    playing = asyncio.create_task(day)
                if all(steps == expected for steps in seen.steps.values()) and set(seen.moves) == IDS:
                    break
            assert playing is not None
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)

    asyncio.run(asyncio.wait_for(watch(), PATIENCE))
    one = COLLEAGUES[0]
    assert set(seen.metas[one.id]) == {"user_id", "name", "online_at", "location", "presence_ref"}
    assert seen.metas[one.id]["user_id"] == one.id
    assert seen.moves[one.id] == {"userId": one.id, "name": one.name, "position": {"x": 10, "y": 20}}


def test_who_loses_the_connection_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def short_day(*_: object) -> Iterator[Act]:
        yield from (At(0, "/a"), At(0.01, "/b"))
        while True:
            yield At(0.01, "/c")

    monkeypatch.setattr(colleagues, "acts", short_day)
    monkeypatch.setattr(colleagues, "COLLEAGUES", COLLEAGUES[:1])
    monkeypatch.setattr(colleagues, "RETRY_SECONDS", 0.0)
    is_back = asyncio.Event()
    locations: list[str] = []

    async def lose_the_first(peer: Peer) -> None:
        frame = await peer.accept_join()
        if frame[2] == f"realtime:{DOCUMENT}":
            await peer.until_closed()
        tracked = await peer.receive()
        locations.append(tracked[4]["payload"]["location"])
        if len(locations) > 1:
            is_back.set()
            await peer.until_closed()

    async def main() -> None:
        async with scripted_server(lose_the_first) as url:
            playing = asyncio.create_task(colleagues.run(url, "key", seed=1))
            await is_back.wait()
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)

    asyncio.run(asyncio.wait_for(main(), PATIENCE))
    assert locations == ["/a", "/c"], "the first page after what the loss took"
