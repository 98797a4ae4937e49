"""A moment of a recording, found in its file: by halves, since the lines stand in the order of their time."""

from __future__ import annotations

import re
from typing import IO

import msgspec

from prt.stream.recording.lines import moment_of

WARM_LINES = 2_500
WARM_BYTES = 2 << 20
"""What is read before the moment, so that views and rows are as they were, about."""
_TAIL_BYTES = 1 << 20
_AT = re.compile(rb'"at":\s*"([^"]+)"')


def moment_in(line: bytes) -> int | None:
    """Return the moment (µs) of a line; None if the line has no time."""
    found = _AT.search(line)
    if found is None:
        return None
    try:
        return moment_of(found[1].decode())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def offset_of(file: IO[bytes], begin: int, moment: int) -> int:
    """Return where the first line stands that came at `moment` (µs) or later; the file's end if none did.

    Args:
        file: The recording, which is left anywhere.
        begin: Where its events begin, in bytes.
        moment: In µs since the epoch.
    """
    low, high = begin, file.seek(0, 2)
    while low < high:
        middle = (low + high) // 2
        start = _line_start(file, middle, low)
        file.seek(start)
        line = file.readline()
        at = moment_in(line)
        if at is not None and at >= moment:
            high = start
        else:
            low = start + max(len(line), 1)
    return low


def warm_offset(file: IO[bytes], begin: int, offset: int) -> int:
    """Return where the lines begin that are read before `offset`, to know what was there."""
    first = max(begin, offset - WARM_BYTES)
    file.seek(first)
    block = file.read(offset - first)
    if first > begin:
        cut = block.find(b"\n") + 1
        first, block = first + cut, block[cut:]
    lines = block.count(b"\n")
    position = 0
    for _ in range(max(lines - WARM_LINES, 0)):
        position = block.index(b"\n", position) + 1
    return first + position


def last_moment(file: IO[bytes], begin: int) -> int | None:
    """Return the moment (µs) of the last line that has one."""
    size = file.seek(0, 2)
    file.seek(max(begin, size - _TAIL_BYTES))
    moments = (moment_in(line) for line in reversed(file.read().splitlines()))
    return next((moment for moment in moments if moment is not None), None)


def _line_start(file: IO[bytes], position: int, least: int) -> int:
    """Return where the line begins that a byte belongs to."""
    step = 4096
    while True:
        first = max(position - step, least)
        file.seek(first)
        newline = file.read(position - first).rfind(b"\n")
        if newline >= 0:
            return first + newline + 1
        if first == least:
            return least
        step *= 8
