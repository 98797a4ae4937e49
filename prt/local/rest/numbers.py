"""The digits that PostgreSQL makes of a body's numbers: `1e131071` becomes 131,072 of them."""

from __future__ import annotations

import re

from prt.local.rest.errors import RestError
from prt.local.serving.turns import paced

MOST_DIGITS = 1024 * 1024
"""Of one body, made by exponents. They go through the log of changes, where every client's changes wait for
them: 13 kB of such numbers are 180 MB there."""
LARGEST_CHECKED = 4 * 1024 * 1024
PIECE, OVERLAP = 1024 * 1024, 64
DIGITS_OF_EXPONENT = 9

EXPONENT = re.compile(rb"[0-9][eE]\+?0*([1-9][0-9]{2,})")
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


async def check(body: bytes) -> None:
    """Raise RestError 22003, as PostgreSQL does for a number that is too long, for too many digits.

    Text may hold what looks like such a number, and is left out if there is reason to look closely.
    """
    if not await _is_suspect(body):
        return
    if len(body) <= LARGEST_CHECKED and _digits(STRING.sub(b"", body)) <= MOST_DIGITS:
        return
    raise RestError(
        400,
        "22003",
        "value overflows numeric format",
        f"The numbers of a request may have {MOST_DIGITS} digits by their exponents",
    )


async def _is_suspect(body: bytes) -> bool:
    digits = 0
    async for start in paced(range(0, len(body), PIECE)):
        digits += _digits(body[start : start + PIECE + OVERLAP])
    return digits > MOST_DIGITS


def _digits(text: bytes) -> int:
    # A longer exponent is none that PostgreSQL takes, and conversion takes quadratic time.
    return sum(int(found[:DIGITS_OF_EXPONENT]) for found in EXPONENT.findall(text))
