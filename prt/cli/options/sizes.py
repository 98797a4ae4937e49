"""The parser of sizes such as 64MB or 1GB."""

from __future__ import annotations

import re
from typing import Final

from prt.errors import UsageError

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)(i?)b?", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3}


def parse_size(text: str, option: str) -> int:
    """Return the bytes of a size such as `64MB`, `64M`, `1GiB` or `1000000`.

    k, M and G are powers of 1000, and with an `i` powers of 1024.

    Raises:
        UsageError: The text isn't a size above 0; the message names `option`.
    """
    match = _SIZE.fullmatch(text.strip())
    size = 0
    if match is not None:
        size = round(float(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2].lower()])
    if size <= 0:
        raise UsageError(f'{option} expects a size, not "{text}"', "write 64MB, 512kB or 1GB")
    return size
