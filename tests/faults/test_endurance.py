"""A thousand reconnects in a row: nothing grows."""

from __future__ import annotations

import asyncio
import gc
import logging
from pathlib import Path

import pytest

from prt.events import Status
from prt.stream.binding import Binding
from prt.stream.rest.session import Endpoint, Session
from tests.fakes import Peer, scripted_server
from tests.faults.staging import Account
from tests.faults.watching import Watch, hurried, watching
from tests.running import PATIENCE

RECONNECTS = 1_000
WARM = 200
DESCRIPTORS = Path("/proc/self/fd")


def sizes() -> dict[str, int]:
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "descriptors": len(list(DESCRIPTORS.iterdir())) if DESCRIPTORS.exists() else 0,
        "objects": len(gc.get_objects()),
    }


def test_a_thousand_reconnects_leave_nothing_behind(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would tell of every request that a new loss cut short, and pytest keeps what is logged.
    monkeypatch.setattr(logging.getLogger("websockets.server"), "disabled", True)
    found: dict[int, dict[str, int]] = {}

    async def main() -> None:
        connections = 0
        done = asyncio.Event()
        watches: list[Watch] = []
        first_ready: list[Status] = []

        async def script(peer: Peer) -> None:
            nonlocal connections
            await peer.accept()
            connections += 1
            if watches:
                first_ready[:] = first_ready or watches[0].statuses("READY")[:1]
                watches[0].events.clear()
            if connections in (WARM, RECONNECTS):
                # What the former ones left has its turn.
                for _ in range(20):
                    await asyncio.sleep(0)
                found[connections] = sizes()
            if connections == RECONNECTS:
                done.set()
                await peer.until_closed()
            else:
                await peer.connection.close(1012)

        async with scripted_server(script, refuse=(503, "{}"), refuse_only="/rest/") as url:
            session = Session(Endpoint(url=url, key="key"))
            async with watching(
                session, [Binding(table="todos")], timing=hurried(pause=0, longest_pause=0)
            ) as watch:
                watches.append(watch)
                async with asyncio.timeout(5 * PATIENCE):
                    await done.wait()
                await watch.until_gap()
                account("reconnects", [], [*first_ready, *watch.gaps])

    asyncio.run(main())
    early, late = found[WARM], found[RECONNECTS]
    assert late["tasks"] <= early["tasks"] + 2
    assert late["descriptors"] <= early["descriptors"] + 2
    assert late["objects"] < early["objects"] + 1_000, (early, late)
