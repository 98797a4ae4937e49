"""The messages that a joined channel sends, broadcasts and our own presence, with the server's answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from prt.errors import PrtError, RefusedError
from prt.inputs import Input
from prt.stream.limits import PresenceCalls, checked_json, checked_presence, checked_size
from prt.stream.policies import role_of, sends_sql, stores_sql
from prt.stream.socket import binary, refusal_codes
from prt.stream.socket.binary import Persist
from prt.stream.socket.client import Socket
from prt.stream.socket.failures import MessageRefusedError, UnacknowledgedError
from prt.stream.socket.wire import TOPIC_PREFIX, Reply
from prt.stream.topic import TopicSettings


class Sender:
    """The sending side of one joined channel. It can't be used after that join has ended.

    Raises:
        PrtError: From each method, if the message is above the limits, or is refused or not answered.
        LostError: From each method, if the connection is lost.
    """

    def __init__(self, socket: Socket, settings: TopicSettings, join_ref: str, answer_seconds: float) -> None:
        """Prepare sending.

        Args:
            socket: The open socket.
            settings: The settings of the topic.
            join_ref: The `ref` of the join, which every message repeats.
            answer_seconds: How long an answer is waited for.
        """
        self._socket = socket
        self._settings = settings
        self._join_ref = join_ref
        self._answer_seconds = answer_seconds
        self._calls = PresenceCalls()

    async def send(
        self,
        event: str,
        payload: bytes | Raw,
        *,
        is_binary: bool,
        seconds: float | None,
        persist: Persist = False,
    ) -> float | None:
        """Send a broadcast, and return the milliseconds until its acknowledgement, or None without one.

        Args:
            event: The name of the broadcast.
            payload: The payload: JSON text, or any bytes if `is_binary`.
            is_binary: Whether the payload is bytes rather than JSON.
            seconds: How long the acknowledgement is waited for; None for the connection's default.
            persist: Whether, or for how long, the server is asked to store the message.
        """
        body = bytes(payload)
        checked_size(len(body))
        if not is_binary:
            checked_json(body, f"the payload of {event}")
        topic, ref = TOPIC_PREFIX + self._settings.topic, self._socket.next_ref()
        is_short = binary.fits(self._join_ref, ref, topic, event)
        data: str | bytes
        if self._socket.vsn == "2.0.0" and is_short:
            # The server passes binary frames on unchanged, but it encodes the JSON of text frames again.
            data = binary.push(
                self._join_ref, ref, topic, event, body, is_json=not is_binary, persist=persist
            )
        elif persist:
            why = "vsn 1.0.0 can't ask for it" if is_short else "it needs a shorter topic and event"
            raise PrtError(f"the broadcast {event} can't be stored: {why}", f"use {Input.HTTP}")
        elif is_binary:
            why = "vsn 1.0.0 can't carry bytes" if is_short else "bytes need a shorter topic and event"
            raise PrtError(f"the broadcast {event} was not sent: {why}", "send JSON")
        else:
            message = {"type": "broadcast", "event": event, "payload": Raw(body)}
            data = self._socket.text(self._join_ref, ref, topic, "broadcast", message)
        self._socket.messages += 1
        if not self._settings.is_acknowledged:
            await self._socket.write(data)
            return None
        started = time.perf_counter()
        limit = self._answer_seconds if seconds is None else seconds
        try:
            reply = await self._socket.ask(ref, data, limit)
        except TimeoutError as exc:
            raise self._unanswered(event, limit) from exc
        if reply.status != "ok":
            raise self._refused(event, reply)
        if persist and not (isinstance(reply.response, dict) and isinstance(reply.response.get("id"), str)):
            raise MessageRefusedError(
                f"the server sent the broadcast {event} and did not store it",
                "it stores broadcasts to private topics only, and an older one stores none",
                "not_stored",
            )
        return (time.perf_counter() - started) * 1000

    async def track(self, payload: Mapping[str, Any]) -> None:
        """Put us on the presence roster, or replace what was tracked before.

        Args:
            payload: The object that other clients see.
        """
        checked_presence(payload)
        reply = await self._presence({"type": "presence", "event": "track", "payload": payload})
        if reply.status != "ok":
            words = reply.response.get("reason") if isinstance(reply.response, dict) else reply.response
            raise RefusedError(
                f"{self._settings.topic} refused to track us" + (f": {words}" if words else ""),
                self._policy() if self._settings.is_private else None,
            )

    async def untrack(self) -> None:
        """Take us off the presence roster."""
        await self._presence({"type": "presence", "event": "untrack"})

    async def _presence(self, message: dict[str, Any]) -> Reply:
        self._calls.count(time.monotonic())
        self._socket.messages += 1
        ref = self._socket.next_ref()
        data = self._socket.text(
            self._join_ref, ref, TOPIC_PREFIX + self._settings.topic, "presence", message
        )
        try:
            return await self._socket.ask(ref, data, self._answer_seconds)
        except TimeoutError as exc:
            raise PrtError(
                f"no answer to {message['event']} in {self._answer_seconds:g} s", "is the server busy?"
            ) from exc

    def _policy(self) -> str:
        return sends_sql(role_of(self._socket.access_token), self._settings.topic)

    def _unanswered(self, event: str, seconds: float) -> PrtError:
        message = f"no acknowledgement of {event} to {self._settings.topic} in {seconds:g} s"
        if self._settings.is_private:
            hint = f"the server does not answer who may not send: {self._policy()}"
            return UnacknowledgedError(message, hint)
        return UnacknowledgedError(message, "is the server busy? it may have been sent all the same")

    def _refused(self, event: str, reply: Reply) -> PrtError:
        response = reply.response if isinstance(reply.response, dict) else {}
        words = response.get("reason", response.get("error")) if response else reply.response
        text = words if isinstance(words, str) else msgspec.json.encode(reply.response).decode()
        hint, code = None, refusal_codes.of_words(text)
        if code == "payload_too_large":
            hint = "the project's limit is lower than the 3,000 KB of the server (256 KB on the free plan)"
        elif code == "not_stored":
            hint = stores_sql(role_of(self._socket.access_token), self._settings.topic)
            return MessageRefusedError(f"the broadcast {event} was sent and not stored: {text}", hint, code)
        return MessageRefusedError(f"the server refused the broadcast {event}: {text}", hint, code)
