"""The output and the exit codes of a monitoring plugin, as Nagios, Icinga and others read them.

https://nagios-plugins.org/doc/guidelines.html: a line for people, after a bar the figures, then more lines.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from prt.views.sinks.stderr import printable

OK: Final = 0
WARNING: Final = 1
CRITICAL: Final = 2
UNKNOWN: Final = 3

_NAMES: Final = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_SERVICE: Final = "REALTIME"


class Reading(NamedTuple):
    """A figure with its unit, as the guidelines write it."""

    name: str
    value: float
    unit: str


def report(code: int, text: str, readings: Sequence[Reading] = (), details: Sequence[str] = ()) -> None:
    """Print a plugin's output to standard output."""
    figures = " ".join(f"'{one.name}'={one.value:.3f}{one.unit}" for one in readings)
    first = f"{_SERVICE} {_NAMES[code]} - {_line(text)}" + (f" | {figures}" if figures else "")
    sys.stdout.write("".join(f"{line}\n" for line in (first, *map(_line, details))))
    sys.stdout.flush()


def _line(text: str) -> str:
    """Return the text as one line without a bar, after which figures would be expected."""
    return printable(text).replace("|", "¦")
