"""The head of a live view: the state of the connection and its figures.

It has two lines, or three if the terminal is narrower than 80 cells. If there is a reason for the
connection's state, or a notice about the session, it follows with the whole remedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from msgspec import Struct
from rich.cells import cell_len
from rich.text import Text

from prt.state.screen import Screen
from prt.views.drawing.cells import cut, safe, wrapped
from prt.views.drawing.figures import counted, milliseconds, moment, per_second, roughly
from prt.views.drawing.verification import age_text, unverified_text

CONNECTIONS = {
    "connected": ("●", "bold green"),
    "error": ("✗", "bold red"),
    "timeout": ("◷", "bold red"),
    "disconnected": ("○", "bold red"),
}
"""Glyph and style of each word for the state of the connection."""

SECOND = 1_000_000
SESSION_SOON = 5 * 60 * SECOND
"""How long before its end a session is marked (µs)."""

_BETWEEN = " · "
_WARNING = "bold red"
_NARROW = 80


class Figure(Struct, frozen=True):
    """A figure of the head, with its Rich style."""

    text: str
    style: str = ""


def head(
    screen: Screen,
    title: str,
    now: int,
    width: int,
    tz: tzinfo | None,
    *,
    came_while_paused: int | None = None,
    least: int = 0,
) -> list[Text]:
    """Return the lines of the head.

    Args:
        screen: The state to draw.
        title: The title, as safe text.
        now: The current time (µs).
        width: The most cells of a line.
        tz: The time zone; None is the local one.
        came_while_paused: Events since the view was paused; None if it isn't paused.
        least: The least lines, so that what is below stays in its place.
    """
    stream = _stream(screen, now)
    if came_while_paused is not None:
        stream.insert(0, Figure(f"‖ paused · {came_while_paused:,} new", "bold reverse"))
    figures = _flowed([stream, _health(screen, now)], width)
    lines = [_state(screen, title, now, width, tz), *figures, *_reason(screen, width)]
    return [*lines, *([Text()] * (least - len(lines)))]


def waiting(screen: Screen) -> str:
    """Return what an empty view is waiting for; after the end, that nothing arrived."""
    if screen.end is not None:
        return "nothing came"
    if screen.channel == "READY":
        is_topic_only = screen.topics and not screen.joined
        return "waiting for somebody to come or to send" if is_topic_only else "waiting for the first change"
    if screen.channel == "SUBSCRIBED":
        return "joined; waiting until the server says that changes flow"
    return "connecting" if screen.channel is None else ""


def waiting_for_rows(screen: Screen) -> str:
    """Return what an empty view of present rows is waiting for; once they are read, that none may be read."""
    return "no rows that this identity may read" if screen.has_loaded else waiting(screen)


def waiting_for_table(screen: Screen, table: str) -> str:
    """Return what an empty view of one table, `SCHEMA.TABLE`, is waiting for, or that it is not watched."""
    if screen.end is None and screen.channel == "READY" and table not in screen.joined:
        name = safe(table.removeprefix("public."))
        if table in screen.refused:
            return f"{name} was refused"
        return f"{name} is not watched: add the TABLE {name}"
    return waiting_for_rows(screen)


def _state(screen: Screen, title: str, now: int, width: int, tz: tzinfo | None) -> Text:
    """Return the first line; it leaves out what matters least before it cuts the title."""
    for spared in range(4):
        figures = _state_figures(screen, now, tz, spared)
        text = _joined(figures)
        if text.cell_len + 2 + cell_len(title) <= width:
            break
    fitted = cut(title, max(width - text.cell_len - 2, 0))
    text.append(" " * (width - text.cell_len - cell_len(fitted)) + fitted, "bold")
    return text


def _state_figures(screen: Screen, now: int, tz: tzinfo | None, spared: int) -> list[Figure]:
    """Return the figures of the first line.

    `spared` is how much is left out: 1 the duration, 2 the number of tables too, 3 also what the word for the
    connection implies.
    """
    connection, vitals = screen.connection, screen.vitals
    glyph, style = CONNECTIONS.get(connection or "", ("◌", "bold"))
    is_late = connection == "connected" and screen.phase == "degraded" and vitals is not None
    since = vitals.since if is_late and vitals is not None else screen.since

    def begun(what: str) -> str:
        if since is None:
            return what
        how_long = f" ({roughly((now - since) // SECOND * SECOND)})" if spared < 1 and now >= since else ""
        return f"{what} since {moment(since, now, tz)}{how_long}"

    if is_late:
        figures = [Figure(f"◐ {connection}", _WARNING), Figure(begun("degraded"), _WARNING)]
        figures += [Figure("no heartbeat")] if spared < 3 else []
    elif screen.channel is None or (spared == 3 and connection != "connected"):
        figures = [Figure(begun(f"{glyph} {connection or 'connecting'}"), style)]
    else:
        figures = [Figure(f"{glyph} {connection}", style), Figure(begun(screen.channel))]
    figures += _attempt(screen, now)
    if screen.joined and spared < 2:
        figures.append(Figure(counted(len(screen.joined), "table")))
    if screen.topics and spared < 2:
        figures.append(Figure(counted(len(screen.topics), "topic")))
    return figures


def _attempt(screen: Screen, now: int) -> list[Figure]:
    """Return what the client is doing about a connection that is down."""
    vitals = screen.vitals
    if vitals is None or screen.connection == "connected":
        return []
    retry = f"retry {vitals.failures:,}" if vitals.failures else "retry"
    if vitals.phase == "waiting" and vitals.retry_at is not None:
        left = vitals.retry_at - now
        return [Figure(f"{retry} in {roughly(left)}" if left > 0 else f"{retry} now", "bold")]
    if vitals.phase == "connecting" and vitals.failures:
        return [Figure(f"connecting, {retry}", "bold")]
    return [Figure("joining", "bold")] if vitals.phase in ("joining", "subscribed") else []


def _stream(screen: Screen, now: int) -> list[Figure]:
    figures = [counted(screen.events, "event"), per_second(screen.rate.per_second(now))]
    lag = screen.lag.summary()
    if lag:
        figures.append(f"lag p50 {milliseconds(lag['p50'])}, p95 {milliseconds(lag['p95'])}")
    if screen.read["backfill"]:
        figures.append(f"{screen.read['backfill']:,} backfilled")
    return [Figure(text) for text in figures]


def _health(screen: Screen, now: int) -> list[Figure]:
    """Return figures about completeness and health, the most important first.

    A narrow head drops the last.
    """
    figures = [_gaps(screen)] if screen.gaps or screen.ready_at is not None else []
    verified = age_text(screen.verification, now) or unverified_text(screen.verification)
    figures += [] if verified is None else [Figure(verified)]
    vitals = screen.vitals
    if vitals is not None:
        if vitals.token_expires_at is not None:
            figures.append(_session(vitals.token_expires_at - now))
        if vitals.round_trip_ms is not None:
            figures.append(Figure(f"rtt {milliseconds(vitals.round_trip_ms)}"))
        if vitals.reconnects:
            figures.append(Figure(counted(vitals.reconnects, "retry", "retries")))
    if screen.malformed:
        figures.append(Figure(f"{screen.malformed:,} malformed"))
    return figures


def _gaps(screen: Screen) -> Figure:
    """Return the number of gaps. An open gap counts, because it isn't known yet what was missed."""
    count = screen.gaps + screen.has_open_gap
    none = "no gaps seen" if screen.verification.has_unverified else "no gaps"
    parts = [counted(count, "gap") if count else none]
    parts += [f"{screen.incomplete_gaps:,} incomplete"] if screen.incomplete_gaps else []
    parts += ["1 open"] if screen.has_open_gap else []
    return Figure(", ".join(parts), _WARNING if len(parts) > 1 else "")


def _session(left: int) -> Figure:
    if left <= 0:
        return Figure("! session over", _WARNING)
    if left < SESSION_SOON:
        return Figure(f"! session {roughly(left)}", _WARNING)
    return Figure(f"session {roughly(left)}")


def _reason(screen: Screen, width: int) -> list[Text]:
    """Return the reason for a connection that is down, or the notice about one that is up."""
    if not screen.reason:
        return []
    is_up = screen.connection == "connected"
    mark = "! " if is_up else ""
    lines = [Text(cut(safe(mark + screen.reason), width), "bold" if is_up else _WARNING)]
    if screen.hint:
        lines += [Text(line) for line in wrapped(safe(f"hint: {screen.hint}"), width)]
    return [_fixed(line) for line in lines]


def _flowed(groups: Sequence[list[Figure]], width: int) -> list[Text]:
    """Return all groups on one line if they fit, otherwise each on its own line.

    Figures are not cut. There are at most two lines, or three if the terminal is narrower than 80 cells.
    """
    whole = _joined([figure for group in groups for figure in group])
    if whole.cell_len <= width:
        return [whole]
    lines: list[list[Figure]] = []
    for group in groups:
        lines.append([])
        for figure in group:
            if lines[-1] and _joined([*lines[-1], figure]).cell_len > width:
                lines.append([])
            lines[-1].append(figure)
    most = 2 if width >= _NARROW else 3
    texts = [_joined(line) for line in lines if line][:most]
    for text in texts:
        text.truncate(width)
    return texts


def _joined(figures: Sequence[Figure]) -> Text:
    text = _fixed(Text())
    for index, figure in enumerate(figures):
        text.append(_BETWEEN if index else "").append(figure.text, figure.style)
    return text


def _fixed(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "crop"
    return text
