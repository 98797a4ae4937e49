from __future__ import annotations

from typing import Any

import pytest

from prt.local.realtime.protocol import join_config
from prt.local.realtime.protocol.inspection import inspected, printed
from prt.local.realtime.protocol.join_config import Replay

NO_CLAUSE = "UnknownErrorOnChannel: no function clause matching in Access.get/3"
KEYWORDS = (
    "UnknownErrorOnChannel: the Access module supports only keyword lists (with atom keys), got: "
    '"{}"\n\nIf you want to search lists of tuples, use List.keyfind/3'
)
NOT_VALID = "UnableToReplayMessages: Replay params are not valid"


def configured(config: Any) -> join_config.Config:
    return join_config.configured("topic", {"config": config})


@pytest.mark.parametrize(
    ("flag", "is_set"),
    [(True, True), ("tRuE", True), (False, False), ("false", False), ("1", False), (1, False), (None, False)],
)
def test_a_flag_is_a_truth_value_or_its_text(flag: Any, is_set: bool) -> None:
    found = configured(
        {"broadcast": {"self": flag, "ack": flag}, "presence": {"enabled": flag}, "private": flag}
    )
    flags = (found.sees_itself, found.wants_acknowledgement, found.wants_presence, found.is_private)
    assert flags == (is_set,) * 4


@pytest.mark.parametrize(
    ("flag", "is_set"), [(0, True), ("", True), ("false", True), (None, False), (False, False)]
)
def test_replication_ready_is_whatever_is_given(flag: Any, is_set: bool) -> None:
    assert configured({"broadcast": {"replication_ready": flag}}).wants_replication_ready is is_set


@pytest.mark.parametrize(
    ("config", "crash"),
    [
        ("x", NO_CLAUSE),
        (False, NO_CLAUSE),
        ([], KEYWORDS.format("broadcast")),
        ({"broadcast": 1.5}, NO_CLAUSE),
        ({"broadcast": []}, KEYWORDS.format("replication_ready")),
        ({"broadcast": "x", "postgres_changes": [1]}, NO_CLAUSE),
        ({"postgres_changes": [None, True]}, "UnknownErrorOnChannel: expected a map, got:\n\n    true\n"),
        (None, None),
        ({"broadcast": None, "presence": 7, "private": {}, "postgres_changes": "x"}, None),
    ],
)
def test_what_crashes_a_join(config: Any, crash: str | None) -> None:
    assert configured(config).crash == crash


@pytest.mark.parametrize(("payload", "value"), [(1.5, "1.5"), (True, "true"), ({}, None)])
def test_a_join_is_an_object(payload: Any, value: str | None) -> None:
    words = f"UnknownErrorOnChannel: expected params to be a :map, got: `{value}`" if value else None
    assert join_config.malformed(payload) == words


@pytest.mark.parametrize(
    ("replay", "found"),
    [
        ({"since": 5}, Replay(5, 25)),
        ({"since": -5, "limit": False}, Replay(0, 25)),
        ({"since": 5, "limit": 99}, Replay(5, 25)),
        ({"since": 5, "limit": -1}, Replay(5, 1)),
        ({"limit": 5}, NOT_VALID),
        ({"since": True}, NOT_VALID),
        ({"since": 10**30}, NOT_VALID),
        ({"since": 5, "limit": 1.0}, NOT_VALID),
        ("x", None),
    ],
)
def test_a_replay_of_another_shape(replay: Any, found: Replay | str | None) -> None:
    config = configured({"private": "true", "broadcast": {"replay": replay}})
    assert config.wants_replay
    assert (config.replay or config.replay_refusal) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (1e5, "1.0e5"),
        (100.0, "100.0"),
        (-0.001, "-0.001"),
        (1e-7, "1.0e-7"),
        (False, "false"),
        ([], ""),
        (["a", [98], "c"], "abc"),
        ([True], None),
        ([0xD800], None),
        ({"a": 1}, None),
    ],
)
def test_a_presence_key_of_another_type(value: Any, text: str | None) -> None:
    assert configured({"presence": {"key": value}}).presence_key == text == printed(value)


@pytest.mark.parametrize("value", [None, "", " \t"])
def test_a_blank_presence_key_is_one_that_nobody_else_has(value: str | None) -> None:
    keys = {configured({"presence": {"key": value}}).presence_key for _ in range(2)}
    assert len(keys) == 2


def test_prints_floats_as_the_server_does() -> None:
    values = [1.0, 1000.0, 12345.0, 0.1, 123456789012345680.0, -2.5e-10]
    assert inspected(values) == "[1.0, 1.0e3, 12345.0, 0.1, 1.2345678901234568e17, -2.5e-10]"
