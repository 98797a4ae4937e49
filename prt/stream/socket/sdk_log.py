"""The logs of the SDK and of its websockets library, which repeat what `prt` reports itself."""

from __future__ import annotations

import logging

LOGGERS = ("realtime", "websockets")


def silence() -> None:
    """Keep the SDK's log records off the user's terminal; some contain a payload."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
