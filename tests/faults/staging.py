"""A project, a proxy before it, a watch behind that, and a ledger of what is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from prt.stream.binding import Binding
from prt.stream.rest.session import Endpoint, Session
from tests.faults.judge import Verdict, Write, judge
from tests.faults.ledger import Ledger
from tests.faults.proxy import Proxy
from tests.faults.watching import Watch, watching

Account = Callable[..., Verdict]


@dataclass(frozen=True)
class Stage:
    ledger: Ledger
    proxy: Proxy
    watch: Watch
    session: Session
    present: list[int]
    """Keys of rows of the first table that were there before the watch."""

    async def outage(self, begin: Callable[[Proxy], None], *, attempts: int = 1) -> None:
        """Traffic before, during and after: nobody is let in again before enough was missed."""
        async with self.ledger.traffic():
            await self.ledger.until_more(20)
            await self.down(begin, attempts=attempts)
            self.proxy.heal()
            await self.watch.until_ready(2)
            await self.ledger.until_more(20)
        await self.settle()

    async def down(self, begin: Callable[[Proxy], None], *, attempts: int = 1) -> None:
        """Until the watch has tried in vain that often, and 20 writes were missed."""
        before = self.proxy.connections
        self.proxy.is_shut = True
        begin(self.proxy)
        await self.ledger.until_more(20)
        await self.proxy.until(lambda proxy: proxy.connections >= before + attempts)
        await self.ledger.until_more(1)

    async def settle(self, *, gaps: int = 1) -> None:
        """A last row is delivered, and the gaps are reported."""
        (last,) = await self.ledger.insert()
        await self.watch.until_seen(last)
        await self.watch.until_gap(gaps)

    async def settle_loss(self) -> None:
        """Wait until a last row is delivered and every loss is declared that no frame reports."""
        (last,) = await self.ledger.insert()
        await self.watch.until_seen(last)
        writes = await self.ledger.writes()
        try:
            await self.watch.until(lambda watch: not _verdict(writes, watch).lost_silently)
        except AssertionError as exc:
            violations = "\n".join(_verdict(writes, self.watch).violations[:20])
            raise AssertionError(f"{violations}\n{self.watch.gaps}\n{exc}") from None


def _verdict(writes: Sequence[Write], watch: Watch) -> Verdict:
    return judge(writes, watch.events, is_verified=True)


@asynccontextmanager
async def staged(
    project: Mapping[str, str],
    *,
    host: str = "127.0.0.1",
    present: int = 0,
    session_at: Callable[[str], Session] | None = None,
    **options: Any,
) -> AsyncIterator[Stage]:
    """READY, and a few rows were delivered; `present` rows were in each table before.

    `host` is the name by which the watch knows the proxy.
    """
    async with (
        Ledger.kept(project["SUPABASE_DB_URL"]) as ledger,
        Proxy(project["SUPABASE_URL"]).serving() as proxy,
    ):
        url = f"http://{host}:{proxy.port}"
        session = (
            session_at(url) if session_at else Session(Endpoint(url=url, key=project["SUPABASE_ANON_KEY"]))
        )
        bindings = [Binding(table=table) for table in ledger.tables]
        there = await ledger.insert(present)
        await ledger.insert(present, table=1)
        async with watching(session, bindings, **options) as watch:
            await watch.until_ready()
            keys = [*await ledger.insert(2), *await ledger.insert(2, table=1)]
            await watch.until_seen(*keys)
            yield Stage(ledger, proxy, watch, session, there)


def play(
    project: Mapping[str, str],
    script: Callable[[Stage], Coroutine[Any, Any, None]],
    account: Account,
    fault: str,
    **options: Any,
) -> Verdict:
    """Plays a script on a stage of its own, and judges."""

    async def main() -> Verdict:
        async with staged(project, **options) as stage:
            await script(stage)
            # After its end nothing is promised.
            until = stage.watch.gaps[-1].at if stage.watch.has_ended and stage.watch.gaps else None
            return account(
                fault,
                await stage.ledger.writes(),
                stage.watch.events,
                until=until,
                is_verified=options.get("is_verifying", False),
            )

    return asyncio.run(main())
