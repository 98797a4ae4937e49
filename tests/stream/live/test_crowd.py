"""A roster in a crowd: hundreds come, change and go at random, some without a word, and our link is cut."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from prt.events import Event, Presence
from prt.stream.live.roster import state_of
from prt.stream.live.source import Live
from prt.stream.rest.session import Endpoint, Session
from prt.stream.socket.connection import MessageConnection
from prt.stream.socket.wire import Decoder, Frame
from prt.stream.timing import Timing
from prt.stream.topic import TopicSettings
from tests.running import PATIENCE
from tests.stream.mirror import Mirror

USERS, KEYS, ROUNDS = 200, 120, 3
CALLS = 5
"""Presence calls that the server allows a join in half a minute."""
TOPIC = "realtime:crowd"

Shown = dict[str, list[dict[str, Any]]]


class User:
    """One connection that joins, tracks what the test gives, and reads no more than the answers to it."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self.key = key
        self.tracked: dict[str, Any] | None = None
        self.calls = 0
        self._connection: ClientConnection | None = None
        self._refs = itertools.count(1)
        self._answers: dict[bytes, asyncio.Future[None]] = {}

    async def come(self) -> None:
        self._refs, self.calls = itertools.count(1), 0
        self._connection = await connect(
            self._url,
            create_connection=partial(MessageConnection, on_message=self._on_message),  # type: ignore[arg-type]
            compression=None,
            ping_interval=None,
            proxy=None,
            open_timeout=PATIENCE,
        )
        await self._ask("phx_join", {"config": {"presence": {"key": self.key}}})

    async def track(self, payload: dict[str, Any]) -> None:
        self.calls += 1
        await self._ask("presence", {"event": "track", "payload": payload})
        self.tracked = payload

    async def untrack(self) -> None:
        self.calls += 1
        await self._ask("presence", {"event": "untrack"})
        self.tracked = None

    async def leave(self) -> None:
        await self._ask("phx_leave", {})
        self.tracked = None
        await self.shut()

    def vanish(self) -> None:
        assert self._connection is not None
        self._connection.transport.abort()
        self._connection, self.tracked = None, None

    async def shut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def step(self, chance: random.Random, number: int) -> None:
        """Something that its state allows."""
        if self._connection is None:
            await self.come()
        if self.calls == CALLS:
            acts: list[Callable[[], Awaitable[None] | None]] = [self.leave, self.vanish]
        else:
            track = partial(self.track, {"n": number})
            acts = [track, track, track, self.untrack, self.leave, self.vanish]
        done = chance.choice(acts)()
        if done is not None:
            await done

    async def _ask(self, event: str, payload: Any) -> None:
        assert self._connection is not None
        ref = str(next(self._refs))
        answer = asyncio.get_running_loop().create_future()
        self._answers[f'["1","{ref}","{TOPIC}","phx_reply",{{"status":"ok"'.encode()] = answer
        await self._connection.send(json.dumps(["1", ref, TOPIC, event, payload]))
        await asyncio.wait_for(answer, PATIENCE)

    def _on_message(self, data: bytes) -> None:
        for head in list(self._answers):
            if data.startswith(head):
                self._answers.pop(head).set_result(None)


class Here:
    """prt on the topic: its events, and the roster that they amount to."""

    def __init__(self, live: Live, batches: AsyncIterator[list[Event]]) -> None:
        self.live = live
        self.mirror = Mirror()
        self.syncs: list[Shown] = []
        self._batches = batches

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not wanted():
                for event in await anext(self._batches):
                    if isinstance(event, Presence):
                        self.mirror.apply(event)
                        if event.event == "sync":
                            self.syncs.append(event.state or {})

    def roster(self) -> dict[str, list[Any]]:
        """What is tracked, by key."""
        return {
            key: sorted(one["n"] for one in presences.values()) for key, presences in self.mirror.keys.items()
        }


async def states(url: str) -> Shown:
    """Return what the server itself sends about the topic to a new client."""
    decode = Decoder().decode
    async with connect(url, compression=None, proxy=None, open_timeout=PATIENCE) as connection:
        config = {"config": {"presence": {"enabled": True}}}
        await connection.send(json.dumps(["1", "1", TOPIC, "phx_join", config]))
        while True:
            frame = decode((await asyncio.wait_for(connection.recv(), PATIENCE)).encode(), 0)  # type: ignore[union-attr]
            if isinstance(frame, Frame) and frame.event == "presence_state":
                return {
                    key: [{"n": meta["n"], "presence_ref": meta["phx_ref"]} for meta in entry.metas]
                    for key, entry in state_of(frame.payload).items()
                }


@asynccontextmanager
async def crowd(url: str) -> AsyncIterator[list[User]]:
    async with AsyncExitStack() as stack:
        users = [User(url, f"key {n % KEYS}") for n in range(USERS)]
        for user in users:
            stack.push_async_callback(user.shut)
        yield users


def test_the_roster_is_the_servers_whatever_comes(project: dict[str, str]) -> None:
    chance = random.Random(7)
    http = project["SUPABASE_URL"]
    socket = f"{http.replace('http', 'ws', 1)}/realtime/v1/websocket"
    url = f"{socket}?apikey={project['SUPABASE_ANON_KEY']}&vsn=2.0.0"

    async def main() -> None:
        endpoint = Endpoint(url=http, key=project["SUPABASE_ANON_KEY"])
        live = Live(
            Session(endpoint),
            [],
            settings=TopicSettings(topic="crowd", has_presence=True),
            timing=Timing(first_pause=0.01, longest_pause=0.1),
        )
        numbers = itertools.count()
        async with live as batches, crowd(url) as users:
            here = Here(live, batches)
            await here.until(lambda: len(here.syncs) == 1)

            def expected() -> dict[str, list[int]]:
                found: dict[str, list[int]] = {}
                for user in users:
                    if user.tracked is not None:
                        found.setdefault(user.key, []).append(user.tracked["n"])
                return {key: sorted(some) for key, some in found.items()}

            async def move(*, cut_after: int | None = None) -> None:
                """Half of them, all at once; ends when we know of all that the server has answered."""
                acting = chance.sample(users, USERS // 2)
                steps = [user.step(chance, next(numbers)) for user in acting]
                for count, step in enumerate(asyncio.as_completed(steps)):
                    if count == cut_after:
                        live.cut()
                    await step
                wanted = expected()
                await here.until(lambda: here.roster() == wanted)

            for _ in range(ROUNDS):
                await move()
                await move(cut_after=chance.randrange(USERS // 2))
                # Nobody moves now: what the server says of itself is what the next sync must say.
                emitted = await states(url)
                count = len(here.syncs)
                live.cut()
                await here.until(lambda: len(here.syncs) > count)  # noqa: B023
                assert here.syncs[-1] == emitted
                assert here.roster() == expected()
            assert sum(len(some) for some in expected().values()) > USERS // 10
            assert any(len(some) > 1 for some in expected().values())

    asyncio.run(main())
