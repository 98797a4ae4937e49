"""Sizes as they are typed: 64MB, 1GB."""

from __future__ import annotations

import re
from typing import Final

from prt.errors import UsageError

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)(i?)b?", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3}


def parse_size(text: str, option: str) -> int:
    """Return the bytes of `64MB`, `64M`, `1GiB` or `1000000`; a thousand is 1,000 unless an `i` stands there.

    Raises:
        UsageError: It is not a size, or not more than 0.
    """
    match = _SIZE.fullmatch(text.strip())
    size = 0
    if match is not None:
        size = round(float(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2].lower()])
    if size <= 0:
        raise UsageError(f'{option} expects a size, not "{text}"', "write 64MB, 512kB or 1GB")
    return size
