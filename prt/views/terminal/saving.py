"""The copies that keys make: the screen and its events as files, and an event on the clipboard."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path

from prt.errors import PrtError
from prt.events import Event
from prt.views.panels.page import Page
from prt.views.sinks import ndjson
from prt.views.sinks.svg import svg_of

LONGEST_COPY = 74_000
"""The most bytes to copy: xterm accepts 100,000 bytes of base64 and ignores longer ones."""
_MOST_NAMES = 1_000


def clipboard(data: bytes) -> str:
    """Return the sequence (OSC 52) that copies text to the clipboard, which also works over SSH.

    Raises:
        PrtError: The text is longer than terminals accept.
    """
    if len(data) > LONGEST_COPY:
        raise PrtError(f"{len(data):,} bytes are more than a terminal copies", "e saves it to a file")
    return f"\x1b]52;c;{b64encode(data).decode()}\x07"


def save_screen(page: Page, events: Iterable[Event], size: tuple[int, int], folder: Path) -> str:
    """Save a screen as NAME.svg and its events as NAME.ndjson, without overwriting files.

    Args:
        page: The page to draw.
        events: The events to write.
        size: The columns and lines of the screen.
        folder: The folder for both files.

    Returns:
        NAME, which is made of the current time.

    Raises:
        PrtError: The folder can't be written.
    """
    stem = time.strftime("prt-%Y%m%d-%H%M%S")
    lines = b"".join(ndjson.encode(event) for event in events)
    picture = svg_of(page.lines(*size), size[0]).encode()
    for number in range(_MOST_NAMES):
        name = f"{stem}-{number}" if number else stem
        picture_path, lines_path = folder / f"{name}.svg", folder / f"{name}.ndjson"
        if picture_path.exists() or lines_path.exists():
            continue
        try:
            with lines_path.open("xb") as file:
                file.write(lines)
            with picture_path.open("xb") as file:
                file.write(picture)
        except FileExistsError:
            continue
        except OSError as exc:
            raise PrtError(f"{folder} can't be written: {exc.strerror}") from exc
        return name
    raise PrtError(f"there are {_MOST_NAMES:,} files named {stem} already")
