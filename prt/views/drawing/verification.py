"""The verified completeness of the tables, in words."""

from __future__ import annotations

from prt.events import Verified
from prt.state.figures.verification import Verification
from prt.views.drawing.cells import safe
from prt.views.drawing.figures import counted, roughly, table_name


def age_text(verification: Verification, now: int) -> str | None:
    """Return how many tables are verified, and how long ago the oldest of them was at `now` (µs)."""
    verified, count = verification.verified, len(verification.tables)
    if not verified or verified[0].verified_at is None:
        return None
    tables = f"{len(verified):,} of {count:,} tables " if len(verified) < count else ""
    return f"{tables}verified {roughly(max(now - verified[0].verified_at, 0))} ago"


def verification_lines(verification: Verification, now: int) -> list[str]:
    """Return how far the tables are verified, and for those that are not, or not wholly, the reason."""
    text = age_text(verification, now)
    lines = [] if text is None else [text if text[0].isdigit() else f"{_all(verification)} {text}"]
    return lines + [limit_text(one) for one in verification.limited]


def limit_text(one: Verified) -> str:
    """Return what of a table is not verified, and why."""
    name = table_name(*one.table.partition(".")[::2])
    what = "not verified" if one.scope == "none" else "only inserts are verified"
    return safe(f"{name} {what}: {one.reason}")


def _all(verification: Verification) -> str:
    return counted(len(verification.tables), "table")
