"""Finding a moment in a recording's file by bisection, since the lines are in the order of time."""

from __future__ import annotations

import re
from typing import IO

import msgspec

from prt.stream.recording.lines import moment_of

WARM_LINES = 2_500
"""The most lines before a moment that are read to restore the state of views and rows approximately."""
WARM_BYTES = 2 << 20
"""The most bytes before a moment that are read for the same purpose."""
_TAIL_BYTES = 1 << 20
_AT = re.compile(rb'"at":\s*"([^"]+)"')


def moment_in(line: bytes) -> int | None:
    """Return the moment of a line (µs since the epoch); None if the line is undated."""
    found = _AT.search(line)
    if found is None:
        return None
    try:
        return moment_of(found[1].decode())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def offset_of(file: IO[bytes], begin: int, moment: int) -> int:
    """Return the offset of the first line that came at a moment or later; the file's size if there is none.

    Args:
        file: The recording. Its position afterwards is undefined.
        begin: The offset of the first event, in bytes.
        moment: The moment, in µs since the epoch.
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
    """Return the offset of the lines that restore the state before another offset.

    Args:
        file: The recording. Its position afterwards is undefined.
        begin: The offset of the first event, in bytes.
        offset: The offset from which events are played.
    """
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
    """Return the moment (µs since the epoch) of the last line that has one, or None."""
    size = file.seek(0, 2)
    file.seek(max(begin, size - _TAIL_BYTES))
    moments = (moment_in(line) for line in reversed(file.read().splitlines()))
    return next((moment for moment in moments if moment is not None), None)


def _line_start(file: IO[bytes], position: int, least: int) -> int:
    """Return the offset of the line that contains a byte."""
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
