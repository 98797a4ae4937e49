"""The results of a test run as text: figures, the parts of a failure, and counts."""

from __future__ import annotations

from prt.results import Failure, Result, Run, Slis
from prt.views.drawing.figures import lag_text, milliseconds

_MS, _PERCENT = "_ms", "_percent"


def figure_text(result: Result) -> str:
    """Return the first figure of a result, as `lag 3.2 ms` or `operators 15`, or "" if there is no figure."""
    for name, value in result.figures.items():
        return f"{_words(name)} {value_text(name, value)}"
    return ""


def figures_text(result: Result) -> str:
    """Return all figures of a result on one line."""
    return ", ".join(f"{_words(name)} {value_text(name, value)}" for name, value in result.figures.items())


def value_text(name: str, value: float) -> str:
    """Return the value of a figure with its unit, which is the end of its name: `_ms` or `_percent`."""
    if name.endswith(_MS):
        return milliseconds(value)
    return f"{value:g} %" if name.endswith(_PERCENT) else f"{value:,.10g}"


def parts(failure: Failure) -> list[tuple[str, str]]:
    """Return the known parts of a failure, each with its label."""
    all_ = (
        ("changed", failure.sentence),
        ("expected", failure.expected),
        ("came", failure.came),
        ("server", failure.server),
        ("cause", failure.cause),
        ("remedy", failure.remedy),
    )
    return [(label, words) for label, words in all_ if words is not None]


def ending(run: Run) -> str:
    """Return the last line of a run: the counts, the duration, the lag and the share of delivered changes.

    It also names the suites of which nothing was tested.
    """
    words = f"{counts(run.slis)} in {run.slis.seconds:.1f} s"
    if run.interruption is not None:
        words = f"interrupted: {words}"
    if run.slis.lag_ms is not None:
        words += f"; {lag_text(run.slis.lag_ms)}"
    if run.slis.delivery_percent is not None:
        words += f"; delivery {run.slis.delivery_percent:g} %"
    if run.untested:
        words += f"; nothing was tested of {', '.join(run.untested)}"
    return words


def counts(slis: Slis) -> str:
    """Return how many checks passed, failed and were skipped."""
    return f"{slis.passed} passed, {slis.failed} failed, {slis.skipped} skipped"


def _words(name: str) -> str:
    return name.removesuffix(_MS).removesuffix(_PERCENT).replace("_", " ")
