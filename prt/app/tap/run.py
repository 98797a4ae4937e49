"""The tap from a request to an exit code: it forwards an app's traffic, shows it, and can run the app."""

# ruff: noqa: PLC0415 - modules are loaded when they are used

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from prt.app.loop import Ending, follow
from prt.app.tap.request import TapRequest
from prt.app.tap.source import TapSource
from prt.clock import wall_clock
from prt.errors import PrtError
from prt.events import Event, TapFinding
from prt.state.conditions.bounds import Bounds, Progress
from prt.state.conditions.matching import Matching
from prt.views.drawing import findings
from prt.views.sinks.form import opened
from prt.views.sinks.output import NoOutput
from prt.views.sinks.recorder import Recorder, header_of
from prt.views.sinks.stderr import complain, notice

if TYPE_CHECKING:
    from prt.state.screen import Screen
    from prt.views.panels.view import View
    from prt.views.sinks.output import Output


def tap(request: TapRequest) -> int:
    """Forward traffic until the command ends, a bound is met or a signal arrives, and return the exit code.

    Raises:
        PrtError: The port is in use, the command can't be started, or an output can't be written.
    """
    return asyncio.run(_Tap(request).run())


class _Tap:
    def __init__(self, request: TapRequest) -> None:
        self._request = request
        self._has_screen = request.form is not None and request.form.is_table
        self._notes: deque[str] = deque(maxlen=3)
        self._found: list[TapFinding] = []

    async def run(self) -> int:
        request = self._request
        source = TapSource(request, self._notify)
        started = asyncio.get_running_loop().time()
        with self._recorder() as recorder, self._opened() as output:
            ending = await follow(
                source,
                output,
                Progress(Bounds(), source.expectations, started=started),
                Matching(),
                self._report,
                consumer=recorder,
            )
        return self._code(ending, source)

    def _code(self, ending: Ending, source: TapSource) -> int:
        if ending.error is not None:
            raise ending.error
        if self._has_screen:
            for found in self._found:
                _complain(found)
        if source.unjudged is not None:
            complain(*source.unjudged)
        return ending.end.exit_code

    def _report(self, event: Event) -> None:
        if not isinstance(event, TapFinding):
            return
        if self._has_screen:
            self._found.append(event)
        elif self._request.form is None:
            _complain(event)

    def _notify(self, text: str) -> None:
        """Report a notice that is not a finding."""
        if self._has_screen:
            self._notes.append(text)
        elif not self._request.is_quiet:
            notice(text)

    def _opened(self) -> AbstractContextManager[Output]:
        request = self._request
        if request.form is None:
            return nullcontext(NoOutput())
        return opened(request.form, request.project.host, views_of=self._views, notes=self._notes)

    def _views(self, _: Screen) -> Sequence[View]:
        from prt.state.tap import TapState
        from prt.views.panels.tap import TapView

        return [TapView(TapState(), host=self._request.project.host)]

    def _recorder(self) -> AbstractContextManager[Recorder | None]:
        request = self._request
        if request.record is None:
            return nullcontext()
        header = header_of(request.project.host, wall_clock(), command="tap")
        return Recorder(request.record, header, self._recording_failed)

    def _recording_failed(self, error: PrtError) -> None:
        if self._has_screen:
            self._notes.append(error.message)
        else:
            complain(error.message, error.hint)


def _complain(found: TapFinding) -> None:
    complain(f"{found.severity} {found.id}: {findings.cause_of(found)}", findings.remedy_of(found))
