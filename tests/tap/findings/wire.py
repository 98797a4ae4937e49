"""A story of what was observed, in seconds, and what the judge finds in it."""

from __future__ import annotations

import json
from typing import Any, Self

from msgspec import Raw

from prt.events import TapFinding
from prt.tap.findings.judge import Judge
from prt.tap.observe.messages import (
    Answered,
    Asked,
    Client,
    ClosedSocket,
    Dropped,
    Fault,
    Framed,
    Observed,
    Skipped,
    Tick,
    Who,
)

ANON = Who(role="anon", digest="a")
USER = Who(role="authenticated", user="u1", digest="u", expires_at=3_600_000_000)
SERVICE = Who(role="service_role", digest="s", is_server_key=True)
APP = Client(key="k", name="supabase-js-node/2.119.1")
PAGE = Client(key="k", origin="http://localhost:3000", agent="Mozilla/5.0")
MESSAGES = {"event": "*", "schema": "public", "table": "messages"}


class Story:
    """Messages in their order; each method adds to them and returns the story."""

    def __init__(self) -> None:
        self.messages: list[Observed] = []
        self._requests = 1000

    def opened(self, at: float, number: int = 1, *, who: Who = ANON, client: Client = APP) -> Self:
        moment = int(at * 1_000_000)
        self.messages += [
            Asked(moment, number, "GET", "/realtime/v1/websocket", client, who, is_socket=True, vsn="2.0.0"),
            Answered(moment, number, 101),
        ]
        return self

    def rest(
        self,
        at: float,
        table: str = "messages",
        *,
        method: str = "GET",
        who: Who = ANON,
        client: Client = APP,
    ) -> Self:
        self._requests += 1
        moment = int(at * 1_000_000)
        asked = Asked(moment, self._requests, method, f"/rest/v1/{table}", client, who, table=table)
        self.messages += [asked, Answered(moment, self._requests, 200)]
        return self

    def frame(
        self,
        at: float,
        event: str,
        payload: Any,
        *,
        is_sent: bool,
        number: int = 1,
        topic: str = "realtime:a",
        ref: str | None = None,
        join_ref: str | None = None,
        token: Who | None = None,
    ) -> Self:
        raw = Raw(json.dumps(payload).encode())
        self.messages.append(
            Framed(int(at * 1_000_000), number, is_sent, join_ref, ref, topic, event, raw, len(raw), token)
        )
        return self

    def join(
        self,
        at: float,
        *bindings: dict[str, str],
        number: int = 1,
        topic: str = "realtime:a",
        ref: str = "1",
        token: Who | None = None,
        is_answered: bool = True,
        **config: Any,
    ) -> Self:
        wanted = {"config": {"postgres_changes": list(bindings), **config}}
        more: dict[str, Any] = {"number": number, "topic": topic, "ref": ref, "join_ref": ref}
        self.frame(at, "phx_join", wanted, is_sent=True, token=token, **more)
        if is_answered:
            rows = [{**binding, "id": 10 + index} for index, binding in enumerate(bindings)]
            answer = {"status": "ok", "response": {"postgres_changes": rows}}
            self.frame(at, "phx_reply", answer, is_sent=False, **more)
            if bindings:
                self.system(at, "ok", number=number, topic=topic)
        return self

    def system(self, at: float, status: str, **more: Any) -> Self:
        payload = {"status": status, "extension": "postgres_changes", "message": "words"}
        return self.frame(at, "system", payload, is_sent=False, **more)

    def sent(self, at: float, event: str, payload: Any = None, **more: Any) -> Self:
        return self.frame(at, event, payload or {}, is_sent=True, **more)

    def track(self, at: float, **more: Any) -> Self:
        return self.sent(at, "presence", {"type": "presence", "event": "track", "payload": {}}, **more)

    def change(self, at: float, *ids: int, old: dict[str, Any] | None = None, **more: Any) -> Self:
        data = {"schema": "public", "table": "messages", "record": {"id": 1}, "old_record": old or {}}
        payload = {"ids": list(ids), "data": {**data, "commit_timestamp": str(at)}}
        return self.frame(at, "postgres_changes", payload, is_sent=False, **more)

    def closed(self, at: float, number: int = 1, *, is_by_client: bool = False) -> Self:
        self.messages.append(ClosedSocket(int(at * 1_000_000), number, None, is_by_client))
        return self

    def skipped(self, at: float, number: int = 1) -> Self:
        self.messages.append(Skipped(int(at * 1_000_000), number, 1))
        return self

    def dropped(self, at: float, number: int = 1) -> Self:
        self.messages.append(Dropped(int(at * 1_000_000), number, "public.messages"))
        return self

    def fault(self, at: float, *, is_over: bool, kind: str = "cut") -> Self:
        self.messages.append(Fault(int(at * 1_000_000), kind, is_over))
        return self

    def tick(self, at: float) -> Self:
        self.messages.append(Tick(int(at * 1_000_000)))
        return self

    def beat(self, at: float, number: int = 1) -> Self:
        return self.sent(at, "heartbeat", number=number, topic="phoenix", ref="9")

    def findings(self) -> list[TapFinding]:
        """Return what a judge finds, in its order."""
        judge = Judge()
        events = [event for message in self.messages for event in judge.apply(message)]
        return [event for event in events if isinstance(event, TapFinding)]
