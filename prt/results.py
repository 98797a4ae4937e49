"""The findings of `prt status` and the results of `prt test`, which lines and exit codes are made of."""

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
"""From here to a live subscription; below one that failed nothing is guessed."""

Outcome = Literal["pass", "fail", "skip"]
"""How a check of a test run can end."""

STATES: Final[tuple[State, ...]] = get_args(State)
_GRAVITY: Final[dict[State, int]] = {"ok": 0, "skipped": 1, "unknown": 2, "warning": 3, "failed": 4}


class Cause(Struct, frozen=True):
    """One sentence why, and one command or SQL that mends it."""

    why: str
    remedy: str | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """`figure` is what was measured. Several `causes` can't be told apart: the likeliest comes first.

    `check` is a part of its layer: what of a table (`table` is `schema.table`), which value of the
    configuration. `exit_code` is that of a failure.
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
    """False if a layer above it failed, so that it was not looked at."""


def of_error(layer: Layer, error: PrtError, *, figure: str = "", check: str | None = None) -> Finding:
    """A layer that ended with one of our errors: its message is why, its hint the remedy."""
    cause = Cause(error.message, error.hint)
    return Finding(
        layer=layer, state="failed", figure=figure, causes=(cause,), check=check, exit_code=error.exit_code
    )


def worst(findings: Iterable[Finding]) -> State:
    """The gravest of the states; ok where there are none."""
    return max((finding.state for finding in findings), key=_GRAVITY.__getitem__, default="ok")


def exit_code_of(findings: Iterable[Finding], *, is_strict: bool) -> int:
    """Return the exit code of the first layer that failed; 1 for warnings if they count."""
    states = list(findings)
    failed = next((finding for finding in states if finding.state == "failed"), None)
    if failed is not None:
        return failed.exit_code
    return int(is_strict and any(finding.state == "warning" for finding in states))


def is_live(findings: Iterable[Finding]) -> bool:
    """Whether there is something to watch: a channel, and where tables are asked about one that is READY."""
    states = list(findings)
    ready = [one.state == "ok" for one in states if one.check == "READY"]
    is_joined = any(one.layer == "join" and one.state == "ok" for one in states)
    return is_joined and (any(ready) or not ready)


def counts_of(findings: Iterable[Finding]) -> dict[str, int]:
    """How many of each state."""
    counted = Counter(finding.state for finding in findings)
    return {state: counted[state] for state in STATES}


class Failure(Struct, frozen=True, kw_only=True):
    """Why a check failed: `server` is its own words, `cause` the likeliest first if there are several.

    `sentence` tells it in one sentence if it is more than that `expected` did not come.
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
    """Something that came from the server, or went to it; `at` in µs, `who` the identity."""

    at: int
    who: str
    text: str


class Result(Struct, frozen=True, kw_only=True):
    """The result of a check: `at` in µs; `reason` is why it was skipped; `round` counts from 1."""

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
    """The service levels of a run. `lag_ms` has p50, p95, p99, max; what was not measured is None.

    `expected` and `delivered` are changes, each once for each client that had to get it.
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
    """A test run as its reports know it.

    `started` is in µs; `host` is the project's, `identity` as whom it was tested, `table` the one that was
    written to.
    """

    version: str
    host: str
    identity: str
    table: str
    started: int
    results: tuple[Result, ...]
    slis: Slis
    exit_code: int
    interrupted: bool = False
