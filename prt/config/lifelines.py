"""The embedded projects that this process has started: whoever can't reach one learns whether it has ended.

A project that is somebody else's may come back at the same address; one of ours can't.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

_owned: Final[dict[str, Callable[[], str | None]]] = {}


@contextmanager
def lifeline(url: str, end_of: Callable[[], str | None]) -> Iterator[None]:
    """Answer for a project during the block; `end_of` returns why it has ended, None while it runs."""
    place = urlsplit(url).netloc
    _owned[place] = end_of
    try:
        yield
    finally:
        del _owned[place]


def end_of(place: str) -> str | None:
    """Return why our project at this host and port has ended, None if it runs or is not ours."""
    ask = _owned.get(place)
    return None if ask is None else ask()
