"""Parsers of the topics of `prt watch` and `prt presence`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec

from prt.cli.options.recovery import moment_of
from prt.errors import UsageError
from prt.stream.limits import checked_presence
from prt.stream.live.broadcast_replay import LARGEST_REPLAY
from prt.stream.topic import Replay, TopicSettings

EVERY: Final = "*"
_REPLAY: Final = "write --replay since=1h,limit=10"
_TRACK: Final = 'write --track status=busy, --track desk=7 or --track \'{"status": "busy"}\''


def parse_topics(
    broadcasts: Iterable[str],
    presences: Iterable[str] = (),
    *,
    is_private: bool = False,
    replay: str | None = None,
) -> list[TopicSettings]:
    """Return the topics to join, each once.

    Args:
        broadcasts: Topics with broadcasts, each as `TOPIC` or `TOPIC=EVENT`.
        presences: Topics with presence.
        is_private: Whether the channels are private.
        replay: The past broadcasts to ask for, as `since=TIME,limit=N`.

    Raises:
        UsageError: A word can't be parsed, or `replay` is not possible.
    """
    events: dict[str, list[str]] = {}
    for word in broadcasts:
        topic, equals, event = word.rpartition("=")
        name = topic_of(topic if equals else word, "--broadcast")
        if equals and not event.strip():
            raise UsageError(f"--broadcast names no event: {word}", "write TOPIC for all, or TOPIC=EVENT")
        events.setdefault(name, []).append(event.strip() if equals else EVERY)
    watched = [topic_of(word, "--presence") for word in presences]
    wanted = None if replay is None else _replay(replay)
    if wanted is not None and not (is_private and events):
        raise UsageError(
            "--replay is for private broadcasts",
            "add --broadcast TOPIC --private: the server keeps no others",
        )
    return [
        TopicSettings(
            topic=topic,
            events=_merged(events.get(topic, [])),
            is_private=is_private,
            replay=wanted if topic in events else None,
            has_presence=topic in watched,
        )
        for topic in dict.fromkeys((*events, *watched))
    ]


def check_views(names: Collection[str], topics: Collection[TopicSettings]) -> None:
    """Check that views of topics have a topic to show.

    Raises:
        UsageError: A view would stay empty.
    """
    if "cursors" in names and not any(topic.events for topic in topics):
        raise UsageError("--view cursors needs broadcasts", "add --broadcast document:7=cursor-move")
    if "presence" in names and not any(topic.has_presence for topic in topics):
        raise UsageError("--view presence needs a topic", "add --presence room:1")


def check_topics_alone(of_tables: Mapping[str, object]) -> None:
    """Check that no option for tables is given, because only topics are watched.

    Raises:
        UsageError: An option for tables is given.
    """
    for option, value in of_tables.items():
        if value:
            raise UsageError(f"{option} is for tables, and none is watched", "name a TABLE beside the topics")


def topic_of(word: str, option: str) -> str:
    """Return the name of a topic without the prefix `realtime:`.

    Raises:
        UsageError: The name is empty.
    """
    topic = word.strip().removeprefix("realtime:")
    if not topic:
        hint = f"write {option} room:1" if option.startswith("-") else "as in room:1"
        raise UsageError(f"{option} names no topic: {word!r}", hint)
    return topic


def parse_tracked(words: Iterable[str]) -> dict[str, Any]:
    """Return what a presence tracks: `KEY=VALUE` words and JSON objects, merged in their order.

    A value is JSON if it can be parsed as JSON, otherwise text.

    Raises:
        UsageError: A word can't be parsed, or the presence is too large.
    """
    tracked: dict[str, Any] = {}
    for word in words:
        if word.lstrip().startswith("{"):
            try:
                tracked |= msgspec.json.decode(word, type=dict[str, Any])
            except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as exc:
                raise UsageError(f"--track is not a JSON object: {word}", _TRACK) from exc
            continue
        key, equals, value = word.partition("=")
        if not key.strip() or not equals:
            raise UsageError(f"--track can't read {word!r}", _TRACK)
        tracked[key.strip()] = _typed(value)
    checked_presence(tracked)
    return tracked


def _typed(value: str) -> Any:
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return value


def _merged(events: list[str]) -> tuple[str, ...]:
    return (EVERY,) if EVERY in events else tuple(dict.fromkeys(events))


def _replay(text: str) -> Replay:
    """Parse `since=TIME,limit=N`, in any order; the server requires `since`."""
    given: dict[str, str] = {}
    for part in re.split(r"\s*,\s*", text.strip()):
        name, equals, value = part.partition("=")
        if name not in ("since", "limit") or not equals or name in given:
            raise UsageError(f"--replay can't read {part!r}", _REPLAY)
        given[name] = value
    if "since" not in given:
        raise UsageError("--replay needs a since", _REPLAY)
    limit = given.get("limit")
    if limit is not None and not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= LARGEST_REPLAY):
        raise UsageError(f"--replay: limit is 1 to {LARGEST_REPLAY}, not {limit}", _REPLAY)
    since = moment_of(given["since"], "--replay since")
    return Replay(since=round(since.timestamp() * 1000), limit=None if limit is None else int(limit))
