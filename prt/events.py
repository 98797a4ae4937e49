"""The values that pass between the parts: from the wire, a recording or a test to views and sinks.

Times named `at` are ours, in microseconds since the epoch, UTC. Payloads stay raw JSON until
somebody asks: decoding is most of the cost of a change, and a pipe never needs it.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from prt.decoding import decoded_row

EventType = Literal["INSERT", "UPDATE", "DELETE"]
ChangeSource = Literal["stream", "snapshot", "backfill"]
ChannelStatus = Literal["SUBSCRIBED", "READY", "CHANNEL_ERROR", "TIMED_OUT", "CLOSED"]
VerifiedScope = Literal["all", "inserts", "none"]
Connection = Literal["connected", "error", "timeout", "disconnected"]
EndReason = Literal[
    "count",
    "duration",
    "idle",
    "timeout",
    "signal",
    "error",
    "expect",
    "quit",
    "replayed",
    "once",
    "command",
    "agent",
]

LossCode = Literal["connection", "restart", "structured_filter", "publication", "slot", "rate", "unexplained"]

CONNECTION_OF: dict[ChannelStatus, Connection] = {
    "SUBSCRIBED": "connected",
    "READY": "connected",
    "CHANNEL_ERROR": "error",
    "TIMED_OUT": "timeout",
    "CLOSED": "disconnected",
}
"""The seed's connection state of each channel status."""

EMPTY = Raw(b"{}")


class Change(Struct, frozen=True, gc=False, kw_only=True):
    """One row change. `new` and `old` are JSON objects, `{}` if the server sent none.

    `commit_timestamp` is the server's text, None if it sent none (errors 400 and 401);
    `lag_ms` is at − commit in milliseconds, raw, None without a commit timestamp.
    `merged` is how many changes of the row this one is the net effect of (`--batch`).
    """

    at: int
    topic: str
    event_type: EventType
    schema: str
    table: str
    commit_timestamp: str | None
    new: Raw = EMPTY
    old: Raw = EMPTY
    errors: list[str] | None = None
    lag_ms: float | None = None
    source: ChangeSource = "stream"
    merged: int = 1

    def new_row(self) -> dict[str, Any]:
        """`new` decoded; a fresh dict a call."""
        return decoded_row(self.new)

    def old_row(self) -> dict[str, Any]:
        """`old` decoded; a fresh dict a call."""
        return decoded_row(self.old)


class Broadcast(Struct, frozen=True, gc=False, kw_only=True):
    """A message that another client, or the database, sent to the topic.

    `payload` is any JSON; where the sender sent bytes they are `binary`, and `payload` is `{}`.
    """

    at: int
    topic: str
    event: str
    payload: Raw = EMPTY
    meta: Raw | None = None
    binary: bytes | None = None


class Presence(Struct, frozen=True, gc=False, kw_only=True):
    """`event` is sync, join, leave or update; a sync carries the whole `state`."""

    at: int
    topic: str
    event: Literal["sync", "join", "leave", "update"]
    key: str | None = None
    presences: list[dict[str, Any]] | None = None
    state: dict[str, list[dict[str, Any]]] | None = None


class Status(Struct, frozen=True, kw_only=True):
    """A step of a channel. `tables` are those concerned, as `schema.table`; None means all.

    `code` says why, for programs, and `subject` what it is about, such as a column. Lines have neither.
    """

    at: int
    status: ChannelStatus
    topic: str | None = None
    tables: list[str] | None = None
    reason: str | None = None
    hint: str | None = None
    code: str | None = None
    subject: str | None = None

    @property
    def connection(self) -> Connection:
        """Return the seed's connection state for this status."""
        return CONNECTION_OF[self.status]


class Gap(Struct, frozen=True, kw_only=True):
    """Events may have been missed between `start` and `end` (both µs), and what was done about it.

    They are changes of `tables`, or broadcasts and presence events of `topics`. `losses` counts the changes
    that a verification found to be missing; lines don't have it.
    """

    at: int
    start: int
    end: int
    tables: list[str]
    cause: str
    recovered: int = 0
    complete: bool = False
    topics: list[str] = []
    losses: int = 0


class Alert(Struct, frozen=True, kw_only=True):
    """A rule that a row has just crossed: `value` and `limit` as decimal text, `row` a JSON object."""

    at: int
    rule: str
    severity: str
    table: str
    value: str
    limit: str
    row: Raw


class Conflict(Struct, frozen=True, kw_only=True):
    """Two writers of one row: whose values were `kept`; `table` is `schema.table`, the sides JSON objects."""

    at: int
    table: str
    key: str
    kept: Literal["local", "remote"]
    local: Raw
    remote: Raw


class LossCause(Struct, frozen=True, kw_only=True):
    """The likeliest cause of a lost change.

    `at` is when it was seen (µs, the database's clock), `subject` a column or the words of another part.
    `rate` are committed changes a second in the busiest 5 s before the loss, `average` over its last minute.
    """

    code: LossCode
    at: int | None = None
    subject: str | None = None
    rate: float | None = None
    average: float | None = None


class Loss(Struct, frozen=True, kw_only=True):
    """A committed change that never arrived; `committed` in µs, `table` is `schema.table`."""

    at: int
    table: str
    committed: int
    event_type: EventType
    key: str
    cause: LossCause


class Account(Struct, frozen=True, kw_only=True):
    """The account of the changes that were committed to a table during an audit.

    `committed` is the sum of arrived, hidden, filtered, cut, lost and unknown; `late` is a part of arrived.
    """

    at: int
    table: str
    committed: int
    arrived: int
    hidden: int
    filtered: int
    cut: int
    late: int
    lost: int
    unknown: int


class Cost(Struct, frozen=True, kw_only=True):
    """The share of the project's quota that a watch has used.

    `messages` came or were sent; `connections` and `channels` were held at the same time.
    """

    messages: int = 0
    connections: int = 0
    channels: int = 0


class Vitals(Struct, frozen=True, kw_only=True):
    """How the connection is, for the head of a view; no line of any output.

    `since` is when `phase` began, `retry_at` when the next attempt is due, `token_expires_at` when the
    session ends: all µs, None where there is none. `round_trip_ms` is the last heartbeat's.
    """

    at: int
    phase: str
    since: int
    retry_at: int | None = None
    reconnects: int = 0
    failures: int = 0
    round_trip_ms: float | None = None
    token_expires_at: int | None = None
    cost: Cost = Cost()


class Loaded(Struct, frozen=True, kw_only=True):
    """The present rows of `tables` have been told, all of them where `complete`; no line of any output."""

    at: int
    tables: list[str]
    complete: bool = True


class Verified(Struct, frozen=True, kw_only=True):
    """The verified completeness of a table; it is not written as a line.

    `verified_at` (µs, ours) is when the rows were last found to be all emitted, None if never. `scope` says
    what the verification covers, `reason` why that is not everything.
    """

    at: int
    table: str
    verified_at: int | None
    scope: VerifiedScope
    reason: str | None = None


class Known(Struct, frozen=True, kw_only=True):
    """Rows of a table as they were when it was READY, so that a first UPDATE shows what it changed.

    They are not shown, and no output has a line for them.
    """

    at: int
    schema: str
    table: str
    rows: list[Raw]

    def changes(self) -> list[Change]:
        """Return the rows as the INSERTs of a snapshot, for whoever keeps the last row of each key."""
        return [
            Change(
                at=self.at,
                topic="",
                event_type="INSERT",
                schema=self.schema,
                table=self.table,
                commit_timestamp=None,
                new=row,
                source="snapshot",
            )
            for row in self.rows
        ]


class Rewound(Struct, frozen=True, kw_only=True):
    """A recording goes on from another moment: what was seen before is to be forgotten; no line."""

    at: int


class Malformed(Struct, frozen=True, kw_only=True):
    """A frame that could not be read, cut to what a person can look at."""

    at: int
    frame: str
    reason: str


class ErrorReport(Struct, frozen=True, kw_only=True):
    """The error that ended a command: the cause's id, what happened, what to do, and a command to try."""

    id: str
    message: str
    hint: str | None = None
    attempt: str | None = msgspec.field(name="try", default=None)


class TableVerification(Struct, frozen=True, kw_only=True):
    """How long ago a table was verified; `age_seconds` is None if it never was."""

    age_seconds: float | None
    scope: VerifiedScope
    reason: str | None = None


class End(Struct, frozen=True, kw_only=True):
    """The last event of every stream. `lag_ms` has p50, p95, p99, max, or is None without changes.

    `verified` holds the tables that were to be verified, by `schema.table`. `cost` is None if nothing was
    connected, as in a replay.
    """

    at: int
    reason: EndReason
    exit_code: int
    events: int
    gaps: int = 0
    lag_ms: dict[str, float] | None = None
    error: ErrorReport | None = None
    verified: dict[str, TableVerification] = {}
    cost: Cost | None = None


Severity = Literal["error", "warning", "advice"]
ChannelState = Literal["joining", "SUBSCRIBED", "READY", "refused", "error", "left", "closed"]


class TapConnection(Struct, frozen=True, kw_only=True):
    """A websocket that `prt tap` forwards: who opened it, and what became of it.

    `status` is that of a refused handshake, `code` that of the close frame; `token_expires_at` in µs.
    `sent` and `received` count the client's frames, `skipped` those that were passed on without being read.
    """

    at: int
    connection: int
    state: Literal["open", "refused", "closed"]
    client: str = ""
    role: str | None = None
    user: str | None = None
    token_expires_at: int | None = None
    status: int | None = None
    code: int | None = None
    sent: int = 0
    received: int = 0
    skipped: int = 0


class TapChannel(Struct, frozen=True, kw_only=True):
    """A step of a channel of an app; `bindings` as `EVENT schema.table filter`."""

    at: int
    topic: str
    connection: int
    state: ChannelState
    private: bool = False
    presence: bool = False
    bindings: list[str] = []
    role: str | None = None
    reason: str | None = None


class TapFrame(Struct, frozen=True, kw_only=True):
    """One frame between an app and its project, without secrets; binary payloads are base64 text."""

    at: int
    connection: int
    direction: Literal["sent", "received"]
    topic: str
    event: str
    ref: str | None
    join_ref: str | None
    size: int
    payload: Raw = EMPTY


class Evidence(Struct, frozen=True, kw_only=True):
    """An observation with its time: a frame of a connection, or a request."""

    at: int
    what: str
    connection: int | None = None


class TapFinding(Struct, frozen=True, kw_only=True):
    """A mistake of an app. `data` fills the sentences that `prt.views.drawing.findings` has for `id`."""

    at: int
    id: str
    severity: Severity
    evidence: list[Evidence]
    connection: int | None = None
    topic: str | None = None
    data: dict[str, str] = {}


TapEvent = TapConnection | TapChannel | TapFrame | TapFinding
Event = (
    Change
    | Broadcast
    | Presence
    | Status
    | Gap
    | Alert
    | Conflict
    | Loss
    | Account
    | Vitals
    | Loaded
    | Verified
    | Known
    | Rewound
    | Malformed
    | TapConnection
    | TapChannel
    | TapFrame
    | TapFinding
    | End
)
