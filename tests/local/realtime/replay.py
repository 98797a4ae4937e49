"""Plays a recorded transcript against a server: sends what the client sent, runs its SQL, compares."""

from __future__ import annotations

import ast
import asyncio
import json
import math
import re
import time
import warnings
from collections import defaultdict, deque
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from jwt import InsecureKeyLengthWarning
from jwt import api_jws as jws
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from prt.local.postgres.statements import split
from prt.local.realtime import Settings
from prt.local.realtime.changes.subscribing import SUBSCRIBED
from tests.local.realtime.differences import CHECKED, SUBSCRIBED_BEFORE, additions, is_left_out
from tests.local.realtime.sameness import Sameness, lane, readable, whole
from tests.local.realtime.serving import Client, Running
from tests.local.realtime.translation import translated
from tests.running import PATIENCE

Step = dict[str, Any]

END: Step = {"dir": "end"}

LIVES = {"token_expiry_while_joined": 2}
"""How long, in seconds, the tokens live that expire while a scenario runs."""
LONG_SECONDS = 60
"""As long as those that only could have expired: their scenario goes on with others."""
MINUTE_MILLISECONDS = 60_000

RESTARTED = 1012
MARKED = '"table":"marker"'

CLOSING_SECONDS = 0.002

FAR = 2_100_000_000
"""The expiry of the odd tokens, in seconds since the epoch."""

_PLACEHOLDER = re.compile(r"<[^<>{}]+>")
_OWN_TOKEN = re.compile("<(?:ANON|SERVICE|AUTH[12])>")
_SINCE = re.compile(r'("since":)\d+')
_LIMITS = re.compile(r"^tenant limits set to (.*) and server restarted")

SETTINGS = {
    "private_only": Settings(is_private_only=True),
    "suspend": Settings(is_suspended=True),
    "presence_enabled": Settings(has_presence_everywhere=True),
}


_TOPIC_FIRST = re.compile(
    r'^(\{"ref":[^,]*,"event":"\w+"),("topic":"[^"]*"),("payload":.*)\}$',
    re.DOTALL,
)
"""The second set of recordings has the keys of version 1 in this order, which means nothing."""


def steps(path: Path, version: str) -> list[Step]:
    recorded = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for step in recorded:
        if step["dir"] == "in" and "frame" in step:
            step["frame"] = _TOPIC_FIRST.sub(r"\1,\3,\2}", step["frame"])
    recorded = _closed_first(recorded)
    return recorded if path.parent.name == version else list(translated(recorded))


def _closed_first(recorded: list[Step]) -> list[Step]:
    """The recorder wrote a close down when it was done: its effects on others may be recorded before it."""
    ordered: list[Step] = []
    for step in recorded:
        at = len(ordered)
        if step["dir"] == "close" and step["by"] == "client":
            while at and _is_received_later(ordered[at - 1], step):
                at -= 1
        ordered.insert(at, step)
    return ordered


def _is_received_later(received: Step, close: Step) -> bool:
    is_of_another = received["dir"] == "in" and received["c"] != close["c"]
    return is_of_another and close["t"] - received["t"] < CLOSING_SECONDS


@dataclass
class Recorded:
    """One connection of the scenario. Arrived frames wait by lane until they are asked for."""

    client: Client
    lanes: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    arrival: asyncio.Event = field(default_factory=asyncio.Event)
    close_code: int | None = None

    async def read(self) -> None:
        try:
            async for frame in self.client.websocket:
                text = frame if isinstance(frame, str) else readable(frame)
                if MARKED in text:
                    continue  # of `Running.delivered`, for whoever listens to every table
                self.lanes[lane(text)].append(text)
                self.arrival.set()
        except ConnectionClosed:
            pass
        self.close_code = self.client.websocket.close_code
        self.arrival.set()

    async def next(self, expected: str) -> str:
        frames = self.lanes[lane(expected)]
        async with asyncio.timeout(PATIENCE):
            while not frames:
                self.arrival.clear()
                await self.arrival.wait()
        return frames.popleft()

    async def subscribed(self, topic: str, times: int) -> None:
        """Wait until the server has reported so often that the topic is subscribed. It is compared later."""
        async with asyncio.timeout(PATIENCE):
            while sum(SUBSCRIBED in frame for frame in self.lanes[topic]) < times:
                self.arrival.clear()
                await self.arrival.wait()


class _Stopped(Exception):  # noqa: N818 - no error: the server was told to
    """The recorded server was started again by what is no part of it."""


class Replay:
    """`version` may be another than the recording's: it is translated then."""

    def __init__(self, path: Path, version: str, running: Running) -> None:
        self.path = path
        self.scenario, self.version = path.stem, version
        self._running = running
        self._connections: dict[str, Recorded] = {}
        self._sameness = Sameness()
        self._tokens: dict[str, str] = {}
        self._response: httpx.Response | None = None
        self._is_restarted = False
        self._stack = AsyncExitStack()

    async def play(self) -> None:
        async with self._stack:
            with suppress(_Stopped):
                recorded = [step for step in steps(self.path, self.version) if step["dir"] != "sql-done"]
                for step, following in zip_longest(recorded, recorded[1:], fillvalue=END):
                    await self._play(step)
                    if step["dir"] == "sql" and following["dir"] != "in":
                        await self._running.delivered()  # or it would race with what comes next
            for name in list(self._connections):
                await self._expect_nothing_more(name)

    async def _play(self, step: Step) -> None:
        if (self.scenario, self.version, step.get("t")) in CHECKED:
            await self._running.realtime.publication.check()
        match step["dir"]:
            case "open":
                await self._open(step)
            case "out":
                await self._send(step)
            case "in":
                await self._compare(step)
            case "sql":
                if subscribed := SUBSCRIBED_BEFORE.get((self.scenario, self.version, step["t"])):
                    await self._connections["A"].subscribed(*subscribed)
                for statement in split(step["frame"]):
                    await asyncio.to_thread(self._running.backend.sql.execute, statement.text)
            case "close":
                await self._close(step)
            case "http-out":
                self._response = await self._request(step)
            case "http-in":
                await self._compare_response(step)
            case "note" if "SIGTERM" in step["frame"]:
                await self._running.realtime.stop()
            case "note" if limits := _LIMITS.match(step["frame"]):
                await self._restart(limits[1])

    async def _restart(self, limits: str) -> None:
        if limits != "defaults":
            (name,) = ast.literal_eval(limits)
            serving = self._running.backend.serving(SETTINGS[name])
            self._running = await self._stack.enter_async_context(serving)
            self._is_restarted = True

    async def _open(self, step: Step) -> None:
        if "/nope" in step["url"]:
            return
        if step["status"] == 502:
            raise _Stopped
        query = self._filled(step["url"].partition("?")[2])
        url = f"ws://127.0.0.1:{self._running.port}/realtime/v1/websocket?{query}"
        headers = dict(step.get("headers") or {})
        if step["status"] == 101 and "apikey=" not in query:
            headers["x-api-key"] = self._token("<ANON>")
        opening = connect(
            url, additional_headers=headers, max_size=None, ping_interval=None, compression=None, proxy=None
        )
        if step["status"] != 101:
            with pytest.raises(InvalidStatus) as refused:
                await self._stack.enter_async_context(opening)
            response = refused.value.response
            assert (response.status_code, (response.body or b"").decode()) == (step["status"], step["body"])
            return
        websocket = await self._stack.enter_async_context(opening)
        connection = Recorded(Client(websocket))
        reader = asyncio.create_task(connection.read())
        self._stack.push_async_callback(_finished, reader)
        self._connections[step["c"]] = connection

    async def _send(self, step: Step) -> None:
        connection = self._connections[step["c"]]
        if "bin" in step:
            frame: str | bytes = bytes.fromhex(step["bin"])
        else:
            since = int(time.time() * 1000) - MINUTE_MILLISECONDS
            frame = _SINCE.sub(rf"\g<1>{since}", self._filled(whole(step["frame"])))
        try:
            await connection.client.send(frame)
        except ConnectionClosed:
            assert len(frame) > 5_000_000, step  # closed while it was still being sent

    async def _compare(self, step: Step) -> None:
        expected = readable(bytes.fromhex(step["bin"])) if "bin" in step else step["frame"]
        if is_left_out(self.scenario, self.version, expected, step["t"]):
            return
        connection = self._connections[step["c"]]
        try:
            actual = await connection.next(expected)
        except TimeoutError:
            raise AssertionError(f"did not come: {step}; instead {dict(connection.lanes)}") from None
        expected = _OWN_TOKEN.sub(lambda found: self._token(found[0]), expected)
        self._sameness.check(expected, actual, step.get("len"))

    async def _close(self, step: Step) -> None:
        connection = self._connections[step["c"]]
        if step["by"] == "client":
            await self._expect_nothing_more(step["c"])
            if step["code"] == 1006:
                connection.client.websocket.transport.abort()
            else:
                await connection.client.websocket.close(step["code"])
        else:
            if self._is_restarted and step["code"] == RESTARTED:
                await self._running.realtime.stop()
            async with asyncio.timeout(PATIENCE):
                while connection.close_code is None:
                    connection.arrival.clear()
                    await connection.arrival.wait()
            assert connection.close_code == step["code"], step
        self._connections.pop(step["c"])

    async def _expect_nothing_more(self, name: str) -> None:
        """A heartbeat's answer comes behind all that was on its way; a marker behind all changes."""
        connection = self._connections[name]
        if connection.close_code is not None:
            return
        await self._running.delivered()
        array, record = (
            '[null,"end","phoenix","heartbeat",{}]',
            ('{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"end"}'),
        )
        await connection.client.send(record if self.version == "v1" else array)
        assert '"end"' in await connection.next('{"topic":"phoenix"}')
        left = [frame for frames in connection.lanes.values() for frame in frames]
        added = additions(self.scenario, self.version)
        assert len(left) == len(added), left
        assert all(part in frame for part, frame in zip(added, left, strict=True)), left

    async def _request(self, step: Step) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.request(
                step["method"],
                f"http://127.0.0.1:{self._running.port}{step['path']}",
                headers={name: self._filled(value) for name, value in step["headers"].items()},
                content=self._content(step) if step["body"] else None,
            )

    def _content(self, step: Step) -> bytes:
        is_binary = step["headers"].get("content-type") == "application/octet-stream"
        return self._filled(_whole_body(step["body"])).encode("latin-1" if is_binary else "utf-8")

    async def _compare_response(self, step: Step) -> None:
        response = self._response
        assert response is not None
        if response.request.method == "OPTIONS":
            assert response.headers["access-control-allow-origin"] == "*"
            return
        assert (response.status_code, response.text) == (step["status"], step["body"])
        if kind := step["headers"].get("Content-Type"):
            assert response.headers["content-type"] == kind

    def _filled(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: self._token(found[0]), text)

    def _token(self, placeholder: str) -> str:
        if placeholder not in self._tokens:
            self._tokens[placeholder] = self._made(placeholder)
        return self._tokens[placeholder]

    def _made(self, placeholder: str) -> str:
        backend, keys = self._running.backend, self._running.backend.keys
        signed = partial(_signed, keys.jwt_secret)
        soon = {"exp": math.ceil(time.time()) + LIVES.get(self.scenario, LONG_SECONDS)}
        made = {
            "<ANON>": lambda: keys.anon,
            "<SERVICE>": lambda: keys.service_role,
            "<AUTH1>": lambda: backend.user(1),
            "<AUTH2>": lambda: backend.user(2),
            "<AUTH1 exp in 6s>": lambda: backend.user(1, **soon),
            "<ANON exp in 4s>": lambda: keys.sign({"role": "anon", **soon}),
            "<EXPIRED TOKEN>": lambda: backend.user(1, exp=1),
            "<TOKEN WITH BAD SIGNATURE>": lambda: jwt.encode(
                {"role": "anon", "exp": 2**31}, "x" * 32, "HS256"
            ),
            "<TOKEN WITHOUT role>": lambda: keys.sign({}),
            "<TOKEN WITHOUT exp>": lambda: jwt.encode({"role": "anon"}, keys.jwt_secret, "HS256"),
            "<TOKEN WITH UNKNOWN role>": lambda: keys.sign({"role": "nosuchrole"}),
            "<HS384 TOKEN>": lambda: signed("HS384"),
            "<HS512 TOKEN>": lambda: signed("HS512"),
            "<TOKEN WITH TEXT iat>": lambda: signed(iat="yesterday"),
            "<TOKEN WITH FUTURE iat>": lambda: signed(iat=FAR - 1000),
            "<TOKEN WITH FUTURE nbf>": lambda: signed(nbf=FAR - 1000),
            "<TOKEN WITH TEXT exp>": lambda: signed(exp=str(FAR)),
            "<TOKEN WITH FLOAT exp>": lambda: signed(exp=FAR + 0.5),
            "<EXPIRED TOKEN WITHOUT role>": lambda: signed(exp=1_700_000_000, role=...),
            "<TOKEN WITH NULL role>": lambda: signed(role=None),
            "<TOKEN WITH LIST role>": lambda: signed(role=["anon"]),
            "<TOKEN WITH EMPTY role>": lambda: signed(role=""),
            "<TOKEN WITH alg none>": lambda: signed("none"),
            "<alg none TOKEN>": lambda: jwt.encode({"role": "anon", "exp": 2**31}, "", "none"),
        }
        return made[placeholder]()


def _signed(secret: str, algorithm: str = "HS256", **claims: Any) -> str:
    """Return a token of `anon` with other claims; `...` leaves one out."""
    found = {"role": "anon", "exp": FAR, **claims}
    payload = {name: value for name, value in found.items() if value is not ...}
    with warnings.catch_warnings(category=InsecureKeyLengthWarning, action="ignore"):
        return jws.encode(json.dumps(payload).encode(), "" if algorithm == "none" else secret, algorithm)


async def _finished(reader: asyncio.Task[None]) -> None:
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)


def _whole_body(body: str) -> str:
    """The recorder kept 600 characters; the one longer body was too large by far, of one letter."""
    return body if len(body) < 600 else body + body[-1] * 3_000_000 + '"}}]}'
