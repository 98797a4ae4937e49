"""What a watching command makes of a source: it is shown, recorded and acted upon, and its end is told."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from msgspec import Struct

from prt.app.alerts import Alerting
from prt.app.loop import TICK_SECONDS, Ending, Source, follow
from prt.app.notices import Teller
from prt.cli.options.outputs import opened
from prt.cli.options.shared import OutputForm
from prt.errors import PrtError
from prt.state.conditions.alerts import Alerts
from prt.state.conditions.bounds import Progress
from prt.views.sinks.recorder import Recorder, header_of
from prt.views.sinks.stderr import complain, notice

if TYPE_CHECKING:
    from pathlib import Path

    from prt.app.actions import Actions
    from prt.cli.options.outputs import Form
    from prt.cli.options.recovery import Keys
    from prt.state.conditions.alerts import Rule
    from prt.state.conditions.bounds import Awaited, Bounds
    from prt.state.conditions.matching import Matching
    from prt.state.screen import Screen
    from prt.stream.binding import Binding
    from prt.stream.topic import Room
    from prt.views.panels.view import View
    from prt.views.sinks.output import Output


class Subject(Struct, frozen=True, kw_only=True):
    """What is watched, and where; `keys` are those that were given."""

    host: str
    tables: Sequence[Binding] = ()
    topics: Sequence[Room] = ()
    keys: Keys


class Showing:
    """`follow` a source to its end, then `report` it for the exit code."""

    def __init__(
        self,
        *,
        form: Form,
        bounds: Bounds,
        expectations: Awaited,
        matching: Matching,
        views_of: Callable[[Screen], Sequence[View]] | None,
        actions: Actions | None,
        output: Output | None,
        record: Path | None,
        rules: Sequence[Rule],
        fails_on: str | None,
        is_once: bool,
        is_quiet: bool,
    ) -> None:
        """As `prt.app.watch.watched` says."""
        self._form = form
        self._bounds = bounds
        self._expectations = expectations
        self._matching = matching
        self._views_of = views_of
        self._actions = actions
        self._output = output
        self._record = record
        self._fails_on = fails_on
        self._is_once = is_once
        self._is_quiet = is_quiet
        self._has_screen = output is None and form.kind is OutputForm.TABLE and not is_once
        self._tell = None if self._has_screen or is_quiet else Teller()
        self._notes = actions.notes if actions else deque[str]()
        self._failures: list[PrtError] = []
        self._rules = rules
        self._alerting: Alerting | None = None

    async def follow(
        self, source: Source, subject: Subject, *, started: float, clock: Callable[[], int] | None = None
    ) -> Ending:
        """`started` by the loop's time; `clock` (µs) where it is not now that is shown."""
        async with self._actions or nullcontext():
            with self._recorder(subject) as recorder, self._opened(subject, clock) as shown:
                ending = await follow(
                    source,
                    self._attended(shown, subject.keys),
                    Progress(self._bounds, self._expectations, started=started),
                    self._matching,
                    self._tell,
                    recorder=recorder,
                    keys=shown.keys,
                    clock=clock,
                    tick_seconds=min(self._form.batch or TICK_SECONDS, TICK_SECONDS),
                )
            if self._actions and ending.end.reason != "signal":
                await self._actions.finish()
        return ending

    def report(self, ending: Ending) -> int:
        """What is left to be told on standard error; the exit code. Raises what ended it."""
        if ending.end.reason == "signal" and not self._has_screen:
            notice(f"stopped after {ending.end.events} events")
        if self._has_screen:
            for note in self._notes if self._actions else ():
                notice(note)
            for failure in self._failures:
                complain(failure.message, failure.hint)
        for missing in self._expectations.missing():
            notice(str(missing))
        if ending.error is not None:
            ending.error.is_told = self._tell is not None and self._tell.has_told(ending.error)
            raise ending.error
        if self._alerting is not None and not self._is_quiet:
            for rule in self._alerting.idle_rules():
                columns = ", ".join(rule.comparison.columns)
                complain(
                    f"--alert {rule.text}: no row could be judged by it", f"is there a number in {columns}?"
                )
        return self._code(ending)

    def _code(self, ending: Ending) -> int:
        """The end of a recording, which is repeated, makes no failure of its replay."""
        code = int(not self._expectations.are_met) if ending.is_replayed else ending.end.exit_code
        return code if self._alerting is None else self._alerting.exit_code(code)

    def _opened(self, subject: Subject, clock: Callable[[], int] | None) -> AbstractContextManager[Output]:
        if self._output is not None:
            return nullcontext(self._output)
        return opened(
            self._form,
            subject.host,
            subject.keys,
            self._views_of,
            self._notes,
            is_once=self._is_once,
            shown_time=clock,
        )

    def _attended(self, shown: Output, keys: Keys) -> Output:
        """With what is done about its events; an alert is one of them."""
        output = self._actions.around(shown) if self._actions else shown
        if not self._rules:
            return output

        def key_columns(schema: str, table: str) -> tuple[str, ...]:
            return keys.get((schema, table), ("id",))

        self._alerting = Alerting(output, Alerts(self._rules, key_columns), least=self._fails_on)
        return self._alerting

    def _recorder(self, subject: Subject) -> AbstractContextManager[Recorder | None]:
        if self._record is None:
            return nullcontext()
        now = time.time_ns() // 1000
        header = header_of(
            subject.host, now, bindings=subject.tables, rooms=subject.topics, keys=subject.keys
        )
        return Recorder(self._record, header, self._recording_failed)

    def _recording_failed(self, error: PrtError) -> None:
        if self._has_screen:
            self._notes.append(error.message)
            self._failures.append(error)
        else:
            complain(error.message, error.hint)
