"""Lines that are read from a pipe, a file or a terminal as they arrive, and lines that are written.

No thread is used for reading, because it would outlive the command.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from prt.errors import UsageError
from prt.views.drawing.escaping import escaped_line

CHUNK_BYTES = 65536


async def lines(descriptor: int, longest: int) -> AsyncIterator[tuple[int, bytes]]:
    """Yield the lines of a file descriptor that aren't blank, stripped and with their numbers from 1.

    Raises:
        UsageError: A line is longer than `longest` bytes.
    """
    number, rest = 0, b""
    while True:
        data = await _read(descriptor)
        *whole, rest = (rest + data).split(b"\n")
        if not data and rest:
            whole, rest = [rest], b""
        for line in whole:
            number += 1
            if line.strip():
                yield number, line.strip()
        if not data:
            return
        if len(rest) > longest:
            raise UsageError(f"line {number + 1} of standard input is longer than {longest:,} bytes")


async def _read(descriptor: int) -> bytes:
    loop = asyncio.get_running_loop()
    readable = loop.create_future()

    def became_readable() -> None:
        if not readable.done():
            readable.set_result(None)

    try:
        loop.add_reader(descriptor, became_readable)
    except PermissionError:  # a file is always readable, and epoll rejects it
        return os.read(descriptor, CHUNK_BYTES)
    try:
        await readable
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, CHUNK_BYTES)


def write_line(line: Mapping[str, Any]) -> None:
    """Write a line of JSON at once.

    Raises:
        BrokenPipeError: Standard output is closed.
    """
    if sys.stdout is None:
        raise BrokenPipeError
    sys.stdout.buffer.write(escaped_line(msgspec.json.encode(line)) + b"\n")
    sys.stdout.buffer.flush()


def write_text(line: str) -> None:
    """Write a line of text at once, unless standard output is closed."""
    if sys.stdout is not None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
