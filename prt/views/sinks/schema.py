"""What the NDJSON lines hold, as one table: the JSON Schema and the README's reference are made from it."""

from __future__ import annotations

from typing import Any, Final, get_args

from msgspec import Struct

from prt.events import (
    ChangeSource,
    ChannelState,
    ChannelStatus,
    Connection,
    EndReason,
    EventType,
    Severity,
    VerifiedScope,
)
from prt.inputs import Input
from prt.results import STATES, Layer, State

TEXT: Final = {"type": "string"}
TEXT_OR_NULL: Final = {"type": ["string", "null"]}
INTEGER: Final = {"type": "integer", "minimum": 0}
NUMBER: Final = {"type": "number"}
BOOLEAN: Final = {"type": "boolean"}
OBJECT: Final = {"type": "object"}
MOMENT: Final = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"}
VERSION: Final = 1
"""Of the lines: it changes when a key is removed or changes its meaning, not when one is added."""
TEXTS: Final = {"type": "array", "items": TEXT}
METAS: Final = {"type": "array", "items": OBJECT}
PERCENTILES: Final = {
    "type": ["object", "null"],
    "properties": dict.fromkeys(("p50", "p95", "p99", "max"), NUMBER),
    "required": ["p50", "p95", "p99", "max"],
    "additionalProperties": False,
}
VERIFIED: Final = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "age_seconds": {"type": ["number", "null"]},
            "scope": {"enum": list(get_args(VerifiedScope))},
            "reason": TEXT_OR_NULL,
        },
        "required": ["age_seconds", "scope", "reason"],
        "additionalProperties": False,
    },
}
COST: Final = {
    "type": ["object", "null"],
    "properties": dict.fromkeys(("messages", "connections", "channels"), INTEGER),
    "required": ["messages", "connections", "channels"],
    "additionalProperties": False,
}


_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_ERROR: Final = {
    "type": "object",
    "properties": {"id": TEXT, "message": TEXT, "hint": _TEXT_OR_NULL, "try": _TEXT_OR_NULL},
    "required": ["id", "message", "hint", "try"],
    "additionalProperties": False,
}


class Key(Struct, frozen=True):
    """One key of a line: its JSON Schema, what it says, and whether every line of its type has it."""

    name: str
    schema: dict[str, Any]
    line: str
    is_always: bool = True
    asked: tuple[Input, str] | None = None
    """The input that brings the key, and its value with a space before it."""

    @property
    def text(self) -> str:
        """The line, with the input that brings the key."""
        return self.line if self.asked is None else f"{self.line}, with `{self.asked[0]}{self.asked[1]}`"


def _one_of(values: Any) -> dict[str, Any]:
    return {"enum": list(get_args(values))}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


_EVIDENCE: Final = {
    "type": "object",
    "properties": {"at": MOMENT, "connection": {"type": ["integer", "null"]}, "what": TEXT},
    "required": ["at", "connection", "what"],
    "additionalProperties": False,
}

_TOPIC: Final = Key("topic", TEXT, "the channel, without `realtime:`")

KEYS: Final[dict[str, tuple[Key, ...]]] = {
    "change": (
        _TOPIC,
        Key("eventType", _one_of(EventType), "as in supabase-js"),
        Key("schema", TEXT, "of the table"),
        Key("table", TEXT, "its name"),
        Key("commit_timestamp", TEXT_OR_NULL, "the database's time of the commit"),
        Key("new", OBJECT, "the row, `{}` for a DELETE"),
        Key("old", OBJECT, "the row before: its key, or all of it under replica identity full"),
        Key("errors", _or_null(TEXTS), "the server's, such as `Error 413: Payload Too Large`"),
        Key("lag_ms", {"type": ["number", "null"]}, "`at` − commit, raw: negative where clocks differ"),
        Key("source", _one_of(ChangeSource), "live, or read over REST"),
        Key("merged", INTEGER, "how many changes it is the net effect of", False, (Input.BATCH, "")),
        Key("sentence", TEXT, "the same for people", False, (Input.VIEW, " feed")),
    ),
    "broadcast": (
        _TOPIC,
        Key("event", TEXT, "its name"),
        Key("payload", {}, "any JSON; base64 text where bytes were sent"),
        Key("meta", {}, "the server's: `id`, and `replayed` for a message of the past"),
        Key("encoding", {"const": "base64"}, "there only where the payload was bytes", False),
    ),
    "presence": (
        _TOPIC,
        Key("event", {"enum": ["sync", "join", "leave", "update"]}, "an update is leave and join at once"),
        Key("key", TEXT_OR_NULL, "who; null in a sync"),
        Key("presences", _or_null(METAS), "what they say of themselves, an object a connection"),
        Key(
            "state",
            {"type": "object", "additionalProperties": METAS},
            "in a sync: everybody, by key",
            False,
        ),
    ),
    "status": (
        Key("topic", TEXT, _TOPIC.line, False),
        Key("status", _one_of(ChannelStatus), "READY: changes flow, by the server's own word"),
        Key("connection", _one_of(Connection), "the same in four words"),
        Key("tables", _or_null(TEXTS), "those concerned, as `schema.table`; null is all"),
        Key("reason", TEXT_OR_NULL, "why"),
        Key("hint", TEXT_OR_NULL, "what to do about it"),
    ),
    "gap": (
        Key("from", MOMENT, "events may have been missed from here"),
        Key("to", MOMENT, "to here"),
        Key("tables", TEXTS, "of these tables"),
        Key("topics", TEXTS, "or of these topics: their broadcasts and presence"),
        Key("cause", TEXT, "why"),
        Key("recovered", INTEGER, "rows brought back over REST"),
        Key("complete", BOOLEAN, "whether nothing that is still there is missing"),
    ),
    "malformed": (
        Key("frame", TEXT, "what came, cut"),
        Key("reason", TEXT, "why it can't be read"),
    ),
    "alert": (
        Key("rule", TEXT, "the expression"),
        Key("severity", TEXT, "what stands behind its colon"),
        Key("table", TEXT, "as `schema.table`"),
        Key("value", NUMBER, "what the row has"),
        Key("limit", NUMBER, "what it crossed"),
        Key("row", OBJECT, "the row"),
    ),
    "conflict": (
        Key("table", TEXT, "as `schema.table`"),
        Key("key", TEXT, "of the row"),
        Key("kept", {"enum": ["local", "remote"]}, "whose values stay"),
        Key("local", OBJECT, "the row as it was written here"),
        Key("remote", OBJECT, "as somebody else wrote it"),
    ),
    "audit": (
        Key("table", TEXT, "as `schema.table`"),
        Key("committed", INTEGER, "changes in the database's log: the sum of the others but `late`"),
        Key("arrived", INTEGER, "changes that came"),
        Key("hidden", INTEGER, "changes of rows that policies hide"),
        Key("filtered", INTEGER, "changes that no binding asks for, or that the filter does not match"),
        Key("cut", INTEGER, "changes that came with an error and without all values"),
        Key("late", INTEGER, "those of `arrived` that came too late"),
        Key("lost", INTEGER, "changes that should have come and did not"),
        Key("unknown", INTEGER, "changes that did not come and can't be judged"),
    ),
    "loss": (
        Key("table", TEXT, "as `schema.table`"),
        Key("commit_timestamp", MOMENT, "the database's time of the commit"),
        Key("eventType", _one_of(EventType), "as in a change"),
        Key("key", TEXT, "of the row; its columns joined by commas"),
        Key("cause", TEXT, "the likeliest"),
    ),
    "connection": (
        Key("connection", INTEGER, "its number, which the other lines of `prt tap` name"),
        Key("state", {"enum": ["open", "refused", "closed"]}, "of a websocket that `prt tap` forwards"),
        Key("client", TEXT, "what the app calls itself"),
        Key("role", TEXT_OR_NULL, "of its newest token, else of its key"),
        Key("user", TEXT_OR_NULL, "the token's `sub`"),
        Key("token_expires_at", _or_null(MOMENT), "of the same token"),
        Key("status", _or_null(INTEGER), "of the handshake: 101, or why it was refused"),
        Key("code", _or_null(INTEGER), "of the close frame; null without one"),
        Key("sent", INTEGER, "frames of the app"),
        Key("received", INTEGER, "frames of the project"),
        Key("skipped", INTEGER, "frames that were forwarded without being read"),
    ),
    "channel": (
        _TOPIC,
        Key("connection", INTEGER, "the number of its connection"),
        Key("state", _one_of(ChannelState), "what became of it"),
        Key("private", BOOLEAN, "whether it was joined as private"),
        Key("presence", BOOLEAN, "whether `presence.enabled` was set"),
        Key("bindings", TEXTS, "`EVENT schema.table filter`"),
        Key("role", TEXT_OR_NULL, "of its token"),
        Key("reason", TEXT_OR_NULL, "the server's, for a refusal or an error"),
    ),
    "frame": (
        Key("connection", INTEGER, "the number of its connection"),
        Key("direction", {"enum": ["sent", "received"]}, "as the app sees it"),
        Key("topic", TEXT, "as on the wire"),
        Key("event", TEXT, "as on the wire"),
        Key("ref", TEXT_OR_NULL, "as on the wire"),
        Key("join_ref", TEXT_OR_NULL, "as on the wire"),
        Key("size", INTEGER, "bytes of the message"),
        Key("payload", {}, "as on the wire, without keys and tokens"),
    ),
    "finding": (
        Key("id", TEXT, "which finding it is"),
        Key("severity", _one_of(Severity), "how grave it is"),
        Key("cause", TEXT, "what the app does, and what comes of it"),
        Key("remedy", TEXT, "what to change"),
        Key("evidence", {"type": "array", "items": _EVIDENCE}, "the frames and requests that prove it"),
        Key("connection", _or_null(INTEGER), "the connection that it concerns"),
        Key("topic", TEXT_OR_NULL, "the channel that it concerns"),
        Key("data", {"type": "object", "additionalProperties": TEXT}, "the values in its sentences"),
    ),
    "end": (
        Key("reason", _one_of(EndReason), "why it ended"),
        Key("exit_code", INTEGER, "the program's"),
        Key("events", INTEGER, "how many live ones"),
        Key("gaps", INTEGER, "how many"),
        Key("lag_ms", PERCENTILES, "of the changes; null without any"),
        Key("verified", VERIFIED, "by table: how long ago all its rows were found to have come"),
        Key("cost", COST, "messages of the project's quota, connections and channels; null if replayed"),
        Key("error", _ERROR, "what ended it: `id`, `message`, `hint`, `try`", False),
    ),
}
"""By `type`; every line has `type` and `at` besides."""

_NUMBER_OR_NULL: Final = {"type": ["number", "null"]}
_INTEGER_OR_NULL: Final = {"type": ["integer", "null"], "minimum": 0}
_FAILURE: Final = {
    "type": "object",
    "properties": dict.fromkeys(("sentence", "expected", "came", "server", "cause", "remedy"), TEXT),
    "required": ["expected", "came"],
    "additionalProperties": False,
}

TEST_KEYS: Final[dict[str, tuple[Key, ...]]] = {
    "result": (
        Key("suite", TEXT, "of `prt test`, or `objectives`, `contract`"),
        Key("test", TEXT, "its name in the suite"),
        Key("outcome", {"enum": ["pass", "fail", "skip"]}, "what came of it"),
        Key("ms", NUMBER, "how long it took"),
        Key("round", INTEGER, "which repetition, from the second on", False),
        Key("note", TEXT, "what was found, in a few words", False),
        Key("figures", {"type": "object", "additionalProperties": NUMBER}, "unit in the name", False),
        Key("reason", TEXT, "why it was skipped", False),
        Key(
            "failure",
            _FAILURE,
            "what was expected and what came, the server's words, cause, remedy; of a "
            "contract also the sentence that says what has changed",
            False,
        ),
    ),
    "slis": (
        Key("host", TEXT, "of the project"),
        Key("identity", TEXT, "as whom"),
        Key("exit_code", INTEGER, "the program's"),
        Key("passed", INTEGER, "how many tests"),
        Key("failed", INTEGER, "how many tests"),
        Key("skipped", INTEGER, "how many tests"),
        Key("seconds", NUMBER, "of the whole run"),
        Key("handshake_ms", _NUMBER_OR_NULL, "of the first connection"),
        Key("rtt_ms", _NUMBER_OR_NULL, "a heartbeat's round trip, the median"),
        Key("join_ms", _NUMBER_OR_NULL, "until a join was accepted"),
        Key("ready_ms", _NUMBER_OR_NULL, "from the handshake until changes flow"),
        Key("lag_ms", PERCENTILES, "commit → receive, of `latency` and `load`"),
        Key("expected", _INTEGER_OR_NULL, "changes that had to come, once for each client"),
        Key("delivered", _INTEGER_OR_NULL, "changes that came"),
        Key("out_of_order", _INTEGER_OR_NULL, "changes that came after a later commit"),
        Key("delivery_percent", _NUMBER_OR_NULL, "delivered of expected"),
    ),
}
"""The lines of `prt test`, which are no events."""

_CAUSE: Final = {
    "type": "object",
    "properties": {"why": TEXT, "remedy": TEXT_OR_NULL},
    "required": ["why", "remedy"],
    "additionalProperties": False,
}
_USE: Final = {
    "type": "object",
    "properties": {"now": NUMBER, "most": INTEGER, "limit": INTEGER},
    "required": ["now", "most", "limit"],
    "additionalProperties": False,
}

STATUS_KEYS: Final[dict[str, tuple[Key, ...]]] = {
    "layer": (
        Key("layer", _one_of(Layer), "from the top"),
        Key("check", TEXT_OR_NULL, "which value of the configuration, what of a table"),
        Key("table", TEXT_OR_NULL, "`schema.table`"),
        Key("state", _one_of(State), "what became of it"),
        Key("figure", TEXT, "what was measured"),
        Key("ms", _NUMBER_OR_NULL, "how long it took"),
        Key("why", TEXT_OR_NULL, "one sentence, where it isn't ok"),
        Key("remedy", TEXT_OR_NULL, "one command or SQL that mends it"),
        Key("also", {"type": "array", "items": _CAUSE}, "further causes, less likely than the first", False),
    ),
    "layers": (
        Key("exit_code", INTEGER, "the program's"),
        *(Key(state, INTEGER, "how many layers") for state in STATES),
    ),
    "figures": (
        Key("connection", {"enum": [*get_args(Connection), None]}, "the seed's word; null before the first"),
        Key("status", {"enum": [*get_args(ChannelStatus), None]}, "the channel's"),
        Key("phase", TEXT_OR_NULL, "of the connection"),
        Key("round_trip_ms", _NUMBER_OR_NULL, "of the last heartbeat"),
        Key("reconnects", INTEGER, "how many"),
        Key("events", INTEGER, "how many live ones"),
        Key("rate", NUMBER, "events a second"),
        Key("gaps", INTEGER, "how many"),
        Key("lag_ms", PERCENTILES, "of the changes; null without any"),
        Key("limits", {"type": "object", "additionalProperties": _USE}, "ours against the plan's"),
    ),
}
"""The lines of `prt status`, which are no events; `figures` come with `--watch`."""

ALL_KEYS: Final = {**KEYS, **TEST_KEYS, **STATUS_KEYS}

_AT: Final = Key("at", MOMENT, "when prt received it, UTC, microseconds")


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of one line."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of prt",
        "version": VERSION,
        "type": "object",
        "required": ["type", "at"],
        "oneOf": [_of_type(name, keys) for name, keys in ALL_KEYS.items()],
    }


def markdown() -> str:
    """A table for people."""
    lines = ["| `type` | key | holds |", "| --- | --- | --- |", f"| every one | `at` | {_AT.line} |"]
    for name, keys in ALL_KEYS.items():
        for index, key in enumerate(keys):
            shown = f"`{name}`" if index == 0 else ""
            values = key.schema.get("enum")
            named = f": {', '.join(f'`{value}`' for value in values)}" if values else ""
            lines.append(f"| {shown} | `{key.name}` | {key.text}{named} |")
    return "\n".join(lines) + "\n"


def _of_type(name: str, keys: tuple[Key, ...]) -> dict[str, Any]:
    properties = {key.name: {**key.schema, "description": key.text} for key in (_AT, *keys)}
    return {
        "title": name,
        "type": "object",
        "properties": {"type": {"const": name}, **properties},
        "required": ["type", "at", *(key.name for key in keys if key.is_always)],
        "additionalProperties": False,
    }
