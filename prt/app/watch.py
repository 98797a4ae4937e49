"""The watch from a request to an exit code. Every command that watches uses it."""

# ruff: noqa: PLC0415 - modules are loaded when they are used

from __future__ import annotations

from typing import TYPE_CHECKING

from prt.inputs import Input

if TYPE_CHECKING:
    from prt.app.loop import Ending, Source
    from prt.app.presentation import Presentation, Subject
    from prt.app.watch_request import WatchRequest
    from prt.config.project import Project
    from prt.stream.recording.file import Recording
    from prt.stream.recovery.backfill import Recovery
    from prt.stream.rest.client import Rest
    from prt.stream.rest.session import Session
    from prt.stream.socket.queue import EventQueue


CACHED_BYTES = 1 << 20
"""How many bytes of a table's newest rows are read for a view at READY."""


def watch(request: WatchRequest) -> int:
    """Watch until a bound is met, and return the exit code.

    Raises:
        PrtError: The error that ended the watch early.
    """
    import asyncio

    from prt.app.presentation import Presentation
    from prt.stream.recording.file import Recording

    presentation = Presentation(request)
    source = request.source
    if isinstance(source, Recording):
        return presentation.report(asyncio.run(_played(source, presentation)))
    return presentation.report(asyncio.run(_followed(source, request, presentation)))


async def _played(recording: Recording, presentation: Presentation) -> Ending:
    import asyncio

    from prt.app.controls.playback import PlaybackControls
    from prt.app.presentation import Subject

    subject = Subject(host=recording.header.host, keys=recording.keys)
    started = asyncio.get_running_loop().time()
    controls = PlaybackControls(recording) if presentation.is_drawn else None
    return await presentation.follow(
        recording, subject, started=started, clock=recording.now, controls=controls
    )


async def _followed(project: Project, request: WatchRequest, presentation: Presentation) -> Ending:
    import asyncio

    from prt.app.monitoring.monitored import monitored
    from prt.app.presentation import Subject
    from prt.app.sources.name_cache import NameCachingSource
    from prt.app.sources.refusals import ExplainingSource
    from prt.checks.partitions import partition_notices
    from prt.stream.rest.client import Rest
    from prt.stream.rest.column_types import refuse_unfilterable
    from prt.stream.rest.session import session_of
    from prt.stream.socket.queue import EventQueue

    started = asyncio.get_running_loop().time()
    bindings, wanted = request.bindings, request.topics
    async with (
        session_of(project) as session,
        Rest(lambda: session.endpoint) as rest,
        Rest(lambda: session.endpoint, max_bytes=CACHED_BYTES) as cache_reader,
    ):
        tables = bindings(session.endpoint) if callable(bindings) else bindings
        topics = wanted(session.endpoint) if callable(wanted) else wanted
        keys = request.recovery.keys_of(tables)
        subject = Subject(host=project.host, tables=tables, topics=topics, keys=keys)
        await refuse_unfilterable(rest, tables)
        queue = EventQueue()
        reader = cache_reader if presentation.is_drawn else None
        recovery = _recovery(rest, subject, request, cache_reader=reader)
        live = _source(session, subject, request, queue, recovery)
        source = NameCachingSource(ExplainingSource(live, rest, request.default_tables, request.remedies))
        controls = None
        if request.can_edit and presentation.is_drawn:
            from prt.app.controls.editing import EditControls

            controls = EditControls(rest, request.notifications)
        opened = len(topics) + bool(tables)
        async with (
            partition_notices(project.database_url, tables, queue.put),
            monitored(request, rest, presentation, connections=max(opened, 1)) as consumers,
        ):
            ending = await presentation.follow(
                source, subject, started=started, controls=controls, consumers=consumers
            )
        if ending.error is None and recovery is not None and not recovery.has_loaded:
            _report_unread(request, ending, presentation)
        if controls is not None:
            await controls.close()
        return ending


def _report_unread(request: WatchRequest, ending: Ending, presentation: Presentation) -> None:
    """Report that the watch has ended before the rows that were asked for at its start were read."""
    what = Input.SNAPSHOT if request.recovery.snapshot else Input.SINCE if request.recovery.since else None
    if what is not None and ending.end.reason not in ("signal", "quit"):
        presentation.notify(f"the watch ended before the rows of `{what}` were all read: give it longer")


def _recovery(
    rest: Rest, subject: Subject, request: WatchRequest, *, cache_reader: Rest | None
) -> Recovery | None:
    """Return the reads over REST; None if only topics are watched.

    `cache_reader` reads the newest rows of each table, so that the first UPDATE shows what it changed.
    """
    from prt.stream.recovery.backfill import Recovery
    from prt.stream.recovery.options import Options

    if subject.topics and not subject.tables:
        return None
    wanted = request.recovery
    options = Options(
        is_backfilling=wanted.backfill,
        is_verifying=wanted.verify,
        keeps_snapshot=wanted.snapshot,
        since=wanted.since,
        cursor=wanted.cursor,
        keys=subject.keys,
    )
    return Recovery(rest, subject.tables, options, cache_reader=cache_reader)


def _source(
    session: Session,
    subject: Subject,
    request: WatchRequest,
    queue: EventQueue,
    recovery: Recovery | None,
) -> Source:
    """Return the source of the watch: one channel for the tables, and one for each topic.

    There is a channel for tables unless only topics are watched.
    """
    from prt.stream.live.combined import CombinedSource
    from prt.stream.live.source import Live

    policy = request.policy
    lives = [Live(session, [], settings=topic, policy=policy) for topic in subject.topics]
    if recovery is not None:
        lives.insert(0, Live(session, subject.tables, policy=policy, recovery=recovery))
    if len(lives) > 1:
        return CombinedSource(lives, queue=queue)
    lives[0].pour_into(queue)
    return lives[0]
