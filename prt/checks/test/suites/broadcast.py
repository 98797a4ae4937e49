"""The suite `broadcast`: messages between clients, by socket and HTTP, in public and private channels."""

from __future__ import annotations

import asyncio
import time

import msgspec
from msgspec import Raw

from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.contract.observations import Access
from prt.checks.test.contract.terms import IDENTITIES, Identity, TopicTerms, listed
from prt.checks.test.outcomes import FailedError, Found, SkippedError
from prt.checks.test.watcher import Watcher
from prt.errors import RefusedError
from prt.events import Broadcast
from prt.inputs import Input
from prt.results import Failure
from prt.stream.rest.broadcast import NotAllowedError, Poster
from prt.stream.rest.session import Session
from prt.stream.socket.failures import RefusedByServerError
from prt.stream.topic import TopicSettings

EVENT = "ping"


async def echo(context: Context) -> Found:
    """A client receives its own broadcast if it asks for that."""
    settings = TopicSettings(topic=context.topic("echo"), is_echoed=True)
    async with context.watch(settings=settings) as watcher:
        await watcher.ready()
        started = time.perf_counter()
        await watcher.live.send(EVENT, payload(1))
        await expect_broadcast(watcher, 1)
        return Found(note="came back", figures={"echo_ms": (time.perf_counter() - started) * 1000})


async def acknowledged(context: Context) -> Found:
    """The server acknowledges a broadcast that asks for an acknowledgement."""
    settings = TopicSettings(topic=context.topic("ack"), is_acknowledged=True)
    async with context.watch(settings=settings) as watcher:
        await watcher.ready()
        ms = await watcher.live.send(EVENT, payload(1), timeout=context.settings.wait_seconds)
        return Found(note="acknowledged", figures={"ack_ms": ms or 0.0})


async def two_clients(context: Context) -> Found:
    """A client receives another client's broadcast, and the sender does not receive its own."""
    settings = TopicSettings(topic=context.topic("two"))
    async with context.watch(settings=settings) as sender, context.watch(settings=settings) as receiver:
        await asyncio.gather(sender.ready(), receiver.ready())
        started = time.perf_counter()
        await sender.live.send(EVENT, payload(1))
        await expect_broadcast(receiver, 1)
        ms = (time.perf_counter() - started) * 1000
        # The receiver's message reaches the sender after the sender's own message would have.
        await receiver.live.send(EVENT, payload(2))
        await expect_broadcast(sender, 2)
        if any(isinstance(event, Broadcast) and _number(event) == 1 for event in sender.events):
            raise FailedError(_echoed_broadcast())
        return Found(note="one heard the other", figures={"send_ms": ms})


async def http(context: Context) -> Found:
    """A broadcast that is sent over HTTP reaches a client."""
    topic = context.topic("http")
    session = await context.identities.session("self")
    seconds = context.settings.wait_seconds
    poster = Poster(lambda: session.endpoint, topic, is_private=False, answer_seconds=seconds)
    async with context.watch(settings=TopicSettings(topic=topic)) as watcher, poster:
        await watcher.ready()
        ms = await poster.send(EVENT, bytes(payload(1)))
        await expect_broadcast(watcher, 1)
        return Found(note="accepted and heard", figures={"http_ms": ms})


async def private(context: Context) -> Found:
    """A client joins, sends and receives on a private topic, if a policy allows it."""
    topic = context.settings.private_topic or context.topic("private")
    settings = TopicSettings(topic=topic, is_private=True, is_echoed=True, is_acknowledged=True)
    async with context.watch(settings=settings) as watcher:
        try:
            await watcher.ready()
        except FailedError as exc:
            if context.settings.private_topic is None and isinstance(watcher.error, RefusedByServerError):
                raise SkippedError(
                    "needs policies on realtime.messages that let this identity use a private topic: "
                    f"name one with {Input.PRIVATE_TOPIC} (the server: {watcher.error.refused.reason})"
                ) from exc
            raise
        await watcher.live.send(EVENT, payload(1), timeout=context.settings.wait_seconds)
        await expect_broadcast(watcher, 1)
        return Found(note=f"joined, sent and heard on {topic}")


async def rights(context: Context, topic: TopicTerms) -> Found:
    """Observe which identities may listen to a topic, send to it and be present on it."""
    found: list[Access] = []
    missing = []
    for who in IDENTITIES:
        try:
            session = await context.identities.session(who)
        except SkippedError as exc:
            missing.append(f"{who} {exc.reason}")
            continue
        found.append(await _access(context, topic, who, session))
    if not found:
        raise SkippedError(f"needs an identity: {'; '.join(missing)}")
    texts = [f"{one.identity} {listed(allowed) if (allowed := one.allowed) else 'nothing'}" for one in found]
    return Found(note="; ".join(texts), observed=tuple(found))


async def _access(context: Context, topic: TopicTerms, who: Identity, session: Session) -> Access:
    """Observe the rights of one identity on a topic.

    Whether it may send is asked over HTTP, because the socket does not report a refusal. A server takes 5 s
    to refuse a join.
    """
    seconds = context.settings.wait_seconds
    is_present = False
    settings = TopicSettings(topic=topic.name, events=(), is_private=topic.is_private, has_presence=True)
    async with context.watch(settings=settings, who=who) as watcher:
        try:
            await watcher.ready()
            is_listening = True
            is_present = await _may_be_present(watcher)
        except FailedError:
            if not _is_closed(watcher):
                raise
            is_listening = False
    poster = Poster(lambda: session.endpoint, topic.name, is_private=topic.is_private, answer_seconds=seconds)
    async with poster:
        try:
            await poster.send(EVENT, bytes(payload(1)))
            is_sending = True
        except NotAllowedError:
            is_sending = False
    return Access(topic=topic.name, identity=who, listen=is_listening, send=is_sending, presence=is_present)


async def _may_be_present(watcher: Watcher) -> bool:
    try:
        await watcher.live.track({"prt-test": True})
    except RefusedError:
        return False
    return True


def _is_closed(watcher: Watcher) -> bool:
    error = watcher.error
    return isinstance(error, RefusedByServerError) and error.refused.code in ("unauthorized", "private_only")


async def expect_broadcast(watcher: Watcher, number: int) -> Broadcast:
    """Wait for the message with this number and return it.

    Raises:
        FailedError: The message did not come in time.
    """
    return await watcher.until(
        Broadcast,
        lambda event: event.event == EVENT and _number(event) == number,
        f"the broadcast {EVENT} {number}",
        cause_of=lambda: (
            "the server dropped it: above its rate of messages a second, or the sender may not write here",
            "look into the project's Realtime logs; policies for INSERT on realtime.messages",
        ),
    )


def payload(number: int) -> Raw:
    """Return the payload of a numbered message."""
    return Raw(msgspec.json.encode({"prt-test": number}))


def _number(event: Broadcast) -> object:
    payload = msgspec.json.decode(event.payload)
    return payload.get("prt-test") if isinstance(payload, dict) else None


def _echoed_broadcast() -> Failure:
    return Failure(
        expected="no message of our own without broadcast.self",
        came="one",
        cause="the server ignores broadcast.self",
        remedy="leave out in the client what it sent itself",
    )


SUITE = Suite(
    name="broadcast",
    line="self, acknowledgement, two clients, HTTP, a private topic",
    needs="public channels allowed; for private a policy on realtime.messages ({PRIVATE_TOPIC})",
    checks=tuple(
        Check(suite="broadcast", name=name, run=run)
        for name, run in (
            ("self", echo),
            ("ack", acknowledged),
            ("two clients", two_clients),
            ("http", http),
            ("private", private),
        )
    ),
)
