"""The SDK's client, led: it keeps the connection, channels and joins, we read the frames.

Guards against what `realtime` 2.34 does wrong, each tested in tests/stream (test_socket, _source, _rooms):
- an exception in a callback kills its listening task   → our own listening loop, which ends in `lost`
- a frame above 1 MiB closes the socket with 1009       → `max_size` 16 MiB, see handshake.py
- frames that its models don't know are dropped         → our decoder, `Malformed` events
- a stale `phx_close` removes the channel               → dropped unless it is the current join's
- a system error makes it join a second time            → `system` and `phx_error` never reach it
- `subscribe()` returns normally on an error            → `join` believes the status, and times out at 30 s
- heartbeats have no ref and nobody awaits the reply    → numbered and timed, see heartbeat.py
- sends while down pile up and succeed silently         → refused
- it takes our own presence for granted, keeps ghosts   → presence never reaches it, see roster.py
- `set_auth` while a channel is added                   → one at a time
- vsn 1.0.0 hides `join_ref` and binary broadcasts      → 2.0.0, or 1.0.0 where a server refuses it
Made unreachable by one client a connection: its reconnects, its retries and their overflow, `close()`
then `connect()`, rejoin timers, channels that `subscribe()` only once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import msgspec
import websockets
from msgspec import Struct
from pydantic import ValidationError
from realtime import AsyncRealtimeChannel, AsyncRealtimeClient, RealtimeSubscribeStates
from realtime.message import Message, ServerMessageAdapter
from realtime.types import RealtimePostgresChangesListenEvent
from websockets.asyncio.client import ClientConnection

from prt.clock import wall_clock
from prt.errors import PrtError
from prt.events import Broadcast, Change, Malformed
from prt.stream.binding import Binding
from prt.stream.socket import refusals, wire
from prt.stream.socket.connection import MessageConnection
from prt.stream.socket.failures import SILENCE, LostError, VersionRefusedError
from prt.stream.socket.handshake import connected
from prt.stream.socket.heartbeat import Heartbeat
from prt.stream.socket.queue import EventQueue
from prt.stream.socket.wire import Frame, Reply, Vsn
from prt.stream.timing import Timing

PRESENCE = ("presence_state", "presence_diff")


class JoinRefusedError(Exception):
    """A join that was answered with an error, or not at all (`refused` is None)."""

    def __init__(self, refused: refusals.Refusal | None) -> None:
        super().__init__(refused.reason if refused else "no answer")
        self.refused = refused


class SocketHandlers(Struct, frozen=True, kw_only=True):
    """The functions that a socket calls as frames come; none of them may raise.

    Attributes:
        on_frame: Gets every control frame.
        on_change: Gets every change before it is queued.
        on_broadcast: Gets every broadcast, and returns whether it is wanted.
        on_unreadable: Is called for a frame that nobody can read.
        on_pulse: Gets the round trip of each heartbeat in ms, None for one that is late.
    """

    on_frame: Callable[[Frame], None]
    on_change: Callable[[Change], None]
    on_broadcast: Callable[[Broadcast], bool]
    on_unreadable: Callable[[], None]
    on_pulse: Callable[[float | None], None]


class Socket(AsyncRealtimeClient):
    """One connection of one life: `open`, `join` channels, read until `lost`, `shut`."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        queue: EventQueue,
        handlers: SocketHandlers,
        timing: Timing,
        token: str | None = None,
    ) -> None:
        """`url` is the project's; `key` goes into the handshake, `token` (else the key) into joins."""
        timeout: Any = timing.join
        super().__init__(f"{url}/realtime/v1", auto_reconnect=False, timeout=timeout)
        self.apikey = key
        self.access_token = token or key
        self.host = urlsplit(url).netloc.rpartition("@")[2]
        self.vsn: Vsn = "2.0.0"
        self.lost: asyncio.Future[LostError] = asyncio.get_running_loop().create_future()
        self._queue = queue
        self._on_frame = handlers.on_frame
        self._on_change = handlers.on_change
        self._on_broadcast = handlers.on_broadcast
        self._on_unreadable = handlers.on_unreadable
        self._timing = timing
        self._heart = Heartbeat(self._make_ref, self._send_heartbeat, handlers.on_pulse, timing.heartbeat)
        self._authorising = asyncio.Lock()
        self._is_silenced = False
        self._answers: dict[str, asyncio.Future[Reply]] = {}
        self.messages = 0
        """Messages that count against the project's quota: changes, broadcasts and presence, both ways."""
        self._decode = wire.Decoder().decode
        self._holding_up: asyncio.Task[None] | None = None

    def endpoint_url(self) -> str:
        """Return the URL of the handshake, with the key and the version of the protocol."""
        return f"{self.url}?{urlencode({'apikey': self.apikey, 'vsn': self.vsn})}"

    async def open(self, seconds: float) -> None:
        """One attempt at the handshake. Raises RefusedError, UnreachableError, ProtocolError."""
        try:
            self._ws_connection = await self._handshake(seconds)
        except VersionRefusedError:
            if self.vsn == "1.0.0":
                raise
            self.vsn = "1.0.0"
            self._ws_connection = await self._handshake(seconds)
        self._listen_task = self._started(self._listen())
        self._heartbeat_task = self._started(self._beat())

    async def _handshake(self, seconds: float) -> ClientConnection:
        return await connected(
            self.endpoint_url(),
            self.host,
            self._on_message,
            seconds=seconds,
            leave_seconds=self._timing.leave,
        )

    async def join(
        self, topic: str, bindings: list[Binding], config: dict[str, Any] | None = None
    ) -> AsyncRealtimeChannel:
        """Joins a fresh channel; returns when the server has accepted it. `config` is a room's.

        Raises JoinRefusedError, LostError.
        """
        answered: asyncio.Future[tuple[RealtimeSubscribeStates, Exception | None]]
        answered = asyncio.get_running_loop().create_future()

        def on_status(status: RealtimeSubscribeStates, error: Exception | None) -> None:
            if not answered.done():
                answered.set_result((status, error))

        # The SDK's set_auth walks over the channels, and passes by one whose join is under way.
        async with self._authorising:
            channel = self._channel(topic, bindings, config)
            join = asyncio.create_task(channel.subscribe(on_status))
            waited: list[asyncio.Future[Any]] = [answered, self.lost]
            try:
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            finally:
                join.cancel()
                await asyncio.gather(join, return_exceptions=True)
        if not answered.done():
            raise self.lost.result()
        status, error = answered.result()
        channel.rejoin_timer.reset()
        if status is RealtimeSubscribeStates.SUBSCRIBED:
            return channel
        self._remove_channel(channel)
        if status is RealtimeSubscribeStates.CHANNEL_ERROR and error is not None:
            raise JoinRefusedError(refusals.of_join(_response(error)))
        raise JoinRefusedError(None)

    def _channel(
        self, topic: str, bindings: list[Binding], config: dict[str, Any] | None
    ) -> AsyncRealtimeChannel:
        params: Any = None if config is None else {"config": config}
        channel = self.channel(topic, params)
        for binding in bindings:
            channel.on_postgres_changes(
                RealtimePostgresChangesListenEvent(binding.event),
                _not_called,
                table=binding.table,
                schema=binding.schema,
                filter=binding.filter,
                select=list(binding.select) if binding.select is not None else None,
            )
        return channel

    async def authorise(self, token: str) -> None:
        """A fresh token for what is joined. Raises LostError."""
        async with self._authorising:
            await self.set_auth(token)

    @property
    def alive_at(self) -> float | None:
        """When the last bytes came, by `gaps.running_clock`; None before the first."""
        connection = self._ws_connection
        return connection.alive_at if isinstance(connection, MessageConnection) else None

    async def drop(self, channel: AsyncRealtimeChannel) -> None:
        """Leaves a channel; its topic can be joined anew at once."""
        async with self._authorising:
            if self.is_connected and not self.lost.done():
                await channel.unsubscribe()
            channel.rejoin_timer.reset()
            self._remove_channel(channel)

    def cut(self) -> None:
        """Breaks the connection without a word to the server."""
        if self._ws_connection is not None:
            self._ws_connection.transport.abort()

    async def shut(self) -> None:
        """Leaves every channel, so that no slot of the server lingers, and closes. Never raises."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(self._timing.leave):
                for channel in list(self.channels.values()):
                    await self.drop(channel)
        for task in (self._heartbeat_task, self._listen_task, self._holding_up):
            if task is not None:
                task.cancel()
        if self._ws_connection is not None:
            connection, self._ws_connection = self._ws_connection, None
            try:
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(self._timing.leave):
                        await connection.close()
            finally:
                # A server that does not answer the close would keep the connection for as long as we run.
                connection.transport.abort()

    def is_current(self, frame: Frame) -> bool:
        """Whether a frame belongs to the present join of its topic; v1 tells by the `ref` of `phx_close`."""
        channel = self.channels.get(frame.topic)
        if channel is None:
            return False
        ref = frame.join_ref if frame.join_ref is not None else frame.ref
        return ref is None or ref == channel.join_push.ref

    async def send(self, message: Message | dict[str, Any]) -> None:
        """The SDK's way out."""
        sent = message if isinstance(message, Message) else Message(**message)
        await self.write(self.text(sent.join_ref, sent.ref, sent.topic, sent.event, sent.payload))

    def text(self, join_ref: str | None, ref: str | None, topic: str, event: str, payload: Any) -> str:
        """A frame of the version that is spoken. `Raw` in the payload goes out as it is."""
        if self.vsn == "2.0.0":
            return msgspec.json.encode((join_ref, ref, topic, event, payload)).decode()
        frame = {"topic": topic, "event": event, "payload": payload, "ref": ref, "join_ref": join_ref}
        return msgspec.json.encode(frame).decode()

    async def write(self, data: str | bytes) -> None:
        """Refuses when there is no connection: the SDK would keep it for a later one. Raises LostError."""
        if self._ws_connection is None or self.lost.done():
            raise LostError("the connection is closed")
        try:
            await self._ws_connection.send(data)
        except websockets.ConnectionClosed as exc:
            raise LostError("the connection is closed") from exc

    def next_ref(self) -> str:
        """Return the ref of the next frame that is sent."""
        return self._make_ref()

    async def ask(self, ref: str, data: str | bytes, seconds: float) -> Reply:
        """The answer to a frame with that ref. Raises TimeoutError, LostError."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._answers[ref] = answer
        try:
            async with asyncio.timeout(seconds):
                await self.write(data)
                waited: list[asyncio.Future[Any]] = [answer, self.lost]
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._answers[ref]
        if answer.done():
            return answer.result()
        raise LostError("the connection was lost before the answer")

    async def is_answering(self, seconds: float) -> bool:
        """Return whether the server answers a heartbeat within so many seconds."""
        ref = self.next_ref()
        try:
            await self.ask(ref, self.text(None, ref, "phoenix", "heartbeat", {}), seconds)
        except (TimeoutError, LostError):
            return False
        return True

    def silence(self) -> None:
        """Report nothing from now on: what comes after a loss was counted belongs to its gap."""
        self._is_silenced = True

    def _on_message(self, data: bytes) -> None:
        if self._is_silenced:
            return
        # Text and binary messages tell themselves apart by their first byte.
        try:
            value = self._decode(data, wall_clock())
            if type(value) is Frame:
                self._control(value, data)
                return
            if type(value) is Change:
                self.messages += 1
                self._on_change(value)
            elif type(value) is Broadcast:
                self.messages += 1
                if not self._on_broadcast(value):
                    return
            elif not wire.is_broadcast(data):
                self._on_unreadable()
            queue = self._queue
            queue.put(value, len(data))  # type: ignore[arg-type]
            if queue.is_full and self._holding_up is None:
                self._holding_up = self._started(self._hold_up())
        except Exception as exc:
            # A bug of ours or the SDK's must not leave a deaf monitor behind.
            self._lose(LostError(f"reading from {self.host} failed: {type(exc).__name__}"))

    async def _hold_up(self) -> None:
        """Back-pressure: the server waits until our reader has caught up."""
        connection = cast("MessageConnection", self._ws_connection)
        connection.pause_reading()
        self._heart.is_held_up = True
        try:
            await self._queue.room(self._timing.heartbeat)
        finally:
            connection.resume_reading()
            self._holding_up = None
            self._heart.is_held_up = False
            self._heart.forget()

    async def _listen(self) -> None:
        """Waits for the end of the connection; what comes meanwhile goes to `_on_message`."""
        connection = cast("MessageConnection", self._ws_connection)
        await connection.wait_closed()
        received = connection.protocol.close_rcvd
        if received is None:
            self._lose(LostError(f"the connection to {self.host} broke"))
        else:
            self._lose(LostError(f"{self.host} closed the connection ({int(received.code)})", received.code))

    def _control(self, frame: Frame, data: bytes) -> None:
        if frame.topic == "phoenix":
            if (asked := self._answers.get(str(frame.ref))) is not None:
                self._answered(asked, frame, data)
                return
            self._heart.answered(str(frame.ref))
            return
        if frame.event == "phx_reply" and (answer := self._answers.get(str(frame.ref))) is not None:
            self._answered(answer, frame, data)
            return
        self._on_frame(frame)
        if frame.event in PRESENCE:
            self.messages += 1
            return
        if frame.event in ("system", "phx_error") or (
            frame.event == "phx_close" and not self.is_current(frame)
        ):
            return
        channel = self.channels.get(frame.topic)
        if channel is None:
            return
        try:
            message = ServerMessageAdapter.validate_python(
                {
                    "ref": frame.ref,
                    "topic": frame.topic,
                    "event": frame.event,
                    "payload": msgspec.json.decode(frame.payload),
                }
            )
        except ValidationError as exc:
            reason = f"{frame.event}: {exc.error_count()} unexpected values"
            self._queue.put(wire.malformed(data, reason, wall_clock()))
            return
        try:
            channel._handle_message(message)
        except Exception as exc:
            self._queue.put(
                Malformed(at=wall_clock(), frame=frame.event, reason=f"{type(exc).__name__} in the SDK")
            )

    def _answered(self, answer: asyncio.Future[Reply], frame: Frame, data: bytes) -> None:
        try:
            reply = wire.reply(frame)
        except (msgspec.DecodeError, RecursionError) as exc:
            self._queue.put(wire.malformed(data, f"{frame.event}: {exc}", wall_clock()))
            return
        if not answer.done():
            answer.set_result(reply)

    async def _send_heartbeat(self, ref: str) -> None:
        await self.send(Message(topic="phoenix", event="heartbeat", payload={}, ref=ref))

    async def _beat(self) -> None:
        try:
            await self._heart.beat()
        except PrtError:  # the connection is gone, which `_listen` tells
            return
        self._lose(LostError(f"{self.host} {SILENCE}", is_silence=True))

    def _started(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task without which the connection would be deaf: it is lost if the task fails."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (failure := task.exception()) is not None:
                self._lose(LostError(f"reading from {self.host} failed: {type(failure).__name__}"))

        task = asyncio.create_task(coroutine)
        task.add_done_callback(ended)
        return task

    def _lose(self, error: LostError) -> None:
        self.silence()
        if not self.lost.done():
            self.lost.set_result(error)


def _response(error: Exception) -> Any:
    try:
        return msgspec.json.decode(str(error))
    except (msgspec.DecodeError, RecursionError):
        return str(error)


def _not_called(_: Any) -> None:
    """Changes never pass through the SDK; it only wants a callback a binding."""
