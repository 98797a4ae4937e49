"""A limit for numbers with large exponents: PostgreSQL expands `1e131071` to 131,072 digits."""

from __future__ import annotations

import re

from prt.local.rest.errors import RestError
from prt.local.serving.turns import paced

MOST_DIGITS = 1024 * 1024
"""The most digits to which the exponents in one body may expand.

The digits are written to the write-ahead log, in which the changes of all clients wait behind them: 13 kB of
such numbers become 180 MB there.
"""
LARGEST_CHECKED = 4 * 1024 * 1024
PIECE, OVERLAP = 1024 * 1024, 64
DIGITS_OF_EXPONENT = 9

EXPONENT = re.compile(rb"[0-9][eE]\+?0*([1-9][0-9]{2,})")
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


async def check(body: bytes) -> None:
    """Raise RestError `22003`, PostgreSQL's code, if the numbers of a JSON body expand to too many digits.

    Strings can contain text that looks like such a number. So if there are too many digits, they are counted
    again without the strings, unless the body is larger than `LARGEST_CHECKED` bytes.
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
    # PostgreSQL accepts no longer exponents, and converting them would take quadratic time.
    return sum(int(found[:DIGITS_OF_EXPONENT]) for found in EXPONENT.findall(text))
