"""Limits of what a server takes from one client, checked beforehand: above them it closes the channel."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from prt.errors import PrtError, UsageError

LARGEST_BROADCAST = 3_000_000
"""Bytes, the server's default; 256 KB on the free plan, which no client can tell ahead."""
PRESENCE_KEYS = 10
PRESENCE_CALLS, PRESENCE_WINDOW_SECONDS = 5, 30.0

_is_json = msgspec.json.Decoder(Raw).decode


def checked_size(size: int) -> None:
    """Raises UsageError where a broadcast of so many bytes is too large."""
    if size > LARGEST_BROADCAST:
        raise UsageError(
            f"a broadcast of {size / 1000:,.0f} KB is above the limit of {LARGEST_BROADCAST // 1000:,} KB",
            "send less, or where it can be fetched (the free plan takes 256 KB)",
        )


def checked_json(payload: bytes, what: str) -> None:
    """Raise UsageError if a payload is not JSON: the server would pass it on as it is."""
    try:
        _is_json(payload)
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"{what} is not valid JSON: {exc}") from exc


def checked_presence(payload: Mapping[str, Any]) -> None:
    """Raises UsageError where an object has more keys than a presence may."""
    if len(payload) > PRESENCE_KEYS:
        raise UsageError(
            f"a presence may have {PRESENCE_KEYS} keys, this one has {len(payload)}",
            "track what identifies, and fetch the rest",
        )


class PresenceCalls:
    """Tracks and untracks of one join, of which the server counts the last half minute."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque(maxlen=PRESENCE_CALLS)

    def count(self, now: float) -> None:
        """One more, `now` in seconds. Raises PrtError where it is one too many."""
        is_full = len(self._moments) == PRESENCE_CALLS
        left = self._moments[0] + PRESENCE_WINDOW_SECONDS - now if is_full else 0.0
        if left > 0:
            raise PrtError(
                f"a client may track and untrack {PRESENCE_CALLS} times in {PRESENCE_WINDOW_SECONDS:g} s",
                f"again in {max(left, 1):.0f} s",
            )
        self._moments.append(now)
