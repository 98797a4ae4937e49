"""The scenarios of test_foreign_clients.py with supabase-py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from supabase import AClient, AsyncClientOptions, acreate_client

from prt.local.seed.people import MEMBER
from tests.running import PATIENCE

Project = dict[str, str]
Came = asyncio.Queue[Any]


@asynccontextmanager
async def anonymous(project: Project) -> AsyncIterator[AClient]:
    async with httpx.AsyncClient() as connections:
        options = AsyncClientOptions(httpx_client=connections, auto_refresh_token=False)
        client = await acreate_client(project["SUPABASE_URL"], project["SUPABASE_ANON_KEY"], options)
        try:
            yield client
        finally:
            await client.realtime.close()


@asynccontextmanager
async def member(project: Project) -> AsyncIterator[AClient]:
    async with anonymous(project) as client:
        await client.auth.sign_in_with_password({"email": MEMBER.email, "password": MEMBER.password})
        session = await client.auth.get_session()
        assert session is not None
        await client.realtime.set_auth(session.access_token)
        yield client


async def status(channel: Any) -> list[str]:
    words: Came = asyncio.Queue()
    await channel.subscribe(lambda word, _: words.put_nowait(str(word.value)))
    return [await words.get()]


async def ready(channel: Any) -> list[str]:
    system: Came = asyncio.Queue()
    channel.on_system(lambda message: system.put_nowait([message.status, message.message]))
    return [*(await status(channel)), *(await system.get())]


def left(came: Came) -> list[Any]:
    return [came.get_nowait() for _ in range(came.qsize())]


async def changes(project: Project, topic: str) -> Any:
    async with member(project) as client:
        came: Came = asyncio.Queue()

        def received(change: dict[str, Any]) -> None:
            data = change["data"]
            old, new = data.get("old_record") or {}, data.get("record") or {}
            came.put_nowait([data["type"], new.get("body"), list(old)])

        channel = client.channel(topic)
        channel.on_postgres_changes(
            "*", received, schema="public", table="foreign_notes", filter="body=like.c%"
        )
        began = await ready(channel)
        table = client.table("foreign_notes")
        await table.insert({"body": "another"}).execute()
        (row,) = (await table.insert({"body": "c1"}).execute()).data
        await table.update({"body": "c2"}).eq("id", row["id"]).execute()
        await table.delete().eq("id", row["id"]).execute()
        return [began, await came.get(), await came.get(), await came.get(), left(came)]


async def broadcast(project: Project, topic: str) -> Any:
    async with anonymous(project) as one, anonymous(project) as two:
        came: Came = asyncio.Queue()
        sender = one.channel(topic, {"config": {"broadcast": {"self": True, "ack": True}}})
        sender.on_broadcast("e", lambda message: came.put_nowait(["itself", message["payload"]]))
        listener = two.channel(topic)
        listener.on_broadcast("e", lambda message: came.put_nowait(["another", message["payload"]]))
        began = [await status(sender), await status(listener)]
        await sender.send_broadcast("e", {"n": 1})
        both = sorted([await came.get(), await came.get()])
        await listener.send_broadcast("e", {"n": 2})
        # supabase-py does not wait for the acknowledgement.
        return [began, "ok", both, await came.get(), left(came)]


async def presence(project: Project, topic: str) -> Any:
    async with anonymous(project) as one, anonymous(project) as two:
        came: Came = asyncio.Queue()

        def noted(word: str) -> Callable[[str, Any, Any], None]:
            def note(key: str, _: Any, metas: list[dict[str, Any]]) -> None:
                plain = [{name: each[name] for name in each if name != "presence_ref"} for each in metas]
                came.put_nowait([word, key, plain])

            return note

        def enter(client: AClient, key: str) -> Any:
            return client.channel(topic, {"config": {"presence": {"key": key, "enabled": True}}})

        watcher, walker = enter(one, "watcher"), enter(two, "walker")
        watcher.on_presence_join(noted("join")).on_presence_leave(noted("leave"))
        await status(watcher)
        await status(walker)
        await walker.track({"at": "door"})
        joined = await came.get()
        state = list(watcher.presence_state())
        await walker.untrack()
        return [joined, state, await came.get()]


async def private_topic(project: Project, _: str) -> Any:
    options: Any = {"config": {"private": True, "broadcast": {"self": True, "ack": True}}}
    async with member(project) as client, anonymous(project) as other:
        came: Came = asyncio.Queue()
        channel = client.channel("e2e:both", options)
        channel.on_broadcast("private", lambda message: came.put_nowait([message["payload"]]))
        (allowed,), (denied,) = await status(channel), await status(other.channel("e2e:both", options))
        await channel.send_broadcast("private", {"n": 1})
        return [allowed, denied, await came.get()]


async def database_broadcast(project: Project, _: str) -> Any:
    async with member(project) as client:
        came: Came = asyncio.Queue()
        channel = client.channel("e2e:both", {"config": {"private": True}})

        def received(message: dict[str, Any]) -> None:
            payload = message["payload"]
            came.put_nowait([payload["table"], payload["record"]["body"]])

        channel.on_broadcast("INSERT", received)
        (began,) = await status(channel)
        await client.table("e2e_notes").insert({"body": "told"}).execute()
        return [began, await came.get()]


Played = Callable[[Project, str], Awaitable[Any]]
PLAYED: dict[str, Played] = {
    each.__name__: each for each in (changes, broadcast, presence, private_topic, database_broadcast)
}


async def played(project: Project, names: list[str]) -> dict[str, Any]:
    """Play all scenarios at the same time; return what the client observed."""
    async with asyncio.timeout(PATIENCE):
        observed = await asyncio.gather(*(PLAYED[name](project, f"py:{name}") for name in names))
    return dict(zip(names, observed, strict=True))
