"""One channel of one connection: it is joined, narrowed to the bindings that the server accepts, and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from realtime import AsyncRealtimeChannel

from prt.clock import wall_clock
from prt.errors import PrtError, UnreachableError
from prt.events import ChannelStatus, Event, Status
from prt.stream.binding import Binding
from prt.stream.live import narrowing
from prt.stream.live.broadcast_replay import BroadcastReplay
from prt.stream.live.narrowing import Refused
from prt.stream.live.roster import Roster, difference_of, state_of
from prt.stream.live.sending import Sender
from prt.stream.policies import receives_sql, role_of
from prt.stream.socket import refusals, wire
from prt.stream.socket.client import PRESENCE, JoinRefusedError, Socket
from prt.stream.socket.failures import EndedError, JoinTimedOutError, LostError, NothingAcceptedError
from prt.stream.socket.refusals import Refusal
from prt.stream.socket.wire import TOPIC_PREFIX, Frame
from prt.stream.timing import Timing
from prt.stream.topic import NO_ROSTER, NOT_TRACKED, TopicSettings

SUBSCRIBED = "Subscribed to PostgreSQL"
"""The server's message after which changes flow."""


class SubscriptionHandlers(Struct, frozen=True, kw_only=True):
    """The functions that a subscription calls as soon as a frame has come, in the order of the frames.

    Attributes:
        put: Receives statuses and presence events.
        on_joined: Called when the server has accepted the join.
        on_ready: Receives the bindings whose changes flow now.
        on_resubscribed: Called when the server has subscribed the channel again by itself.
    """

    put: Callable[[Event], None]
    on_joined: Callable[[], None]
    on_ready: Callable[[list[Binding]], None]
    on_resubscribed: Callable[[], None]


class Subscription:
    """The subscription of one topic on one connection.

    `establish` returns as soon as changes flow, and `end` as soon as they no longer do.
    """

    def __init__(
        self,
        socket: Socket,
        topic: str,
        *,
        settings: TopicSettings | None,
        broadcast_replay: BroadcastReplay | None,
        timing: Timing,
        handlers: SubscriptionHandlers,
    ) -> None:
        """Prepare the subscription.

        Args:
            socket: The socket.
            topic: The topic without the prefix `realtime:`.
            settings: The settings of the topic's broadcasts and presence; None to subscribe to tables only.
            broadcast_replay: The replay of the topic's broadcasts; None without `settings`.
            timing: The lengths of time of the connection.
            handlers: The functions that are called for events.
        """
        self._socket = socket
        self._topic = topic
        self._settings = settings
        self._broadcast_replay = broadcast_replay
        self._timing = timing
        self._put = handlers.put
        self._on_joined = handlers.on_joined
        self._on_ready = handlers.on_ready
        self._on_resubscribed = handlers.on_resubscribed
        self._channel: AsyncRealtimeChannel | None = None
        self._joining: list[Binding] = []
        self._is_probing = False
        loop = asyncio.get_running_loop()
        self._verdict: asyncio.Future[str | None] = loop.create_future()
        self._ended: asyncio.Future[PrtError] = loop.create_future()
        self._answers_due = 0
        self._roster = Roster(topic)
        self._sender: Sender | None = None

    async def establish(self, bindings: Sequence[Binding]) -> list[Binding]:
        """Join with the bindings that the server accepts, and return these bindings.

        Raises:
            NothingAcceptedError: If the server accepts none of them.
            PrtError: If the join fails, or the connection is lost.
        """
        accepted = await self._narrowed(bindings)
        await self._track_again()
        return accepted

    @property
    def sender(self) -> Sender:
        """The sending side of the channel.

        Raises:
            UnreachableError: If the channel is not joined.
        """
        if self._sender is None or self._ended.done() or self._socket.lost.done():
            raise UnreachableError(f"{self._topic} is not joined: nothing was sent", "wait for READY")
        return self._sender

    def resync(self) -> None:
        """Emit the whole presence roster again."""
        if self._roster.is_known:
            self._put(self._roster.sync(wall_clock()))

    async def _narrowed(self, bindings: Sequence[Binding]) -> list[Binding]:
        if not bindings:
            await self._attempt([])
            return []
        refused: list[Refused] = []

        async def attempt(bindings: list[Binding], *, is_probe: bool) -> str | None:
            self._is_probing = is_probe
            return await self._attempt(bindings)

        def report(one: Refused) -> None:
            refused.append(one)
            found = one.refusal
            self._emit_status(
                "CHANNEL_ERROR",
                tables=[one.binding.name],
                reason=found.reason,
                hint=found.hint,
                code=found.code,
                subject=found.subject,
            )

        accepted = await narrowing.narrow(bindings, attempt, report)
        if accepted:
            return accepted
        last = refused[-1].refusal
        count = len(refused)
        what = "the subscription was" if count == 1 else f"all {count} subscriptions were"
        raise NothingAcceptedError(f"{what} refused", last.reason, last.hint, last.code)

    async def end(self) -> PrtError:
        """Wait until the channel or the connection has ended, and return the error that ended it."""
        if not await self._has_ended(self._timing.answer):
            self._report_missing_roster()
            await self._has_ended()
        return self._ended.result() if self._ended.done() else self._socket.lost.result()

    async def _has_ended(self, seconds: float | None = None) -> bool:
        waited: list[asyncio.Future[Any]] = [self._ended, self._socket.lost]
        done, _ = await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)

    def _report_missing_roster(self) -> None:
        """Report that the server keeps the presence roster from us.

        A client that may receive a topic's broadcasts but not its presence is joined all the same, and is
        sent no roster.
        """
        settings = self._settings
        if settings is None or not settings.receives_presence or self._roster.is_known:
            return
        hint = "is presence switched on in the project's Realtime settings?"
        if settings.is_private:
            hint = receives_sql(role_of(self._socket.access_token), settings.topic)
        reason = f"no roster came: {settings.topic} keeps its presence to itself"
        self._emit_status("READY", reason=reason, hint=hint, code=NO_ROSTER)

    def expect_answer(self) -> None:
        """Note that the server will subscribe again, because it was given a fresh token."""
        self._answers_due += 1

    def fail(self, error: PrtError) -> None:
        """End the subscription, because the server has ended another channel of the same connection."""
        self._finish(error)

    async def leave(self) -> None:
        """Leave the channel if it is joined."""
        if self._channel is not None:
            channel, self._channel = self._channel, None
            await self._socket.drop(channel)

    async def authorise(self, token: str) -> None:
        """Give the channel a fresh token. The server subscribes again for it, which does not make a gap.

        Raises:
            LostError: If the connection is lost.
        """
        self._answers_due += 1
        await self._socket.authorise(token)

    def on_frame(self, frame: Frame) -> None:
        """Handle a control frame. Must be called with every control frame of the connection, in order."""
        if frame.topic != TOPIC_PREFIX + self._topic or not self._socket.is_current(frame):
            return
        try:
            if frame.event == "phx_reply":
                self._on_reply(frame)
            elif frame.event == "system":
                self._on_system(wire.system(frame))
            elif frame.event in ("phx_close", "phx_error"):
                self._on_end(frame)
            elif frame.event in PRESENCE:
                self._on_presence(frame)
        except (msgspec.DecodeError, RecursionError) as exc:
            self._put(wire.malformed(bytes(frame.payload), f"{frame.event}: {exc}", wall_clock()))

    async def _attempt(self, bindings: list[Binding]) -> str | None:
        """Join with these bindings on a fresh channel.

        Returns:
            None once changes flow, else the text of the server's refusal.
        """
        if self._channel is not None:
            await self._socket.drop(self._channel)
            self._channel = None
        self._joining = bindings
        self._roster = Roster(self._topic)
        self._verdict = asyncio.get_running_loop().create_future()
        try:
            self._channel = await self._socket.join(self._topic, bindings, self._config())
        except JoinRefusedError as exc:
            if exc.refused is None:
                raise JoinTimedOutError(f"no answer to the join in {self._timing.join:g} s") from exc
            found = self._with_remedy(exc.refused)
            raise EndedError(f"the join was refused: {found.reason}", found) from exc
        waited: list[asyncio.Future[Any]] = [self._verdict, self._ended, self._socket.lost]
        await asyncio.wait(waited, timeout=self._timing.join, return_when=asyncio.FIRST_COMPLETED)
        if self._verdict.done():
            return self._verdict.result()
        if self._ended.done() or self._socket.lost.done():
            raise await self.end()
        raise JoinTimedOutError(f'no "{SUBSCRIBED}" in {self._timing.join:g} s')

    def _with_remedy(self, refused: Refusal) -> Refusal:
        if self._settings is None or not self._settings.is_private or refused.code != "unauthorized":
            return refused
        return replace(refused, hint=receives_sql(role_of(self._socket.access_token), self._settings.topic))

    def _config(self) -> dict[str, Any] | None:
        if self._settings is None:
            return None
        return self._settings.to_wire(
            None if self._broadcast_replay is None else self._broadcast_replay.wanted
        )

    async def _track_again(self) -> None:
        """Put us on the presence roster again after a join: the server forgets us with each connection.

        A refusal is only reported, because the rest of the topic can still be received.
        """
        if self._settings is None or self._settings.tracked is None:
            return
        try:
            await self.sender.track(self._settings.tracked)
        except LostError:
            return  # `end` returns this error
        except PrtError as exc:
            reason = f"not on the roster: {exc.message}"
            self._emit_status("READY", reason=reason, hint=exc.hint, code=NOT_TRACKED)

    def _on_presence(self, frame: Frame) -> None:
        # On a public topic the server sends differences to every client, also to those that did not ask.
        if self._settings is None or not self._settings.receives_presence or self._is_probing:
            return
        if frame.event == "presence_state":
            self._put(self._roster.state(state_of(frame.payload), wall_clock()))
            return
        for event in self._roster.difference(difference_of(frame.payload), wall_clock()):
            self._put(event)

    def _on_reply(self, frame: Frame) -> None:
        is_join = frame.ref == self._socket.channels[frame.topic].join_push.ref
        if is_join and wire.reply(frame).status == "ok":
            self._on_joined()
            if not self._is_probing:
                self._emit_status("SUBSCRIBED")
            if not self._joining:
                self._settle(None)

    def _on_system(self, message: wire.System) -> None:
        if message.status == "ok":
            if message.message == SUBSCRIBED:
                self._on_subscribed()
            return
        if refusals.is_of_bindings(message.message) and not self._flows:
            self._settle(message.message)  # the server may repeat a refusal, once for each binding
            return
        found = refusals.of_system(message.message)
        is_of_bindings = refusals.is_of_bindings(message.message)
        words = f"the server ended the subscription: {found.reason}"
        self._finish(EndedError(words, found, is_of_bindings=is_of_bindings))

    @property
    def _flows(self) -> bool:
        return self._verdict.done() and self._verdict.result() is None

    def _on_subscribed(self) -> None:
        if not self._flows:
            self._settle(None)
        elif self._answers_due:
            self._answers_due -= 1
        else:
            self._on_resubscribed()

    def _on_end(self, frame: Frame) -> None:
        words = "closed" if frame.event == "phx_close" else "crashed"
        found = Refusal(error=UnreachableError, reason=f"the server {words} the channel", is_retryable=True)
        self._finish(EndedError(f"{found.reason} {self._topic}", found))

    def _settle(self, words: str | None) -> None:
        if self._verdict.done():
            return
        if words is None and not self._is_probing:
            self._create_sender()
            # In this order, because the gap that READY ends may not end after the moment that the line gives.
            self._on_ready(self._joining)
            self._emit_status("READY")
        self._verdict.set_result(words)

    def _create_sender(self) -> None:
        ref = self._socket.channels[TOPIC_PREFIX + self._topic].join_push.ref
        if self._settings is not None and ref is not None:
            self._sender = Sender(self._socket, self._settings, ref, self._timing.answer)

    def _finish(self, error: PrtError) -> None:
        self._socket.silence()
        if not self._ended.done():
            self._ended.set_result(error)

    def _emit_status(
        self,
        status: ChannelStatus,
        *,
        tables: list[str] | None = None,
        reason: str | None = None,
        hint: str | None = None,
        code: str | None = None,
        subject: str | None = None,
    ) -> None:
        self._put(
            Status(
                at=wall_clock(),
                status=status,
                topic=self._topic,
                tables=tables or tables_of(self._joining) or None,
                reason=reason,
                hint=hint,
                code=code,
                subject=subject,
            )
        )


def tables_of(bindings: Sequence[Binding]) -> list[str]:
    """Return the tables of bindings as `schema.table`, sorted and without duplicates."""
    return sorted({binding.name for binding in bindings})
