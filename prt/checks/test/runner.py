"""The runner of checks: it runs them one after the other, and makes a result of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct, structs

from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.contract.observations import Observation
from prt.checks.test.outcomes import FailedError, Found, SkippedError, failure_of
from prt.clock import wall_clock
from prt.errors import PrtError
from prt.inputs import Input
from prt.redaction import redact
from prt.results import Failure, Result

WAITS = 8
"""The number of waiting times after which a check counts as stuck."""


class Observer(Protocol):
    """The receiver of a run's progress."""

    def started(self, check: str) -> None:
        """Note that a check has started."""
        ...

    def finished(self, result: Result) -> None:
        """Note the result of a check."""
        ...


class Step(Struct, frozen=True):
    """A check in the plan of a run. `skipped` is the reason if it will not be run."""

    suite: Suite
    check: Check
    round: int
    skipped: str | None = None


class Engine:
    """A run of checks.

    Attributes:
        results: The results so far.
        observed: The observations so far, by round.
        gate_error: The error of the first check, after which nothing else could be tested.
    """

    def __init__(self, context: Context, observer: Observer) -> None:
        self._context = context
        self._observer = observer
        self.results: list[Result] = []
        self.observed: dict[int, list[Observation]] = {}
        self.gate_error: PrtError | None = None

    async def run(self, steps: Sequence[Step]) -> None:
        """Run the steps. If the first one fails with an error of the connection, all others are skipped."""
        for index, step in enumerate(steps):
            self.observed.setdefault(step.round, [])
            self._observer.started(f"{step.check.suite} {step.check.name}")
            reason = "nothing to connect to" if self.gate_error is not None else step.skipped
            result = _skipped(step, reason) if reason is not None else await self._result(step)
            self._add(result)
            is_last = index + 1 == len(steps) or steps[index + 1].suite is not step.suite
            if is_last and step.suite.writes:
                await self._context.sweep()  # a failure is reported at the end of the run

    def skip_rest(self, steps: Sequence[Step], reason: str) -> None:
        """Add a skipped result for each step that has no result yet."""
        for step in steps[len(self.results) :]:
            self._add(_skipped(step, reason))

    def _add(self, result: Result) -> None:
        self.results.append(result)
        self._observer.finished(result)

    async def _result(self, step: Step) -> Result:
        at, started = wall_clock(), time.perf_counter()
        context = self._context
        is_gate = not self.results
        found, failure, reason = Found(note=""), None, None
        try:
            async with asyncio.timeout(None if step.check.is_long else WAITS * context.settings.wait_seconds):
                found = await step.check.run(context)
        except SkippedError as exc:
            reason = exc.reason
        except FailedError as exc:
            failure, found = exc.failure, exc.found or found
            if is_gate and isinstance(exc.__cause__, PrtError):
                self.gate_error = exc.__cause__
        except PrtError as exc:
            failure = failure_of(exc, "no error")
            if is_gate:
                self.gate_error = exc
        except TimeoutError:
            failure = Failure(
                expected="an end of this check",
                came=f"none in {WAITS} times {context.settings.wait_seconds:g} s",
                cause="the server answers too slowly, or something on the way holds its answers back",
                remedy=f"give more time with {Input.WAIT}, or look where it goes: prt status",
            )
        self.observed[step.round] += found.observed
        result = Result(
            suite=step.suite.name,
            name=step.check.name,
            outcome="fail" if failure is not None else "pass" if reason is None else "skip",
            at=at,
            ms=(time.perf_counter() - started) * 1000,
            round=step.round,
            note=found.note,
            figures=found.figures,
            lags_ms=found.lags_ms,
            reason=reason,
            failure=failure,
            messages=context.trace.take(),
        )
        return without_secrets(result)


def without_secrets(result: Result) -> Result:
    """Return a result with all secrets removed.

    Every result passes here before any output or report sees it.
    """
    failure = result.failure
    if failure is not None:
        texts = structs.asdict(failure)
        failure = Failure(**{name: text and redact(text) for name, text in texts.items()})
    return structs.replace(
        result,
        note=redact(result.note),
        reason=result.reason and redact(result.reason),
        failure=failure,
        messages=tuple(structs.replace(message, text=redact(message.text)) for message in result.messages),
    )


def _skipped(step: Step, reason: str) -> Result:
    return Result(
        suite=step.suite.name,
        name=step.check.name,
        outcome="skip",
        at=wall_clock(),
        ms=0.0,
        round=step.round,
        reason=reason,
    )
