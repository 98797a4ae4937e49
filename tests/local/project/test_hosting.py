"""What happens between two moments that tests from outside can't hit reliably."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import closing
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.requests import Request

from prt.errors import UsageError
from prt.local.postgres.server import Postgres
from prt.local.project import hosting, options, port
from prt.local.project.embedded import Project
from prt.local.project.options import Options
from prt.local.seed import loading, traffic
from prt.local.serving import services
from prt.local.serving.keys import generate
from prt.processes import Program


def test_a_signal_before_the_command_has_begun_reaches_it() -> None:
    async def scenario() -> int:
        signals = hosting._Signals()
        signals.heard(signal.SIGTERM)
        program = Program(["sleep", "600"], environment=dict(os.environ), has_own_group=False)
        signals.go_to(program)
        return await program.wait()

    assert asyncio.run(scenario()) == -signal.SIGTERM


class Day:
    """Traffic that only tells whether it runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.running = 0
        monkeypatch.setattr(traffic, "play", self.play)

    async def play(self, conninfo: str, url: str, key: str, *, rate: float, seed: int | None) -> None:
        self.running += 1
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.running -= 1


class Unchecked:
    """Counts how often it was told to look at the publication."""

    def __init__(self) -> None:
        self.checks = 0

    async def check(self) -> None:
        self.checks += 1


@pytest.mark.parametrize("error", [None, UsageError("1.sql: line 1: syntax error", "mend it")])
def test_traffic_rests_during_a_reset(monkeypatch: pytest.MonkeyPatch, error: UsageError | None) -> None:
    day = Day(monkeypatch)
    during = []

    def reset(*_: object, **__: object) -> frozenset[str]:
        during.append(day.running)
        if error is not None:
            raise error
        return frozenset()

    monkeypatch.setattr(loading, "reset", reset)
    listener = port.bound(0)
    project = Project(
        options=Options(traffic=True),
        listener=listener,
        postgres=Postgres(port=1, password="", owner_password="", pid=1),
        keys=generate(),
        launch=cast("Any", None),
        platform_roles=frozenset(),
    )

    async def scenario() -> None:
        writing = services.Traffic(project)
        writing.start()
        await asyncio.sleep(0)
        assert day.running == 1
        realtime = Unchecked()
        route = services._reset_route(project, writing, cast("Any", SimpleNamespace(publication=realtime)))
        headers = [(b"apikey", project.keys.secret.encode())]
        response = await route.endpoint(Request({"type": "http", "method": "POST", "headers": headers}))
        assert response.status_code == (200 if error is None else 422)
        assert realtime.checks == (1 if error is None else 0)
        await asyncio.sleep(0)
        assert day.running == 1
        await writing.stop()
        assert day.running == 0

    with closing(listener):
        asyncio.run(scenario())
    assert during == [0]


def test_options_pass_through_the_pipe(tmp_path: Any) -> None:
    asked = Options(port=0, data_dir=tmp_path, migrations=(tmp_path / "a.sql",), traffic=True, rate=7.5)
    assert options.decode(options.encode(asked)) == asked
