"""The summary that stays on the terminal when a live view ends."""

from __future__ import annotations

from rich.cells import cell_len

from prt.events import End
from prt.state.screen import Screen
from prt.views.drawing.cells import cut, safe
from prt.views.drawing.figures import counted, duration, lag_text, per_second, table_name
from prt.views.drawing.notices import gap_text
from prt.views.drawing.verification import verification_lines

_REASONS = {
    "count": "the count was reached",
    "duration": "the duration is over",
    "idle": "nothing came for the idle time",
    "timeout": "the timeout ran out",
    "signal": "stopped",
    "error": "an error ended it",
    "expect": "all that was expected came",
    "quit": "quit",
    "once": "what there is was shown",
    "command": "the command has ended",
    "agent": "the time of a watch for an agent is over",
    "replayed": "the recording is over",
}
_TABLES = 40


def summary(screen: Screen, *, title: str = "") -> list[str]:
    """Return the summary as safe lines, which aren't cut because a remedy must be complete."""
    lines = [_headline(screen, title)]
    seconds = _watched(screen) / 1_000_000
    if screen.events and seconds > 0:
        lines[0] += f", {per_second(screen.events / seconds)} on average"
    lag = screen.lag.summary()
    if lag:
        lines.append(lag_text(lag))
    lines += _tables(screen)
    if screen.broadcasts:
        lines.append(counted(screen.broadcasts, "broadcast"))
    if screen.presences:
        lines.append(counted(screen.presences, "presence event"))
    for kind, count in screen.reported.items():
        lines.append(counted(count, kind.__name__.lower()))
    if screen.read["backfill"]:
        lines.append(f"{counted(screen.read['backfill'], 'row')} backfilled")
    if screen.read["snapshot"]:
        lines.append(f"{counted(screen.read['snapshot'], 'row')} of a snapshot")
    for refusal in screen.refused.values():
        lines.append(f"✗ {refusal.table}: {refusal.reason or 'refused'}")
        lines += [f"hint: {refusal.hint}"] if refusal.hint else []
    lines += _gaps(screen)
    if screen.end is not None:
        lines += verification_lines(screen.verification, screen.end.at)
        lines += _cost(screen.end)
    if screen.malformed:
        lines.append(f"! {counted(screen.malformed, 'unreadable frame')} left out")
    if screen.end:
        lines.append(f"ended: {_REASONS[screen.end.reason]}")
    return [safe(line) for line in lines]


def _headline(screen: Screen, title: str) -> str:
    what = f"{title}: " if title else ""
    return f"{what}{counted(screen.events, 'event')} in {duration(_watched(screen))}"


def _watched(screen: Screen) -> int:
    if screen.first_at is None or screen.last_at is None:
        return 0
    return screen.last_at - screen.first_at


def _cost(end: End) -> list[str]:
    """Return how much of the project's quota the watch used."""
    if end.cost is None or not end.cost.connections:
        return []
    connections = counted(end.cost.connections, "connection")
    channels = counted(end.cost.channels, "channel")
    return [f"cost {counted(end.cost.messages, 'message')}, {connections}, {channels}"]


def _gaps(screen: Screen) -> list[str]:
    """Return how many gaps there were, and the last of them; it also reports that there were none."""
    if not screen.gaps:
        return [] if screen.ready_at is None else ["no gaps"]
    mark = "!" if screen.incomplete_gaps else "✓"
    counts = f"{screen.incomplete_gaps:,} incomplete, {screen.recovered:,} recovered"
    lines = [f"{mark} {counted(screen.gaps, 'gap')}, {counts}"]
    earlier = screen.gaps - len(screen.last_gaps)
    if earlier:
        lines.append(f"  {earlier:,} before these")
    return lines + [f"  {gap_text(gap)}" for gap in screen.last_gaps]


def _tables(screen: Screen) -> list[str]:
    """Return the changes of each table by kind, the busiest table first."""
    totals: dict[tuple[str, str], int] = {}
    for (schema, table, _), count in screen.changes.items():
        totals[schema, table] = totals.get((schema, table), 0) + count
    if not totals:
        return []
    order = sorted(totals, key=lambda name: (-totals[name], name))
    names = {name: cut(safe(table_name(*name)), 32) for name in order[:_TABLES]}
    width = max(cell_len(name) for name in [*names.values(), "table"])
    kinds = ("INSERT", "UPDATE", "DELETE")
    lines = [f"  {'table':{width}} " + " ".join(f"{kind:>9}" for kind in kinds)]
    for name, shown in names.items():
        counts = " ".join(f"{screen.changes.get((*name, kind), 0):>9,}" for kind in kinds)
        lines.append(f"  {shown}{' ' * (width - cell_len(shown))} {counts}")
    if len(order) > _TABLES:
        lines.append(f"  and {len(order) - _TABLES} tables more")
    return lines
