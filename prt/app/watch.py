"""From what is to be watched to an exit code: the way that every watching command shares."""

# ruff: noqa: PLC0415 - imports cost where they are used

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from prt.app.actions import Actions
    from prt.app.loop import Ending, Source
    from prt.app.screen import Showing, Subject
    from prt.cli.options.outputs import Form
    from prt.cli.options.recovery import Recovering
    from prt.config.project import Project
    from prt.state.conditions.alerts import Rule
    from prt.state.conditions.bounds import Awaited, Bounds
    from prt.state.conditions.matching import Matching
    from prt.state.screen import Screen
    from prt.stream.binding import Binding
    from prt.stream.live.supervisor import Policy
    from prt.stream.recording.file import Recording
    from prt.stream.rest.client import Rest
    from prt.stream.rest.session import Endpoint, Session
    from prt.stream.topic import Room
    from prt.views.panels.view import View
    from prt.views.sinks.output import Output


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

    from prt.app.screen import Showing
    from prt.stream.recording.file import Recording

    showing = Showing(
        form=form,
        bounds=bounds,
        expectations=expectations,
        matching=matching,
        views_of=views_of,
        actions=actions,
        output=output,
        record=record,
        rules=rules,
        fails_on=fails_on,
        is_once=is_once,
        is_quiet=is_quiet,
    )
    if isinstance(project, Recording):
        return showing.report(asyncio.run(_played(project, showing)))
    live = _followed(project, bindings, rooms, showing, recovering=recovering, policy=policy)
    return showing.report(asyncio.run(live))


async def _played(recording: Recording, showing: Showing) -> Ending:
    import asyncio

    from prt.app.screen import Subject

    subject = Subject(host=recording.header.host, keys=recording.keys)
    started = asyncio.get_running_loop().time()
    return await showing.follow(recording, subject, started=started, clock=recording.now)


async def _followed(
    project: Project,
    bindings: Sequence[Binding] | Callable[[Endpoint], Sequence[Binding]],
    rooms: Sequence[Room] | Callable[[Endpoint], Sequence[Room]],
    showing: Showing,
    *,
    recovering: Recovering | None,
    policy: Policy | None,
) -> Ending:
    import asyncio

    from prt.app.name_cache import Seeing
    from prt.app.screen import Subject
    from prt.cli.options.recovery import Recovering
    from prt.stream.rest.client import Rest
    from prt.stream.rest.session import session_of

    started = asyncio.get_running_loop().time()
    missed = recovering or Recovering()
    async with session_of(project) as session, Rest(lambda: session.endpoint) as rest:
        tables = bindings(session.endpoint) if callable(bindings) else bindings
        topics = rooms(session.endpoint) if callable(rooms) else rooms
        subject = Subject(host=project.host, tables=tables, topics=topics, keys=missed.keys_of(tables))
        source = _source(session, rest, subject, missed, policy)
        return await showing.follow(Seeing(source), subject, started=started)


def _source(
    session: Session, rest: Rest, subject: Subject, missed: Recovering, policy: Policy | None
) -> Source:
    """A channel for the tables, if there are any or nothing else is watched, and one for each topic."""
    from prt.stream.live.combined import Together
    from prt.stream.live.source import Live
    from prt.stream.recovery.backfill import Recovery

    lives = [Live(session, [], room=room, policy=policy) for room in subject.topics]
    if subject.tables or not lives:
        recovery = Recovery(
            rest,
            subject.tables,
            is_backfilling=missed.backfill,
            keeps_snapshot=missed.snapshot,
            since=missed.since,
            cursor=missed.cursor,
            keys=subject.keys,
        )
        lives.insert(0, Live(session, subject.tables, policy=policy, recovery=recovery))
    return lives[0] if len(lives) == 1 else Together(lives)
