"""The outputs of `prt test`: a live table on a terminal, NDJSON or lines of text elsewhere."""

# ruff: noqa: PLC0415 - a pipe must not pay for Rich

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import msgspec

from prt.checks.test.check import Check, Result, Suite
from prt.checks.test.reports import lines
from prt.checks.test.reports.run import Run
from prt.cli.options.outputs import STDOUT, Form, is_terminal
from prt.cli.options.shared import OutputForm
from prt.errors import PrtError
from prt.views.sinks.ndjson import for_terminal
from prt.views.sinks.output import ReaderGone

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

WIDE = 10_000
"""A line of text that isn't cut."""


class RunOutput(Protocol):
    """An Observer of the engine that is closed with the whole run."""

    def started(self, check: Check, round_: int) -> None: ...

    def finished(self, result: Result) -> None: ...

    def close(self, run: Run) -> None: ...


class JsonLines:
    """NDJSON, each object written at once."""

    def started(self, check: Check, round_: int) -> None:
        """Only what came of a check is data."""

    def finished(self, result: Result) -> None:
        _write(lines.result_line(result))

    def close(self, run: Run) -> None:
        _write(lines.slis_line(run, time.time_ns() // 1000))


class TextLines:
    """A line a result, then what failed and why."""

    def started(self, check: Check, round_: int) -> None:
        """A line is written when there is a result."""

    def finished(self, result: Result) -> None:
        from prt.checks.test.reports import screen

        _write(f"{screen.line(result, WIDE, is_padded=False).plain.rstrip()}\n".encode())

    def close(self, run: Run) -> None:
        from prt.checks.test.reports import screen

        for paragraph in screen.failures(run.results, WIDE):
            _write("".join(f"{row.plain}\n" for row in paragraph).encode())
        _write(f"{screen.ending(run)}\n".encode())


class LiveTable:
    """Results stand as they come; below them spins what runs."""

    def __init__(self, console: Console, live: Live, host: str, total: int) -> None:
        self._console = console
        self._live = live
        self._host = host
        self._total = total
        self._done = 0

    def started(self, check: Check, round_: int) -> None:
        from prt.checks.test.reports.screen import running

        self._live.update(running(check, self._done, self._total, self._host, self._console.width))

    def finished(self, result: Result) -> None:
        from prt.checks.test.reports import screen

        self._done += 1
        self._console.print(screen.line(result, self._console.width))

    def close(self, run: Run) -> None:
        from prt.checks.test.reports import screen

        self._live.stop()
        width = self._console.width
        for paragraph in screen.failures(run.results, width):
            self._console.print()
            for row in paragraph:
                self._console.print(row)
        reasons = screen.skipped(run.results, width)
        if reasons:
            self._console.print()
        for row in reasons:
            self._console.print(row)
        self._console.print()
        self._console.print(screen.ending(run), style="bold green" if not run.exit_code else "bold red")


@contextmanager
def opened(form: Form, host: str, total: int) -> Iterator[RunOutput]:
    """`total` is how many results there will be. Nothing of the terminal stays changed."""
    if form.kind is OutputForm.JSON:
        yield JsonLines()
    elif form.kind is OutputForm.TEXT or not is_terminal():
        yield TextLines()
    else:
        from rich.live import Live

        from prt.views.sinks.screen import TerminalConsole

        console = TerminalConsole(highlight=False, markup=False, no_color=form.has_color is False or None)
        with Live(console=console, transient=True, refresh_per_second=10) as live:
            yield LiveTable(console, live, host, total)


def suites_told(suites: Sequence[Suite], *, is_json: bool) -> str:
    """The suites with what each needs, for standard output."""
    if is_json:
        return "".join(
            msgspec.json.encode(
                {
                    "suite": suite.name,
                    "line": suite.line,
                    "needs": suite.needs,
                    "writes": suite.writes,
                    "named_only": suite.is_named_only,
                    "tests": [check.name for check in suite.checks],
                }
            ).decode()
            + "\n"
            for suite in suites
        )
    told = []
    for suite in suites:
        told.append(
            f"{suite.name:10} {suite.line}{'; runs only when named' if suite.is_named_only else ''}\n"
        )
        told.append(f"{'':10} tests  {', '.join(check.name for check in suite.checks)}\n")
        told.append(f"{'':10} needs  {suite.needs}\n")
    return "".join(told)


def _write(data: bytes) -> None:
    """Raises ReaderGone, and PrtError where the output can't be written."""
    if sys.stdout is not None and sys.stdout.isatty():
        data = for_terminal(data)
    try:
        while data:
            data = data[os.write(STDOUT, data) :]
    except BrokenPipeError as exc:
        raise ReaderGone from exc
    except OSError as exc:
        raise PrtError(f"the output can't be written: {exc.strerror}") from exc
