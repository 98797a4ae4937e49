"""The keys of the lines of `prt test` and `prt status`, which are not events."""

from __future__ import annotations

from typing import Final, get_args

from prt.events import ChannelStatus, Connection
from prt.results import STATES, Layer, State
from prt.views.sinks.schema.shapes import (
    INTEGER,
    INTEGER_OR_NULL,
    NUMBER,
    NUMBER_OR_NULL,
    PERCENTILES,
    TEXT,
    TEXT_OR_NULL,
    Key,
    one_of,
)

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
        Key("handshake_ms", NUMBER_OR_NULL, "of the first connection"),
        Key("rtt_ms", NUMBER_OR_NULL, "a heartbeat's round trip, the median"),
        Key("join_ms", NUMBER_OR_NULL, "until a join was accepted"),
        Key("ready_ms", NUMBER_OR_NULL, "from the handshake until changes flow"),
        Key("lag_ms", PERCENTILES, "commit → receive, of `latency` and `load`"),
        Key("expected", INTEGER_OR_NULL, "changes that had to come, once for each client"),
        Key("delivered", INTEGER_OR_NULL, "changes that came"),
        Key("out_of_order", INTEGER_OR_NULL, "changes that came after a later commit"),
        Key("delivery_percent", NUMBER_OR_NULL, "delivered of expected"),
    ),
}
"""The lines of `prt test`."""

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
        Key("layer", one_of(Layer), "from the top"),
        Key("check", TEXT_OR_NULL, "which value of the configuration, what of a table"),
        Key("table", TEXT_OR_NULL, "`schema.table`"),
        Key("state", one_of(State), "what became of it"),
        Key("figure", TEXT, "what was measured"),
        Key("ms", NUMBER_OR_NULL, "how long it took"),
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
        Key("round_trip_ms", NUMBER_OR_NULL, "of the last heartbeat"),
        Key("reconnects", INTEGER, "how many"),
        Key("events", INTEGER, "how many live ones"),
        Key("rate", NUMBER, "events a second"),
        Key("gaps", INTEGER, "how many"),
        Key("lag_ms", PERCENTILES, "of the changes; null without any"),
        Key("limits", {"type": "object", "additionalProperties": _USE}, "ours against the plan's"),
    ),
}
"""The lines of `prt status`; `figures` are written with `--watch`."""
