"""Parser for the configuration of a join."""

from __future__ import annotations

import uuid
from typing import Any

from msgspec import Struct

from prt.local.realtime.protocol import bindings
from prt.local.realtime.protocol.inspection import inspected, printed

UNABLE_TO_REPLAY = "UnableToReplayMessages: "
UNKNOWN_ERROR = "UnknownErrorOnChannel: "


class Replay(Struct, frozen=True):
    """A request for earlier broadcasts: at most `limit`, since `since` (milliseconds since the epoch)."""

    since: int
    limit: int


LARGEST_REPLAY = 25
LATEST_MILLISECONDS = 253_402_300_799_999
"""The end of the year 9999 in milliseconds since the epoch, where Elixir's calendar ends."""


class Wait(Struct, frozen=True):
    """How long a join waits for its subscription to changes, in milliseconds."""

    milliseconds: int


DEFAULT_WAIT = Wait(15_000)
LONGEST_WAIT = Wait(20_000)


class Config(Struct, frozen=True, kw_only=True):
    """The configuration of a join, parsed as the real server parses it."""

    bindings: tuple[tuple[int, dict[str, Any]], ...] = ()
    is_legacy: bool = False
    is_private: bool = False
    sees_itself: bool = False
    wants_acknowledgement: bool = False
    wants_presence: bool = False
    wants_replication_ready: bool = False
    presence_key: str | None
    """The presence key, None if it can't be converted to text: a channel that tracks with it crashes."""
    wants_replay: bool = False
    """Whether the client sent a `replay`, valid or not. A private topic must then be readable."""
    replay: Replay | None = None
    replay_refusal: str | None = None
    crash: str | None = None
    """The message of the exception that an invalid config raises, after the token was verified."""
    wait: Wait | None = None
    """How long the answer waits for the subscription; None answers before the bindings are checked."""


def malformed(payload: Any) -> str | None:
    """Return the server's error message if the payload of a join is not an object, else None."""
    if isinstance(payload, dict):
        return None
    return f"{UNKNOWN_ERROR}expected params to be a :map, got: `{inspected(payload)}`"


def configured(subtopic: str, payload: dict[str, Any]) -> Config:
    """Return the configuration of a join. Invalid parts count as missing, as on the real server."""
    if "config" not in payload:
        entries: list[Any] = bindings.of_topic(subtopic)
        return Config(bindings=_identified(entries), is_legacy=True, presence_key=_key(None))
    config = _dictionary(payload["config"])
    found = config.get("postgres_changes")
    entries = [entry for entry in found if entry is not None] if isinstance(found, list) else []
    broadcast, presence = _dictionary(config.get("broadcast")), _dictionary(config.get("presence"))
    is_private = _is_true(config.get("private"))
    replay = _replay(broadcast, is_private=is_private)
    return Config(
        bindings=_identified([e for e in entries[: bindings.MOST_BINDINGS] if isinstance(e, dict)]),
        is_private=is_private,
        sees_itself=_is_true(broadcast.get("self")),
        wants_acknowledgement=_is_true(broadcast.get("ack")),
        wants_presence=_is_true(presence.get("enabled")),
        wants_replication_ready=_is_given(broadcast.get("replication_ready")),
        presence_key=_key(presence.get("key")),
        wants_replay="replay" in broadcast,
        replay=replay if isinstance(replay, Replay) else None,
        replay_refusal=replay if isinstance(replay, str) else None,
        crash=_crash(payload["config"], entries),
        wait=_wait(_dictionary(config.get("postgres_changes_options"))),
    )


def _crash(config: Any, entries: list[Any]) -> str | None:
    """Return the message of the exception that a wrong type in the config raises on the real server."""
    broadcast = _dictionary(config).get("broadcast")
    for container, key in ((config, "broadcast"), (broadcast, "replication_ready")):
        if isinstance(container, list):
            return (
                f'{UNKNOWN_ERROR}the Access module supports only keyword lists (with atom keys), got: "{key}"'
                "\n\nIf you want to search lists of tuples, use List.keyfind/3"
            )
        if container is not None and not isinstance(container, dict):
            return f"{UNKNOWN_ERROR}no function clause matching in Access.get/3"
    if len(entries) > bindings.MOST_BINDINGS:
        return f"{UNKNOWN_ERROR}{bindings.too_many(len(entries))}"
    for entry in entries:
        if not isinstance(entry, dict):
            return f"{UNKNOWN_ERROR}expected a map, got:\n\n    {inspected(entry)}\n"
    return None


def _replay(broadcast: dict[str, Any], *, is_private: bool) -> Replay | str | None:
    if "replay" not in broadcast:
        return None
    if not is_private:
        return UNABLE_TO_REPLAY + "Replay is not allowed for public channels"
    wanted = broadcast["replay"]
    if not isinstance(wanted, dict):
        return None
    since, limit = wanted.get("since"), wanted.get("limit")
    if not _is_given(limit):
        limit = LARGEST_REPLAY
    if type(since) is not int or type(limit) is not int or abs(since) > LATEST_MILLISECONDS:
        return UNABLE_TO_REPLAY + "Replay params are not valid"
    return Replay(max(0, since), max(1, min(limit, LARGEST_REPLAY)))


def _wait(options: dict[str, Any]) -> Wait | None:
    """Return how long the join waits. Invalid options count as missing, as on the real server."""
    if not _is_true(options.get("wait")):
        return None
    milliseconds = options.get("timeout")
    if isinstance(milliseconds, str) and milliseconds.isascii() and milliseconds.isdecimal():
        # Longer texts count as above the limit, because converting them would take quadratic time.
        milliseconds = int(milliseconds) if len(milliseconds) < 10 else LONGEST_WAIT.milliseconds
    if type(milliseconds) is not int or milliseconds <= 0:
        return DEFAULT_WAIT
    return Wait(min(milliseconds, LONGEST_WAIT.milliseconds))


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _is_given(value: Any) -> bool:
    """Return whether a value is true in Elixir, in which 0 and empty text are true."""
    return value is not None and value is not False


def _key(wanted: Any) -> str | None:
    """Return the presence key as text; a random one if the client's key is missing or blank."""
    if wanted is None or (isinstance(wanted, str) and not wanted.strip()):
        return str(uuid.uuid4())
    return printed(wanted)


def _identified(entries: list[dict[str, Any]]) -> tuple[tuple[int, dict[str, Any]], ...]:
    return tuple((bindings.identity(entry), entry) for entry in entries)


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
