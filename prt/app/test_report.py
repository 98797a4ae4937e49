"""The outputs of a test run: a live table on a terminal, otherwise NDJSON or lines of text."""

# ruff: noqa: PLC0415 - a pipe must not load Rich

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import msgspec

from prt.checks.test.check import Suite
from prt.checks.test.reports import lines
from prt.clock import wall_clock
from prt.errors import OutputError, ReaderGoneError
from prt.inputs import filled
from prt.results import Result, Run
from prt.views.sinks.form import STDOUT, Form, OutputForm, is_terminal

WIDE = 10_000
"""A width at which no line of text is cut."""


class RunOutput(Protocol):
    """An observer of the test engine that is closed with the whole run."""

    def started(self, check: str) -> None:
        """Note that a check has started."""
        ...

    def finished(self, result: Result) -> None:
        """Write the result of a check."""
        ...

    def close(self, run: Run) -> None:
        """Write the rest about the whole run."""
        ...


class JsonLines:
    """An output of NDJSON, in which each object is written at once."""

    def started(self, check: str) -> None:
        """Ignore the start, because only results are written."""

    def finished(self, result: Result) -> None:
        """Write the line of a result."""
        _write(lines.result_line(result))

    def close(self, run: Run) -> None:
        """Write the line `slis`."""
        _write(lines.slis_line(run, wall_clock()))


class TextLines:
    """An output with a line for each result, then the failures and their causes."""

    def started(self, check: str) -> None:
        """Ignore the start, because only results are written."""

    def finished(self, result: Result) -> None:
        """Write the line of a result."""
        from prt.views.panels import test_report

        _write(f"{test_report.line(result, WIDE, is_padded=False).plain.rstrip()}\n".encode())

    def close(self, run: Run) -> None:
        """Write the failures and the summary."""
        from prt.views.drawing.test_results import ending
        from prt.views.panels.test_report import failures

        for paragraph in failures(run.results, WIDE):
            _write("".join(f"{row.plain}\n" for row in paragraph).encode())
        _write(f"{ending(run)}\n".encode())


@contextmanager
def opened(form: Form, host: str, total: int) -> Iterator[RunOutput]:
    """Open the output of a run; `total` is how many results there will be."""
    if form.kind is OutputForm.JSON:
        yield JsonLines()
    elif form.kind is OutputForm.TEXT or not is_terminal():
        yield TextLines()
    else:
        from prt.views.panels.test_report import live_table

        with live_table(host, total, has_color=form.has_color) as table:
            yield table


def suites_text(suites: Sequence[Suite], *, is_json: bool) -> str:
    """Return the suites and what each needs, as lines of text or NDJSON."""
    if is_json:
        return "".join(
            msgspec.json.encode(
                {
                    "suite": suite.name,
                    "line": filled(suite.line),
                    "needs": filled(suite.needs),
                    "writes": suite.writes,
                    "named_only": suite.is_named_only,
                    "tests": [check.name for check in suite.checks],
                }
            ).decode()
            + "\n"
            for suite in suites
        )
    parts = []
    for suite in suites:
        parts.append(
            f"{suite.name:10} {filled(suite.line)}{'; runs only when named' if suite.is_named_only else ''}\n"
        )
        parts.append(f"{'':10} tests  {', '.join(check.name for check in suite.checks)}\n")
        parts.append(f"{'':10} needs  {filled(suite.needs)}\n")
    return "".join(parts)


def _write(data: bytes) -> None:
    """Write to standard output.

    Raises:
        ReaderGoneError: The reader of the output has gone.
        OutputError: The output can't be written.
    """
    try:
        while data:
            data = data[os.write(STDOUT, data) :]
    except BrokenPipeError as exc:
        raise ReaderGoneError from exc
    except OSError as exc:
        raise OutputError(exc) from exc
