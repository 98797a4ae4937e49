"""The metrics of a watch: from its request to the consumers of its events."""

# ruff: noqa: PLC0415 - a watch without metrics must not load Prometheus's library

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from prt.errors import UnreachableError

if TYPE_CHECKING:
    from prt.app.loop import Consumer
    from prt.app.presentation import Presentation
    from prt.app.watch_request import WatchRequest
    from prt.stream.rest.client import Rest


@asynccontextmanager
async def monitored(
    request: WatchRequest, rest: Rest, presentation: Presentation, *, connections: int
) -> AsyncIterator[Sequence[Consumer]]:
    """Keep the metrics of a watch during the block, and yield the consumers of its events.

    Args:
        request: The request for the watch.
        rest: The client for the canary's writes.
        presentation: Reports notices and failures.
        connections: How many connections the watch opens.

    Raises:
        UsageError: The metrics can't be exported to their target, or the canary's table doesn't accept rows.
        PrtError: REST can't be reached to prepare the canary.
    """
    wanted = request.metrics
    if wanted is None:
        yield ()
        return
    from prt.app.monitoring.export import MetricsExport
    from prt.state.metrics import Metrics

    metrics = Metrics(plan=wanted.plan, connections=connections)
    export = MetricsExport(metrics, wanted.target, has_canary=wanted.canary is not None)
    async with export.exporting(on_listening=presentation.notify, on_failure=presentation.complain):
        if wanted.canary is None:
            yield (export,)
            return
        from prt.app.monitoring.canary import Canary

        canary = Canary(rest, *wanted.canary, metrics.note)
        try:
            await canary.prepare()
        except UnreachableError:
            if request.policy is None or not request.policy.is_patient:
                raise
        async with canary.running(presentation.complain):
            yield (export, canary)
