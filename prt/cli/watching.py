"""From what is to be watched to an exit code: the way that every watching command shares."""

# ruff: noqa: PLC0415 - imports cost where they are used

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from prt.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from prt.cli.acting import Actions
    from prt.cli.outputs import Form
    from prt.cli.recovering import Keys, Recovering
    from prt.config import Project
    from prt.errors import PrtError
    from prt.state.alerts import Rule
    from prt.state.bounds import Awaited, Bounds
    from prt.state.matching import Matching
    from prt.state.screen import Screen
    from prt.stream.binding import Binding
    from prt.stream.recording import Recording
    from prt.stream.room import Room
    from prt.stream.session import Endpoint
    from prt.stream.supervisor import Policy
    from prt.views.output import Output
    from prt.views.view import View


def watched(
    project: Project | Recording,
    bindings: Sequence[Binding] | Callable[[Endpoint], Sequence[Binding]],
    *,
    form: Form,
    bounds: Bounds,
    expectations: Awaited,
    matching: Matching,
    recovering: Recovering | None = None,
    policy: Policy | None = None,
    views_of: Callable[[Screen], Sequence[View]] | None = None,
    actions: Actions | None = None,
    rooms: Sequence[Room] | Callable[[Endpoint], Sequence[Room]] = (),
    output: Output | None = None,
    record: Path | None = None,
    rules: Sequence[Rule] = (),
    fails_on: str | None = None,
    is_once: bool = False,
    is_quiet: bool = False,
) -> int:
    """Watches until a bound is met; the exit code. `views_of` makes what is drawn. Raises PrtError.

    A recording in place of a project is played: its end, which is a success, is repeated.
    `bindings` and `rooms` may wait for the session that tells who we are; with rooms and no bindings no
    table is joined. `output` stands in place of the form's; `record` is a file for all that comes.
    `rules` raise alerts, which fail the command from the severity `fails_on` on; `is_once` prints what is
    there at the end, without a screen.
    """
    import asyncio
    import time
    from collections import deque
    from contextlib import nullcontext

    from prt.cli.alerting import Alerting
    from prt.cli.following import TICK_SECONDS, Ending, Source, follow
    from prt.cli.outputs import opened
    from prt.cli.recovering import Recovering
    from prt.cli.seeing import Seeing
    from prt.cli.stderr import complain, notice
    from prt.cli.telling import Teller
    from prt.state.alerts import Alerts
    from prt.state.bounds import Progress
    from prt.stream.recording import Recording
    from prt.stream.recovery import Recovery
    from prt.stream.rest import Rest
    from prt.stream.session import session_of
    from prt.stream.source import Live
    from prt.stream.together import Together
    from prt.views.recorder import Recorder, header_of

    host = project.header.host if isinstance(project, Recording) else project.host
    recording = project if isinstance(project, Recording) else None
    is_view = output is None and form.kind is options.OutputForm.TABLE
    missed = recovering or Recovering()
    tell = None if is_view or is_quiet else Teller()
    notes = actions.notes if actions else deque[str]()
    failures: list[PrtError] = []

    def recording_failed(error: PrtError) -> None:
        if is_view:
            notes.append(error.message)
            failures.append(error)
        else:
            complain(error.message, error.hint)

    def recorded(
        tables: Sequence[Binding], topics: Sequence[Room], keys: Keys
    ) -> AbstractContextManager[Recorder | None]:
        if record is None:
            return nullcontext()
        now = time.time_ns() // 1000
        header = header_of(host, now, bindings=tables, rooms=topics, keys=keys)
        return Recorder(record, header, recording_failed)

    async def shown(
        source: Source, tables: Sequence[Binding], topics: Sequence[Room], keys: Keys, started: float
    ) -> tuple[Ending, int]:
        def key_columns(schema_name: str, table: str) -> tuple[str, ...]:
            return keys.get((schema_name, table), ("id",))

        alerting: Alerting | None = None
        clock = None if recording is None else recording.now
        async with actions or nullcontext():
            sink = (
                opened(form, host, keys, views_of, notes, is_once=is_once, shown_time=clock)
                if output is None
                else nullcontext(output)
            )
            with recorded(tables, topics, keys) as recorder, sink as shown:
                progress = Progress(bounds, expectations, started=started)
                acting = actions.around(shown) if actions else shown
                if rules:
                    acting = alerting = Alerting(acting, Alerts(rules, key_columns), least=fails_on)
                ending = await follow(
                    source,
                    acting,
                    progress,
                    matching,
                    tell,
                    recorder=recorder,
                    keys=shown.keys,
                    clock=clock,
                    tick_seconds=min(form.batch or TICK_SECONDS, TICK_SECONDS),
                )
            if actions and ending.end.reason != "signal":
                await actions.finish()
        code = ending.end.exit_code
        if ending.is_replayed:
            code = int(not expectations.are_met)
        return ending, code if alerting is None else alerting.exit_code(code)

    async def main() -> tuple[Ending, int]:
        started = asyncio.get_running_loop().time()
        if isinstance(project, Recording):
            return await shown(project, [], [], project.keys, started)
        async with session_of(project) as session, Rest(lambda: session.endpoint) as rest:
            wanted = bindings(session.endpoint) if callable(bindings) else bindings
            keys = missed.keys_of(wanted)
            recovery = Recovery(
                rest,
                wanted,
                is_backfilling=missed.backfill,
                keeps_snapshot=missed.snapshot,
                since=missed.since,
                cursor=missed.cursor,
                keys=keys,
            )
            asked = rooms(session.endpoint) if callable(rooms) else rooms
            lives = [Live(session, [], room=room, policy=policy) for room in asked]
            if wanted or not lives:
                lives.insert(0, Live(session, wanted, policy=policy, recovery=recovery))
            source = lives[0] if len(lives) == 1 else Together(lives)
            return await shown(Seeing(source), wanted, asked, keys, started)

    ending, code = asyncio.run(main())
    if ending.end.reason == "signal" and not is_view:
        notice(f"stopped after {ending.end.events} events")
    if actions and is_view:
        for note in actions.notes:
            notice(note)
    for failure in failures:
        complain(failure.message, failure.hint)
    for missing in expectations.missing():
        notice(str(missing))
    if ending.error is not None:
        ending.error.is_told = tell is not None and tell.has_told(ending.error)
        raise ending.error
    return code
