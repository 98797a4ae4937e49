"""The embedded server answers the recorded clients as the recorded server did."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.local.realtime.conftest import TRANSCRIPTS
from tests.local.realtime.replay import Replay
from tests.local.realtime.serving import Backend

SCENARIOS = (
    "heartbeat",
    "connect_errors",
    "pg_join_ok",
    "pg_events_default",
    "pg_events_full",
    "pg_types",
    "pg_filters",
    "pg_wildcards",
    "pg_two_bindings",
    "pg_bad_filter",
    "pg_bad_table",
    "pg_rls",
    "pg_big",
    "pg_truncate",
    "pg_latency",
    "pg_ddl_while_subscribed",
    "join_bad_tokens",
    "token_expiry_while_joined",
    "token_refresh",
    "join_twice",
    "leave",
    "join_error_blocks_socket",
    "malformed_frames",
    "server_sigterm",
    "broadcast_basic",
    "broadcast_size",
)

RECORDINGS = [
    path
    for scenario in SCENARIOS
    for version in ("v1", "v2")
    if (path := TRANSCRIPTS / version / f"{scenario}.jsonl").exists()
]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_answers_as_recorded(backend: Backend, path: Path) -> None:
    async def play() -> None:
        async with backend.serving() as running:
            await Replay(path, running).play()

    asyncio.run(play())
