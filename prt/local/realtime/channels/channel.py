"""A channel: a joined topic of one WebSocket, with its token, its rights, and the frames of both sides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from prt.local.realtime.changes.subscribing import Following
from prt.local.realtime.channels.calls import Calls
from prt.local.realtime.channels.messages import Missed, ReplayedMessages
from prt.local.realtime.channels.presence import STATE
from prt.local.realtime.channels.rights import (
    BROADCAST,
    EVERYTHING,
    NOTHING,
    PRESENCE,
    UnanswerableError,
    rights,
    words_of,
)
from prt.local.realtime.channels.storing import NotStoredError, Stored, retention_of, store
from prt.local.realtime.channels.topics import PREFIX, Member, TopicKey, receives_broadcasts
from prt.local.realtime.protocol import tokens
from prt.local.realtime.protocol.frames import (
    Event,
    Frame,
    UnsendableError,
    UserBroadcast,
    Version,
    encoded,
)
from prt.local.realtime.protocol.join_config import Config
from prt.local.realtime.protocol.tokens import OPAQUE_PREFIX, Token, TokenRefusedError

if TYPE_CHECKING:
    from prt.local.realtime.channels.hub import Hub
    from prt.local.realtime.channels.outbox import Outbox

REPLICATION_READY = "Replication connection established"
REPLICATION_LATE = "Replication connection was not established in time"
TRACK_TOO_LARGE = "Track message size exceeded"
TRACK_NOT_A_MAP = {"reason": "Presence track payload must be a map"}


class Channel:
    """A joined topic of one socket, from the join to the close.

    Args:
        hub: The parts of the server that all channels share.
        outbox: The outbox of the socket.
        version: The protocol version of the socket.
        topic: The topic with the prefix `realtime:`.
        join_ref: The ref of the join.
        config: The configuration of the join.
        token: The token of the join; `access_token` events replace it.
        on_close: Called when the server ends the channel by itself.
    """

    def __init__(
        self,
        hub: Hub,
        outbox: Outbox,
        *,
        version: Version,
        topic: str,
        join_ref: Any,
        config: Config,
        token: Token,
        on_close: Callable[[Channel], None],
    ) -> None:
        self.topic = topic
        self.topic_key = TopicKey(topic, config.is_private)
        self.join_ref = join_ref
        self.config = config
        self.version = version
        self.rights = NOTHING if config.is_private else EVERYTHING
        self._hub = hub
        self._outbox = outbox
        self._token = token
        self._on_close = on_close
        self._following = Following(
            hub,
            config=config,
            topic=topic,
            version=version,
            deliver=outbox.put_streamed,
            report=partial(self._send_system, "postgres_changes"),
        )
        self._reporting: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._calls = Calls(hub.settings.presence_calls, hub.settings.presence_window_seconds)
        self._has_presence = config.wants_presence or hub.settings.has_presence_everywhere
        self._replayed: ReplayedMessages | None = None
        self._is_open = False

    @property
    def subtopic(self) -> str:
        """The topic without the prefix `realtime:`."""
        return self.topic.removeprefix(PREFIX)

    @property
    def receives_presence(self) -> bool:
        """Whether presence is sent to the channel.

        It always is on a public topic; on a private one if the client asked for it and may read it.
        """
        return self._reads_presence if self.config.is_private else True

    def awaits(self, transaction: int) -> bool:
        """Return whether a broadcast of the database, written by this transaction, is sent to the channel.

        It is not if the channel may not read broadcasts, or if the replay at the join covered the
        transaction.
        """
        return self.rights.reads_broadcast and not (self._replayed and self._replayed.holds(transaction))

    async def refusal(self) -> str | None:
        """Look up the rights on a private topic, and return the server's message if the join is refused."""
        if not self.config.is_private:
            return None
        try:
            self.rights = await rights(self._hub.policies, self.subtopic, self._token.principal)
        except UnanswerableError as error:
            return str(error)
        if not self._readable or (self.config.wants_replay and not self.rights.reads_broadcast):
            return f"Unauthorized: {self._may_not_read}"
        return None

    async def prepare(self) -> str | None:
        """Wait for the subscription to changes if the join asked for it.

        Returns:
            The server's message if the join is refused, else None.
        """
        return await self._following.prepare(self._token)

    def answer(self, ref: Any) -> None:
        """Send the answer that accepts the join."""
        joined = [{"id": binding, **dict(sorted(entry.items()))} for binding, entry in self.config.bindings]
        self.reply(ref, "ok", {"postgres_changes": joined})

    def open(self, replayed: ReplayedMessages | None, missed: Sequence[Missed]) -> None:
        """Start what the join asked for: presence, replay, the subscription to changes.

        Args:
            replayed: The earlier broadcasts to send again, None if the join didn't ask for any.
            missed: The broadcasts that were sent while `replayed` was read.
        """
        self._is_open = True
        self._hub.topics.add(self)
        self._watch_expiry()
        if self._reads_presence:
            self._push_json(STATE, self._hub.presences.state(self.topic_key))
        self._replayed = replayed
        for message in replayed.messages if replayed else ():
            if isinstance(message, str):
                self._push_json("broadcast", message)
            elif (frame := message.frame(self.version, self.topic)) is not None:
                self.send(frame)
        for late in missed:
            frame = late.message.frame(self.version, self.topic)
            if frame is not None and self.awaits(late.transaction):
                self.send(frame)
        if self.config.wants_replication_ready:
            self._reporting = asyncio.create_task(self._report_replication())
        self._following.start(self._token)

    async def receive(self, frame: Frame) -> None:
        """Handle an event of the client. The server ignores unknown events."""
        if frame.event == "broadcast":
            try:
                await self._broadcast(frame)
            except UnsendableError:
                self._crash()
        elif frame.event == "presence":
            self._track(frame)
        elif frame.event == "access_token":
            await self._renew(frame.payload)

    async def _broadcast(self, frame: Frame) -> None:
        """Send a client's broadcast. A client without the right to send receives no answer."""
        if not self.rights.writes_broadcast:
            return
        self._hub.rates.messages.add()
        message: UserBroadcast | Event
        if isinstance(frame.payload, UserBroadcast):
            message, size = frame.payload, len(frame.payload.body)
        else:
            message = Event("broadcast", encoded(frame.payload))
            size = len(message.payload.encode())
        if size > self._hub.settings.largest_broadcast:
            if self.config.wants_acknowledgement:
                self.reply(frame.ref, "error", "payload_size_exceeded")
            return
        status, response = await self._passed_on(message, frame.persist)
        if self.config.wants_acknowledgement:
            self.reply(frame.ref, status, response)

    async def _passed_on(self, message: UserBroadcast | Event, persist: Any) -> tuple[str, dict[str, str]]:
        """Send a broadcast, and store it if `persist` asks for it.

        Returns:
            The status and the response of the acknowledgement.
        """
        topics, topic_key = self._hub.topics, self.topic_key
        try:
            stored = await self._stored(message, persist)
        except NotStoredError as error:
            topics.send(topic_key, message, self._is_sent_to)
            return "error", {"error": str(error)}
        if stored is None:
            topics.send(topic_key, message, self._is_sent_to)
            return "ok", {}
        self._hub.messages.send(topic_key, message, stored.transaction, self._is_sent_to)
        return "ok", {"id": stored.id}

    async def _stored(self, message: UserBroadcast | Event, persist: Any) -> Stored | None:
        if not self.config.is_private or (retention := retention_of(persist)) is None:
            return None
        if not self.rights.stores_broadcast:
            raise NotStoredError(
                f"You do not have permissions to persist messages on this Channel topic: {self.subtopic}"
            )
        return await store(self._hub.policies, self.subtopic, message, retention)

    def _is_sent_to(self, channel: Member) -> bool:
        return receives_broadcasts(channel) and (channel is not self or self.config.sees_itself)

    def _track(self, frame: Frame) -> None:
        """Handle a presence message, which counts as a call even if its event is unknown or refused."""
        call = frame.payload if isinstance(frame.payload, dict) else {}
        if "event" not in call:
            self.reply(frame.ref, "ok", {})
            return
        event, payload = call["event"], call.get("payload", {})
        if not isinstance(event, str):
            self._crash()
            return
        if not self._calls.is_allowed(time.monotonic()):
            self.end("Client presence rate limit exceeded")
            return
        self._hub.rates.presence.add()
        if self._hub.rates.presence.is_exceeded:
            self.end("Too many presence messages per second")
            return
        match event.lower():
            case "untrack":
                self.reply(frame.ref, "ok", {})
                self._hub.presences.untrack(self)
            case "track" if not self.rights.writes_presence:
                self.reply(frame.ref, "error", {})
            case "track" if not isinstance(payload, dict):
                self.reply(frame.ref, "error", TRACK_NOT_A_MAP)
            case "track" if len(encoded(payload)) > self._hub.settings.largest_broadcast:
                self.end(TRACK_TOO_LARGE)
            case "track":
                if self.config.presence_key is None:
                    self._has_presence = True
                    self.reply(frame.ref, "ok", {})
                    self._crash()
                else:
                    self._put(frame.ref, payload)
            case _:
                self.reply(frame.ref, "error", {})

    def _put(self, ref: Any, payload: dict[str, Any]) -> None:
        """Track a payload. If the topic's state would become too large, end the channel that tracks most."""
        while (largest := self._hub.presences.crowding(self, payload)) is not None:
            largest.end(TRACK_TOO_LARGE)
            if largest is self:
                return
        self._has_presence = True
        self.reply(ref, "ok", {})
        self._hub.presences.track(self, payload)

    def release(self) -> None:
        """Stop all tasks of the channel and leave the topic, without a frame to the client."""
        self._is_open = False
        self._following.stop()
        for running in (self._reporting, self._expiry):
            if running is not None:
                running.cancel()
        self._hub.topics.discard(self)
        self._hub.presences.untrack(self)

    def close(self) -> None:
        """Release the channel, and send `phx_close` to the client."""
        self.release()
        self.send(self.version.encode(self.join_ref, self.join_ref, self.topic, "phx_close", "{}"))

    def reply(self, ref: Any, status: str, response: Any) -> None:
        """Send the reply to the frame with this ref."""
        payload = outcome(status, response)
        self.send(self.version.encode(self.join_ref, ref, self.topic, "phx_reply", payload))

    def deliver(self, frame: str | bytes, *, is_streamed: bool) -> None:
        """Send a frame of the topic. End the channel if this exceeds the rate, as on the real server."""
        self._outbox.put(frame, is_streamed=is_streamed)
        self._hub.rates.messages.add()
        if self._hub.rates.messages.is_exceeded:
            self.end("Too many messages per second")

    def send(self, frame: str | bytes) -> None:
        """Put a frame into the outbox."""
        self._outbox.put(frame)

    def _push_json(self, event: str, payload: str) -> None:
        self.send(self.version.encode(self.join_ref, None, self.topic, event, payload))

    def _send_system(self, extension: str, status: str, message: str) -> None:
        words = {"message": message, "status": status, "extension": extension, "channel": self.subtopic}
        self._push_json("system", ordered(words))

    @property
    def _readable(self) -> frozenset[str]:
        """The extensions (broadcast, presence) that the channel may read."""
        may = {BROADCAST: self.rights.reads_broadcast, PRESENCE: self._reads_presence}
        return frozenset(extension for extension, is_allowed in may.items() if is_allowed)

    @property
    def _reads_presence(self) -> bool:
        return self._has_presence and self.rights.reads_presence

    @property
    def _may_not_read(self) -> str:
        return f"You do not have permissions to read from this Channel topic: {self.subtopic}"

    async def _renew(self, payload: Any) -> None:
        text = payload.get("access_token") if isinstance(payload, dict) else None
        if not isinstance(text, str) or text.startswith(OPAQUE_PREFIX) or text == self._token.text:
            return
        try:
            self._token = tokens.read(text, self._hub.keys, time.time())
        except TokenRefusedError as error:
            if error.pushed is None:
                self._crash()
            else:
                self.end(error.pushed)
            return
        self._watch_expiry()
        former = self._readable
        refusal = await self.refusal()
        if not self._is_open:
            return  # the token expired while the rights were looked up
        if refusal is not None:
            self.end(words_of(refusal))
        elif not former <= self._readable:
            self.end(f"You no longer have permission to read from this Channel topic: {self.subtopic}")
        else:
            self._following.start(self._token)

    def _watch_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(max(0.0, self._token.expires - time.time()), self._expire)

    def _expire(self) -> None:
        self.end(tokens.expired_words(self._token.expires, time.time()))

    def end(self, message: str) -> None:
        """Send an error message to the client, and close the channel."""
        self._send_system("system", "error", message)
        self.close()
        self._on_close(self)

    def _crash(self) -> None:
        """End the channel with `phx_error`, as when an exception ends its process on the real server."""
        self.release()
        words = ordered({"reason": "channel_crash"})
        self.send(self.version.encode(self.join_ref, self.join_ref, self.topic, "phx_error", words))
        self._on_close(self)

    async def _report_replication(self) -> None:
        try:
            await asyncio.wait_for(self._hub.broadcasts.is_live.wait(), self._hub.settings.start_seconds)
        except TimeoutError:
            self.end(REPLICATION_LATE)
            return
        self._send_system("system", "ok", REPLICATION_READY)


def outcome(status: str, response: Any) -> str:
    """Return the payload of a `phx_reply` as JSON text."""
    return f'{{"status":"{status}","response":{ordered(response)}}}'


def ordered(value: Any) -> str:
    """Return compact JSON text in which the keys keep their order: the server's, with `id` first."""
    return encoded(value, is_sorted=False)
