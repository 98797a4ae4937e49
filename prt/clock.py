"""The clock that dates all events."""

from __future__ import annotations

import time


def wall_clock() -> int:
    """Return the time in µs since the epoch."""
    return time.time_ns() // 1000
