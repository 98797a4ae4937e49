"""The output and the exit codes of a monitoring plugin, as Nagios, Icinga and others read them.

The output has a line for people, with the figures after a bar, and then further lines:
https://nagios-plugins.org/doc/guidelines.html
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
    """A figure and its unit, in the format of the plugin guidelines."""

    name: str
    value: float
    unit: str


def report(code: int, text: str, readings: Sequence[Reading] = (), details: Sequence[str] = ()) -> None:
    """Print the output of a plugin to standard output.

    Args:
        code: The exit code: OK, WARNING, CRITICAL or UNKNOWN.
        text: The result for people, on one line.
        readings: Figures that a monitoring system can plot.
        details: Further lines.
    """
    figures = " ".join(f"'{one.name}'={one.value:.3f}{one.unit}" for one in readings)
    first = f"{_SERVICE} {_NAMES[code]} - {_line(text)}" + (f" | {figures}" if figures else "")
    sys.stdout.write("".join(f"{line}\n" for line in (first, *map(_line, details))))
    sys.stdout.flush()


def _line(text: str) -> str:
    """Return the text as one line without a bar, because a bar marks the beginning of the figures."""
    return printable(text).replace("|", "¦")
