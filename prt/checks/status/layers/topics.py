"""Findings about a topic apart from tables: the echo of a broadcast, presence, and a private channel."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from msgspec import Raw

from prt.checks.status.layers.source_listener import Received, SourceListener, listening_to
from prt.checks.status.layers.wire import join_causes, judge_join, reason_of
from prt.errors import PrtError, RefusedError, UnreachableError
from prt.events import Broadcast, Presence
from prt.inputs import Input
from prt.results import Cause, Finding, Layer
from prt.stream.live.source import Live
from prt.stream.policies import receives_sql
from prt.stream.socket.failures import MessageRefusedError, RefusedByServerError, UnacknowledgedError
from prt.stream.socket.refusal_codes import Code
from prt.stream.topic import TopicSettings
from prt.views.drawing import refusal_causes

ECHO: Final = "prt-status"
PATIENCE_SECONDS: Final = 10.0

Source = Callable[[tuple[()], TopicSettings], Live]


async def examine(
    source: Source, topic: str, report: Callable[[Finding], None], *, role: str, is_private: bool
) -> None:
    """Examine a topic: broadcast and presence first, and then, in any case, a private channel.

    Args:
        source: Opens a live source for a channel, given no bindings.
        topic: The name of the topic.
        report: Called with each finding.
        role: The database role of the identity, for messages.
        is_private: Whether broadcast and presence use a private channel.
    """
    settings = TopicSettings(
        topic=topic,
        events=(ECHO,),
        is_private=is_private,
        is_echoed=True,
        is_acknowledged=True,
        has_presence=True,
    )
    live = source((), settings)
    async with listening_to(live) as listener:
        if not await listener.until(lambda received: received.status == "READY", PATIENCE_SECONDS):
            layer: Layer = "private" if is_private else "broadcast"
            report(judge_join(layer, listener.received.error, role=role, topic=topic))
            return
        report(await _echoed(live, listener, role, topic))
        report(await _tracked(live, listener, role, topic))
    if is_private:
        report(Finding(layer="private", state="ok", figure=f"open to {role}"))
        return
    settings = TopicSettings(topic=topic, events=(), is_private=True)
    async with listening_to(source((), settings)) as listener:
        is_open = await listener.until(lambda received: received.status == "READY", PATIENCE_SECONDS)
        report(_private(listener.received, is_open, role, topic))


async def _echoed(live: Live, listener: SourceListener, role: str, topic: str) -> Finding:
    """Send a broadcast; return whether the server acknowledges it and sends it back."""
    try:
        acknowledged = await listener.unless_over(live.send(ECHO, Raw(b'{"from":"prt status"}')))
    except PrtError as exc:
        return _refused("broadcast", exc, listener.received, role, topic)
    came = await listener.until(
        lambda received: any(isinstance(event, Broadcast) for event in received.events), PATIENCE_SECONDS
    )
    if not came:
        if listener.received.error is not None:
            return _refused("broadcast", listener.received.error, listener.received, role, topic)
        cause = Cause(
            f"the server took the broadcast and sent nothing back: {role} may write to {topic}, not read it",
            receives_sql(role, topic),
        )
        return Finding(layer="broadcast", state="failed", figure="no echo", causes=(cause,))
    return Finding(layer="broadcast", state="ok", figure="echoed", milliseconds=acknowledged)


async def _tracked(live: Live, listener: SourceListener, role: str, topic: str) -> Finding:
    """Track our presence and remove it again; return whether it became visible."""
    began = time.monotonic()
    try:
        await listener.unless_over(live.track({"from": "prt status"}))
    except PrtError as exc:
        return _refused("presence", exc, listener.received, role, topic)
    came = await listener.until(
        lambda received: any(isinstance(event, Presence) and _has_us(event) for event in received.events),
        PATIENCE_SECONDS,
    )
    milliseconds = (time.monotonic() - began) * 1000
    if not came:
        if listener.received.error is not None:
            return _refused("presence", listener.received.error, listener.received, role, topic)
        cause = Cause(
            "the server took our presence and does not show it: presence may be off for the project",
            "dashboard: Realtime, Settings, Enable presence",
        )
        return Finding(layer="presence", state="failed", figure="not on the roster", causes=(cause,))
    with suppress(PrtError):
        await live.untrack()
    return Finding(layer="presence", state="ok", figure="on the roster", milliseconds=milliseconds)


def _has_us(event: Presence) -> bool:
    shown = [*(event.presences or ()), *(one for metas in (event.state or {}).values() for one in metas)]
    return event.event != "leave" and bool(shown)


def _refused(layer: Layer, error: PrtError, received: Received, role: str, topic: str) -> Finding:
    """Return the finding about a message that failed.

    If the channel was closed, its reason is more informative than a missing answer.
    """
    failure = received.error or error
    figure = reason_of(failure)
    return Finding(
        layer=layer,
        state="failed",
        figure=figure,
        causes=message_causes(failure, role=role, topic=topic),
        exit_code=(
            RefusedError if failure.exit_code == RefusedError.exit_code else UnreachableError
        ).exit_code,
    )


def message_causes(error: PrtError, *, role: str, topic: str) -> tuple[Cause, ...]:
    """Return why a broadcast or a presence was refused, or ended the channel."""
    code: Code | None = "other"
    if isinstance(error, RefusedByServerError):
        code = error.refused.code
    elif isinstance(error, MessageRefusedError):
        code = error.code
    elif isinstance(error, UnacknowledgedError):
        code = None
    return refusal_causes.of_message(code, role=role, topic=topic) or (Cause(error.message, error.hint),)


def _private(received: Received, is_open: bool, role: str, topic: str) -> Finding:
    """Return the finding about a private topic.

    If no private channel was requested, a closed one is no failure.
    """
    if is_open:
        return Finding(layer="private", state="ok", figure=f"{topic} is open to {role}")
    if received.error is None:
        return judge_join("private", None, role=role, topic=topic)
    refused = received.error.refused if isinstance(received.error, RefusedByServerError) else None
    is_unauthorized = refused is not None and refused.code == "unauthorized"
    return Finding(
        layer="private",
        state="skipped" if is_unauthorized else "warning",
        figure=f"closed to {role}; {Input.PRIVATE} makes it count",
        causes=join_causes(received.error, role=role, topic=topic),
    )
