"""The screen of `prt status --watch`: the layers, and how much of the plan's limits our connection uses."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from rich.text import Text

from prt.clock import wall_clock
from prt.events import Event
from prt.results import Finding, worst
from prt.state.figures.usage import Usage, Use
from prt.state.screen import Screen
from prt.views.drawing.cells import safe
from prt.views.drawing.escaping import escaped_line
from prt.views.drawing.figures import counted, lag_text, milliseconds, per_second, timestamp_text
from prt.views.panels.layers import MARKS, Layers
from prt.views.sinks import ndjson
from prt.views.sinks.output import LineOutput
from prt.views.sinks.text import TextLines

FULL: Final = 0.8
"""The share of a limit from which on the use is marked."""
EVERY: Final = 1_000_000
"""The time between two lines of figures (µs)."""
_KEPT: Final = ("status", "gap", "malformed")


class StatusView:
    """A view of the layers and of the use of the limits; `plan` is the name of the plan."""

    title = "status"

    def __init__(self, findings: Sequence[Finding], usage: Usage, *, plan: str) -> None:
        self._findings = findings
        self._usage = usage
        self._plan = plan

    def apply(self, event: Event) -> None:
        """Apply an event to the use of the limits."""
        self._usage.apply(event)

    def lines(self, width: int, height: int, now: int) -> list[Text]:
        """Return the use of the limits, a word for each layer, and as many bad findings as fit."""
        uses = [self._heading(), *(self._use(use) for use in self._usage.uses(now))]
        lines = [*uses, Text(), *self._layers(width), Text()]
        layers = Layers(width, [(one.table or "").removeprefix("public.") for one in self._findings])
        bad = [one for one in self._findings if one.state not in ("ok", "skipped")]
        lines += [line for finding in bad for line in layers.add(finding)]
        lines += layers.rest() if bad else []
        shown = lines[:height]
        for line in shown:
            line.truncate(width)
        return shown

    def summary(self) -> list[str]:
        """Return the highest rates, and their share of the plan's limits."""
        return [_peak_text(use) for use in self._usage.uses(0) if use.is_rate and use.most]

    def _heading(self) -> Text:
        return _fixed(f"  {'ours':12}{'now':>9}{'most':>9}{'limit':>9}  of {self._plan}", "underline")

    def _use(self, use: Use) -> Text:
        is_full = use.share >= FULL
        glyph, style = MARKS["warning" if is_full else "ok"]
        now = per_second(use.now) if use.is_rate else f"{use.now:,.0f}"
        unit = "/s" if use.is_rate else ""
        most, limit = f"{use.most:,.0f}{unit}", f"{use.limit:,}{unit}"
        text = _fixed(f"{glyph} ", style).append(f"{use.name:12}{now:>9}{most:>9}{limit:>9}")
        return text.append(f"  {use.share:.0%}", style if is_full else "")

    def _layers(self, width: int) -> list[Text]:
        """Return a word for each layer, on as few lines as possible."""
        lines = [_fixed("")]
        for layer in dict.fromkeys(finding.layer for finding in self._findings):
            state = worst([finding for finding in self._findings if finding.layer == layer])
            glyph, style = MARKS[state]
            word = f"{glyph} {layer}"
            if lines[-1].cell_len and lines[-1].cell_len + len(word) + 2 > width:
                lines.append(_fixed(""))
            lines[-1].append("  " if lines[-1].cell_len else "").append(word, style)
        return lines


class FiguresOutput(LineOutput):
    """An output for a pipe: the steps of the channel, gaps, and figures every second, as NDJSON or text."""

    def __init__(
        self,
        fd: int,
        usage: Usage,
        *,
        is_json: bool,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        super().__init__(fd, ndjson.encode if is_json else TextLines().encode, only=_KEPT)
        self._usage = usage
        self._is_json = is_json
        self._clock = clock
        self._screen = Screen()
        self._due = 0

    def write(self, event: Event) -> None:
        """Write an event, and count it."""
        self._screen.apply(event)
        self._usage.apply(event)
        super().write(event)

    def drain(self) -> bool:
        """Write the figures if they are due, and as much as the pipe accepts without waiting."""
        now = self._clock()
        if now >= self._due and self._screen.vitals is not None:
            self._due = now + EVERY
            figures = figures_of(self._screen, self._usage, now)
            line = _encoded(figures, now) if self._is_json else _written(self._screen, self._usage, now)
            self._lines.append(line)
            self._pending += len(line)
        return super().drain()


def figures_of(screen: Screen, usage: Usage, now: int) -> dict[str, Any]:
    """Return the figures of the connection at `now` (µs), for a line of NDJSON."""
    vitals = screen.vitals
    round_trip = vitals.round_trip_ms if vitals else None
    return {
        "connection": screen.connection,
        "status": screen.channel,
        "phase": screen.phase,
        "round_trip_ms": None if round_trip is None else round(round_trip, 3),
        "reconnects": vitals.reconnects if vitals else 0,
        "events": screen.events,
        "rate": round(screen.rate.per_second(now), 3),
        "gaps": screen.gaps,
        "lag_ms": screen.lag.summary(),
        "limits": {
            use.name: {"now": round(use.now, 3), "most": use.most, "limit": use.limit}
            for use in usage.uses(now)
        },
    }


def _encoded(figures: dict[str, Any], now: int) -> bytes:
    line = {"type": "figures", "at": ndjson.timestamp(now), **figures}
    return escaped_line(json.dumps(line, separators=(",", ":")).encode()) + b"\n"


def _written(screen: Screen, usage: Usage, now: int) -> bytes:
    vitals, lag = screen.vitals, screen.lag.summary()
    parts: list[str] = ["connecting"]
    if screen.connection is not None and screen.channel is not None:
        parts = [screen.connection, screen.channel]
    if vitals is not None and vitals.round_trip_ms is not None:
        parts.append(f"rtt {milliseconds(vitals.round_trip_ms)}")
    parts += [counted(screen.events, "event"), per_second(screen.rate.per_second(now))]
    parts += [lag_text(lag)] if lag else []
    parts.append(counted(screen.gaps, "gap") if screen.gaps else "no gaps")
    parts.append(counted(vitals.reconnects if vitals else 0, "reconnect"))
    parts += [f"{use.name} at {use.share:.0%}" for use in usage.uses(now) if use.share >= FULL]
    return safe(f"{timestamp_text(now)} {' · '.join(parts)}").encode() + b"\n"


def _peak_text(use: Use) -> str:
    return f"{use.name}: at most {use.most:,.0f} in a second, {use.most / use.limit:.0%} of the limit"


def _fixed(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="crop")
