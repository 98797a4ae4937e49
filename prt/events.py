"""The events that packages exchange: from the connection, a recording or a test to views and outputs.

Times named `at` are taken by our own clock, in microseconds since the epoch (UTC). Payloads stay raw JSON
until they are needed, because decoding is most of the cost of a change and a pipe never needs it.
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
"""The state of the connection, in the words of the seed's application, for each status of a channel."""

EMPTY = Raw(b"{}")


class Change(Struct, frozen=True, gc=False, kw_only=True):
    """The change of one row.

    Attributes:
        new: The new row as a JSON object; `{}` if the server sent none.
        old: The old row as a JSON object; `{}` if the server sent none.
        commit_timestamp: The time of the commit as the server's text; None if it sent none (errors 400 and
            401).
        lag_ms: `at` minus the time of the commit, in ms as measured; None without a commit timestamp.
        merged: How many changes of the row this change is the net effect of (`--batch`).
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
        """Return the decoded `new`; each call returns a fresh dict."""
        return decoded_row(self.new)

    def old_row(self) -> dict[str, Any]:
        """Return the decoded `old`; each call returns a fresh dict."""
        return decoded_row(self.old)


class Broadcast(Struct, frozen=True, gc=False, kw_only=True):
    """A message that another client, or the database, sent to the topic.

    `payload` is any JSON value. If the sender sent bytes, `binary` holds them and `payload` is `{}`.
    """

    at: int
    topic: str
    event: str
    payload: Raw = EMPTY
    meta: Raw | None = None
    binary: bytes | None = None


class Presence(Struct, frozen=True, gc=False, kw_only=True):
    """A presence event of a topic. A `sync` carries the whole `state`: the presences by key."""

    at: int
    topic: str
    event: Literal["sync", "join", "leave", "update"]
    key: str | None = None
    presences: list[dict[str, Any]] | None = None
    state: dict[str, list[dict[str, Any]]] | None = None


class Status(Struct, frozen=True, kw_only=True):
    """A step in the life of a channel, such as READY or CHANNEL_ERROR.

    Attributes:
        tables: The tables concerned, as `schema.table`; None means all of the channel's tables.
        code: The reason in a form for programs. It is not part of an output line.
        subject: What the reason is about, such as a column. It is not part of an output line.
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
        """Return the state of the connection for this status, in the words of the seed's application."""
        return CONNECTION_OF[self.status]


class Gap(Struct, frozen=True, kw_only=True):
    """A time between `start` and `end` (both in µs) in which events may have been missed.

    The events are changes of `tables`, or broadcasts and presence events of `topics`. `recovered` counts the
    events that were read afterwards, and `complete` says whether they are all. `losses` counts the changes
    that a verification found to be missing; it is not part of an output line.
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
    """An alert rule that a row has just crossed.

    `value` and `limit` are decimal text, `row` is a JSON object.
    """

    at: int
    rule: str
    severity: str
    table: str
    value: str
    limit: str
    row: Raw


class Conflict(Struct, frozen=True, kw_only=True):
    """A conflict of two writers of one row.

    Attributes:
        table: The table as `schema.table`.
        key: The key of the row, as text.
        kept: Whose version was kept.
        local: Our version of the row, a JSON object.
        remote: The other writer's version of the row, a JSON object.
    """

    at: int
    table: str
    key: str
    kept: Literal["local", "remote"]
    local: Raw
    remote: Raw


class LossCause(Struct, frozen=True, kw_only=True):
    """The likeliest cause of a lost change.

    Attributes:
        at: When the cause was observed, in µs by the database's clock.
        subject: A column, or a message of the server or the database.
        rate: Committed changes a second in the busiest 5 s before the loss.
        average: Committed changes a second over the last minute before the loss.
    """

    code: LossCode
    at: int | None = None
    subject: str | None = None
    rate: float | None = None
    average: float | None = None


class Loss(Struct, frozen=True, kw_only=True):
    """A committed change that never arrived.

    `committed` is the commit's time in µs, `table` is `schema.table`.
    """

    at: int
    table: str
    committed: int
    event_type: EventType
    key: str
    cause: LossCause


class Account(Struct, frozen=True, kw_only=True):
    """The account of the changes that were committed to a table (`schema.table`) during an audit.

    `committed` is the sum of `arrived`, `hidden`, `filtered`, `cut`, `lost` and `unknown`; `late` is a part
    of `arrived`.
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

    `messages` counts the messages that were received and sent. `connections` and `channels` count what was
    open at the same time.
    """

    messages: int = 0
    connections: int = 0
    channels: int = 0


class Vitals(Struct, frozen=True, kw_only=True):
    """The state of the connection, shown at the top of a view. No output writes it as a line.

    Times are in µs and None if they do not apply.

    Attributes:
        since: When `phase` began.
        retry_at: When the next attempt to connect is due.
        round_trip_ms: The round trip of the last heartbeat.
        token_expires_at: When the session ends.
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
    """The existing rows of `tables` were emitted; all of them if `complete`.

    No output writes it as a line.
    """

    at: int
    tables: list[str]
    complete: bool = True


class Verified(Struct, frozen=True, kw_only=True):
    """The verified completeness of a table. No output writes it as a line.

    Attributes:
        table: The table as `schema.table`.
        verified_at: When a verification last found that every row was emitted, in µs by our clock; None if
            never.
        scope: Which changes the verification covers.
        reason: Why it does not cover everything.
    """

    at: int
    table: str
    verified_at: int | None
    scope: VerifiedScope
    reason: str | None = None


class Known(Struct, frozen=True, kw_only=True):
    """The rows of a table when it became READY, so that a first UPDATE can show what it changed.

    The rows themselves are not shown, and no output writes them as a line.
    """

    at: int
    schema: str
    table: str
    rows: list[Raw]

    def changes(self) -> list[Change]:
        """Return the rows as the INSERTs of a snapshot, for code that keeps the last row of each key."""
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
    """A recording continues from another moment, so all earlier events must be forgotten.

    No output writes it as a line.
    """

    at: int


class Malformed(Struct, frozen=True, kw_only=True):
    """A frame that could not be read. `frame` is its text, cut to a length that a person can read."""

    at: int
    frame: str
    reason: str


class ErrorReport(Struct, frozen=True, kw_only=True):
    """The error that ended a command: its id, what happened, what to do, and a command to try."""

    id: str
    message: str
    hint: str | None = None
    attempt: str | None = msgspec.field(name="try", default=None)


class TableVerification(Struct, frozen=True, kw_only=True):
    """How long ago a table was verified. `age_seconds` is None if it never was."""

    age_seconds: float | None
    scope: VerifiedScope
    reason: str | None = None


class End(Struct, frozen=True, kw_only=True):
    """The last event of every stream.

    Attributes:
        lag_ms: The lag's `p50`, `p95`, `p99` and `max`; None without changes.
        verified: The tables that were to be verified, by `schema.table`.
        cost: The used quota; None if nothing was connected, as in a replay.
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
    """A websocket that `prt tap` forwards: the client that opened it, and its state.

    Attributes:
        token_expires_at: When the token ends, in µs.
        status: The HTTP status of the handshake's answer.
        code: The code of the close frame.
        sent: How many frames the client sent.
        received: How many frames the client received.
        skipped: How many frames were forwarded without being read.
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
    """A step in the life of an app's channel. Each of `bindings` is a text `EVENT schema.table filter`."""

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
    """A frame between an app and its project, without secrets. A binary payload is base64 text."""

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
    """A mistake of an app. `data` fills in the sentences that `prt.views.drawing.findings` has for `id`."""

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
