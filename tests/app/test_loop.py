"""The loop of a watching command: what its end reports if nothing was READY."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from prt.app.loop import Ending, follow
from prt.errors import PrtError, RefusedError
from prt.events import Event, Vitals
from prt.state.conditions.bounds import Bounds, Progress
from prt.state.conditions.expectations import Expectations
from prt.state.conditions.matching import Matching

DURATION = 0.05


class Silent:
    """An output that writes nothing."""

    keys = None

    def drain(self) -> bool:
        return True

    def __getattr__(self, _: str) -> Any:
        return lambda *_: None


def vitals(phase: str) -> Vitals:
    return Vitals(at=1, phase=phase, since=1)


def ended(last: Event | PrtError) -> Ending:
    """The end of a watch whose join gets its answer after the duration."""

    @asynccontextmanager
    async def source() -> AsyncIterator[AsyncIterator[list[Event]]]:
        async def batches() -> AsyncIterator[list[Event]]:
            yield [vitals("joining")]
            await asyncio.sleep(4 * DURATION)
            if isinstance(last, PrtError):
                yield [vitals("ended")]
                raise last
            yield [last]

        yield _Uncancelled(batches())

    async def main() -> Ending:
        started = asyncio.get_running_loop().time()
        progress = Progress(Bounds(duration=DURATION), Expectations([]), started=started)
        return await follow(source(), cast(Any, Silent()), progress, Matching())

    return asyncio.run(main())


class _Uncancelled:
    """Batches whose waiting may be cancelled, as those of a live source."""

    def __init__(self, batches: AsyncIterator[list[Event]]) -> None:
        self._batches = batches
        self._next: asyncio.Future[list[Event]] | None = None

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        return self

    async def __anext__(self) -> list[Event]:
        if self._next is None:
            self._next = asyncio.ensure_future(anext(self._batches))
        batch = await asyncio.shield(self._next)
        self._next = None
        return batch


def test_a_refusal_that_arrives_after_the_duration_is_reported() -> None:
    ending = ended(RefusedError("the join was refused", "add a policy"))
    assert ending.error is not None
    assert ending.error.message == "the join was refused"
    assert ending.end.exit_code == 3


@pytest.mark.parametrize("phase", ["subscribed", "waiting"])
def test_any_other_answer_ends_with_the_duration(phase: str) -> None:
    ending = ended(vitals(phase))
    assert ending.error is not None
    assert ending.error.message == "the subscription was not READY in that time"
    assert ending.end.exit_code == 4
