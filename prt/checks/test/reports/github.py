"""The report for GitHub Actions: a summary of the step in Markdown, and an annotation for each failure.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from prt.checks.test.reports.junit import failure_lines
from prt.results import Result, Run
from prt.views.drawing.cells import safe
from prt.views.drawing.figures import lag_text
from prt.views.drawing.test_results import figure_text

_MARKS = {"pass": "✅", "fail": "❌", "skip": "⏭️"}


def summary(run: Run) -> str:
    """Return the summary in Markdown, in which text of the server is escaped."""
    slis = run.slis
    lines = [
        f"### prt test: {slis.passed} passed, {slis.failed} failed, {slis.skipped} skipped",
        "",
        f"{_escaped(run.host)} as {_escaped(run.identity)}, {slis.seconds:.1f} s"
        + (f", {lag_text(slis.lag_ms)}" if slis.lag_ms else "")
        + (f", delivery {slis.delivery_percent:g} %" if slis.delivery_percent is not None else ""),
        "",
        "| | suite | test | figure | |",
        "| --- | --- | --- | --- | --- |",
    ]
    if run.interruption is not None:
        lines.append(f"| {_MARKS['fail']} | run | complete | | {_escaped(run.interruption)} |")
    for result in run.results:
        note = result.reason or result.note
        if result.failure is not None:
            note = result.failure.headline
        cells = (result.suite, result.name, figure_text(result), note)
        lines.append(f"| {_MARKS[result.outcome]} | {' | '.join(map(_escaped, cells))} |")
    return "\n".join(lines) + "\n\n"


def annotation(result: Result) -> str:
    """Return a failure as one line for the log of the step."""
    assert result.failure is not None  # noqa: S101 - of failures only
    text = "%0A".join(_data(safe(line)) for line in failure_lines(result.failure))
    title = _data(f"prt test: {result.suite} {result.name}").replace(":", "%3A").replace(",", "%2C")
    return f"::error title={title}::{text}"


def interruption(run: Run) -> str:
    """Return the interruption of a run as one line for the log of the step; empty if there was none."""
    return "" if run.interruption is None else f"::error title=prt test::{_data(run.interruption)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped(text: str) -> str:
    shown = safe(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for character in "\\`*_[]|#!~":
        shown = shown.replace(character, f"\\{character}")
    return shown
