"""The live socket as a source of events: connects, joins, says READY, and ends with the reason."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from realtime import AsyncRealtimeChannel

from prt.errors import PrtError, UnreachableError
from prt.events import ChannelStatus, Status
from prt.stream import narrowing, refusal, wire
from prt.stream.binding import Binding
from prt.stream.narrowing import Refused
from prt.stream.queue import EventQueue
from prt.stream.socket import (
    JOIN_SECONDS,
    HandshakeRefusedError,
    JoinRefusedError,
    Socket,
    topic_of,
)
from prt.stream.wire import TOPIC_PREFIX, Frame

TOPIC = "prt-watch"
UP_SECONDS = 10
"""How long a first connection may take before the project counts as unreachable."""
FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 5.0
HEARTBEAT_SECONDS = 25
"""A server closes a socket that is silent for 66 s."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """Where to and as whom: `url` is the project's, `key` goes into the handshake, `token` into joins."""

    url: str
    key: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.url})"


class Live:
    """`async with Live(...) as batches: async for batch in batches: …`; leaves and closes at the end.

    Raises, out of the iteration: RefusedError, UnreachableError, ProtocolError.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        bindings: Sequence[Binding],
        *,
        topic: str = TOPIC,
        is_patient: bool = False,
        queue: EventQueue | None = None,
    ) -> None:
        """`is_patient` goes on trying for ever where the server isn't up (`--wait-for-server`)."""
        self._endpoint = endpoint
        self._bindings = list(bindings)
        self._topic = topic
        self._is_patient = is_patient
        self._queue = queue or EventQueue()
        self._socket: Socket | None = None
        self._task: asyncio.Task[None] | None = None
        self._channel: AsyncRealtimeChannel | None = None
        self._joining: list[Binding] = []
        self._verdict: asyncio.Future[str | None] | None = None
        self._is_probing = False

    @property
    def round_trip_ms(self) -> float | None:
        """Of the last heartbeat."""
        return self._socket.round_trip_ms if self._socket else None

    async def __aenter__(self) -> EventQueue:
        self._ended: asyncio.Future[PrtError] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run())
        return self._queue

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._socket is not None:
            await self._socket.shut()

    async def _run(self) -> None:
        try:
            socket = await self._connect()
            await self._subscribe(socket)
            raise await self._end_of(socket, self._ended)
        except PrtError as exc:
            self._queue.close(exc)
        except Exception as exc:
            self._queue.close(exc)
            raise

    async def _connect(self) -> Socket:
        deadline = time.monotonic() + UP_SECONDS
        pause = FIRST_RETRY_SECONDS
        is_first = True
        while True:
            left = UP_SECONDS if self._is_patient else max(deadline - time.monotonic(), 0.1)
            socket = Socket(
                self._endpoint.url,
                self._endpoint.key,
                token=self._endpoint.token,
                queue=self._queue,
                on_frame=self._on_frame,
                heartbeat_seconds=HEARTBEAT_SECONDS,
            )
            try:
                await socket.open(left)
            except PrtError as exc:
                if not _is_worth_retrying(exc):
                    raise
                wait = max(pause, exc.refused.wait_seconds if isinstance(exc, HandshakeRefusedError) else 0)
                if not self._is_patient and time.monotonic() + wait >= deadline:
                    raise
                if is_first:
                    self._say("CHANNEL_ERROR", reason=f"{exc.message}; trying again", hint=exc.hint)
                    is_first = False
                await asyncio.sleep(wait)
                pause = min(pause * 2, LONGEST_RETRY_SECONDS)
            else:
                self._socket = socket
                return socket

    async def _subscribe(self, socket: Socket) -> None:
        refused: list[Refused] = []

        async def attempt(bindings: list[Binding], *, is_probe: bool) -> str | None:
            self._is_probing = is_probe
            return await self._attempt(socket, bindings)

        def report(one: Refused) -> None:
            refused.append(one)
            found = one.refusal
            self._say("CHANNEL_ERROR", tables=[one.binding.name], reason=found.reason, hint=found.hint)

        if not self._bindings:
            await self._attempt(socket, [])
        elif not await narrowing.narrow(self._bindings, attempt, report):
            last = refused[-1].refusal
            if len(refused) == 1:
                raise last.raised("the subscription was refused")
            raise UnreachableError(
                f"all {len(refused)} subscriptions were refused; the last: {last.reason}", last.hint
            )

    async def _attempt(self, socket: Socket, bindings: list[Binding]) -> str | None:
        """Joins these on a fresh channel. None once READY, else the words of the refusal."""
        if self._channel is not None:
            await socket.drop(self._channel)
            self._channel = None
        self._joining = bindings
        self._verdict = asyncio.get_running_loop().create_future()
        try:
            self._channel = await socket.join(self._topic, bindings)
        except JoinRefusedError as exc:
            if exc.refused is None:
                reason = f"no answer to the join in {JOIN_SECONDS} s"
                self._say("TIMED_OUT", reason=reason)
                raise UnreachableError(reason, "is the project's database up?") from exc
            self._say("CHANNEL_ERROR", reason=exc.refused.reason, hint=exc.refused.hint)
            raise exc.refused.raised("the join was refused") from exc
        return await self._verdict_of(socket, self._verdict, self._ended)

    async def _verdict_of(
        self, socket: Socket, verdict: asyncio.Future[str | None], ended: asyncio.Future[PrtError]
    ) -> str | None:
        waited: list[asyncio.Future[Any]] = [verdict, ended, socket.lost]
        await asyncio.wait(waited, timeout=JOIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if verdict.done():
            return verdict.result()
        if ended.done() or socket.lost.done():
            raise await self._end_of(socket, ended)
        reason = f'no "Subscribed to PostgreSQL" in {JOIN_SECONDS} s'
        self._say("TIMED_OUT", reason=reason)
        raise UnreachableError(reason, "is the project's database up?")

    async def _end_of(self, socket: Socket, ended: asyncio.Future[PrtError]) -> PrtError:
        """Waits until the channel or the connection is gone; says so."""
        waited: list[asyncio.Future[Any]] = [ended, socket.lost]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return ended.result()
        error = socket.lost.result()
        self._say("TIMED_OUT" if error.is_silence else "CLOSED", reason=error.message)
        return error

    def _on_frame(self, frame: Frame) -> None:
        socket = self._socket
        if socket is None or frame.topic != TOPIC_PREFIX + self._topic or not socket.is_current(frame):
            return
        try:
            if frame.event == "phx_reply":
                self._on_reply(socket, frame)
            elif frame.event == "system":
                self._on_system(wire.system(frame))
            elif frame.event in ("phx_close", "phx_error"):
                self._on_end(frame)
        except msgspec.DecodeError as exc:
            self._queue.put(wire.malformed(bytes(frame.payload), f"{frame.event}: {exc}", _now()))

    def _on_reply(self, socket: Socket, frame: Frame) -> None:
        if frame.ref == socket.channels[frame.topic].join_push.ref and wire.reply(frame).status == "ok":
            if not self._is_probing:
                self._say("SUBSCRIBED")
            if not self._joining:
                self._settle(None)

    def _on_system(self, message: wire.System) -> None:
        if message.status == "ok":
            if message.message == "Subscribed to PostgreSQL":
                self._settle(None)
            return
        if refusal.is_of_bindings(message.message) and self._verdict is not None and not self._verdict.done():
            self._settle(message.message)
            return
        found = refusal.of_system(message.message)
        self._say("CHANNEL_ERROR", reason=found.reason, hint=found.hint)
        self._finish(found.raised("the server ended the subscription"))

    def _on_end(self, frame: Frame) -> None:
        words = "closed" if frame.event == "phx_close" else "crashed"
        if self._ended.done():
            return
        self._say(
            "CLOSED" if frame.event == "phx_close" else "CHANNEL_ERROR",
            reason=f"the server {words} the channel",
        )
        self._finish(UnreachableError(f"the server {words} the channel {topic_of(frame)}"))

    def _settle(self, words: str | None) -> None:
        if self._verdict is None or self._verdict.done():
            return
        if words is None and not self._is_probing:
            self._say("READY")
        self._verdict.set_result(words)

    def _finish(self, error: PrtError) -> None:
        if not self._ended.done():
            self._ended.set_result(error)

    def _say(
        self,
        status: ChannelStatus,
        *,
        tables: list[str] | None = None,
        reason: str | None = None,
        hint: str | None = None,
    ) -> None:
        if tables is None and self._joining:
            tables = sorted({binding.name for binding in self._joining})
        self._queue.put(
            Status(at=_now(), status=status, topic=self._topic, tables=tables, reason=reason, hint=hint)
        )


def _is_worth_retrying(error: PrtError) -> bool:
    if isinstance(error, HandshakeRefusedError):
        return error.refused.is_retryable
    return isinstance(error, UnreachableError)


def _now() -> int:
    return time.time_ns() // 1000
