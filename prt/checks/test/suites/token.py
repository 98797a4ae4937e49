"""The suite `token`: a session is renewed before it expires, and ends if nothing renews it."""

from __future__ import annotations

import asyncio
import time

from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.outcomes import FailedError, Found, SkippedError
from prt.checks.test.suites.broadcast import EVENT, expect_broadcast, payload
from prt.errors import RefusedError
from prt.events import Status
from prt.inputs import Input
from prt.results import Failure
from prt.stream.rest.session import Endpoint, Session
from prt.stream.topic import TopicSettings

LIFE_SECONDS = 6
"""The life of a token: long enough to join over a slow connection, and short enough to wait for."""


async def refresh(context: Context) -> Found:
    """Auth exchanges an old token for a new one, and Realtime accepts the new one."""
    session = await context.identities.session("self")
    if not session.is_renewable:
        raise SkippedError(f"needs a sign-in: {Input.IDENTITY} EMAIL with PRT_PASSWORD")
    user = context.identities.user_id(session)
    started = time.perf_counter()
    await session.renew()
    ms = (time.perf_counter() - started) * 1000
    renewed = context.identities.user_id(session)
    if renewed != user:
        raise FailedError(Failure(expected=f"a token of the user {user}", came=f"one of {renewed}"))
    async with context.watch(settings=TopicSettings(topic=context.topic("refresh"))) as watcher:
        await watcher.ready()
    return Found(note="a fresh token, and joined with it", figures={"refresh_ms": ms})


async def expiry(context: Context) -> Found:
    """A session ends when its short token expires, and another one outlives the token by renewing it."""
    claims = {"sub": await _subject(context)}

    async def signed() -> Endpoint:
        return context.identities.signed(seconds=LIFE_SECONDS, **claims)

    first = await signed()
    expires = time.time() + LIFE_SECONDS
    ended_after, _ = await asyncio.gather(
        _ends(context, Session(first), expires), _outlives(context, Session(first, signed), expires)
    )
    return Found(
        note="ended by the server; the renewed one went on", figures={"ended_ms": ended_after * 1000}
    )


async def _ends(context: Context, session: Session, expires: float) -> float:
    """Return the seconds until the server ended the session.

    Raises:
        FailedError: The session went on after its token had expired.
    """
    started = time.perf_counter()
    async with context.watch(
        session=session, settings=TopicSettings(topic=context.topic("expiry"))
    ) as watcher:
        await watcher.ready()
        await asyncio.sleep(max(expires - time.time(), 0))
        try:
            await watcher.until(Status, lambda _: False, "the end of an expired session", cause_of=_goes_on)
        except FailedError:
            if watcher.error is None or watcher.error.exit_code != RefusedError.exit_code:
                raise
    return time.perf_counter() - started


def _goes_on() -> tuple[str, str]:
    return (
        "the server does not look at the token of a joined channel, or its clock is behind",
        "compare the clocks: prt status",
    )


async def _outlives(context: Context, session: Session, expires: float) -> None:
    settings = TopicSettings(topic=context.topic("renewal"), is_echoed=True)
    async with context.watch(session=session, settings=settings) as watcher:
        await watcher.ready()
        await asyncio.sleep(max(expires + 1 - time.time(), 0))
        if watcher.error is not None:
            raise FailedError(
                Failure(
                    expected="a renewed session to outlive its first token",
                    came=watcher.error.message,
                    cause="the server does not take a fresh token for a joined channel",
                    remedy="join anew after each renewal",
                )
            )
        await watcher.live.send(EVENT, payload(1))
        await expect_broadcast(watcher, 1)


async def _subject(context: Context) -> str:
    """Return the id of the member if there is one, because policies may require an existing user."""
    try:
        user = context.identities.user_id(await context.identities.session("member"))
    except SkippedError:
        user = None
    return user or "00000000-0000-4000-8000-000000000000"


SUITE = Suite(
    name="token",
    line="a session renewed ahead of its end, and one that ends",
    needs="for refresh {IDENTITY} EMAIL with PRT_PASSWORD; for expiry SUPABASE_JWT_SECRET",
    checks=(
        Check(suite="token", name="refresh", run=refresh),
        Check(suite="token", name="expiry", run=expiry),
    ),
)
