"""A proxy that reproduces faults of networks and servers: it cuts, delays, refuses, drops and garbles.

Except for `cut`, the faults of websockets do not affect REST. Websocket frames are forwarded whole, so that
single frames can be dropped, changed and added.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from prt.tap.chaos.delays import Delayed
from prt.tap.proxy import frames, heads
from prt.tap.proxy.frames import Frame, Splitter
from prt.tap.proxy.heads import Head
from prt.tap.proxy.server import Link, Observer, Proxy, first_of, read_some

SLICES = 20
"""The number of writes a second on a throttled connection."""
HEAD = 400
"""The number of bytes at the start of a frame that contain its event."""
WEBSOCKET_PATH = "/realtime/v1/websocket"


class FaultProxy(Proxy):
    """A proxy with a switch for each fault.

    Without a fault it forwards everything. Its counters only grow.
    """

    def __init__(self, project_url: str, observer: Observer | None = None, *, port: int = 0) -> None:
        super().__init__(project_url, observer, port=port)
        self._garbled = 0
        self._refusals: list[tuple[int, str]] = []
        self._swallowed_joins = 0
        self._swallows = (False, False)
        self._drops_changes = False
        self._may_pass = asyncio.Event()
        self._may_pass.set()
        self._swallowing: dict[Link, tuple[bool, bool]] = {}
        self._joins: dict[Link, list[Any]] = {}
        self.loses: Callable[[dict[str, Any]], bool] | None = None
        """Returns whether to drop a change, given the `data` of its frame, as if the server had lost it."""
        self.connections = 0
        """The number of requested websockets, whether or not they were opened."""
        self.joins = 0
        self.ready = 0
        """The number of "Subscribed to PostgreSQL" messages that were forwarded to clients."""
        self.heartbeats = 0
        """The number of answers to heartbeats that were forwarded to clients."""
        self.heartbeats_sent = 0
        self.changes = 0
        self.dropped_changes = 0
        self.requests = 0
        """The number of requests that are not for a websocket."""
        self.delay_seconds: float | Callable[[], float] = 0.0
        """The delay of each piece of a connection's bytes; their order is kept."""
        self.changes_delay_seconds = 0.0
        """A further delay of changes only, as from a server that polls."""
        self.bytes_per_second: int | None = None
        self.is_shut = False
        """Whether new connections are reset, as if no server listened on the port."""
        self.rest_is_held = False
        """Whether new requests get no answer until they are cut off."""
        self.rest_answer: tuple[int, str] | None = None
        """The status and body with which REST requests are answered instead of by the project."""
        self.refusal: tuple[int, str] | None = None
        """The status and body with which handshakes are refused; None lets them pass."""
        self.judge_request: Callable[[Head], tuple[int, str] | None] | None = None
        """Returns the status and body for a request (or a handshake), or None to forward it."""
        self.judge_frame: Callable[[Link, Frame], bool] | None = None
        """Returns whether a client's frame is forwarded."""

    def changed(self) -> None:
        """Allow a subclass to react when a counter has grown."""

    def cut(self, how: Literal["rst", "fin"] = "rst") -> None:
        """Cut every connection at once, with a TCP reset (`rst`) or an orderly end (`fin`)."""
        for link in list(self.links):
            link.close(is_reset=how == "rst")

    def cut_requests(self) -> None:
        """Cut the HTTP connections that are not websockets."""
        for link in list(self.links):
            if not link.is_websocket:
                link.close(is_reset=True)

    def close(self, code: int) -> None:
        """Close every websocket with this close code, as the server does.

        The code 1006 closes it without a close frame.
        """
        for link in self.websockets():
            if code != 1006:
                link.to_client.write(frames.close(code))
            link.close(is_reset=False)

    def swallow(self, *, to_client: bool = True, to_server: bool = True) -> None:
        """Discard the bytes of these directions on every websocket, even new ones, until `heal` is called."""
        self._swallows = (to_client, to_server)
        for link in self.websockets():
            self._swallowing[link] = self._swallows
            link.note_end(is_by_client=False)

    def heal(self) -> None:
        """Let new connections pass again. Websockets whose bytes were swallowed stay silent."""
        self._swallows = (False, False)
        self.is_shut = False

    def hold(self) -> None:
        """Stall the server: nothing that it sends over websockets arrives until `release` is called."""
        self._may_pass.clear()

    def release(self) -> None:
        """Forward everything that `hold` has held back, and everything that follows."""
        self._may_pass.set()

    def garble(self, count: int) -> None:
        """Garble the payloads of the next `count` changes."""
        self._garbled = count

    def refuse(self, status: int, body: str = "", *, times: int = 1) -> None:
        """Answer the next `times` handshakes in place of the server."""
        self._refusals += [(status, body)] * times

    def swallow_joins(self, count: int) -> None:
        """Drop the next `count` joins."""
        self._swallowed_joins = count

    def drop_changes(self) -> None:
        """Drop every change until the next join has passed, or until `pass_changes` is called."""
        self._drops_changes = True

    def pass_changes(self) -> None:
        """Let changes pass again."""
        self._drops_changes = False

    def inject(self, data: str | bytes) -> None:
        """Send a text frame to every websocket."""
        for link in self.websockets():
            link.to_client.write(frames.text(data))

    def send(self, event: str, payload: Any, *, join_ref: str | None = None) -> None:
        """Send a frame in the name of the server on the joined channel of every websocket (vsn 2.0.0).

        `join_ref` is the reference of the channel's join by default.
        """
        for link in self.websockets():
            join = self._joins[link]
            ref = join[0] if join_ref is None else join_ref
            message_ref = ref if event in ("phx_close", "phx_error") else None
            words = json.dumps([ref, message_ref, join[2], event, payload])
            link.to_client.write(frames.text(words))

    def system(self, message: str, status: str = "error") -> None:
        """Send a `system` message about the table changes of the joined channel."""
        topic = str(self._joins[self.websockets()[0]][2]).removeprefix("realtime:")
        self.send(
            "system",
            {"message": message, "status": status, "extension": "postgres_changes", "channel": topic},
        )

    def websockets(self) -> list[Link]:
        """Return the open websockets, including those whose handshake is not answered yet."""
        return [link for link in self.links if link.is_websocket]

    def admits(self) -> bool:
        """Return whether a new connection is accepted."""
        if self.is_shut:
            self.connections += 1
            self.changed()
        return not self.is_shut

    async def own_answer(self, link: Link, head: Head) -> bytes | None:
        """Return the answer that a fault gives instead of the project, None if the request is forwarded."""
        link.is_websocket = WEBSOCKET_PATH in head.target
        if link.is_websocket:
            self.connections += 1
        else:
            self.requests += 1
        self.changed()
        answer: tuple[int, str] | None = None
        if link.is_websocket:
            answer = self._refusals.pop(0) if self._refusals else self.refusal
            if self._swallows != (False, False):
                self._swallowing[link] = self._swallows
            if self._swallows[1] and answer is None:
                # The handshake itself is lost.
                await link.from_client.read()
                raise EOFError
        elif self.rest_answer is not None:
            answer = self.rest_answer
        elif self.rest_is_held:
            await link.from_client.read()
            raise EOFError
        if answer is None and self.judge_request is not None:
            answer = self.judge_request(head)
        return None if answer is None else heads.answer(*answer)

    async def pass_frames(self, link: Link) -> None:
        """Forward frames in both directions, altered as the faults require, until one side ends."""
        assert link.from_server is not None  # noqa: S101 - the handshake was answered
        assert link.to_server is not None  # noqa: S101
        try:
            await first_of(
                self._meddle(link, link.from_client, link.to_server, is_sent=True),
                self._meddle(link, link.from_server, link.to_client, is_sent=False),
            )
        finally:
            self._swallowing.pop(link, None)
            self._joins.pop(link, None)

    async def _meddle(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_sent: bool
    ) -> None:
        splitter = Splitter()
        passes = self._to_server if is_sent else self._to_client
        async with Delayed(lambda data: self._written(writer, data)) as delayed:
            while data := await read_some(link, reader, is_sent=is_sent):
                if not is_sent:
                    await self._may_pass.wait()
                passed = []
                for frame in splitter.feed(data):
                    raw = b"" if self._is_swallowed(link, is_sent=is_sent) else passes(link, frame)
                    if raw and self.observer is not None:
                        self.observer.framed(link.number, raw, is_sent=is_sent)
                    passed.append(raw)
                delay = self.delay_seconds
                await delayed.write(b"".join(passed), delay() if callable(delay) else delay)

    def _is_swallowed(self, link: Link, *, is_sent: bool) -> bool:
        to_client, to_server = self._swallowing.get(link, (False, False))
        return to_server if is_sent else to_client

    def _to_server(self, link: Link, frame: Frame) -> bytes:
        if b'"phx_join"' in frame.payload:
            self.joins += 1
            self.changed()
            if self._swallowed_joins:
                self._swallowed_joins -= 1
                return b""
            self._drops_changes = False
            with suppress(ValueError):
                self._joins[link] = json.loads(frame.payload)
        elif b'"heartbeat"' in frame.payload[:200]:
            self.heartbeats_sent += 1
            self.changed()
        if self.judge_frame is not None and not self.judge_frame(link, frame):
            return b""
        return frame.raw

    def _to_client(self, link: Link, frame: Frame) -> bytes:
        head = frame.payload[:HEAD]
        # A `system` message contains "postgres_changes" too, as its extension.
        if b'"postgres_changes",{' in head or b'"event":"postgres_changes"' in head:
            if self._drops_changes or (self.loses is not None and self.loses(_data_of(frame))):
                self.dropped_changes += 1
                self.changed()
                self.dropped(link, frame)
                return b""
            if self._garbled:
                self._garbled -= 1
                return frame.garbled()
            self.changes += 1
            self.changed()
            if self.changes_delay_seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self.changes_delay_seconds, link.to_client.write, frame.raw)
                return b""
        elif b'"Subscribed to PostgreSQL"' in frame.payload[:400]:
            self.ready += 1
            self.changed()
        elif b'"phoenix"' in frame.payload[:50]:
            self.heartbeats += 1
            self.changed()
        return frame.raw

    def dropped(self, link: Link, frame: Frame) -> None:
        """Report a dropped change to the observer."""
        if self.observer is not None:
            data = _data_of(frame)
            self.observer.dropped(link.number, f"{data.get('schema')}.{data.get('table')}")

    async def _written(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if self.bytes_per_second is None:
            writer.write(data)
            await writer.drain()
            return
        size = max(self.bytes_per_second // SLICES, 1)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            await asyncio.sleep(1 / SLICES)


def _data_of(frame: Frame) -> dict[str, Any]:
    """Return the `data` of a change's frame, in either version of the protocol."""
    read = json.loads(frame.payload)
    data: dict[str, Any] = (read["payload"] if isinstance(read, dict) else read[4])["data"]
    return data
