"""A hostile client of an embedded project beside a good one, whose worst delay is measured.

Each hostile client is a process of its own: `python -m tests.benchmarks.hostile KIND`, with the project's
variables. It prints a line when it begins, and goes on until it is ended.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import httpx
import psycopg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from prt.local.project.attach import ephemeral
from tests.benchmarks.subjects import ROOT

SECONDS = 6.0
PAUSE_SECONDS = 0.02

TABLES = """
create table public.notes (id bigint generated always as identity primary key, data jsonb, text text);
alter publication supabase_realtime add table public.notes;
insert into public.notes (text) select repeat('a', 30) || 'b' from generate_series(1, 200);
create table public.bulk (text text);
create function public.slow() returns void language sql as 'select pg_sleep(60)';
"""
NOTES = {"event": "*", "schema": "public", "table": "notes"}
BATTLE = "(a+)(a+)(a+)(a+)(a+)\\1\\2\\3\\4\\5$"
"""A regular expression for which PostgreSQL tries every way to part a text."""

Variables = dict[str, str]


class Good:
    """A client that does what an app does, and remembers how long each answer took, in seconds."""

    def __init__(self, variables: Variables) -> None:
        self._url, self._key = variables["SUPABASE_URL"], variables["SUPABASE_ANON_KEY"]
        self._headers = {"apikey": self._key, "authorization": f"Bearer {variables['PRT_TOKEN']}"}
        self._token = variables["PRT_TOKEN"]
        self.worst: dict[str, float] = {}

    async def run(self, seconds: float) -> None:
        """Ask all the time, of Realtime, REST and the stream of changes."""
        until = time.monotonic() + seconds
        async with httpx.AsyncClient(headers=self._headers, timeout=60, trust_env=False) as http:
            await asyncio.gather(
                self._repeat(until, "heartbeat", self._heartbeats),
                self._repeat(until, "broadcast", self._broadcasts),
                self._repeat(until, "change", lambda: self._changes(http)),
                self._repeat(until, "rest", lambda: self._reads(http)),
                self._repeat(until, "join", self._joins),
            )

    async def _repeat(self, until: float, name: str, opened: Callable[[], Any]) -> None:
        async with opened() as ask:
            while name not in self.worst or time.monotonic() < until:
                start = time.monotonic()
                await ask()
                self.worst[name] = max(self.worst.get(name, 0.0), time.monotonic() - start)
                await asyncio.sleep(PAUSE_SECONDS)

    @asynccontextmanager
    async def _heartbeats(self) -> Any:
        async with socket(self._url, self._key) as websocket:
            yield lambda: asked(websocket, "phoenix", "heartbeat", {})

    @asynccontextmanager
    async def _broadcasts(self) -> Any:
        async with socket(self._url, self._key) as websocket:
            config = {"broadcast": {"self": True, "ack": True}}
            await asked(websocket, "realtime:good", "phx_join", {"config": config})
            payload = {"type": "broadcast", "event": "e", "payload": {"x": 1}}
            yield lambda: asked(websocket, "realtime:good", "broadcast", payload)

    @asynccontextmanager
    async def _joins(self) -> Any:
        numbers = itertools.count()
        async with socket(self._url, self._key) as websocket:

            async def join() -> None:
                topic = f"realtime:good-{next(numbers)}"
                await asked(websocket, topic, "phx_join", {"config": {}})
                await asked(websocket, topic, "phx_leave", {})

            yield join

    @asynccontextmanager
    async def _changes(self, http: httpx.AsyncClient) -> Any:
        """A row of our own comes back over the stream."""
        numbers = itertools.count()
        async with socket(self._url, self._key) as websocket:
            join = {"config": {"postgres_changes": [NOTES]}, "access_token": self._token}
            await asked(websocket, "realtime:changes", "phx_join", join)
            while "Subscribed" not in str(await websocket.recv()):
                pass

            async def change() -> None:
                mark = f"mark-{next(numbers)}"
                answer = await http.post(f"{self._url}/rest/v1/notes", json={"text": mark})
                answer.raise_for_status()
                while mark not in str(await websocket.recv())[-10_000:]:
                    pass

            yield change

    @asynccontextmanager
    async def _reads(self, http: httpx.AsyncClient) -> Any:
        async def read() -> None:
            answer = await http.get(f"{self._url}/rest/v1/notes?select=id&limit=1")
            answer.raise_for_status()

        yield read


@asynccontextmanager
async def socket(url: str, key: str) -> Any:
    address = f"ws{url.removeprefix('http')}/realtime/v1/websocket?apikey={key}&vsn=1.0.0"
    async with connect(
        address, max_size=None, ping_interval=None, compression=None, proxy=None, open_timeout=60
    ) as websocket:
        yield websocket


async def asked(websocket: ClientConnection, topic: str, event: str, payload: Any) -> None:
    """Send a frame and wait for its answer."""
    ref = str(random.getrandbits(50))
    await websocket.send(frame(topic, event, payload, ref))
    while True:
        answer = str(await websocket.recv())
        if answer.startswith(f'{{"ref":"{ref}"'):
            return


def frame(topic: str, event: str, payload: Any, ref: str = "1") -> str:
    return json.dumps({"topic": topic, "event": event, "payload": payload, "ref": ref, "join_ref": "1"})


class Hostile:
    """What each kind of hostile client does, by its name."""

    def __init__(self, variables: Variables) -> None:
        self._url, self._key = variables["SUPABASE_URL"], variables["SUPABASE_ANON_KEY"]
        self._http = httpx.AsyncClient(timeout=60, trust_env=False, limits=httpx.Limits())
        self._headers = {"apikey": self._key, "content-type": "application/json"}

    @property
    def kinds(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "nothing": self.nothing,
            "slow requests": self.slow_requests,
            "requests that are left": self.left_requests,
            "many bindings": self.bindings,
            "large bodies": self.bodies,
            "large headers": self.headers,
            "many messages in a body": self.messages,
            "small values in a body": self.values,
            "sockets that rejoin": self.rejoins,
            "sockets that reconnect": self.reconnects,
            "large presence": self.presence,
            "long numbers": self.numbers,
            "large frames": self.large_frames,
            "small frames": self.small_frames,
            "broadcasts to many": self.broadcasts,
            "sign-ins": self.sign_ins,
            "idle connections": self.idle_connections,
        }

    async def nothing(self) -> None:
        await asyncio.sleep(3600)

    async def _signed_up(self) -> dict[str, str]:
        body = {"email": f"{random.getrandbits(60)}@example.com", "password": "a good password"}
        answer = await self._http.post(f"{self._url}/auth/v1/signup", json=body, headers=self._headers)
        return {**self._headers, "authorization": f"Bearer {answer.json()['access_token']}"}

    async def slow_requests(self) -> None:
        headers = await self._signed_up()

        async def ask() -> None:
            while True:
                with suppress(httpx.HTTPError):
                    await self._http.post(f"{self._url}/rest/v1/rpc/slow", headers=headers, content=b"{}")

        await asyncio.gather(*(ask() for _ in range(20)))

    async def left_requests(self) -> None:
        headers = await self._signed_up()
        params = {"text": f"match.{BATTLE}", "select": "id"}

        async def ask() -> None:
            while True:
                with suppress(httpx.HTTPError):
                    await self._http.get(
                        f"{self._url}/rest/v1/notes", params=params, headers=headers, timeout=0.1
                    )

        await asyncio.gather(*(ask() for _ in range(10)))

    async def bindings(self) -> None:
        many = [NOTES] * 60_000
        await self._flood(
            10, lambda _: frame("realtime:a", "phx_join", {"config": {"postgres_changes": many}})
        )

    async def bodies(self) -> None:
        async def pieces() -> Any:
            for _ in range(400):
                yield b" " * 1_000_000

        paths = ["/rest/v1/notes", "/auth/v1/signup", "/realtime/v1/api/broadcast", "/rest/v1/rpc/slow"]

        async def send(path: str) -> None:
            while True:
                with suppress(httpx.HTTPError):
                    await self._http.post(f"{self._url}{path}", headers=self._headers, content=pieces())

        await asyncio.gather(*(send(path) for path in paths * 2))

    async def headers(self) -> None:
        async def send() -> None:
            while True:
                with suppress(OSError):
                    host, port = self._url.removeprefix("http://").split(":")
                    _, writer = await asyncio.open_connection(host, int(port))
                    writer.write(b"GET / HTTP/1.1\r\n")
                    for number in range(10_000):
                        writer.write(b"x-%d: %s\r\n" % (number, b"a" * 1000))
                        await writer.drain()

        await asyncio.gather(*(send() for _ in range(10)))

    async def messages(self) -> None:
        message = {"topic": "t", "event": "e", "payload": {"a": 1}}
        await self._posts("/realtime/v1/api/broadcast", json.dumps({"messages": [message] * 110_000}))

    async def values(self) -> None:
        await self._posts("/rest/v1/bulk", json.dumps([{"text": "x"}] * 100_000))

    async def _posts(self, path: str, body: str) -> None:
        async def post() -> None:
            while True:
                with suppress(httpx.HTTPError):
                    await self._http.post(f"{self._url}{path}", headers=self._headers, content=body)

        await asyncio.gather(*(post() for _ in range(4)))

    async def rejoins(self) -> None:
        join = frame("realtime:a", "phx_join", {"config": {"postgres_changes": [NOTES] * 10}})
        await self._flood(100, lambda _: join)

    async def reconnects(self) -> None:
        async def reconnect() -> None:
            while True:
                with suppress(WebSocketException, OSError):
                    async with socket(self._url, self._key) as websocket:
                        await asked(websocket, "realtime:a", "phx_join", {"config": {}})

        await asyncio.gather(*(reconnect() for _ in range(50)))

    async def presence(self) -> None:
        join = frame("realtime:good", "phx_join", {"config": {"presence": {"enabled": True}}})

        async def track(number: int) -> None:
            payload = {"event": "track", "payload": {"x": str(number) + "x" * 2_900_000}}
            while True:
                with suppress(WebSocketException, OSError):
                    async with socket(self._url, self._key) as websocket:
                        reading = asyncio.create_task(read(websocket))
                        try:
                            for _ in range(4):
                                await websocket.send(join)
                                await websocket.send(frame("realtime:good", "presence", payload))
                                await asyncio.sleep(1)
                        finally:
                            reading.cancel()

        await asyncio.gather(*(track(number) for number in range(25)))

    async def numbers(self) -> None:
        headers = await self._signed_up()
        body = json.dumps({"data": []}).replace("[]", "[" + ",".join(["1e131071"] * 1400) + "]")
        while True:
            with suppress(httpx.HTTPError):
                await self._http.post(f"{self._url}/rest/v1/notes", headers=headers, content=body)

    async def large_frames(self) -> None:
        payload = {"type": "broadcast", "event": "e", "payload": {"x": [[]] * 900_000}}
        text = frame("realtime:a", "broadcast", payload)
        await self._flood(10, lambda _: text)

    async def small_frames(self) -> None:
        text = frame("phoenix", "heartbeat", {})
        await self._flood(50, lambda _: text)

    async def broadcasts(self) -> None:
        payload = {"type": "broadcast", "event": "e", "payload": {"x": "x" * 100_000}}
        text = frame("realtime:a", "broadcast", payload)
        await self._flood(50, lambda _: text)

    async def _flood(self, count: int, made: Callable[[int], str]) -> None:
        """Send a frame again and again over that many sockets that have joined."""

        async def flood(number: int) -> None:
            text = made(number)
            while True:
                with suppress(WebSocketException, OSError):
                    async with socket(self._url, self._key) as websocket:
                        await asked(websocket, "realtime:a", "phx_join", {"config": {}})
                        reading = asyncio.create_task(read(websocket))
                        try:
                            while True:
                                await websocket.send(text)
                        finally:
                            reading.cancel()

        await asyncio.gather(*(flood(number) for number in range(count)))

    async def sign_ins(self) -> None:
        body = json.dumps({"email": "nobody@example.com", "password": "x" * 60})
        await self._posts("/auth/v1/token?grant_type=password", body)

    async def idle_connections(self) -> None:
        host, port = self._url.removeprefix("http://").split(":")
        held = []
        while True:
            with suppress(OSError):
                held.append(await asyncio.open_connection(host, int(port)))


async def read(websocket: ClientConnection) -> None:
    with suppress(WebSocketException):
        while True:
            await websocket.recv()


@contextmanager
def attacked(kind: str, variables: Variables) -> Iterator[None]:
    """Run a hostile client while the block runs."""
    attacker = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.hostile", kind],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
    )
    try:
        assert attacker.stdout is not None
        attacker.stdout.readline()
        yield
    finally:
        attacker.kill()
        attacker.wait()
        if attacker.stdout is not None:
            attacker.stdout.close()


def worst_of(kind: str, seconds: float = SECONDS) -> dict[str, float]:
    """Return the good client's worst delay of each thing that it does, in seconds."""
    with ephemeral() as variables:
        with psycopg.connect(variables["SUPABASE_DB_URL"], autocommit=True) as connection:
            connection.execute(TABLES)
        good = Good(variables)
        with attacked(kind, variables):
            try:
                asyncio.run(asyncio.wait_for(good.run(seconds), seconds + 60))
            except (httpx.HTTPError, WebSocketException, OSError, TimeoutError) as error:
                good.worst[f"failed: {error!r:.60}"] = float("inf")
        return good.worst


def measure(kinds: list[str] | None = None, seconds: float = SECONDS) -> list[tuple[str, str]]:
    """Return a line for each kind of hostile client."""
    found = []
    for kind in kinds or list(Hostile({"SUPABASE_URL": "", "SUPABASE_ANON_KEY": ""}).kinds):
        worst = worst_of(kind, seconds)
        each = ", ".join(f"{name} {1000 * delay:.0f}" for name, delay in worst.items())
        found.append((kind, f"{1000 * max(worst.values()):.0f} ms ({each})"))
    return found


async def attack(kind: str) -> None:
    hostile = Hostile(dict(os.environ))
    print("begun", flush=True)
    await hostile.kinds[kind]()


if __name__ == "__main__":
    asyncio.run(attack(sys.argv[1]))
