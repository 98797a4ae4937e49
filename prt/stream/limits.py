"""Limits of a server on what one client sends, checked before sending: above them it closes the channel."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from prt.errors import PrtError, UsageError

LARGEST_BROADCAST = 3_000_000
"""The most bytes of a broadcast: the server's default. It is 256 KB on the free plan, which a client can't
know."""
PRESENCE_KEYS = 10
"""The most keys of a tracked object."""
PRESENCE_CALLS, PRESENCE_WINDOW_SECONDS = 5, 30.0
"""The most calls of track and untrack in a window of this many seconds."""

_is_json = msgspec.json.Decoder(Raw).decode


def checked_size(size: int) -> None:
    """Raise UsageError if a broadcast of this many bytes is too large."""
    if size > LARGEST_BROADCAST:
        raise UsageError(
            f"a broadcast of {size / 1000:,.0f} KB is above the limit of {LARGEST_BROADCAST // 1000:,} KB",
            "send less, or where it can be fetched (the free plan takes 256 KB)",
        )


def checked_json(payload: bytes, what: str) -> None:
    """Raise UsageError if a payload is not valid JSON: the server would pass it on unchecked.

    Args:
        payload: The payload.
        what: What it is, for the error message.
    """
    try:
        _is_json(payload)
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"{what} is not valid JSON: {exc}") from exc


def checked_presence(payload: Mapping[str, Any]) -> None:
    """Raise UsageError if an object has more keys than a presence may have."""
    if len(payload) > PRESENCE_KEYS:
        raise UsageError(
            f"a presence may have {PRESENCE_KEYS} keys, this one has {len(payload)}",
            "track what identifies, and fetch the rest",
        )


class PresenceCalls:
    """The calls of track and untrack for one join. The server counts those of the last 30 s."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque(maxlen=PRESENCE_CALLS)

    def count(self, now: float) -> None:
        """Count a call at `now` (seconds of a running clock).

        Raises:
            PrtError: If it is one call too many.
        """
        is_full = len(self._moments) == PRESENCE_CALLS
        left = self._moments[0] + PRESENCE_WINDOW_SECONDS - now if is_full else 0.0
        if left > 0:
            raise PrtError(
                f"a client may track and untrack {PRESENCE_CALLS} times in {PRESENCE_WINDOW_SECONDS:g} s",
                f"again in {max(left, 1):.0f} s",
            )
        self._moments.append(now)
