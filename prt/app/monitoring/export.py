"""The export of a watch's metrics to a file, or over HTTP from this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from prt.app.watch_request import MetricsTarget
from prt.clock import wall_clock
from prt.errors import PrtError
from prt.events import Event
from prt.state.metrics import Metrics
from prt.views.monitoring.page import Families, replace_page
from prt.views.monitoring.server import served
from prt.views.monitoring.watch import families

FILE_SECONDS: Final = 5.0
"""How often the file is replaced; node_exporter reads it each time it's scraped."""


class MetricsExport:
    """A consumer of events that counts them and exports the metrics to a target."""

    def __init__(self, metrics: Metrics, target: MetricsTarget, *, has_canary: bool) -> None:
        self._metrics = metrics
        self._target = target
        self._has_canary = has_canary
        self._written: tuple[str, int] | None = None
        self._failure: PrtError | None = None
        self._complain: Callable[[PrtError], None] = lambda _: None

    def consume(self, event: Event) -> None:
        """Count an event."""
        self._metrics.apply(event)

    def flush(self) -> None:
        """Replace the file at once if the connection's phase changed or there is a new gap."""
        if self._target.path is not None and self._written != self._state:
            self._replace(self._target.path)

    @asynccontextmanager
    async def exporting(
        self, *, on_listening: Callable[[str], None], on_failure: Callable[[PrtError], None]
    ) -> AsyncIterator[None]:
        """Export the metrics during the block.

        Args:
            on_listening: Gets a sentence with the page's URL.
            on_failure: Gets the error if the file can't be replaced, once.

        Raises:
            UsageError: The file can't be written, or the server can't listen at the address.
        """
        target = self._target
        if target.path is None:
            async with served(target.host, target.port, self._families) as port:
                host = f"[{target.host}]" if ":" in target.host else target.host
                on_listening(f"metrics at http://{host}:{port}/metrics")
                yield
            return
        replace_page(target.path, self._families)
        self._complain = on_failure
        task = asyncio.create_task(self._keep_replacing(target.path))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._replace(target.path)

    async def _keep_replacing(self, path: Path) -> None:
        while True:
            await asyncio.sleep(FILE_SECONDS)
            self._replace(path)

    def _replace(self, path: Path) -> None:
        self._written = self._state
        try:
            replace_page(path, self._families)
        except PrtError as exc:
            if self._failure is None:
                self._failure = exc
                self._complain(exc)
        else:
            self._failure = None

    @property
    def _state(self) -> tuple[str, int]:
        return self._metrics.phase, self._metrics.gaps

    @property
    def _families(self) -> Families:
        return lambda: families(self._metrics, wall_clock(), has_canary=self._has_canary)
