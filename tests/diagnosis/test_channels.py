"""Faults of joins, and of what a topic does beside tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prt.checks.status.layers import source_listener
from prt.local.realtime import Settings
from prt.stream.timing import Timing
from tests.diagnosis.conftest import Named
from tests.diagnosis.stage import Stage, answering
from tests.diagnosis.stage import served as serving_project
from tests.diagnosis.test_network import client, key
from tests.fakes import Peer

Served = Callable[[Any], Any]


def refusing(reason: str) -> Callable[[Peer], Any]:
    async def script(peer: Peer) -> None:
        frame = await peer.receive()
        await peer.reply(frame, {"reason": reason}, "error")
        await peer.until_closed()

    return script


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("joins", "ClientJoinRateLimitReached: Too many joins per second"),
        ("channels", "ChannelRateLimitReached: Too many channels"),
        ("disabled-tenant", "RealtimeDisabledForTenant: Realtime disabled for this tenant"),
    ],
)
def test_refused_joins(named: Named, served: Served, fault: str, reason: str) -> None:
    findings = named(fault, env=client(served(answering(script=refusing(reason)))))
    assert [one["figure"] for one in findings if one["layer"] == "join"] == [reason]
    assert [one["state"] for one in findings if one["layer"] == "handshake"] == ["ok"]


def test_session_of_another_project(named: Named, stage: Stage) -> None:
    named("foreign-secret", env=stage.environment(PRT_TOKEN=key("authenticated")))


def test_session_of_another_project_without_auth(named: Named, served: Served) -> None:
    """Realtime's own refusal is all that there is to judge by."""
    refused = refusing("JwtSignatureError: Failed to validate JWT signature")
    environment = client(served(answering(script=refused)))
    named("foreign-token", env={**environment, "PRT_TOKEN": key("authenticated")})


def test_public_client_in_a_private_only_project(named: Named, stage: Stage, served: Served) -> None:
    url = served(serving_project(stage.project, Settings(is_private_only=True)))
    named("private-only", env=stage.environment(SUPABASE_URL=url))


def test_private_channel_without_policy(named: Named, stage: Stage) -> None:
    named("no-private-policy", "--private", env=stage.environment())


def test_private_channel_closed_is_no_failure_unasked(
    command: Callable[..., tuple[int, str, str]], stage: Stage
) -> None:
    with stage.table("d_private"):
        code, out, _ = command("status", "d_private", "--strict", "--no-color", env=stage.environment())
    assert code == 0
    assert "– skipped private    closed to anon; --private makes it count" in out


def test_private_channel_that_may_only_be_read(
    named: Named, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_listener, "TIMING", Timing(answer=0.3))  # there is none
    with stage.changed(
        "create policy hears on realtime.messages for select to anon using (true)",
        "drop policy hears on realtime.messages",
    ):
        named("private-send", "--private", env=stage.environment())


def test_private_channel_with_policies(
    command: Callable[..., tuple[int, str, str]], stage: Stage, served: Served
) -> None:
    """The remedies hold: what they allow is allowed."""
    url = served(serving_project(stage.project, Settings(is_private_only=True)))
    with (
        stage.table("d_private"),
        stage.changed(
            "create policy in_and_out on realtime.messages to anon using (true) with check (true)",
            "drop policy in_and_out on realtime.messages",
        ),
    ):
        code, out, _ = command(
            "status", "d_private", "--private", "--no-color", env=stage.environment(SUPABASE_URL=url)
        )
    assert code == 0, out
    assert "✓ ok      private    open to anon" in out
    assert "0 failed" not in out


def test_payload_too_large(named: Named, stage: Stage, served: Served) -> None:
    url = served(serving_project(stage.project, Settings(largest_broadcast=10)))
    with stage.table("d_payload"):
        named("payload", "d_payload", env=stage.environment(SUPABASE_URL=url))


def test_presence_calls_above_the_limit(named: Named, stage: Stage, served: Served) -> None:
    url = served(serving_project(stage.project, Settings(presence_calls=0)))
    with stage.table("d_presence"):
        named("presence-rate", "d_presence", env=stage.environment(SUPABASE_URL=url))


def test_messages_above_the_limit(named: Named, served: Served) -> None:
    async def script(peer: Peer) -> None:
        while True:
            frame = await peer.receive()
            if frame[3] == "phx_join":
                await peer.reply(frame, {"postgres_changes": []})
                if frame[4]["config"].get("postgres_changes"):
                    await peer.system(frame, "Subscribed to PostgreSQL")
            elif frame[3] == "broadcast":
                await peer.system(frame, "Too many messages per second", "error")
                await peer.send(frame[0], frame[0], frame[2], "phx_close", {})
            else:
                await peer.reply(frame, {})

    named("messages", env=client(served(answering(script=script))))
