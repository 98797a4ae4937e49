"""The report as NDJSON: one object for each result, and the service levels at the end."""

from __future__ import annotations

from typing import Any

import msgspec

from prt.results import Result, Run
from prt.views.drawing.escaping import escaped_line
from prt.views.sinks.ndjson import timestamp

DIGITS = 3


def result_line(result: Result) -> bytes:
    """Return the line of type `result`."""
    line: dict[str, Any] = {
        "type": "result",
        "at": timestamp(result.at),
        "suite": result.suite,
        "test": result.name,
        "outcome": result.outcome,
        "ms": round(result.ms, DIGITS),
    }
    if result.round > 1:
        line["round"] = result.round
    if result.note:
        line["note"] = result.note
    if result.figures:
        line["figures"] = {name: round(value, DIGITS) for name, value in result.figures.items()}
    if result.reason is not None:
        line["reason"] = result.reason
    if result.failure is not None:
        failure = msgspec.to_builtins(result.failure)
        line["failure"] = {name: text for name, text in failure.items() if text is not None}
    return _line(line)


def slis_line(run: Run, at: int) -> bytes:
    """Return the line of type `slis`; `at` is in µs."""
    return _line(
        {
            "type": "slis",
            "at": timestamp(at),
            "host": run.host,
            "identity": run.identity,
            "exit_code": run.exit_code,
            **msgspec.to_builtins(run.slis),
        }
    )


def _line(line: dict[str, Any]) -> bytes:
    return escaped_line(msgspec.json.encode(line)) + b"\n"
