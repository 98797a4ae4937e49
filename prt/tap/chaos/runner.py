"""The runner of a chaos plan: it switches the faults of a proxy on and off at their times."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prt.tap.chaos.faults import FaultProxy
from prt.tap.chaos.plan import REFUSALS, ChaosPlan, FaultPlan
from prt.tap.observe.decoding import FrameReader
from prt.tap.observe.observer import CopyObserver
from prt.tap.observe.traffic import Traffic
from prt.tap.proxy import frames
from prt.tap.proxy.frames import Frame
from prt.tap.proxy.heads import Head
from prt.tap.proxy.server import Link

EXPIRED = "Token has expired 1 seconds ago"
_EXPIRED_REST = '{"code":"PGRST303","details":null,"hint":null,"message":"JWT expired"}'
_GUARDED_PATHS = ("/rest/v1/", "/storage/v1/", "/functions/v1/")


class Chaos:
    """The faults of one proxy. Call `opened` when a websocket has opened."""

    def __init__(self, plan: ChaosPlan, proxy: FaultProxy, observer: CopyObserver, traffic: Traffic) -> None:
        self._plan = plan
        self._proxy = proxy
        self._observer = observer
        self._traffic = traffic
        self._begun = asyncio.Event()
        self._expired: set[str] = set()
        random = plan.random()
        if plan.delay is not None:
            mean, spread = plan.delay
            proxy.delay_seconds = lambda: max(0.0, mean + random.uniform(-spread, spread))
        if plan.drop_rate:
            proxy.loses = lambda _: random.random() < plan.drop_rate

    def opened(self) -> None:
        """Start the plan's time, unless it has started already."""
        self._begun.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make the faults of the plan while the block runs."""
        tasks = [asyncio.create_task(self._run(fault)) for fault in self._plan.faults]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, fault: FaultPlan) -> None:
        await self._begun.wait()
        while True:
            await asyncio.sleep(fault.at if fault.at is not None else fault.every or 0)
            self._observer.fault(fault.name, is_over=False)
            await self._make(fault)
            self._observer.fault(fault.name, is_over=True)
            if fault.every is None:
                return

    async def _make(self, fault: FaultPlan) -> None:
        # Frames must be read before they are lost, or the judge would not count them.
        self._observer.finish()
        proxy = self._proxy
        match fault.kind:
            case "cut":
                proxy.is_shut = bool(fault.seconds)
                proxy.cut("rst")
                await asyncio.sleep(fault.seconds)
                proxy.heal()
            case "half-open":
                proxy.swallow()
                proxy.heal()
            case "refuse":
                proxy.refusal = (fault.status, REFUSALS[fault.status])
                proxy.close(1006)
                await asyncio.sleep(fault.seconds)
                proxy.refusal = None
            case "expire-token":
                self._expire_tokens()

    def _expire_tokens(self) -> None:
        """Treat every user's token that is in use as expired from now on, in the server's words."""
        proxy = self._proxy
        proxy.judge_request, proxy.judge_frame = self._judge_request, self._judge_frame
        for link in proxy.websockets():
            socket = self._traffic.sockets.get(link.number)
            for channel in list(socket.channels.values()) if socket else ():
                if channel.is_live and channel.who.user is not None:
                    self._expired.add(channel.who.digest)
                    is_v2 = _is_v2(self._traffic, link)
                    ref, topic = channel.join_ref, channel.topic
                    payload = {
                        "message": EXPIRED,
                        "status": "error",
                        "extension": "system",
                        "channel": channel.name,
                    }
                    self._send(link, _words(is_v2, (ref, None, topic, "system", payload)))
                    self._send(link, _words(is_v2, (ref, ref, topic, "phx_close", {})))

    def _judge_request(self, head: Head) -> tuple[int, str] | None:
        bearer = head.fields.get("authorization", "")
        token = bearer[7:].strip() if bearer.lower().startswith("bearer ") else ""
        is_guarded = any(path in head.target for path in _GUARDED_PATHS)
        if token and is_guarded and hashlib.sha256(token.encode()).hexdigest()[:16] in self._expired:
            return 401, _EXPIRED_REST
        return None

    def _judge_frame(self, link: Link, frame: Frame) -> bool:
        """Return whether a frame passes.

        A join with an expired token is refused in the server's words and dropped.
        """
        if b"access_token" not in frame.payload:
            return True
        message = FrameReader(link.number, is_sent=True).read(frame.raw, 0)
        if message is None or isinstance(message, int) or message.token is None:
            return True
        if message.token.digest not in self._expired:
            return True
        if message.event == "phx_join":
            payload = {"status": "error", "response": {"reason": f"InvalidJWTToken: {EXPIRED}"}}
            fields = (message.join_ref, message.ref, message.topic, "phx_reply", payload)
            self._send(link, _words(frame.payload.lstrip()[:1] == b"[", fields))
        return False

    def _send(self, link: Link, words: str) -> None:
        raw = frames.text(words)
        self._observer.framed(link.number, raw, is_sent=False)
        link.to_client.write(raw)


def _is_v2(traffic: Traffic, link: Link) -> bool:
    asked = traffic.requests.get(link.number)
    return asked is None or asked.vsn != "1.0.0"


def _words(is_v2: bool, fields: tuple[str | None, str | None, str, str, dict[str, Any]]) -> str:
    if is_v2:
        return json.dumps(fields)
    _, ref, topic, event, payload = fields
    return json.dumps({"ref": ref, "topic": topic, "event": event, "payload": payload})
