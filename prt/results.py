"""What a layer turned out to be: the value that a line, a JSON object and an exit code are made of."""

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
    """Of the first layer that failed; 1 for warnings where they count."""
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
