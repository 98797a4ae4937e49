"""The plan of faults: plain values, checked where the options are read."""

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
"""The answers of `--refuse` in the words of the server, or of its gateway."""


class FaultPlan(Struct, frozen=True, kw_only=True):
    """One fault: once after `at` seconds or again and again `every` so many, for `seconds` each time.

    The time begins when the app's first websocket has opened. `status` is that of a refusal.
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
    """All faults of a run; the same seed makes the same delays and drops."""

    faults: tuple[FaultPlan, ...] = ()
    delay: tuple[float, float] | None = None
    """Seconds and how far they may differ from it."""
    drop_rate: float = 0.0
    """The part of the changes that is dropped, from 0 to 1."""
    seed: int | None = None
    expect_recovery: float | None = None
    """Seconds in which the app has to be as it was after each fault."""

    def __bool__(self) -> bool:
        """Whether the proxy has to interfere at all."""
        return bool(self.faults or self.delay or self.drop_rate)

    def random(self) -> random.Random:
        """Return the source of delays and drops."""
        return random.Random(self.seed)  # noqa: S311 - faults, not secrets
