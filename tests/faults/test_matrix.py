"""The matrix, first part: connections that end, go silent, or can't be made."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any, Literal

import pytest

from prt.events import Event, Vitals
from prt.stream.socket import refusals
from tests.faults.proxy import Proxy
from tests.faults.staging import Account, Stage, play
from tests.faults.watching import hurried

Project = dict[str, str]
Patch = pytest.MonkeyPatch


def closing(code: int) -> Callable[[Proxy], None]:
    return lambda proxy: proxy.close(code)


def cutting(how: Literal["rst", "fin"]) -> Callable[[Proxy], None]:
    return lambda proxy: proxy.cut(how)


def swallowing(*, to_client: bool, to_server: bool) -> Callable[[Proxy], None]:
    return lambda proxy: proxy.swallow(to_client=to_client, to_server=to_server)


def ending(send: Callable[[Proxy], None]) -> Callable[[Proxy], None]:
    """The server ends the channel: it sends no more changes, and sends the reason."""

    def end(proxy: Proxy) -> None:
        proxy.drop_changes()
        send(proxy)

    return end


def failing(proxy: Proxy) -> None:
    proxy.system("Realtime was unable to connect to the project database")
    proxy.send("phx_close", {})


@pytest.mark.parametrize(
    ("fault", "begin"),
    [
        *((f"close-{code}", closing(code)) for code in (1000, 1001, 1006, 1009, 1011, 1012)),
        ("rst", cutting("rst")),
        ("fin", cutting("fin")),
        ("phx-error", ending(lambda proxy: proxy.send("phx_error", {}))),
        ("phx-close", ending(lambda proxy: proxy.send("phx_close", {}))),
        ("system-error", ending(failing)),
    ],
)
def test_what_ends_the_stream_is_healed_and_accounted_for(
    project: Project, account: Account, fault: str, begin: Callable[[Proxy], None]
) -> None:
    async def script(stage: Stage) -> None:
        await stage.outage(begin, attempts=2)
        assert not stage.watch.gaps[0].complete, "deletes can't be asked for"

    verdict = play(project, script, account, fault)
    assert verdict.recovered >= 20
    assert (verdict.declared, verdict.gaps) == (0, 1)


@pytest.mark.parametrize(
    ("fault", "swallowed"),
    [
        ("half-open", (True, True)),
        ("half-open-to-client", (True, False)),
        ("half-open-to-server", (False, True)),
    ],
)
def test_a_half_open_socket_is_noticed_by_its_heartbeats(
    project: Project, account: Account, fault: str, swallowed: tuple[bool, bool]
) -> None:
    to_client, to_server = swallowed

    async def script(stage: Stage) -> None:
        await stage.outage(swallowing(to_client=to_client, to_server=to_server))
        (lost,) = stage.watch.statuses("TIMED_OUT")
        assert lost.reason is not None
        assert "heartbeat" in lost.reason

    verdict = play(project, script, account, fault, timing=hurried(heartbeat=0.4))
    # Where only our words vanish, changes go on coming until prt gives the link up.
    assert verdict.recovered >= (20 if to_client else 1)
    assert (verdict.declared, verdict.gaps) == (0, 1)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, '{"error":"Error connecting to Realtime"}'),
        (503, "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"),
    ],
)
def test_a_handshake_that_is_refused_for_now_is_tried_again(
    project: Project, account: Account, status: int, body: str
) -> None:
    async def script(stage: Stage) -> None:
        async with stage.ledger.traffic():
            await stage.ledger.until_more(20)
            before = stage.proxy.connections
            stage.proxy.refuse(status, body, times=3)
            stage.proxy.cut("rst")
            await stage.ledger.until_more(20)
            await stage.watch.until_ready(2)
            assert stage.proxy.connections >= before + 4
        await stage.settle()

    assert play(project, script, account, f"refused-{status}").recovered >= 1


def waits(events: list[Event]) -> list[float]:
    """The pauses before an attempt, in seconds, as the head of a view shows them."""
    return [
        (event.retry_at - event.at) / 1_000_000
        for event in events
        if isinstance(event, Vitals) and event.phase == "waiting" and event.retry_at is not None
    ]


@pytest.mark.parametrize("fault", ["refused-429", "system-rate-limit"])
def test_a_rate_limit_gets_the_pause_that_it_wants(
    project: Project, account: Account, monkeypatch: Patch, fault: str
) -> None:
    assert refusals.RATE_LIMIT_SECONDS >= 30
    monkeypatch.setattr(refusals, "RATE_LIMIT_SECONDS", 0.5)

    async def script(stage: Stage) -> None:
        async with stage.ledger.traffic():
            await stage.ledger.until_more(20)
            if fault == "refused-429":
                stage.proxy.refuse(429, '{"error":"Too many connected users"}')
                stage.proxy.cut("rst")
            else:
                stage.proxy.drop_changes()
                stage.proxy.system("Too many messages per second")
                stage.proxy.send("phx_close", {})
            await stage.watch.until_ready(2)
        await stage.settle()
        assert max(waits(stage.watch.events)) >= 0.49

    assert play(project, script, account, fault).recovered >= 1


@pytest.mark.parametrize(
    ("refused", "exit_code"),
    [
        ((401, "Failed to validate JWT signature"), 3),
        ((403, "Realtime was disabled for this tenant"), 4),
        ((404, "Tenant not found"), 4),
    ],
)
def test_a_final_refusal_ends_the_watch_with_its_gap(
    project: Project, account: Account, refused: tuple[int, str], exit_code: int
) -> None:
    status, words = refused

    async def script(stage: Stage) -> None:
        async with stage.ledger.traffic():
            await stage.ledger.until_more(20)
            await stage.down(cutting("rst"))
        stage.proxy.refuse(status, json.dumps({"error": words}))
        stage.proxy.heal()
        await stage.watch.until_ended()
        assert stage.watch.error is not None
        assert stage.watch.error.exit_code == exit_code
        assert words in stage.watch.error.message
        (gap,) = stage.watch.gaps
        assert not gap.complete

    assert play(project, script, account, f"refused-{status}").declared >= 20


def test_a_name_that_cannot_be_resolved_is_tried_again(
    project: Project, account: Account, monkeypatch: Patch
) -> None:
    resolve = socket.getaddrinfo
    failures: list[object] = []
    is_down = False

    def resolved(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in ("project.test", b"project.test"):
            return resolve(host, *rest, **more)
        if is_down:
            failures.append(host)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)

    async def script(stage: Stage) -> None:
        nonlocal is_down
        async with stage.ledger.traffic():
            await stage.ledger.until_more(20)
            is_down = True
            stage.proxy.cut("rst")
            while len(failures) < 3:
                await stage.ledger.until_more(5)
            is_down = False
            await stage.watch.until_ready(2)
        await stage.settle()
        assert "project.test" in (stage.watch.statuses("CLOSED")[0].reason or "")

    assert play(project, script, account, "dns", host="project.test").recovered >= 5


def test_a_join_that_is_never_answered_is_given_up(project: Project, account: Account) -> None:
    async def script(stage: Stage) -> None:
        async with stage.ledger.traffic():
            await stage.ledger.until_more(20)
            stage.proxy.swallow_joins(2)
            stage.proxy.cut("rst")
            await stage.watch.until_ready(2)
            assert stage.proxy.joins >= 4
        await stage.settle()

    assert play(project, script, account, "join-unanswered", timing=hurried(join=0.5)).recovered >= 1
