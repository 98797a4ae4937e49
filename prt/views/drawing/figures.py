"""Times, durations, lags and counts, formatted for people."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def clock(at: int, tz: tzinfo | None = None, *, is_fine: bool = False) -> str:
    """Return a time of day, as `16:45:14`.

    Args:
        at: The time (µs since the epoch).
        tz: The time zone; None is the local one.
        is_fine: Whether to add milliseconds, as in `16:45:14.976`.
    """
    moment = datetime.fromtimestamp(at // 1_000_000, tz)
    return f"{moment:%H:%M:%S}.{at // 1000 % 1000:03d}" if is_fine else f"{moment:%H:%M:%S}"


def moment(at: int, now: int, tz: tzinfo | None = None) -> str:
    """Return a time (µs) of day, after its date if that differs from the date of `now`: `21 Nov 16:45:14`."""
    day, today = (datetime.fromtimestamp(time // 1_000_000, tz).date() for time in (at, now))
    return clock(at, tz) if day == today else f"{day.day} {_MONTHS[day.month - 1]} {clock(at, tz)}"


def milliseconds(value: float | None) -> str:
    """Return a time (ms) in at most seven characters, as `4.3 ms`, `43 ms` or `12 min`; `–` if it's None.

    The time can be negative.
    """
    if value is None:
        return "–"
    sign, size = ("-" if value < 0 else ""), abs(value)
    if size < 9.95:
        return f"{sign}{size:.1f} ms"
    if size < 999.5:
        return f"{sign}{size:.0f} ms"
    if size < 9_995:
        return f"{sign}{size / 1000:.2f} s"
    if size < 99_950:
        return f"{sign}{size / 1000:.0f} s"
    if size < 99 * 60_000:
        return f"{sign}{size / 60_000:.0f} min"
    if size < 72 * 3_600_000:
        return f"{sign}{size / 3_600_000:.0f} h"
    return f"{sign}{min(size / 86_400_000, 9999):.0f} d"


def duration(microseconds: int) -> str:
    """Return a duration (µs) as `3.2 s`, `4 min 05 s` or `2 h 07 min`."""
    seconds = max(microseconds, 0) / 1_000_000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def roughly(microseconds: int) -> str:
    """Return a duration (µs) rounded to what matters: `8 d`, `23 h`, `54 min`, `4 min 12 s`, `42 s`.

    The shorter the duration, the finer the unit, which suits a countdown.
    """
    seconds = max(-(-microseconds // 1_000_000), 0)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 300:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    if seconds < 120 * 60:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 72 * 3600 else f"{seconds // 86400:,} d"


def per_second(rate: float) -> str:
    """Return a rate as `4.2/s`."""
    return f"{rate:,.0f}/s" if rate >= 99.95 or rate == 0 else f"{rate:.1f}/s"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun, as `2,345 events`; `many` is a plural that doesn't just add an `s`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def table_name(schema: str, table: str) -> str:
    """Return `schema.table`, or the table alone if its schema is `public`."""
    return table if schema == "public" else f"{schema}.{table}"


def timestamp_text(at: int) -> str:
    """Return a time (µs) as RFC 3339 in UTC with milliseconds: short, and the same on every machine."""
    return f"{datetime.fromtimestamp(at // 1_000_000, UTC):%Y-%m-%dT%H:%M:%S}.{at // 1000 % 1000:03d}Z"


def lag_text(lag: dict[str, float]) -> str:
    """Return percentiles of a lag (ms) as `lag p50 43 ms, p95 120 ms, p99 300 ms, max 1.20 s`."""
    return "lag " + ", ".join(f"{name} {milliseconds(value)}" for name, value in lag.items())
