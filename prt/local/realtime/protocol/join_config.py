"""What a join asks for, in its `config`."""

from __future__ import annotations

import uuid
from typing import Any

from msgspec import Struct

from prt.local.realtime.protocol import bindings
from prt.local.realtime.protocol.inspection import inspected, interpolated

UNABLE_TO_REPLAY = "UnableToReplayMessages: "


class Replay(Struct, frozen=True):
    """Which earlier broadcasts a join asks for: `since` in milliseconds since the epoch, at most `limit`."""

    since: int
    limit: int


DEFAULT_REPLAY = Replay(since=0, limit=10)


class Wait(Struct, frozen=True):
    """How long a join waits for its subscription to changes, in milliseconds."""

    milliseconds: int


DEFAULT_WAIT = Wait(15_000)
LONGEST_WAIT = Wait(20_000)


class Config(Struct, frozen=True, kw_only=True):
    """`bindings` have their ids. Without a `presence_key` of the client's it is one that nobody else has."""

    bindings: tuple[tuple[int, dict[str, Any]], ...] = ()
    is_legacy: bool = False
    is_private: bool = False
    sees_itself: bool = False
    wants_acknowledgement: bool = False
    wants_presence: bool = False
    wants_replication_ready: bool = False
    presence_key: str
    replay: Replay | None = None
    wait: Wait | None = None
    """None is a join that is answered before its bindings are looked at."""


def configured(subtopic: str, payload: Any) -> Config | str:
    """The join's config, or the words in which the server refuses it."""
    if not isinstance(payload, dict) or "config" not in payload:
        entries: list[Any] = bindings.of_topic(subtopic)
        return Config(bindings=_identified(entries), is_legacy=True, presence_key=_key(None))
    config = _dictionary(payload["config"])
    found = config.get("postgres_changes")
    entries = [entry for entry in found if entry is not None] if isinstance(found, list) else []
    if len(entries) > bindings.MOST_BINDINGS:
        return f"UnknownErrorOnChannel: {bindings.too_many(len(entries))}"
    for entry in entries:
        if not isinstance(entry, dict):
            return f"UnknownErrorOnChannel: expected a map, got:\n\n    {inspected(entry)}\n"
    broadcast, presence = _dictionary(config.get("broadcast")), _dictionary(config.get("presence"))
    is_private = config.get("private") is True
    replay = _replay(broadcast, is_private=is_private)
    if isinstance(replay, str):
        return replay
    return Config(
        bindings=_identified(entries),
        is_private=is_private,
        sees_itself=broadcast.get("self") is True,
        wants_acknowledgement=broadcast.get("ack") is True,
        wants_presence=presence.get("enabled") is True,
        wants_replication_ready=broadcast.get("replication_ready") is True,
        presence_key=_key(presence.get("key")),
        replay=replay,
        wait=_wait(_dictionary(config.get("postgres_changes_options"))),
    )


def _replay(broadcast: dict[str, Any], *, is_private: bool) -> Replay | str | None:
    if "replay" not in broadcast:
        return None
    if not is_private:
        return UNABLE_TO_REPLAY + "Replay is not allowed for public channels"
    wanted = broadcast["replay"]
    if not isinstance(wanted, dict):
        return None
    since, limit = wanted.get("since"), wanted.get("limit")
    since = DEFAULT_REPLAY.since if since is None else since
    limit = DEFAULT_REPLAY.limit if limit is None else limit
    if type(since) is not int or type(limit) is not int:
        return UNABLE_TO_REPLAY + "Replay params are not valid"
    return Replay(since, limit)


def _wait(options: dict[str, Any]) -> Wait | None:
    """Return how long the join waits. Options that can't be read count as left out, as on the real server."""
    if not _is_true(options.get("wait")):
        return None
    milliseconds = options.get("timeout")
    if isinstance(milliseconds, str) and milliseconds.isascii() and milliseconds.isdecimal():
        # A longer text can't be a smaller number than the bound, and conversion takes quadratic time.
        milliseconds = int(milliseconds) if len(milliseconds) < 10 else LONGEST_WAIT.milliseconds
    if type(milliseconds) is not int or milliseconds <= 0:
        return DEFAULT_WAIT
    return Wait(min(milliseconds, LONGEST_WAIT.milliseconds))


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _key(wanted: Any) -> str:
    """Text, a number or a truth value, as Elixir prints it."""
    if wanted == "" or not isinstance(wanted, str | int | float):
        return str(uuid.uuid4())
    return interpolated(wanted)


def _identified(entries: list[dict[str, Any]]) -> tuple[tuple[int, dict[str, Any]], ...]:
    return tuple((bindings.identity(entry), entry) for entry in entries)


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
