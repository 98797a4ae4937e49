"""A tap that breaks the connection of whatever is behind it, for tests of what recovers from that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prt.app.tap.request import TapRequest
from prt.app.tap.source import TapSource
from prt.config.project import Project
from prt.events import Event, TapFinding
from prt.tap.chaos.plan import ChaosPlan, FaultPlan
from tests.running import PATIENCE


class Tap:
    """A tap that runs, and what it has reported."""

    def __init__(self, source: TapSource) -> None:
        self.source = source
        self.events: list[Event] = []

    @property
    def url(self) -> str:
        """Where the app finds the tap."""
        assert self.source.proxy is not None
        return self.source.proxy.url

    async def read(self) -> None:
        async for batch in self.source:
            self.events += batch

    async def until_judged(self) -> set[str]:
        """Wait for the judgement; return the ids of all findings."""
        assert self.source.recovery is not None
        while not self.source.recovery.judged:
            await self.source.ticked()
        await self.source.ticked()  # by then what the judgement has brought is read
        return {event.id for event in self.events if isinstance(event, TapFinding)}


@asynccontextmanager
async def tapped(plan: ChaosPlan, project: dict[str, str]) -> AsyncIterator[Tap]:
    target = Project(url=project["SUPABASE_URL"], identity="anon")
    source = TapSource(TapRequest(project=target, port=0, form=None, chaos=plan), lambda _: None)
    async with asyncio.timeout(PATIENCE), source:
        tap = Tap(source)
        reading = asyncio.create_task(tap.read())
        try:
            yield tap
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def fault(kind: Any, **more: Any) -> FaultPlan:
    """A fault once the app has had the time to join."""
    return FaultPlan(kind=kind, at=2.0, **more)
