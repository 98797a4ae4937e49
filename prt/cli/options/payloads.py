"""The payloads of `prt send`: one from the command line or a file, or one from each line of a pipe."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable

from prt.app.lines import lines
from prt.config.files import read_named
from prt.errors import UsageError
from prt.stream.limits import LARGEST_BROADCAST, checked_json, checked_size

Payloads = Callable[[], AsyncIterator[bytes]]
STDIN = 0
SHELL = "quote it for the shell: '{\"x\": 1}'"


def payloads_of(text: str, *, repeat: int, is_object: bool) -> Payloads:
    """Return a function that yields the payloads.

    Args:
        text: JSON, @FILE, or `-` for the lines of standard input.
        repeat: How many times a single payload is sent.
        is_object: Whether payloads must be JSON objects.

    Raises:
        UsageError: The payload is not JSON, too large, or not an object.
    """
    if text == "-":
        if repeat > 1:
            raise UsageError("--repeat and - exclude each other", "repeat the lines of standard input")
        if sys.stdin is None:
            raise UsageError("standard input is closed", "pipe JSON into it, a value a line")
        return lambda: _typed(is_object)
    name = f"the file {text[1:]}" if text.startswith("@") else "PAYLOAD"
    payload = _read(text[1:]) if text.startswith("@") else text.encode("utf-8", "surrogateescape")
    _check(payload, name, is_object)

    async def repeated() -> AsyncIterator[bytes]:
        for _ in range(repeat):
            yield payload

    return repeated


async def _typed(is_object: bool) -> AsyncIterator[bytes]:
    async for number, line in lines(STDIN, LARGEST_BROADCAST):
        _check(line, f"line {number} of standard input", is_object)
        yield line


def _check(payload: bytes, name: str, is_object: bool) -> None:
    try:
        checked_json(payload, name)
    except UsageError as exc:
        hint = SHELL if name == "PAYLOAD" else "one JSON value a line: jq -c ." if "line" in name else None
        raise UsageError(exc.message, hint) from exc
    if is_object and payload.lstrip()[:1] != b"{":
        raise UsageError(
            f"{name} is not a JSON object, and --http takes nothing else", "send it over the socket"
        )
    checked_size(len(payload))


def _read(name: str) -> bytes:
    try:
        return read_named(name, max_bytes=LARGEST_BROADCAST).strip()
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise UsageError(f"can't read the file {name}: {reason}", "PAYLOAD is JSON, @FILE or -") from exc
