"""The SDK's client under our control: the SDK keeps the connection, channels and joins; we read the frames.

Guards against what `realtime` 2.34 does wrong, each tested in tests/stream (test_client, test_source,
test_topics):
- an exception in a callback kills its listening task   → our own listening loop, which ends in `lost`
- a frame above 1 MiB closes the socket with 1009       → `max_size` 16 MiB, see handshake.py
- frames that its models don't know are dropped         → our decoder, `Malformed` events
- a stale `phx_close` removes the channel               → dropped unless it is the current join's
- a system error makes it join a second time            → `system` and `phx_error` never reach it
- `subscribe()` returns normally on an error            → `join` uses the status, and times out at 30 s
- heartbeats have no ref and nobody awaits the reply    → numbered and timed, see heartbeat.py
- sends while down pile up and succeed silently         → refused
- it assumes our own presence, keeps absent ones        → presence never reaches it, see roster.py
- `set_auth` while a channel is added                   → one at a time
- vsn 1.0.0 hides `join_ref` and binary broadcasts      → 2.0.0, or 1.0.0 if a server refuses it

Using one client for one connection makes these unreachable: its reconnects, its retries and their overflow,
`close()` then `connect()`, rejoin timers, and channels that can `subscribe()` only once.
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
    """The server answered a join with an error, or not at all (`refused` is None)."""

    def __init__(self, refused: refusals.Refusal | None) -> None:
        super().__init__(refused.reason if refused else "no answer")
        self.refused = refused


class SocketHandlers(Struct, frozen=True, kw_only=True):
    """The functions that a socket calls as frames come. None of them may raise.

    Attributes:
        on_frame: Receives every control frame.
        on_change: Receives every change before it is queued.
        on_broadcast: Receives every broadcast, and returns whether it is to be queued.
        on_unreadable: Called for a frame that can't be decoded.
        on_pulse: Receives the round trip of each heartbeat in milliseconds; None for one that is late.
    """

    on_frame: Callable[[Frame], None]
    on_change: Callable[[Change], None]
    on_broadcast: Callable[[Broadcast], bool]
    on_unreadable: Callable[[], None]
    on_pulse: Callable[[float | None], None]


class Socket(AsyncRealtimeClient):
    """One connection, used once: `open` it, `join` channels, read until `lost`, then `shut` it.

    Attributes:
        host: The host and port, as error messages name them.
        vsn: The version of the protocol that the server speaks.
        lost: Completes with the error that ended the connection.
    """

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
        """Prepare the connection.

        Args:
            url: The project's URL.
            key: The project's key, which goes into the handshake.
            queue: Receives the events.
            handlers: The functions that are called as frames come.
            timing: The lengths of time of the connection.
            token: The token that goes into joins; None for the key.
        """
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
        """How many messages count against the project's quota: changes, broadcasts and presence, in both
        directions."""
        self._decode = wire.Decoder().decode
        self._holding_up: asyncio.Task[None] | None = None

    def endpoint_url(self) -> str:
        """Return the URL of the handshake, with the key and the version of the protocol."""
        return f"{self.url}?{urlencode({'apikey': self.apikey, 'vsn': self.vsn})}"

    async def open(self, seconds: float) -> None:
        """Open the websocket in one attempt, which may take this many seconds.

        A server that refuses vsn 2.0.0 is asked again for 1.0.0.

        Raises:
            HandshakeRefusedError: If the server refuses the handshake.
            UnreachableError: If there is no answer.
            ProtocolError: If the answer is not one of a websocket.
        """
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
        """Join a fresh channel, and return it when the server has accepted the join.

        Args:
            topic: The topic without the prefix `realtime:`.
            bindings: The bindings of the channel.
            config: The part of the join for broadcasts and presence, as
                `TopicSettings.to_wire` returns it; or None.

        Raises:
            JoinRefusedError: If the server refuses the join, or does not answer.
            LostError: If the connection is lost.
        """
        answered: asyncio.Future[tuple[RealtimeSubscribeStates, Exception | None]]
        answered = asyncio.get_running_loop().create_future()

        def on_status(status: RealtimeSubscribeStates, error: Exception | None) -> None:
            if not answered.done():
                answered.set_result((status, error))

        # The SDK's set_auth iterates over the channels, and skips one whose join is under way.
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
        """Give the joined channels a fresh token. Raises LostError."""
        async with self._authorising:
            await self.set_auth(token)

    @property
    def alive_at(self) -> float | None:
        """The moment of the last bytes, in seconds of `windows.running_clock`; None before the first."""
        connection = self._ws_connection
        return connection.alive_at if isinstance(connection, MessageConnection) else None

    async def drop(self, channel: AsyncRealtimeChannel) -> None:
        """Leave a channel. Its topic can then be joined again at once."""
        async with self._authorising:
            if self.is_connected and not self.lost.done():
                await channel.unsubscribe()
            channel.rejoin_timer.reset()
            self._remove_channel(channel)

    def cut(self) -> None:
        """Break the connection without telling the server."""
        if self._ws_connection is not None:
            self._ws_connection.transport.abort()

    async def shut(self) -> None:
        """Leave every channel, so that none counts against the server's limit, and close. Never raises."""
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
                # Without this, a server that does not answer the close would keep the connection open.
                connection.transport.abort()

    def is_current(self, frame: Frame) -> bool:
        """Return whether a frame belongs to the present join of its topic.

        A frame of vsn 1.0.0 has no `join_ref`: the `ref` of its `phx_close` is used.
        """
        channel = self.channels.get(frame.topic)
        if channel is None:
            return False
        ref = frame.join_ref if frame.join_ref is not None else frame.ref
        return ref is None or ref == channel.join_push.ref

    async def send(self, message: Message | dict[str, Any]) -> None:
        """Send a message of the SDK, which calls this method for everything that it sends."""
        sent = message if isinstance(message, Message) else Message(**message)
        await self.write(self.text(sent.join_ref, sent.ref, sent.topic, sent.event, sent.payload))

    def text(self, join_ref: str | None, ref: str | None, topic: str, event: str, payload: Any) -> str:
        """Encode a frame as JSON text, in the version of the protocol that the server speaks.

        Args:
            join_ref: The `ref` of the channel's join, or None.
            ref: The ref of the frame, or None.
            topic: The topic with the prefix `realtime:`.
            event: The event, such as `phx_join`.
            payload: The payload. A `msgspec.Raw` in it is sent as it is.
        """
        if self.vsn == "2.0.0":
            return msgspec.json.encode((join_ref, ref, topic, event, payload)).decode()
        frame = {"topic": topic, "event": event, "payload": payload, "ref": ref, "join_ref": join_ref}
        return msgspec.json.encode(frame).decode()

    async def write(self, data: str | bytes) -> None:
        """Send a frame. Without a connection it is refused, whereas the SDK would keep it for a later one.

        Raises:
            LostError: If there is no connection.
        """
        if self._ws_connection is None or self.lost.done():
            raise LostError("the connection is closed")
        try:
            await self._ws_connection.send(data)
        except websockets.ConnectionClosed as exc:
            raise LostError("the connection is closed") from exc

    def next_ref(self) -> str:
        """Return the ref for the next frame."""
        return self._make_ref()

    async def ask(self, ref: str, data: str | bytes, seconds: float) -> Reply:
        """Send a frame, and return the server's answer to it.

        Args:
            ref: The ref of the frame.
            data: The encoded frame.
            seconds: How long to wait.

        Raises:
            TimeoutError: If there is no answer in time.
            LostError: If the connection is lost.
        """
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
        """Return whether the server answers a heartbeat within this many seconds."""
        ref = self.next_ref()
        try:
            await self.ask(ref, self.text(None, ref, "phoenix", "heartbeat", {}), seconds)
        except (TimeoutError, LostError):
            return False
        return True

    def silence(self) -> None:
        """Discard all further messages: after a loss was noticed, they belong to its gap."""
        self._is_silenced = True

    def _on_message(self, data: bytes) -> None:
        if self._is_silenced:
            return
        # The decoder recognises text and binary messages by their first byte.
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
            # After a bug of ours or the SDK's, the watch must not go on without receiving events.
            self._lose(LostError(f"reading from {self.host} failed: {type(exc).__name__}"))

    async def _hold_up(self) -> None:
        """Stop reading until the reader of the queue has caught up, so that TCP holds the server up."""
        connection = cast("MessageConnection", self._ws_connection)
        connection.pause_reading()
        self._heart.is_held_up = True
        try:
            await self._queue.wait_for_space(self._timing.heartbeat)
        finally:
            connection.resume_reading()
            self._holding_up = None
            self._heart.is_held_up = False
            self._heart.forget()

    async def _listen(self) -> None:
        """Wait for the end of the connection. Messages go to `_on_message` meanwhile."""
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
        except PrtError:  # the connection is lost, which `_listen` reports
            return
        self._lose(LostError(f"{self.host} {SILENCE}", is_silence=True))

    def _started(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task without which no event would arrive. If it fails, the connection counts as lost."""

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
    """Do nothing: changes never pass through the SDK, which requires a callback for each binding."""
