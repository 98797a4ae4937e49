"""supabase-py, unchanged, against the embedded project."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from postgrest.exceptions import APIError
from supabase import AClient, AsyncClientOptions, acreate_client
from supabase_auth.errors import AuthApiError

from prt.local.seed.people import MEMBER, STRANGER, Person


@asynccontextmanager
async def connected(project: dict[str, str], key: str) -> AsyncIterator[AClient]:
    """supabase-py leaves its connections open, so they are ours."""
    async with httpx.AsyncClient() as connections:
        options = AsyncClientOptions(httpx_client=connections, auto_refresh_token=False)
        yield await acreate_client(project["SUPABASE_URL"], project[key], options)


@asynccontextmanager
async def signed_in(project: dict[str, str], person: Person = MEMBER) -> AsyncIterator[AClient]:
    async with connected(project, "SUPABASE_PUBLISHABLE_KEY") as client:
        await client.auth.sign_in_with_password({"email": person.email, "password": person.password})
        yield client


def test_a_member_reads_writes_and_counts(project: dict[str, str]) -> None:
    async def work(client: AClient) -> None:
        productions = client.table("productions")
        found = await productions.select("id,name", count="exact").order("name").limit(2).execute()
        assert found.count is not None
        assert found.count >= 10
        production_id, name = found.data[0]["id"], found.data[0]["name"]
        tasks = client.table("project_tasks")
        written = await tasks.insert({"production_id": production_id, "title": "py, (one)"}).execute()
        task_id = written.data[0]["id"]
        nested = tasks.select("title, production:productions!inner(name)").in_("title", ["py, (one)"])
        assert (await nested.eq("production.name", name).single().execute()).data == {
            "title": "py, (one)",
            "production": {"name": name},
        }
        row = {"id": task_id, "production_id": production_id, "title": 'py "two"'}
        assert (await tasks.upsert(row).execute()).data[0]["title"] == 'py "two"'
        updated = tasks.update({"status": "done"}).or_('title.eq."py \\"two\\"",id.is.null')
        assert [row["status"] for row in (await updated.execute()).data] == ["done"]
        removed = await tasks.delete().eq("id", task_id).execute()
        assert [row["id"] for row in removed.data] == [task_id]
        assert await tasks.select("id").eq("id", task_id).maybe_single().execute() is None

    run(project, work)


def test_the_seeds_own_notification_is_written_as_it_stands(project: dict[str, str]) -> None:
    async def work(client: AClient) -> None:
        row = {"user_id": MEMBER.id, "type": "test", "title": "Test", "message": "Testing realtime"}
        (written,) = (await client.table("notifications").insert(row).execute()).data
        assert written["message"] == "Testing realtime"

    run(project, work)


def test_a_stranger_sees_nothing_and_may_write_nothing(project: dict[str, str]) -> None:
    async def work(member: AClient) -> None:
        (production,) = (await member.table("productions").select("id").limit(1).execute()).data
        row = {"production_id": production["id"], "title": "mine?"}
        async with signed_in(project, STRANGER) as stranger:
            assert (await stranger.table("productions").select("id").execute()).data == []
            with pytest.raises(APIError) as refused:
                await stranger.table("project_tasks").insert(row).execute()
        assert refused.value.code == "42501"

    run(project, work)


def test_accounts_from_sign_up_to_sign_out(project: dict[str, str]) -> None:
    credentials = {"email": "py@example.com", "password": "a password of py"}

    async def work(client: AClient, admin: AClient) -> None:
        signed_up = await client.auth.sign_up({**credentials, "options": {"data": {"name": "Py"}}})
        assert signed_up.user is not None
        assert signed_up.user.user_metadata == {"name": "Py"}
        with pytest.raises(AuthApiError) as refused:
            await client.auth.sign_in_with_password({**credentials, "password": "wrong"})
        assert (refused.value.status, refused.value.code) == (400, "invalid_credentials")
        before = await client.auth.get_session()
        after = (await client.auth.refresh_session()).session
        assert before is not None
        assert after is not None
        assert before.refresh_token != after.refresh_token
        user = await client.auth.get_user()
        assert user is not None
        assert user.user.email == credentials["email"]
        await client.auth.sign_out()
        assert credentials["email"] in {user.email for user in await admin.auth.admin.list_users()}
        await admin.auth.admin.delete_user(signed_up.user.id)
        with pytest.raises(AuthApiError):
            await client.auth.sign_in_with_password(credentials)

    async def both() -> None:
        async with (
            connected(project, "SUPABASE_ANON_KEY") as client,
            connected(project, "SUPABASE_SECRET_KEY") as admin,
        ):
            await work(client, admin)

    asyncio.run(both())


def test_the_ready_token_is_the_members(project: dict[str, str]) -> None:
    async def work() -> Any:
        async with connected(project, "SUPABASE_ANON_KEY") as client:
            return await client.auth.get_user(project["PRT_TOKEN"])

    assert asyncio.run(work()).user.email == MEMBER.email


def run(project: dict[str, str], work: Callable[[AClient], Coroutine[Any, Any, None]]) -> None:
    """As the member."""

    async def signed_in_work() -> None:
        async with signed_in(project) as client:
            await work(client)

    asyncio.run(signed_in_work())
