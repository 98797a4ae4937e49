"""The logs of the SDK and of its websockets, which report again what `prt` reports itself."""

from __future__ import annotations

import logging

LOGGERS = ("realtime", "websockets")


def silence() -> None:
    """Keep the SDK's log records, some with a payload in them, off the user's terminal."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
