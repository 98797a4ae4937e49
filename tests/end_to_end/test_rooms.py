"""Presence, broadcasts and private topics of the embedded project, between supabase-js and supabase-py."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from realtime import AsyncRealtimeChannel, RealtimeSubscribeStates
from supabase import AClient, AsyncClientOptions, acreate_client

from prt.local.seed.people import MEMBER, STRANGER, Person
from tests.end_to_end.node import reported
from tests.running import PATIENCE


@asynccontextmanager
async def client_of(project: dict[str, str], person: Person | None = None) -> AsyncIterator[AClient]:
    """supabase-py leaves its connections open, so they are ours."""
    async with httpx.AsyncClient() as connections:
        options = AsyncClientOptions(httpx_client=connections, auto_refresh_token=False)
        client = await acreate_client(project["SUPABASE_URL"], project["SUPABASE_ANON_KEY"], options)
        if person is not None:
            await client.auth.sign_in_with_password({"email": person.email, "password": person.password})
        try:
            yield client
        finally:
            await client.realtime.close()


async def subscribed(channel: AsyncRealtimeChannel) -> tuple[str, str]:
    """The first status and its words."""
    answer: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()

    def tell(status: RealtimeSubscribeStates, error: Exception | None) -> None:
        if not answer.done():
            answer.set_result((status.value, str(error or "")))

    await channel.subscribe(tell)
    return await asyncio.wait_for(answer, PATIENCE)


def test_two_libraries_on_one_topic(
    project: dict[str, str], scripts: Path, node_environment: dict[str, str]
) -> None:
    async def meet() -> dict[str, Any]:
        saw: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

        async def next_() -> tuple[str, Any]:
            return await asyncio.wait_for(saw.get(), PATIENCE)

        async with client_of(project) as client:
            channel = client.channel(
                "together", {"config": {"presence": {"key": "py", "enabled": True}, "private": False}}
            )
            channel.on_presence_join(lambda key, _, new: saw.put_nowait(("join", (key, plain(new)))))
            channel.on_presence_leave(lambda key, _, left: saw.put_nowait(("leave", (key, plain(left)))))
            for event in ("cursor", "ready"):
                channel.on_broadcast(
                    event, lambda message: saw.put_nowait((message["event"], message["payload"]))
                )
            assert (await subscribed(channel))[0] == "SUBSCRIBED"
            partner = await asyncio.create_subprocess_exec(
                "node", scripts / "together.mjs", env=node_environment, stdout=subprocess.PIPE
            )
            assert await next_() == ("ready", {})

            async def ask(what: str) -> None:
                await channel.send_broadcast("ask", {"what": what})

            await ask("track")
            assert await next_() == ("join", ("js", [{"at": "door"}]))
            await ask("update")
            changed = [await next_(), await next_()]
            assert sorted(changed) == [
                ("join", ("js", [{"at": "desk"}])),
                ("leave", ("js", [{"at": "door"}])),
            ]
            await channel.track({"at": "window"})
            assert await next_() == ("join", ("py", [{"at": "window"}]))
            await channel.untrack()
            assert await next_() == ("leave", ("py", [{"at": "window"}]))
            await channel.send_broadcast("cursor", {"x": 5})
            await ask("cursor")
            assert await next_() == ("cursor", {"x": 1, "y": 2})
            await ask("http")
            assert await next_() == ("cursor", {"x": 3, "y": 4})
            await ask("end")
            assert await next_() == ("leave", ("js", [{"at": "desk"}]))
            out, _ = await asyncio.wait_for(partner.communicate(), PATIENCE)
            answer: dict[str, Any] = json.loads(out)
            return answer

    answer = asyncio.run(meet())
    assert answer["status"] == ["SUBSCRIBED"]
    assert answer["results"] == {
        "ready": "ok",
        "track": "ok",
        "update": "ok",
        "cursor": "ok",
        "http": {"success": True},
    }
    assert [each for each in answer["saw"] if each[1] != "js"] == [
        ["join", "py", [{"at": "window"}]],
        ["leave", "py", [{"at": "window"}]],
        ["cursor", {"x": 5}],
        ["cursor", {"x": 3, "y": 4}],  # over HTTP nobody is oneself
    ]


def plain(presences: list[Any]) -> list[Any]:
    return [{name: value for name, value in each.items() if name != "presence_ref"} for each in presences]


@pytest.mark.usefixtures("private_topics")
def test_private_topics_of_supabase_js(scripts: Path, node_environment: dict[str, str]) -> None:
    seen = reported(scripts / "rooms.mjs", environment=node_environment)
    denied = "Unauthorized: You do not have permissions to read from this Channel topic: "
    assert seen["states"] == {
        "nobody": ["CHANNEL_ERROR", denied + "e2e:both"],
        "both": ["SUBSCRIBED"],
        "read": ["SUBSCRIBED"],
        "write": ["CHANNEL_ERROR", denied + "e2e:write"],
    }
    assert seen["sent"] == {
        "both": "ok",
        "read": "timed out",
        "binary": "ok",
        "httpBoth": {"success": True},
        "httpBinary": {"success": True},
        "httpRead": "Unauthorized",
        "httpWrite": {"success": True},
        "httpNobody": "Unauthorized",
    }
    assert seen["here"] == [
        ["e2e:both", "e", {"n": 1}, None],
        ["e2e:both", "b", [0, 255], None],
        ["e2e:both", "h", {"n": 3}, None],
        ["e2e:both", "h", [1, 2], None],
        ["e2e:write", "h", {"n": 5}, None],
    ]
    topic, event, payload, meta = seen["told"]
    assert (topic, event, payload["record"]) == ("e2e:both", "INSERT", seen["note"])
    assert seen["replayed"] == {
        "type": "broadcast",
        "event": "INSERT",
        "payload": payload,
        "meta": {**meta, "replayed": True},
    }
    assert seen["left"] == []


@pytest.mark.usefixtures("private_topics")
def test_private_topics_of_supabase_py(project: dict[str, str]) -> None:
    async def visit() -> None:
        received: asyncio.Queue[Any] = asyncio.Queue()
        private = {"config": {"private": True, "broadcast": {"ack": True, "self": True}}}
        async with client_of(project, STRANGER) as stranger, client_of(project, MEMBER) as member:
            status, words = await subscribed(stranger.channel("e2e:both", private))
            assert status == "CHANNEL_ERROR"
            assert "You do not have permissions to read from this Channel topic: e2e:both" in words
            channel = member.channel("e2e:both", private)
            channel.on_broadcast("cursor", received.put_nowait)
            assert (await subscribed(channel))[0] == "SUBSCRIBED"
            await channel.send_broadcast("cursor", {"x": 1})
            await channel.http_send("cursor", {"x": 2})
            found = [await asyncio.wait_for(received.get(), PATIENCE) for _ in range(2)]
            assert [message["payload"] for message in found] == [{"x": 1}, {"x": 2}]
            with pytest.raises(Exception, match="Unauthorized"):
                await member.channel("e2e:read", private).http_send("cursor", {"x": 3})

    asyncio.run(visit())
