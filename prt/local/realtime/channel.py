"""A joined topic of one socket: its token, its subscription, and what the server tells it.

psycopg only for the errors of `prt.local.realtime.session`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
from msgspec import Struct

from prt.local.realtime import admission, bindings, tokens
from prt.local.realtime.bindings import BindingRefusedError, Parameters
from prt.local.realtime.broadcast import size_of
from prt.local.realtime.frames import Frame, Version, encoded
from prt.local.realtime.inspection import inspected
from prt.local.realtime.subscriptions import Subscription
from prt.local.realtime.tokens import OPAQUE_PREFIX, Token, TokenRefusedError

if TYPE_CHECKING:
    from prt.local.realtime.outbox import Outbox
    from prt.local.realtime.service import Hub

PREFIX = "realtime:"
SUBSCRIBED = "Subscribed to PostgreSQL"

RETRY_SECONDS = 0.5


class Config(Struct, frozen=True, kw_only=True):
    """What a join asked for. `bindings` have their ids."""

    bindings: tuple[tuple[int, dict[str, Any]], ...] = ()
    is_legacy: bool = False
    is_private: bool = False
    sees_itself: bool = False
    wants_acknowledgement: bool = False
    wants_presence: bool = False


def configured(subtopic: str, payload: Any) -> Config | str:
    """The join's config, or the words in which the server refuses it."""
    if not isinstance(payload, dict) or "config" not in payload:
        entries: list[Any] = bindings.of_topic(subtopic)
        return Config(bindings=_identified(entries), is_legacy=True)
    config = _dictionary(payload["config"])
    found = config.get("postgres_changes")
    entries = [entry for entry in found if entry is not None] if isinstance(found, list) else []
    for entry in entries:
        if not isinstance(entry, dict):
            return f"UnknownErrorOnChannel: expected a map, got:\n\n    {inspected(entry)}\n"
    broadcast, presence = _dictionary(config.get("broadcast")), _dictionary(config.get("presence"))
    return Config(
        bindings=_identified(entries),
        is_private=config.get("private") is True,
        sees_itself=broadcast.get("self") is True,
        wants_acknowledgement=broadcast.get("ack") is True,
        wants_presence=presence.get("enabled") is True,
    )


class Channel:
    """Between its join and its close; `config`, `topic`, `join_ref` never change, the token may."""

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
        self.join_ref = join_ref
        self.config = config
        self.version = version
        self._hub = hub
        self._outbox = outbox
        self._token = token
        self._on_close = on_close
        self._subscription: Subscription | None = None
        self._subscribing: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def subtopic(self) -> str:
        return self.topic.removeprefix(PREFIX)

    def open(self, ref: Any) -> None:
        """Answers the join and starts what it asked for."""
        joined = [{"id": binding, **dict(sorted(entry.items()))} for binding, entry in self.config.bindings]
        self.reply(ref, "ok", {"postgres_changes": joined})
        self._hub.topics.add(self)
        self._watch_expiry()
        if self.config.wants_presence:
            self.push("presence_state", {})
        self._subscribe()

    def receive(self, frame: Frame) -> None:
        """An event of the client. The server does not answer events that it doesn't know."""
        if frame.event == "access_token":
            self._renew(frame.payload)
        elif frame.event == "broadcast":
            self._broadcast(frame)

    def _broadcast(self, frame: Frame) -> None:
        if size_of(frame.payload) > self._hub.settings.largest_broadcast:
            if self.config.wants_acknowledgement:
                self.reply(frame.ref, "error", "payload_size_exceeded")
        else:
            self._hub.topics.send(self, frame)

    def release(self) -> None:
        """Stops everything; nothing is said."""
        if self._subscribing is not None:
            self._subscribing.cancel()
        if self._expiry is not None:
            self._expiry.cancel()
        self._follow(None)
        self._hub.topics.discard(self)

    def close(self) -> None:
        """The server's own end of a channel."""
        self.release()
        self.send(self.version.encode(self.join_ref, self.join_ref, self.topic, "phx_close", "{}"))

    def reply(self, ref: Any, status: str, response: Any) -> None:
        payload = outcome(status, response)
        self.send(self.version.encode(self.join_ref, ref, self.topic, "phx_reply", payload))

    def push(self, event: str, payload: Any) -> None:
        self.send(self.version.encode(self.join_ref, None, self.topic, event, ordered(payload)))

    def send(self, frame: str | bytes) -> None:
        self._outbox.put(frame)

    def _tell(self, extension: str, status: str, message: str) -> None:
        self.push(
            "system",
            {"message": message, "status": status, "extension": extension, "channel": self.subtopic},
        )

    def _renew(self, payload: Any) -> None:
        text = payload.get("access_token") if isinstance(payload, dict) else None
        if not isinstance(text, str) or text.startswith(OPAQUE_PREFIX) or text == self._token.text:
            return
        try:
            self._token = tokens.read(text, self._hub.keys.jwt_secret, time.time())
        except TokenRefusedError as error:
            self._end(error.pushed)
            return
        self._watch_expiry()
        self._subscribe()

    def _watch_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(max(0.0, self._token.expires - time.time()), self._expire)

    def _expire(self) -> None:
        self._end(tokens.expired(self._token.expires, time.time()).pushed)

    def _end(self, message: str) -> None:
        self._tell("system", "error", message)
        self.close()
        self._on_close(self)

    def _subscribe(self) -> None:
        if not self.config.bindings:
            return
        if self._subscribing is not None:
            self._subscribing.cancel()
        self._subscribing = asyncio.create_task(self._admit(self._token))

    async def _admit(self, token: Token) -> None:
        """One bad binding and the channel hears of no change at all, as on the real server."""
        try:
            wanted = [bindings.parse(entry) for _, entry in self.config.bindings]
            is_unrestricted = await self._admitted(token, wanted)
        except BindingRefusedError as error:
            self._follow(None)
            self._tell("postgres_changes", "error", str(error))
            return
        await self._hub.stream.is_live.wait()
        ids = (binding for binding, _ in self.config.bindings)
        self._follow(
            Subscription(
                principal=token.principal,
                is_unrestricted=is_unrestricted,
                bindings=tuple(zip(ids, wanted, strict=True)),
                topic=self.topic,
                version=self.version,
                is_legacy=self.config.is_legacy,
                deliver=self._outbox.put,
            )
        )
        self._tell("postgres_changes", "ok", SUBSCRIBED)

    async def _admitted(self, token: Token, wanted: list[Parameters]) -> bool:
        """Asks until PostgreSQL answers: a channel is joined before it is subscribed, and may wait."""
        while True:
            try:
                return await self._hub.admissions.run(
                    partial(admission.admit, role=token.principal.role, wanted=wanted)
                )
            except (psycopg.OperationalError, OSError):
                await asyncio.sleep(RETRY_SECONDS)

    def _follow(self, subscription: Subscription | None) -> None:
        self._hub.subscriptions.replace(self._subscription, subscription)
        self._subscription = subscription


def outcome(status: str, response: Any) -> str:
    """The payload of a `phx_reply`."""
    return f'{{"status":"{status}","response":{ordered(response)}}}'


def ordered(value: Any) -> str:
    """Compact JSON whose own order of keys is the server's: `id` stands before the rest."""
    return encoded(value, is_sorted=False)


def _identified(entries: list[dict[str, Any]]) -> tuple[tuple[int, dict[str, Any]], ...]:
    return tuple((bindings.identity(entry), entry) for entry in entries)


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
