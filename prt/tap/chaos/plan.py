"""The plan of faults as plain values, which are validated when the options are read."""

from __future__ import annotations

import random
from typing import Literal

from msgspec import Struct

Kind = Literal["cut", "half-open", "refuse", "expire-token"]

REFUSALS: dict[int, str] = {
    401: '{"error":"Token has expired"}',
    403: '{"error":"Realtime was disabled for this tenant"}',
    429: '{"error":"Too many connected users"}',
    503: '{"message":"name resolution failed"}',
}
"""The bodies of the answers of `--refuse` by status, as the server or its gateway words them."""


class FaultPlan(Struct, frozen=True, kw_only=True):
    """A fault of the plan. The plan's time begins when the app's first websocket has opened.

    Attributes:
        at: The fault happens once, after this many seconds.
        every: The fault is repeated, each time after this many seconds.
        seconds: How long the fault lasts each time.
        status: The HTTP status of a refusal.
    """

    kind: Kind
    at: float | None = None
    every: float | None = None
    seconds: float = 0.0
    status: int = 503

    @property
    def name(self) -> str:
        """Return the name of the fault in a finding."""
        return f"{self.kind} {self.status}" if self.kind == "refuse" else self.kind


class ChaosPlan(Struct, frozen=True, kw_only=True):
    """The faults of a run. The same seed produces the same delays and drops."""

    faults: tuple[FaultPlan, ...] = ()
    delay: tuple[float, float] | None = None
    """The mean delay in seconds, and how far each delay may differ from it."""
    drop_rate: float = 0.0
    """The share of changes that are dropped, from 0 to 1."""
    seed: int | None = None
    expect_recovery: float | None = None
    """The number of seconds after each fault in which the app must have recovered."""

    def __bool__(self) -> bool:
        """Return whether the proxy has to interfere at all."""
        return bool(self.faults or self.delay or self.drop_rate)

    def random(self) -> random.Random:
        """Return the random number generator for delays and drops."""
        return random.Random(self.seed)  # noqa: S311 - faults, not secrets
