"""A WebSocket connection: its handshake, its frames and its channels.

psycopg is imported only for its exceptions, which `prt.local.postgres.session` raises.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from prt.local.realtime.channels.calls import Calls
from prt.local.realtime.channels.channel import Channel, outcome
from prt.local.realtime.channels.messages import ReplayedMessages
from prt.local.realtime.channels.outbox import Outbox
from prt.local.realtime.channels.topics import PREFIX
from prt.local.realtime.protocol import tokens
from prt.local.realtime.protocol.frames import Frame, Version, is_too_complex, version_of
from prt.local.realtime.protocol.join_config import UNABLE_TO_REPLAY, configured, malformed
from prt.local.realtime.protocol.tokens import OPAQUE_PREFIX, Token, TokenRefusedError
from prt.local.serving.turns import Account

if TYPE_CHECKING:
    from prt.local.realtime.channels.hub import Hub

PHOENIX = "phoenix"
SUSPENDED = "Realtime was disabled for this tenant"

NORMAL = 1000
GOING_AWAY = 1001
TOO_BIG = 1009
RESTARTING = 1012
TRY_AGAIN_LATER = 1013

CLOSE_SECONDS = 1.0

SOCKETS = "sockets"
"""The service under which the loop's time for sockets is counted."""

MOST_CHANNELS = MOST_JOINS = 100
"""The most channels of a socket, and the most joins per second, as on the real server.

Joins are counted for each socket separately here.
"""

TOO_MANY_JOINS = "Too many joins per second"


async def handle(websocket: WebSocket, hub: Hub) -> None:
    """Accept or refuse a WebSocket, and serve it until it is closed."""
    accepted = await hub.turns.run(Account(SOCKETS), _accepted(websocket, hub))
    if accepted is None:
        return
    connection = Connection(websocket, hub, *accepted)
    hub.connections.add(connection)
    try:
        await connection.run()
    finally:
        hub.connections.discard(connection)


async def _accepted(websocket: WebSocket, hub: Hub) -> tuple[Version, Token] | None:
    """Accept a WebSocket, or refuse it with the server's message and return None."""
    version = version_of(websocket.query_params.get("vsn", "1.0.0"))
    if version is None:
        await websocket.send_denial_response(Response(status_code=403))
        return None
    if hub.settings.is_suspended:
        await asyncio.sleep(hub.settings.refused_handshake_seconds)
        await websocket.send_denial_response(JSONResponse({"error": SUSPENDED}, 403))
        return None
    try:
        token = _authenticated(websocket, hub)
    except TokenRefusedError as error:
        await asyncio.sleep(hub.settings.refused_handshake_seconds)
        await websocket.send_denial_response(JSONResponse({"error": error.handshake}, error.status))
        return None
    if (reason := _too_many(hub)) is not None:
        await asyncio.sleep(hub.settings.refused_handshake_seconds)
        await websocket.send_denial_response(JSONResponse({"error": reason}, 429))
        return None
    await websocket.accept()
    return version, token


def _too_many(hub: Hub) -> str | None:
    """Return the message that refuses a further connection, None if the plan allows it."""
    limits = hub.settings.limits
    if limits is not None and len(hub.connections) >= limits.connections:
        return "Too many connected users"
    return TOO_MANY_JOINS if hub.rates.joins.is_exceeded else None


def _authenticated(websocket: WebSocket, hub: Hub) -> Token:
    """Return the verified API key from the header `x-api-key` or the query.

    An opaque key of this project is replaced by its JWT.
    """
    key = websocket.headers.get("x-api-key", websocket.query_params.get("apikey"))
    if key is None:
        raise tokens.refused("MissingAPIKey", "API key is missing")
    return tokens.read(hub.keys.exchange(key), hub.keys, time.time())


class Connection:
    """An accepted WebSocket with its channels.

    Frames are read one after the other. A separate task sends the frames in the outbox.
    """

    def __init__(self, websocket: WebSocket, hub: Hub, version: Version, token: Token) -> None:
        self._websocket = websocket
        self._hub = hub
        self._version = version
        self._token = token
        self._channels: dict[str, Channel] = {}
        self._close_code = asyncio.get_running_loop().create_future()
        self._received_at = time.monotonic()
        self._account = Account(SOCKETS)
        self._joins = Calls(int(MOST_JOINS * hub.settings.rate_seconds), hub.settings.rate_seconds)
        # If the client doesn't read, the socket is closed: frames must not be left out silently.
        self.outbox = Outbox(lambda: self.close(TRY_AGAIN_LATER))

    def close(self, code: int) -> None:
        """Make `run` end, and close the socket with this code."""
        if not self._close_code.done():
            self._close_code.set_result(code)

    async def run(self) -> None:
        """Serve the socket until it is closed by either side."""
        tasks = [
            asyncio.create_task(work)
            for work in (self._receive(), self.outbox.drain(self._send), self._idle())
        ]
        try:
            await asyncio.wait([self._close_code, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for channel in self._channels.values():
                channel.release()
            self._channels.clear()
            self.outbox.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        if self._close_code.done():
            await self._finish(self._close_code.result())

    async def _finish(self, code: int) -> None:
        """Close the socket, but don't wait longer than `CLOSE_SECONDS` for a client that does not read."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._websocket.close(code)
        except (TimeoutError, WebSocketDisconnect, OSError, RuntimeError):
            return  # the client has disconnected already

    async def _receive(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            self._received_at = time.monotonic()
            data: str | bytes = message.get("bytes") or message.get("text") or ""
            if len(data) > self._hub.settings.largest_frame or is_too_complex(data):
                self.close(TOO_BIG)
                return
            await self._hub.turns.run(self._account, self._read(data), size=len(data))

    async def _read(self, data: str | bytes) -> None:
        version = self._version
        frame = version.decode(data) if isinstance(data, str) else version.decode_binary(data)
        if frame is not None:
            # A frame that is nested too deeply is ignored, like a frame that can't be decoded.
            with suppress(RecursionError):
                await self._process(frame)

    async def _send(self, frame: str | bytes) -> None:
        try:
            if isinstance(frame, str):
                await self._websocket.send({"type": "websocket.send", "text": frame})
            else:
                await self._websocket.send({"type": "websocket.send", "bytes": frame})
        except (WebSocketDisconnect, OSError, RuntimeError):
            self.outbox.close()  # the client has disconnected; `_receive` will notice it too

    async def _idle(self) -> None:
        """Close the socket as if it had ended normally, if the client has sent nothing for too long."""
        remaining = self._hub.settings.idle_seconds
        while remaining > 0:
            await asyncio.sleep(remaining)
            remaining = self._received_at + self._hub.settings.idle_seconds - time.monotonic()
        self.close(NORMAL)

    async def _process(self, frame: Frame) -> None:
        channel = self._channels.get(frame.topic) if isinstance(frame.topic, str) else None
        if frame.event == "phx_join":
            await self._join(frame)
        elif frame.event == "phx_leave":
            self._leave(frame, channel)
        elif channel is not None:
            await channel.receive(frame)
        elif frame.topic == PHOENIX and frame.event == "heartbeat":
            self._answer(None, frame, "ok", {})
        else:
            self._answer(None, frame, "error", {"reason": "unmatched topic"})

    async def _join(self, frame: Frame) -> None:
        topic, limits = frame.topic, self._hub.settings.limits
        if not isinstance(topic, str) or not topic.startswith(PREFIX):
            self._answer(None, frame, "error", {"reason": "unmatched topic"})
            return
        former = self._channels.pop(topic, None)
        if former is not None:
            former.release()
        self._hub.rates.joins.add()
        is_above_rate = self._hub.rates.joins.is_exceeded or not self._joins.is_allowed(time.monotonic())
        if is_above_rate:
            reason: str | None = f"ClientJoinRateLimitReached: {TOO_MANY_JOINS}"
        elif len(self._channels) >= (limits.channels if limits else MOST_CHANNELS):
            reason = "ChannelRateLimitReached: Too many channels"
        else:
            reason = await self._enter(frame, topic, former)
        if reason is not None:
            await asyncio.sleep(self._hub.settings.refused_join_seconds)
            self._answer(frame.join_ref, frame, "error", {"reason": reason})
            if former is not None:
                former.close()
        if is_above_rate:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.outbox.sent(), CLOSE_SECONDS)
            self.close(GOING_AWAY)

    async def _enter(self, frame: Frame, topic: str, former: Channel | None) -> str | None:
        """Open the channel of a join, and close the topic's former channel after the answer.

        Returns:
            The reason why the join is refused, or None.
        """
        joined = self._joined(frame, topic)
        if isinstance(joined, str):
            return joined
        if (refusal := await joined.refusal()) is not None:
            return refusal
        if (refusal := joined.config.replay_refusal or joined.config.crash) is not None:
            return refusal
        with self._hub.messages.collecting(joined.topic_key) as missed:
            replayed = await self._replayed(joined)
            if isinstance(replayed, str):
                return replayed
            if (refusal := await joined.prepare()) is not None:
                return refusal
            # There is no `await` from here on, so no change is lost between the answer and the subscription.
            self._channels[topic] = joined
            joined.answer(frame.ref)
            if former is not None:
                former.close()
            joined.open(replayed, missed)
        return None

    async def _replayed(self, channel: Channel) -> ReplayedMessages | str | None:
        """Return the earlier broadcasts that the join asks for, or the reason why it is refused."""
        wanted = channel.config.replay
        if wanted is None:
            return None
        try:
            replayed = partial(self._hub.messages.replayed, subtopic=channel.subtopic, wanted=wanted)
            return await self._hub.policies.run(replayed)
        except (psycopg.Error, OSError):
            return UNABLE_TO_REPLAY + "Realtime was unable to replay messages"

    def _joined(self, frame: Frame, topic: str) -> Channel | str:
        """Return the channel of a join, not yet open, or the reason why the join is refused."""
        subtopic = topic.removeprefix(PREFIX)
        if not subtopic:
            return "TopicNameRequired: You must provide a topic name"
        if (refusal := malformed(frame.payload)) is not None:
            return refusal
        config = configured(subtopic, frame.payload)
        if self._hub.settings.is_private_only and not config.is_private:
            return "PrivateOnly: This project only allows private channels"
        try:
            token = self._token_of(frame.payload)
        except TokenRefusedError as error:
            return error.reason
        return Channel(
            self._hub,
            self.outbox,
            version=self._version,
            topic=topic,
            join_ref=frame.join_ref,
            config=config,
            token=token,
            on_close=self._forget,
        )

    def _token_of(self, payload: dict[str, Any]) -> Token:
        """Return the token of the join, or else that of the connection, unless it has expired."""
        access, user = payload.get("access_token"), payload.get("user_token")
        chosen = access if access is not None and access is not False else user
        if not (isinstance(chosen, str) and chosen.startswith(OPAQUE_PREFIX)):
            for text in (user, access):
                if isinstance(text, str):
                    return tokens.read(text, self._hub.keys, time.time())
        if self._token.expires <= (now := time.time()):
            raise tokens.expired(self._token.expires, now)
        return self._token

    def _leave(self, frame: Frame, channel: Channel | None) -> None:
        if channel is None:
            self._answer(frame.join_ref, frame, "ok", {})
        elif channel.join_ref == frame.join_ref:
            channel.reply(frame.ref, "ok", {})
            channel.close()
            self._forget(channel)
        # Otherwise the client leaves a join that was replaced, whose close has been sent already.

    def _forget(self, channel: Channel) -> None:
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]

    def _answer(self, join_ref: Any, frame: Frame, status: str, response: Any) -> None:
        payload = outcome(status, response)
        self.outbox.put(self._version.encode(join_ref, frame.ref, frame.topic, "phx_reply", payload))
