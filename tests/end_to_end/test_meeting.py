"""prt on topics of the embedded project: beside supabase-js on one topic, and with rights of every kind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from prt.errors import PrtError, RefusedError
from prt.events import Broadcast, Event, Presence, Status
from prt.stream.live.source import Live
from prt.stream.rest.broadcast import Poster
from prt.stream.rest.session import Endpoint, Session
from prt.stream.topic import TopicSettings
from tests.running import PATIENCE, PRT, of_project


class Visit:
    """A live topic that waits for its events in their order."""

    def __init__(self, live: Live, batches: AsyncIterator[list[Event]]) -> None:
        self.live = live
        self._batches = batches
        self._came: list[Event] = []

    async def next(self, wanted: Callable[[Event], bool]) -> Any:
        """The next event for which `wanted` holds; those before it are forgotten."""
        async with asyncio.timeout(PATIENCE):
            while True:
                while self._came:
                    event = self._came.pop(0)
                    if wanted(event):
                        return event
                self._came += await anext(self._batches)

    async def ready(self) -> None:
        await self.next(lambda event: isinstance(event, Status) and event.status == "READY")

    async def broadcast(self) -> tuple[str, Any]:
        found = await self.next(lambda event: isinstance(event, Broadcast))
        return found.event, json.loads(bytes(found.payload))

    async def presence(self) -> tuple[str, str, list[dict[str, Any]]]:
        """But syncs."""
        found = await self.next(lambda event: isinstance(event, Presence) and event.event != "sync")
        return found.event, found.key, plain(found.presences)

    async def status(self) -> Status:
        """The next one with a reason."""
        found = await self.next(lambda event: isinstance(event, Status) and event.reason is not None)
        assert isinstance(found, Status)
        return found


def plain(presences: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in each.items() if name != "presence_ref"} for each in presences]


@asynccontextmanager
async def visiting(endpoint: Endpoint, settings: TopicSettings) -> AsyncIterator[Visit]:
    live = Live(Session(endpoint), [], settings=settings)
    async with live as batches:
        yield Visit(live, batches)


def member_of(project: dict[str, str]) -> Endpoint:
    return Endpoint(url=project["SUPABASE_URL"], key=project["SUPABASE_ANON_KEY"], token=project["PRT_TOKEN"])


def nobody_of(project: dict[str, str]) -> Endpoint:
    return Endpoint(url=project["SUPABASE_URL"], key=project["SUPABASE_ANON_KEY"])


def test_prt_and_supabase_js_see_each_others_every_move(
    project: dict[str, str], scripts: Path, node_environment: dict[str, str]
) -> None:
    settings = TopicSettings(topic="together", has_presence=True, key="prt", is_acknowledged=True)

    async def meet() -> dict[str, Any]:
        async with visiting(nobody_of(project), settings) as visit:
            await visit.ready()
            partner = await asyncio.create_subprocess_exec(
                "node", scripts / "together.mjs", env=node_environment, stdout=asyncio.subprocess.PIPE
            )
            assert await visit.broadcast() == ("ready", {})

            async def ask(what: str) -> None:
                await visit.live.send("ask", json.dumps({"what": what}).encode())

            await ask("track")
            assert await visit.presence() == ("join", "js", [{"at": "door"}])
            await ask("update")
            assert await visit.presence() == ("update", "js", [{"at": "desk"}])
            await visit.live.track({"at": "window"})
            assert await visit.presence() == ("join", "prt", [{"at": "window"}])
            await visit.live.track({"at": "lamp"})
            assert await visit.presence() == ("update", "prt", [{"at": "lamp"}])
            await visit.live.untrack()
            assert await visit.presence() == ("leave", "prt", [{"at": "lamp"}])
            await visit.live.send("cursor", b'{"x": 5}')
            arguments = ("send", "together", "cursor", '{"x": 6}')
            sender = await asyncio.create_subprocess_exec(PRT, *arguments, env=of_project(project))
            assert await visit.broadcast() == ("cursor", {"x": 6})
            assert await sender.wait() == 0
            await ask("cursor")
            assert await visit.broadcast() == ("cursor", {"x": 1, "y": 2})
            await ask("untrack")
            assert await visit.presence() == ("leave", "js", [{"at": "desk"}])
            await ask("end")
            out, _ = await asyncio.wait_for(partner.communicate(), PATIENCE)
            reported: dict[str, Any] = json.loads(out)
            return reported

    reported = asyncio.run(meet())
    assert reported["results"] == dict.fromkeys(("ready", "track", "update", "cursor", "untrack"), "ok")
    of_prt = [each for each in reported["saw"] if each[1] != "js"]
    # supabase-js tells an update as a join and a leave.
    assert sorted(of_prt[:3], key=str) == [
        ["join", "prt", [{"at": "lamp"}]],
        ["join", "prt", [{"at": "window"}]],
        ["leave", "prt", [{"at": "window"}]],
    ]
    assert of_prt[3:] == [["leave", "prt", [{"at": "lamp"}]], ["cursor", {"x": 5}], ["cursor", {"x": 6}]]


@pytest.mark.usefixtures("private_topics")
def test_rights_to_read_and_to_write(project: dict[str, str]) -> None:
    def private(topic: str, **more: Any) -> TopicSettings:
        return TopicSettings(topic=topic, is_private=True, is_acknowledged=True, **more)

    async def visit_all() -> None:
        member = member_of(project)
        async with visiting(
            member, private("e2e:both", has_presence=True, tracked={"at": 1}, key="m")
        ) as both:
            await both.ready()
            assert await both.presence() == ("join", "m", [{"at": 1}])
            assert await both.live.send("e", b"{}") is not None
        async with visiting(member, private("e2e:read", tracked={"at": 1})) as read:
            await read.ready()
            untracked = await read.status()
            assert untracked.reason == "not on the roster: e2e:read refused to track us"
            with pytest.raises(PrtError, match="no acknowledgement of e to e2e:read") as unanswered:
                await read.live.send("e", b"{}", timeout=0.3)
            assert "on realtime.messages for insert to authenticated" in (unanswered.value.hint or "")
        service = Endpoint(url=member.url, key=project["SUPABASE_SERVICE_ROLE_KEY"])
        async with visiting(service, private("e2e:write")) as ears:
            await ears.ready()
            async with visiting(member, private("e2e:write")) as write:
                with pytest.raises(PrtError) as refused:
                    await write.ready()
            assert refused.value.exit_code == RefusedError.exit_code
            assert "realtime.topic() = 'e2e:write'" in (refused.value.hint or "")
            async with posting(member, "e2e:write") as poster:
                assert await poster.send("e", b'{"over": "http"}') > 0
            assert await ears.broadcast() == ("e", {"over": "http"})
        for topic in ("e2e:both", "e2e:read"):
            async with visiting(nobody_of(project), private(topic)) as nobody:
                with pytest.raises(PrtError, match="You do not have permissions to read"):
                    await nobody.ready()
        for topic in ("e2e:both", "e2e:write"):
            async with posting(nobody_of(project), topic) as poster:
                with pytest.raises(RefusedError, match="HTTP 403, Unauthorized"):
                    await poster.send("e", b"{}")

    def posting(endpoint: Endpoint, topic: str) -> Poster:
        return Poster(lambda: endpoint, topic, is_private=True, answer_seconds=PATIENCE)

    asyncio.run(visit_all())
