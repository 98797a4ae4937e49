"""The service level indicators that a run has measured, and the objectives that they are compared with.

The functions have no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from prt.errors import UsageError
from prt.inputs import Input
from prt.results import Failure, Result, Slis
from prt.state.figures.lag import Lag

MEASURING = ("latency", "load")
"""The suites that measure the lag and the delivery of changes."""
OBJECTIVES = "objectives"
UNMEASURED = "the suites that measure it were skipped, or failed before"
Percentile = Literal["p50", "p95", "p99", "max"]

_LIMIT = re.compile(r"(?P<name>p50|p95|p99|max)=(?P<size>\d+(?:\.\d+)?)(?P<unit>ms|s)")


class Limit(Struct, frozen=True):
    """A limit of a percentile of the lag, such as `p95=500ms`."""

    name: Percentile
    ms: float


def parse_limit(text: str) -> Limit:
    """Return the limit in a text such as `p95=500ms`.

    Raises:
        UsageError: The text is not a limit.
    """
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f'{Input.MAX_LAG} expects a percentile and a time, not "{text}"',
            "write p50, p95, p99 or max: p95=500ms",
        )
    name: Percentile = found["name"]  # type: ignore[assignment]
    return Limit(name, float(found["size"]) * (1000 if found["unit"] == "s" else 1))


def slis_of(results: Sequence[Result], seconds: float) -> Slis:
    """Return the service level indicators of a run that took so many seconds."""
    lags = lag_of(results)
    measured = [result for result in results if result.suite in MEASURING and "expected" in result.figures]
    expected = sum(int(result.figures["expected"]) for result in measured)
    delivered = sum(int(result.figures["delivered"]) for result in measured)
    return Slis(
        passed=sum(result.outcome == "pass" for result in results),
        failed=sum(result.outcome == "fail" for result in results),
        skipped=sum(result.outcome == "skip" for result in results),
        seconds=round(seconds, 3),
        handshake_ms=_first(results, "handshake_ms"),
        rtt_ms=_first(results, "rtt_ms"),
        join_ms=_first(results, "join_ms"),
        ready_ms=_first(results, "ready_ms"),
        lag_ms=lags.summary(),
        expected=expected if measured else None,
        delivered=delivered if measured else None,
        out_of_order=(
            sum(int(result.figures.get("out_of_order", 0)) for result in measured) if measured else None
        ),
        delivery_percent=percent(delivered, expected) if measured else None,
    )


def lag_of(results: Iterable[Result]) -> Lag:
    """Return the lag of the changes of the measuring suites."""
    lag = Lag()
    for result in results:
        if result.suite in MEASURING:
            for value in result.lags_ms:
                lag.add(value)
    return lag


def percent(delivered: int, expected: int) -> float:
    """Return the percentage of delivered changes.

    It is never rounded up to 100, so that one lost change in a million is visible.
    """
    return 100.0 if delivered >= expected else min(round(100 * delivered / expected, 4), 99.9999)


def judged(
    slis: Slis, limits: Sequence[Limit], min_delivery: float | None, results: Sequence[Result]
) -> list[Result]:
    """Return a result for each objective. An objective that was not measured is not met.

    Args:
        slis: The indicators of the run.
        limits: The limits of the lag.
        min_delivery: The lowest percentage of delivered changes; None for no such objective.
        results: The results of the run, whose last one dates the objectives.
    """
    at = results[-1].at if results else 0
    found = [_judged_lag(slis, limit, at) for limit in limits]
    if min_delivery is not None:
        found.append(_judged_delivery(slis, min_delivery, at))
    return found


def _judged_lag(slis: Slis, limit: Limit, at: int) -> Result:
    name = f"{limit.name} ≤ {limit.ms:g} ms"
    value = None if slis.lag_ms is None else slis.lag_ms[limit.name]
    if value is not None and value <= limit.ms:
        return _met(name, at, {"lag_ms": value})
    came = "no change was measured" if value is None else f"{value:.1f} ms"
    failure = Failure(
        expected=f"{limit.name} of commit → receive of at most {limit.ms:g} ms",
        came=came,
        cause=UNMEASURED if value is None else "a polling server, a far region, or a busy database",
        remedy=None if value is None else "see where the time goes: the split of the suite latency",
    )
    return _missed(name, at, failure, {} if value is None else {"lag_ms": value})


def _judged_delivery(slis: Slis, least: float, at: int) -> Result:
    name = f"≥ {least:g} % came"
    value = slis.delivery_percent
    if value is not None and value >= least:
        return _met(name, at, {"delivery_percent": value})
    failure = Failure(
        expected=f"at least {least:g} % of the changes",
        came="no change was measured" if value is None else f"{value:g} %",
        cause=UNMEASURED if value is None else "the server drops what is above its rate of messages a second",
        remedy=None if value is None else "fewer subscribers or fewer writes a second, or a larger plan",
    )
    return _missed(name, at, failure, {} if value is None else {"delivery_percent": value})


def _met(name: str, at: int, figures: dict[str, float]) -> Result:
    return Result(suite=OBJECTIVES, name=name, outcome="pass", at=at, ms=0.0, note="met", figures=figures)


def _missed(name: str, at: int, failure: Failure, figures: dict[str, float]) -> Result:
    return Result(
        suite=OBJECTIVES, name=name, outcome="fail", at=at, ms=0.0, figures=figures, failure=failure
    )


def _first(results: Iterable[Result], figure: str) -> float | None:
    return next((round(result.figures[figure], 3) for result in results if figure in result.figures), None)
