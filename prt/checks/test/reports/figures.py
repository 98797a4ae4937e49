"""The figure of a result that says most."""

from __future__ import annotations

from prt.checks.test.check import Result
from prt.views.drawing.figures import milliseconds

_MS, _PERCENT = "_ms", "_percent"


def figure_text(result: Result) -> str:
    """The first one, with its name: `lag 3.2 ms`, `operators 15`; empty without any."""
    for name, value in result.figures.items():
        return f"{_words(name)} {value_text(name, value)}"
    return ""


def figures_text(result: Result) -> str:
    return ", ".join(f"{_words(name)} {value_text(name, value)}" for name, value in result.figures.items())


def value_text(name: str, value: float) -> str:
    if name.endswith(_MS):
        return milliseconds(value)
    return f"{value:g} %" if name.endswith(_PERCENT) else f"{value:,.10g}"


def _words(name: str) -> str:
    return name.removesuffix(_MS).removesuffix(_PERCENT).replace("_", " ")
