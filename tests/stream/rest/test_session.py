"""Who we are: tokens, how long they live, and their renewal by a real Auth."""

from __future__ import annotations

import asyncio
import json
import traceback
from typing import Any

import jwt
import pytest

from prt.config.project import Project, resolve
from prt.config.secret import Secret
from prt.errors import ProtocolError, RefusedError, UnreachableError
from prt.local.seed.people import MEMBER, PASSWORD
from prt.redaction import redact
from prt.stream.rest.session import Endpoint, Life, Session, life_of, session_of
from tests.stream.scripted import project_of


def token(**claims: Any) -> str:
    return jwt.encode(claims, "a secret that is long enough for HS256")


def member_of(project: dict[str, str], password: str = PASSWORD) -> Project:
    return resolve(as_=MEMBER.email, local={**project, "PRT_PASSWORD": password})


def test_a_token_contains_its_life_and_its_role() -> None:
    endpoint = Endpoint(url="http://x", key="key", token=token(iat=100, exp=3700, role="authenticated"))
    assert life_of(endpoint, 0) == Life(issued=100, expires=3700, role="authenticated")
    by_key = Endpoint(url="http://x", key=token(exp=3700, role="anon"))
    assert life_of(by_key, 200) == Life(issued=200, expires=3700, role="anon")


@pytest.mark.parametrize("opaque", ["sb_publishable_abc", "", "a.b.c", token(role="anon"), token(exp="soon")])
def test_an_opaque_token_has_no_known_life(opaque: str) -> None:
    assert life_of(Endpoint(url="http://x", key=opaque), 0) is None


def test_a_long_life_is_renewed_five_minutes_ahead_and_a_short_one_at_two_thirds() -> None:
    assert Life(issued=0, expires=3600, role=None).renew_at == 3300
    assert Life(issued=0, expires=90, role=None).renew_at == 60


def test_a_user_signs_in_and_renews_with_a_token_that_turns_over(project: dict[str, str]) -> None:
    async def main() -> tuple[str | None, str | None, str | None]:
        async with session_of(member_of(project)) as session:
            assert session.is_renewable
            first = session.endpoint.token
            second = (await session.renew()).token
            third = (await session.renew()).token
            assert session.endpoint.token == third
            return first, second, third

    tokens = asyncio.run(main())
    for one in tokens:
        assert one is not None
        claims = jwt.decode(one, options={"verify_signature": False})
        assert (claims["sub"], claims["role"]) == (MEMBER.id, "authenticated")


def signing_in_at(url: str) -> Project:
    return Project(url=url, identity="user", client_key=Secret("key"), email="a@b.c", password=Secret("pw"))


def test_the_tokens_of_a_sign_in_and_of_each_renewal_are_secrets() -> None:
    """They are opaque here, so that no pattern recognises them."""
    user = {"id": MEMBER.id, "aud": "authenticated", "app_metadata": {}, "user_metadata": {}}
    user |= {"created_at": "2026-01-01T00:00:00Z"}
    answers = [
        {"access_token": f"opaque-{which}-access", "refresh_token": f"opaque-{which}-refresh"}
        | {"token_type": "bearer", "expires_in": 3600, "expires_at": 2_000_000_000, "user": user}
        for which in ("first", "second")
    ]

    async def main() -> None:
        async with (
            project_of(*((200, json.dumps(answer).encode()) for answer in answers)) as project,
            session_of(signing_in_at(project.url)) as session,
        ):
            await session.renew()

    asyncio.run(main())
    for answer in answers:
        for name in ("access_token", "refresh_token"):
            assert redact(f"<{answer[name]}>") == "<<hidden>>"


def test_an_answer_that_is_no_session_is_not_in_the_error() -> None:
    """Pydantic's words hold the answer, cut in the middle of a token."""
    answer = json.dumps({"access_token": "Zq7w" * 20, "user": {"id": 1}}).encode()

    async def main() -> ProtocolError:
        async with project_of((200, answer)) as project:
            with pytest.raises(ProtocolError) as caught:
                async with session_of(signing_in_at(project.url)):
                    pass
        return caught.value

    assert "Zq7w" not in "".join(traceback.format_exception(asyncio.run(main())))


def test_a_wrong_password_is_refused_in_auths_words(project: dict[str, str]) -> None:
    async def main() -> None:
        async with session_of(member_of(project, "not the password")):
            raise AssertionError("signed in")

    with pytest.raises(RefusedError, match="Invalid login credentials") as caught:
        asyncio.run(main())
    assert "not the password" not in str(caught.value)


def test_nobody_at_auth_is_unreachable(project: dict[str, str]) -> None:
    async def main() -> None:
        nobody = resolve(
            as_=MEMBER.email,
            local={**project, "SUPABASE_URL": "http://127.0.0.1:9", "PRT_PASSWORD": PASSWORD},
        )
        async with session_of(nobody):
            raise AssertionError("signed in")

    with pytest.raises(UnreachableError):
        asyncio.run(main())


def test_keys_and_tokens_depend_on_the_identity(project: dict[str, str]) -> None:
    async def endpoint_as(as_: str | None) -> Endpoint:
        async with session_of(resolve(as_=as_, local=project)) as session:
            assert not session.is_renewable
            with pytest.raises(RefusedError):
                await session.renew()
            return session.endpoint

    member = asyncio.run(endpoint_as(None))
    assert member.token == project["PRT_TOKEN"]
    anon = asyncio.run(endpoint_as("anon"))
    assert (anon.key, anon.token) == (project["SUPABASE_PUBLISHABLE_KEY"], None)
    service = asyncio.run(endpoint_as("service"))
    assert (service.key, service.token) == (project["SUPABASE_SECRET_KEY"], None)


def test_an_endpoint_does_not_show_its_secrets() -> None:
    shown = repr(Endpoint(url="http://x", key="the-key", token="the-token"))
    assert "the-" not in shown
    assert "the-" not in str(Session(Endpoint(url="http://x", key="the-key")))
    assert "the-" not in repr(Secret("the-key"))


def test_streams_that_share_a_session_renew_it_once() -> None:
    """Auth refuses a refresh token that was used."""
    renewals = 0
    old = Endpoint(url="http://x", key="key", token="old")

    async def renew() -> Endpoint:
        nonlocal renewals
        renewals += 1
        await asyncio.sleep(0)
        return Endpoint(url="http://x", key="key", token=f"fresh {renewals}")

    async def main() -> list[str | None]:
        session = Session(old, renew)
        found = await asyncio.gather(session.renew(old), session.renew(old), session.renew(old))
        later = await session.renew(found[0])
        return [endpoint.token for endpoint in (*found, later)]

    assert asyncio.run(main()) == ["fresh 1", "fresh 1", "fresh 1", "fresh 2"]
