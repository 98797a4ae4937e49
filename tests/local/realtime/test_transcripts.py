"""The embedded server answers the recorded clients as the recorded server did."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from prt.local.realtime import Settings
from tests.local.realtime.conftest import TRANSCRIPTS
from tests.local.realtime.replay import Replay
from tests.local.realtime.serving import Backend

SCENARIOS = (
    "heartbeat",
    "idle_without_heartbeat",
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
    "generated_columns",
    "types_more",
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
    "presence",
    "private_channels",
    "db_broadcast",
    "rest_broadcast",
    "private_only_and_suspended",
    "send_binary",
    "persist_ttl",
    "persist_public",
    "persist_no_policy",
    "persist_http",
    "persist_flag_off",
    "wait_ok",
    "wait_missing_table",
    "wait_two_bindings_one_bad",
    "broadcast_odd_payload",
    "presence_odd_keys",
    "join_odd_flags",
    "join_odd_tokens",
    "delete_filters",
    "bindings_like",
    "publication_row_filter",
    "partitioned_tables",
    "generated_columns",
    "types_more",
    "names_odd",
    "rest_broadcast_odd",
    "broadcast_binary",
)

NOT_REPLAYED = {
    "pg_burst": "its frames were not all written down; see test_service",
    "pg_gap": "begins with what an earlier scenario left, and races a join with an insert; see test_service",
    "db_backends_killed": "what is lost depends on the moment; see test_service",
    "slot_killed_only": "what is lost depends on the moment; see test_service",
    "server_sigkill": "nobody answers",
    "tenant_shutdown": "there are no tenants",
    "limit_channels": "no limit by default",
    "limit_connections": "no limit by default",
    "limit_db_events": "no limit by default",
    "limit_events": "no limit by default",
    "limit_joins": "no limit by default",
    "mixed_versions": "which shape a socket gets depends on its process",
    "wait_realtime_disabled": "drops the publication that the replay itself needs; see test_waiting",
    "persist_ok": "the recorded server stored without being asked; see test_storing",
    "broadcast_odd_cross": "who still hears what crashes its sender is a race; see test_odd_frames",
}

ELSEWHERE = {("broadcast_binary", "v1"): "its sender is recorded in version 2; see test_frames"}
"""Recordings of one version that are not replayed, though those of the other are."""

SETTINGS = {"idle_without_heartbeat": Settings(idle_seconds=1.0)}

VERSIONS = ("v1", "v2")


def recording(scenario: str, version: str) -> Path:
    """In that version, else in version 1, which can be translated."""
    own = TRANSCRIPTS / version / f"{scenario}.jsonl"
    return own if own.exists() else TRANSCRIPTS / "v1" / f"{scenario}.jsonl"


def test_every_recording_is_accounted_for() -> None:
    recorded = {path.stem for version in VERSIONS for path in (TRANSCRIPTS / version).iterdir()}
    assert recorded == {*SCENARIOS, *NOT_REPLAYED}
    assert not NOT_REPLAYED.keys() & set(SCENARIOS)


@pytest.mark.parametrize(
    ("scenario", "version"),
    [
        (scenario, version)
        for version in VERSIONS
        for scenario in SCENARIOS
        if recording(scenario, version).exists() and (scenario, version) not in ELSEWHERE
    ],
)
def test_answers_as_recorded(backend: Backend, scenario: str, version: str) -> None:
    async def play() -> None:
        async with backend.serving(SETTINGS.get(scenario)) as running:
            await Replay(recording(scenario, version), version, running).play()

    asyncio.run(play())
