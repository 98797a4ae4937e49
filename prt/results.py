"""The findings of `prt status` and the results of `prt test`, the source of output lines and exit codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal, get_args

from msgspec import Struct

from prt.errors import PrtError, UnreachableError

State = Literal["ok", "warning", "failed", "unknown", "skipped"]
Layer = Literal[
    "configuration",
    "dns",
    "tcp",
    "tls",
    "http",
    "sign-in",
    "handshake",
    "heartbeat",
    "join",
    "database",
    "table",
    "broadcast",
    "presence",
    "private",
    "system",
]

LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)
"""The layers from this machine to a live subscription, in order. If one fails, those below it are not judged.
"""

Outcome = Literal["pass", "fail", "skip"]
"""How a check of a test run can end."""

STATES: Final[tuple[State, ...]] = get_args(State)
_GRAVITY: Final[dict[State, int]] = {"ok": 0, "skipped": 1, "unknown": 2, "warning": 3, "failed": 4}


class Cause(Struct, frozen=True):
    """A possible cause: one sentence that explains it, and a command or SQL statement that fixes it."""

    why: str
    remedy: str | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """The result of examining one layer, or one part of a layer.

    Attributes:
        figure: What was measured, in a few words.
        causes: Possible causes, the likeliest first. Several causes mean that the observation can't
            distinguish them.
        table: The table that the finding is about, as `schema.table`.
        check: The part of the layer: a property of the table, or a value of the configuration.
        exit_code: The exit code of `prt status` if this finding is a failure.
    """

    layer: Layer
    state: State
    figure: str = ""
    causes: tuple[Cause, ...] = ()
    table: str | None = None
    check: str | None = None
    milliseconds: float | None = None
    exit_code: int = UnreachableError.exit_code
    is_reached: bool = True
    """False if the layer was not examined because a layer above it failed."""


def of_error(layer: Layer, error: PrtError, *, figure: str = "", check: str | None = None) -> Finding:
    """Return the finding that a layer ended with an error: its message is the cause, its hint the remedy.

    Args:
        layer: The layer that failed.
        error: What it ended with; it also determines the exit code.
        figure: What was measured, in a few words.
        check: The part of the layer.
    """
    cause = Cause(error.message, error.hint)
    return Finding(
        layer=layer, state="failed", figure=figure, causes=(cause,), check=check, exit_code=error.exit_code
    )


def worst(findings: Iterable[Finding]) -> State:
    """Return the most serious state of the findings, `ok` if there are none."""
    return max((finding.state for finding in findings), key=_GRAVITY.__getitem__, default="ok")


def exit_code_of(findings: Iterable[Finding], *, is_strict: bool) -> int:
    """Return the exit code of the first layer that failed.

    If none failed, warnings give 1 if `is_strict`; otherwise it is 0.
    """
    states = list(findings)
    failed = next((finding for finding in states if finding.state == "failed"), None)
    if failed is not None:
        return failed.exit_code
    return int(is_strict and any(finding.state == "warning" for finding in states))


def is_live(findings: Iterable[Finding]) -> bool:
    """Return whether there is something to watch.

    There must be a joined channel and, if tables were checked, at least one READY table.
    """
    states = list(findings)
    ready = [one.state == "ok" for one in states if one.check == "READY"]
    is_joined = any(one.layer == "join" and one.state == "ok" for one in states)
    return is_joined and (any(ready) or not ready)


def counts_of(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how many findings are in each state."""
    counted = Counter(finding.state for finding in findings)
    return {state: counted[state] for state in STATES}


class Failure(Struct, frozen=True, kw_only=True):
    """The reason why a check failed.

    Attributes:
        expected: What the check expected.
        came: What happened instead.
        sentence: The failure in one sentence, if "expected … came …" does not describe it well.
        server: The server's own message.
        cause: The likely cause; if there are several, the likeliest comes first.
        remedy: What to do about it.
    """

    expected: str
    came: str
    sentence: str | None = None
    server: str | None = None
    cause: str | None = None
    remedy: str | None = None

    @property
    def headline(self) -> str:
        """Return the failure as one line."""
        return self.sentence or f"expected {self.expected}, came {self.came}"


class Message(Struct, frozen=True, kw_only=True):
    """Something that the server sent, or that was sent to it. `at` is in µs, `who` is the identity."""

    at: int
    who: str
    text: str


class Result(Struct, frozen=True, kw_only=True):
    """The result of a check. `at` is in µs, `reason` explains why it was skipped, `round` counts from 1."""

    suite: str
    name: str
    outcome: Outcome
    at: int
    ms: float
    round: int = 1
    note: str = ""
    figures: dict[str, float] = {}
    lags_ms: tuple[float, ...] = ()
    reason: str | None = None
    failure: Failure | None = None
    messages: tuple[Message, ...] = ()


class Slis(Struct, frozen=True, kw_only=True):
    """The service level indicators of a run. Whatever was not measured is None.

    `lag_ms` has the keys `p50`, `p95`, `p99` and `max`. `expected` and `delivered` count changes, once for
    each client that had to receive them.
    """

    passed: int
    failed: int
    skipped: int
    seconds: float
    handshake_ms: float | None
    rtt_ms: float | None
    join_ms: float | None
    ready_ms: float | None
    lag_ms: dict[str, float] | None
    expected: int | None
    delivered: int | None
    out_of_order: int | None
    delivery_percent: float | None


class Run(Struct, frozen=True, kw_only=True):
    """A test run as reports show it.

    Attributes:
        host: The project's host.
        identity: The identity under which the project was tested.
        table: The table that was written to.
        started: When the run began, in µs.
        interruption: One sentence that says when a signal ended the run; None if it ran to its end.
        untested: The suites that the user named and of which every check was skipped, each with the reason.
    """

    version: str
    host: str
    identity: str
    table: str
    started: int
    results: tuple[Result, ...]
    slis: Slis
    exit_code: int
    interruption: str | None = None
    untested: dict[str, str] = {}
