"""The translation of version 1 to 2 is right where both were recorded."""

from __future__ import annotations

import re

import pytest

from tests.local.realtime.conftest import TRANSCRIPTS
from tests.local.realtime.replay import Step, steps

OPAQUE = re.compile(
    r'"phx_ref(?:_prev)?":"[^"]+"|"[0-9a-f-]{36}"|"\w+": "[0-9-]+T[^"]+"|"commit_timestamp":"[^"]+"'
)


def frames(recorded: list[Step], direction: str) -> list[str]:
    """Of both connections, without what differs every time; their order among each other is chance."""
    return sorted(OPAQUE.sub("", step["frame"]) for step in recorded if step["dir"] == direction)


@pytest.mark.parametrize(
    "scenario",
    [
        "presence",
        "rest_broadcast",
        "private_only_and_suspended",
        "heartbeat",
        "join_twice",
        "leave",
        "pg_join_ok",
        "pg_bad_filter",
        "pg_two_bindings",
        "join_error_blocks_socket",
    ],
)
def test_translations_match_the_recording(scenario: str) -> None:
    name = f"{scenario}.jsonl"
    translated, recorded = steps(TRANSCRIPTS / "v1" / name, "v2"), steps(TRANSCRIPTS / "v2" / name, "v2")
    for direction in ("in", "out"):
        assert frames(translated, direction) == frames(recorded, direction)
