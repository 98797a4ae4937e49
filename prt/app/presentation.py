"""The outputs of a watch: it is shown, recorded and acted upon, and its end is reported."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from msgspec import Struct

from prt.app.alerts import AlertOutput
from prt.app.loop import TICK_SECONDS, Consumer, Ending, Source, follow
from prt.app.notices import Notices
from prt.app.sources.refusals import NoDefaultTableError
from prt.clock import wall_clock
from prt.errors import PrtError
from prt.events import Event
from prt.inputs import Input
from prt.state.conditions.alerts import Alerts
from prt.state.conditions.bounds import Progress
from prt.views.sinks.form import is_terminal, may_draw, opened
from prt.views.sinks.recorder import Recorder, header_of
from prt.views.sinks.stderr import complain, notice

if TYPE_CHECKING:
    from prt.app.watch_request import Keys, WatchRequest
    from prt.stream.binding import Binding
    from prt.stream.topic import TopicSettings
    from prt.views.sinks.output import Output
    from prt.views.terminal.interaction import Controls


class Subject(Struct, frozen=True, kw_only=True):
    """The subject of a watch: its project, tables and topics; `keys` are the given key columns."""

    host: str
    tables: Sequence[Binding] = ()
    topics: Sequence[TopicSettings] = ()
    keys: Keys


class Presentation:
    """The outputs of one request: `follow` reads a source to its end, and `report` reports the end."""

    def __init__(self, request: WatchRequest) -> None:
        self._request = request
        self._has_screen = request.output is None and request.form.is_table and not request.is_once
        self._notices = None if self._has_screen or request.is_quiet else Notices(request.default_tables)
        self._notes = request.actions.notes if request.actions else deque[str]()
        self._failures: list[PrtError] = []
        self._alerts: AlertOutput | None = None

    @property
    def is_drawn(self) -> bool:
        """Whether a screen is drawn on a terminal."""
        return self._has_screen and is_terminal()

    async def follow(
        self,
        source: Source,
        subject: Subject,
        *,
        started: float,
        clock: Callable[[], int] | None = None,
        controls: Controls | None = None,
        consumers: Sequence[Consumer] = (),
    ) -> Ending:
        """Show, record and act upon the events of a source until it ends.

        Args:
            source: The source of events.
            subject: What is watched.
            started: When the watch began, by the event loop's clock.
            clock: Returns the time that is shown as now (µs); None is the present.
            controls: Actions of keys beyond the views.
            consumers: Get every event, like the recording.
        """
        request = self._request
        async with request.actions or nullcontext():
            with self._recorder(subject) as recorder, self._opened(subject, clock, controls) as shown:
                ending = await follow(
                    source,
                    self._attended(shown, subject.keys),
                    Progress(request.bounds, request.expectations, started=started),
                    request.matching,
                    self._notices,
                    consumer=_Consumers([*consumers, *([recorder] if recorder is not None else [])]),
                    clock=clock,
                    tick_seconds=min(request.form.batch or TICK_SECONDS, TICK_SECONDS),
                )
            if request.actions and ending.end.reason != "signal":
                await request.actions.finish()
        return ending

    def notify(self, message: str) -> None:
        """Report a notice to people, unless `--quiet` is set."""
        if self._has_screen:
            self._notes.append(message)
        elif not self._request.is_quiet:
            notice(message)

    def complain(self, error: PrtError) -> None:
        """Report an error to people; the watch goes on."""
        if self._has_screen:
            self._notes.append(error.message)
            self._failures.append(error)
        else:
            complain(error.message, error.hint)

    def report(self, ending: Ending) -> int:
        """Report the end on standard error, and return the exit code.

        Raises:
            PrtError: The error that ended the watch.
        """
        request = self._request
        if ending.end.reason == "signal" and not self._has_screen:
            notice(f"stopped after {ending.end.events} events")
        if self._has_screen:
            for note in self._notes if request.actions else ():
                notice(note)
            for failure in self._failures:
                complain(failure.message, failure.hint)
        if self._notices is not None and not isinstance(ending.error, NoDefaultTableError):
            self._notices.flush()
        for missing in request.expectations.missing():
            notice(str(missing))
        if ending.error is not None:
            ending.error.is_reported = self._notices is not None and ending.error.is_in_status
            raise ending.error
        if self._alerts is not None and not request.is_quiet:
            for rule in self._alerts.idle_rules():
                columns = ", ".join(rule.comparison.columns)
                complain(
                    f"{Input.ALERT} {rule.text}: no row could be judged by it",
                    f"is there a number in {columns}?",
                )
        return self._code(ending)

    def _code(self, ending: Ending) -> int:
        """Return the exit code; the recorded end that a replay repeats doesn't make it a failure."""
        is_met = self._request.expectations.are_met
        code = int(not is_met) if ending.is_replayed else ending.end.exit_code
        return code if self._alerts is None else self._alerts.exit_code(code)

    def _opened(
        self, subject: Subject, clock: Callable[[], int] | None, controls: Controls | None
    ) -> AbstractContextManager[Output]:
        request = self._request
        if request.output is not None:
            return nullcontext(request.output)
        is_list = request.views_of is None or "table" in getattr(request.views_of, "names", ())
        if self._has_screen and not (may_draw() or is_list or request.is_quiet):
            notice("the view can't be drawn here, so its events are listed instead")
        return opened(
            request.form,
            subject.host,
            subject.keys,
            request.views_of,
            self._notes,
            is_once=request.is_once,
            shown_time=clock,
            controls=controls,
        )

    def _attended(self, shown: Output, keys: Keys) -> Output:
        """Return an output that also performs the actions and raises the alerts."""
        request = self._request
        output = request.actions.around(shown) if request.actions else shown
        if not request.rules:
            return output

        def key_columns(schema: str, table: str) -> tuple[str, ...]:
            return keys.get((schema, table), ("id",))

        self._alerts = AlertOutput(output, Alerts(request.rules, key_columns), least=request.fails_on)
        return self._alerts

    def _recorder(self, subject: Subject) -> AbstractContextManager[Recorder | None]:
        if self._request.record is None:
            return nullcontext()
        now = wall_clock()
        header = header_of(
            subject.host, now, bindings=subject.tables, topics=subject.topics, keys=subject.keys
        )
        return Recorder(self._request.record, header, self.complain)


class _Consumers:
    def __init__(self, consumers: Sequence[Consumer]) -> None:
        self._consumers = consumers

    def consume(self, event: Event) -> None:
        for consumer in self._consumers:
            consumer.consume(event)

    def flush(self) -> None:
        for consumer in self._consumers:
            consumer.flush()
