"""A bar that shows the position in a recording, the speed, and whether the replay is paused."""

from __future__ import annotations

from typing import Protocol

from rich.text import Text

from prt.views.drawing.figures import clock
from prt.views.drawing.lines import plain

_LEAST = 10
"""The width in cells below which the bar itself is left out."""


class Playback(Protocol):
    """A recording that is being played; times are in µs since the epoch."""

    @property
    def started_at(self) -> int:
        """The beginning of the recording (µs)."""
        ...

    @property
    def ended_at(self) -> int:
        """The end of the recording (µs)."""
        ...

    @property
    def speed(self) -> float | None:
        """The speed as a factor; None for as fast as possible."""
        ...

    @property
    def is_halted(self) -> bool:
        """Whether the replay is paused."""
        ...

    def now(self) -> int:
        """Return the current position in the recording (µs since the epoch)."""
        ...


class PlaybackBar:
    """A line with the position in a recording, which is read each time the line is drawn."""

    def __init__(self, playback: Playback) -> None:
        self._playback = playback

    @property
    def is_halted(self) -> bool:
        """Whether the replay is paused."""
        return self._playback.is_halted

    def line(self, width: int) -> Text:
        """Return the bar in at most `width` cells."""
        one = self._playback
        begin, end = one.started_at, max(one.ended_at, one.started_at + 1)
        now = min(max(one.now(), begin), end)
        speed = "max" if one.speed is None else f"{one.speed:g}×"
        line = plain().append("‖ paused" if one.is_halted else "▶", "bold").append(f" {speed} ")
        last = f" {clock(end, None)} "
        line.append(f"{clock(now, None)} ")
        room = width - line.cell_len - len(last)
        if room >= _LEAST:
            position = min((now - begin) * room // (end - begin), room - 1)
            line.append("━" * position, "bold").append("●", "bold").append("─" * (room - position - 1))
        line.append(last.rstrip())
        line.truncate(width)
        return line
