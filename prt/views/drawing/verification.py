"""How completely the tables are verified, as text."""

from __future__ import annotations

from prt.events import Verified
from prt.state.figures.verification import Verification
from prt.views.drawing.cells import safe
from prt.views.drawing.figures import counted, roughly, table_name


def age_text(verification: Verification, now: int) -> str | None:
    """Return how many tables are verified and how old the oldest verification is at `now` (µs).

    Returns:
        The text, which leaves out the number if all tables are verified; None if no table is.
    """
    verified, count = verification.verified, len(verification.tables)
    if not verified or verified[0].verified_at is None:
        return None
    tables = f"{len(verified):,} of {count:,} tables " if len(verified) < count else ""
    return f"{tables}verified {roughly(max(now - verified[0].verified_at, 0))} ago"


def verification_lines(verification: Verification, now: int) -> list[str]:
    """Return how many tables are verified, and the reason for each that isn't, or not wholly."""
    text = age_text(verification, now)
    lines = [] if text is None else [text if text[0].isdigit() else f"{_all(verification)} {text}"]
    return lines + [limit_text(one) for one in verification.limited]


def limit_text(one: Verified) -> str:
    """Return the part of a table that is not verified, and the reason."""
    name = table_name(*one.table.partition(".")[::2])
    what = "not verified" if one.scope == "none" else "only inserts are verified"
    return safe(f"{name} {what}: {one.reason}")


def _all(verification: Verification) -> str:
    return counted(len(verification.tables), "table")
