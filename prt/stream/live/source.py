"""The live source of events: it connects, joins, reports READY, reconnects, and accounts for every gap."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Raw
from msgspec.structs import replace

from prt.clock import wall_clock
from prt.errors import PrtError, UnreachableError
from prt.events import EMPTY, Broadcast, ChannelStatus, Cost, Event, Status, Vitals
from prt.stream.binding import Binding
from prt.stream.live import supervisor
from prt.stream.live.broadcast_replay import BroadcastReplay
from prt.stream.live.rejoining import Rejoining
from prt.stream.live.subscription import Subscription, SubscriptionHandlers, tables_of
from prt.stream.live.supervisor import (
    Connected,
    Connecting,
    Happening,
    Joined,
    Link,
    Lost,
    Policy,
    Pulse,
    Ready,
)
from prt.stream.live.token_refresh import TokenRefresh
from prt.stream.recovery.gaps import Accounting
from prt.stream.recovery.topic_gaps import TopicGaps
from prt.stream.rest.session import Session
from prt.stream.socket.binary import Persist
from prt.stream.socket.client import Socket, SocketHandlers
from prt.stream.socket.failures import EndedError, JoinTimedOutError, LostError, is_retryable, wait_of
from prt.stream.socket.queue import EventQueue
from prt.stream.socket.wire import Frame
from prt.stream.timing import DEFAULT, Timing
from prt.stream.topic import TopicSettings

if TYPE_CHECKING:
    from prt.stream.recovery.backfill import Recovery

TOPIC = "prt-watch"
"""The topic of a source that has only tables."""


class Live:
    """The channel of one topic, on a socket of its own, as a source of events.

    Use it as `async with Live(...) as batches: async for batch in batches: …`. At the end of the block the
    channel is left and the socket is closed.

    Raises:
        RefusedByServerError: From the iteration, if the server refuses the handshake or the join, or ends the
            channel.
        UnreachableError: From the iteration, if the connection fails or is lost for good, or if the server
            refuses every binding.
        ProtocolError: From the iteration, if the server's answers can't be understood.
    """

    def __init__(
        self,
        session: Session,
        bindings: Sequence[Binding],
        *,
        settings: TopicSettings | None = None,
        policy: Policy | None = None,
        recovery: Recovery | None = None,
        queue: EventQueue | None = None,
        timing: Timing | None = None,
        on_frame: Callable[[Frame], None] | None = None,
    ) -> None:
        """Prepare the source.

        Args:
            session: The project's address and our identity.
            bindings: The tables to subscribe to.
            settings: The settings of the topic's broadcasts and presence; None to subscribe to tables only.
            policy: How often to reconnect; None for the defaults.
            recovery: Reads snapshots and the rows that were missed in a gap; None to only report gaps.
            queue: The queue for the events; None for a new one.
            timing: The lengths of time of the connection; None for the defaults.
            on_frame: Receives every control frame as it came. It must not raise.
        """
        self._wanted = list(bindings)
        self._policy = policy or Policy()
        self._settings = settings
        self._broadcast_replay = None if settings is None else BroadcastReplay(settings)
        self._topic = TOPIC if settings is None else settings.topic
        self._timing = timing or DEFAULT
        self._token_refresh = TokenRefresh(
            session, self._timing.renewal_retry, self._report, self._show_vitals
        )
        self._queue = queue or EventQueue()
        self._on_frame = on_frame
        self._accounts = Accounting(self, self._put, recovery, self._timing)
        self._topic_gaps = TopicGaps(settings, self._broadcast_replay, self._put, 2 * self._timing.gathering)
        self._link = Link()
        self._socket: Socket | None = None
        self._subscription: Subscription | None = None
        self._rejoining: Rejoining | None = None
        self._round_trip_ms: float | None = None
        self._was_connected = False
        self._former_messages = 0
        """How many messages the sockets before the present one have counted."""
        self._supervising: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._is_over = False

    @property
    def topic(self) -> str:
        """The topic without the prefix `realtime:`."""
        return self._topic

    @property
    def is_up(self) -> bool:
        """Whether the channel is joined and its events flow."""
        return self._link.is_up

    @property
    def alive_at(self) -> float | None:
        """The moment of the last bytes, in seconds of `windows.running_clock`; None if not connected."""
        return None if self._socket is None else self._socket.alive_at

    async def is_answering(self, seconds: float) -> bool:
        """Return whether the server answers a heartbeat within this many seconds."""
        return self._socket is not None and await self._socket.is_answering(seconds)

    def pour_into(self, queue: EventQueue) -> None:
        """Use another queue. Must be called before the source is entered."""
        self._queue = queue

    async def send(
        self,
        event: str,
        payload: bytes | Raw = EMPTY,
        *,
        binary: bool = False,
        timeout: float | None = None,
        persist: Persist = False,
    ) -> float | None:
        """Send a broadcast.

        Args:
            event: The name of the broadcast.
            payload: The payload: JSON text, or any bytes if `binary`.
            binary: Whether the payload is bytes rather than JSON.
            timeout: How many seconds the acknowledgement is waited for; None for the default of the
                connection.
            persist: Whether, or for how many seconds (`{"ttl": 60}`), the server is asked to store the
                message.

        Returns:
            The milliseconds until the server's acknowledgement, or None if the topic does not ask for one.

        Raises:
            UnreachableError: If the topic is not joined: before READY, or after a loss.
            UsageError: If the payload is above the limits, or is not valid JSON.
            MessageRefusedError: If the server refused the message, or did not store it.
            UnacknowledgedError: If no acknowledgement came in time.
            PrtError: If the version of the protocol can't carry the message.
        """
        sender = self._joined().sender
        return await sender.send(event, payload, is_binary=binary, seconds=timeout, persist=persist)

    async def track(self, payload: dict[str, Any]) -> None:
        """Put us on the presence roster, or replace what was tracked before; repeated after every rejoin.

        Raises:
            RefusedError: If a policy forbids it.
            PrtError: What `send` raises.
        """
        await self._joined().sender.track(payload)
        self._keep_tracked(payload)

    async def untrack(self) -> None:
        """Take us off the presence roster for good.

        Raises:
            PrtError: What `send` raises.
        """
        await self._joined().sender.untrack()
        self._keep_tracked(None)

    def _keep_tracked(self, payload: dict[str, Any] | None) -> None:
        if self._settings is not None:
            self._settings = replace(self._settings, tracked=payload)

    def cut(self) -> None:
        """Break the connection without telling the server, as a failing network does, to test a reconnect."""
        if self._socket is not None:
            self._socket.cut()

    def _joined(self) -> Subscription:
        if self._subscription is None:
            raise UnreachableError(f"{self._topic} is not joined: nothing was sent", "wait for READY")
        return self._subscription

    async def __aenter__(self) -> EventQueue:
        self._queue.on_drop.append(self._resync)
        self._link = Link(started=time.monotonic())
        self._supervising = asyncio.create_task(self._run())
        return self._queue

    async def __aexit__(self, *_: object) -> None:
        if self._supervising is not None:
            self._supervising.cancel()
            await asyncio.gather(self._supervising, return_exceptions=True)

    async def _run(self) -> None:
        error: Exception | None = None
        try:
            await self._supervise()
        except Exception as exc:
            error = exc
        except asyncio.CancelledError:
            if not isinstance(self._failure, Exception):
                raise
            error = self._failure
        finally:
            self._is_over = True
            await self._drop_connection()
            self._accounts.end(is_up=self._link.is_up)
            self._topic_gaps.end()
            self._show_vitals()
            self._queue.close(error)

    async def _supervise(self) -> None:
        while True:
            try:
                raise await self._live_once()
            except PrtError as exc:
                failure = exc
            was_up = self._link.is_up
            if was_up:
                was_deaf = isinstance(failure, EndedError) and failure.is_of_bindings
                self._accounts.broke(failure.message, was_deaf=was_deaf)
                self._topic_gaps.broke(self._accounts.alive, failure.message)
                if self._broadcast_replay is not None:
                    self._broadcast_replay.lost(self._accounts.alive)
            await self._drop_connection()
            self._step(
                Lost(
                    is_retryable=await self._is_retryable(failure),
                    wait_seconds=wait_of(failure),
                    chance=random.random(),  # noqa: S311 - jitter
                )
            )
            self._report_loss(failure, was_up=was_up)
            if self._link.retry_at is None:
                raise failure
            await asyncio.sleep(max(self._link.retry_at - time.monotonic(), 0))

    async def _live_once(self) -> PrtError:
        """Run one connection from its handshake to its end, and return the error that ended it.

        Raises:
            PrtError: The error that prevented READY.
        """
        endpoint = self._token_refresh.begin()
        self._token_refresh.check()
        self._step(Connecting())
        socket = self._socket = Socket(
            endpoint.url,
            endpoint.key,
            token=endpoint.token,
            queue=self._queue,
            handlers=SocketHandlers(
                on_frame=lambda frame: self._control(subscription, frame),
                on_change=self._accounts.observe,
                on_broadcast=self._is_wanted,
                on_unreadable=self._accounts.unreadable,
                on_pulse=self._on_pulse,
            ),
            timing=self._timing,
        )
        subscription = self._subscription = Subscription(
            socket,
            self._topic,
            settings=self._settings,
            broadcast_replay=self._broadcast_replay,
            timing=self._timing,
            handlers=SubscriptionHandlers(
                put=self._queue.put,
                on_joined=lambda: self._step(Joined()),
                on_ready=self._on_ready,
                on_resubscribed=self._accounts.resubscribed,
            ),
        )
        self._rejoining = Rejoining(
            socket,
            self._topic,
            self._timing,
            on_back=self._on_back,
            on_resubscribed=self._accounts.resubscribed,
            on_failed=subscription.fail,
        )
        await socket.open(self._timing.up)
        self._was_connected = True
        self._step(Connected())
        accepted = await subscription.establish(self._wanted)
        refused = [binding for binding in self._wanted if binding not in accepted]
        if refused and not (self._settings is not None and self._settings.is_private):
            self.start(self._rejoining.run(refused))
        self.start(self._token_refresh.keep(self._authorise))
        return await subscription.end()

    def _control(self, subscription: Subscription, frame: Frame) -> None:
        if self._on_frame is not None:
            self._on_frame(frame)
        subscription.on_frame(frame)
        if self._rejoining is not None:
            self._rejoining.on_frame(frame)

    async def _authorise(self, token: str) -> None:
        """Give every channel of the connection a fresh token. Raises LostError."""
        if self._rejoining is not None:
            self._rejoining.expect_answers()
        if self._subscription is not None:
            await self._subscription.authorise(token)

    def _on_back(self, bindings: list[Binding]) -> None:
        self._accounts.rejoined(bindings)
        self._queue.put(
            Status(
                at=wall_clock(),
                status="READY",
                topic=self._topic,
                tables=tables_of(bindings),
                reason="the server takes it again",
            )
        )

    def _on_ready(self, accepted: list[Binding]) -> None:
        is_first = not self._link.was_ready
        if is_first:
            # From now on, a table that is refused, as by a starting database, is asked for again each time.
            self._wanted = accepted
        self._step(Ready())
        self._accounts.ready(accepted, is_first=is_first)
        if self._topic_gaps.is_open:
            self.start(self._topic_gaps.close())

    def _is_wanted(self, broadcast: Broadcast) -> bool:
        if (
            self._settings is None
            or self._broadcast_replay is None
            or not self._settings.wants(broadcast.event)
        ):
            return False
        return self._broadcast_replay.is_new(broadcast)

    def _resync(self) -> None:
        """Emit the whole presence roster again, after the queue had to drop events."""
        if self._subscription is not None:
            self._subscription.resync()

    async def _is_retryable(self, failure: PrtError) -> bool:
        was_ready = self._link.was_ready
        return is_retryable(failure, was_ready=was_ready) or (
            was_ready and await self._token_refresh.is_revived(failure)
        )

    def _report(self, reason: str, hint: str | None = None) -> None:
        self._emit_status("READY", reason=reason, hint=hint)

    async def _drop_connection(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._subscription = self._rejoining = None
        if self._socket is not None:
            socket, self._socket = self._socket, None
            self._former_messages += socket.messages
            await socket.shut()

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that is cancelled when the present connection ends."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """End the source with the error of a failed task: without the task, events would be missing."""
        self._tasks.discard(task)
        if task.cancelled() or (failure := task.exception()) is None or self._is_over:
            return
        if self._failure is None and self._supervising is not None:
            self._failure = failure
            self._supervising.cancel()

    def _on_pulse(self, round_trip_ms: float | None) -> None:
        if round_trip_ms is not None:
            self._round_trip_ms = round_trip_ms
            if round_trip_ms > self._timing.heartbeat * 1000:
                self._accounts.answered_late(round_trip_ms / 1000)
        self._step(Pulse(round_trip_ms is None))

    def _step(self, happening: Happening) -> None:
        self._link = supervisor.step(self._link, happening, time.monotonic(), self._policy, self._timing)
        self._show_vitals()

    def _show_vitals(self) -> None:
        link, now, monotonic = self._link, wall_clock(), time.monotonic()
        life = self._token_refresh.life

        def wall(moment: float) -> int:
            return now + round((moment - monotonic) * 1_000_000)

        self._queue.put(
            Vitals(
                at=now,
                phase=link.phase,
                since=wall(link.since),
                retry_at=None if link.retry_at is None else wall(link.retry_at),
                reconnects=link.reconnects,
                failures=link.failures,
                round_trip_ms=self._round_trip_ms,
                token_expires_at=None if life is None else round(life.expires * 1_000_000),
                cost=self._cost(),
            )
        )

    def _cost(self) -> Cost:
        """Return the part of the project's quota that this source has used so far."""
        present = 0 if self._socket is None else self._socket.messages
        return Cost(
            messages=self._former_messages + present,
            connections=int(self._was_connected),
            channels=int(self._was_connected),
        )

    def _report_loss(self, failure: PrtError, *, was_up: bool) -> None:
        """Report a loss, or the first of several failed attempts: the head of a view counts the others."""
        is_final = self._link.retry_at is None
        had_answer = isinstance(failure, EndedError | JoinTimedOutError | LostError)
        if not (was_up or (had_answer if is_final else self._link.failures == 1)):
            return
        status: ChannelStatus = "CHANNEL_ERROR"
        if isinstance(failure, JoinTimedOutError) or (isinstance(failure, LostError) and failure.is_silence):
            status = "TIMED_OUT"
        elif isinstance(failure, LostError):
            status = "CLOSED"
        reason = failure.message if is_final else f"{failure.message}; trying again"
        if (
            self._settings is not None
            and self._settings.events
            and self._settings.replay is None
            and not is_final
        ):
            reason += f"; what is sent to {self._topic} meanwhile is lost"
        self._emit_status(status, reason=reason, hint=failure.hint)
        failure.is_in_status = is_final

    def _emit_status(
        self, status: ChannelStatus, *, reason: str | None = None, hint: str | None = None
    ) -> None:
        self._queue.put(
            Status(
                at=wall_clock(),
                status=status,
                topic=self._topic,
                tables=self._accounts.tables or None,
                reason=reason,
                hint=hint,
            )
        )

    def _put(self, event: Event) -> None:
        self._queue.put(event)
