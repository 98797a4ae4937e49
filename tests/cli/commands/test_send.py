"""`prt send` before it sends: payloads, lines, options; and after: results, the summary, the exit code."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from prt.app.lines import lines
from prt.app.send import Result, SendRequest, Tally, send_all
from prt.cli.main import run
from prt.cli.options import payloads as payloads_module
from prt.cli.options.payloads import payloads_of
from prt.config.project import Project
from prt.errors import PrtError, UsageError
from prt.stream.rest.session import Endpoint, Session
from tests.fakes import Peer, Script, scripted_server
from tests.stream.scripted import project_of

TOPIC = "room"


def taken(text: str, *, repeat: int = 1, is_object: bool = False) -> list[bytes]:
    async def main() -> list[bytes]:
        return [payload async for payload in payloads_of(text, repeat=repeat, is_object=is_object)()]

    return asyncio.run(main())


def test_a_payload_is_sent_as_it_was_typed_and_as_often_as_asked(tmp_path: Path) -> None:
    assert taken('{"x": 1.0}', repeat=3) == [b'{"x": 1.0}'] * 3
    assert taken("[1, 2]") == [b"[1, 2]"]
    file = tmp_path / "payload.json"
    file.write_text('{\n  "x": 1\n}\n')
    assert taken(f"@{file}") == [b'{\n  "x": 1\n}']


@pytest.mark.parametrize(
    ("text", "is_object", "message", "hint"),
    [
        ("{x: 1}", False, "PAYLOAD is not valid JSON", "quote it for the shell"),
        ("", False, "PAYLOAD is not valid JSON", "quote it"),
        ("[1]", True, "PAYLOAD is not a JSON object, and --http takes nothing else", "socket"),
        ("@/nowhere", False, "can't read the file /nowhere: no such file or directory", "@FILE"),
        ('"' + "x" * 3_000_000 + '"', False, "3,000 KB is above the limit", "256 KB"),
        ("\udcff", False, "PAYLOAD is not valid JSON", "quote it"),
    ],
)
def test_an_invalid_payload_is_reported_before_anything_is_opened(
    text: str, is_object: bool, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as raised:
        payloads_of(text, repeat=1, is_object=is_object)
    assert message in raised.value.message
    assert hint in (raised.value.hint or "")


def test_a_closed_standard_input_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError, match="standard input is closed"):
        payloads_of("-", repeat=1, is_object=False)


def test_standard_input_is_not_repeated() -> None:
    with pytest.raises(UsageError, match="--repeat and - exclude each other"):
        payloads_of("-", repeat=2, is_object=False)


def test_lines_come_from_pipes_and_files_with_their_numbers(tmp_path: Path) -> None:
    async def read(descriptor: int) -> list[tuple[int, bytes]]:
        return [pair async for pair in lines(descriptor, 100)]

    text = b'{"n": 1}\n\n  {"n": 2}\r\n{"n": 3}'
    wanted = [(1, b'{"n": 1}'), (3, b'{"n": 2}'), (4, b'{"n": 3}')]
    file = tmp_path / "lines"
    file.write_bytes(text)
    with file.open("rb") as opened:
        assert asyncio.run(read(opened.fileno())) == wanted
    reader, writer = os.pipe()
    os.write(writer, text)
    os.close(writer)
    assert asyncio.run(read(reader)) == wanted
    os.close(reader)


def test_a_line_is_there_before_its_input_ends() -> None:
    async def main() -> list[tuple[int, bytes]]:
        reader, writer = os.pipe()
        os.write(writer, b"1\n2")
        found = lines(reader, 100)
        first = await anext(found)
        os.write(writer, b"3\n")
        second = await anext(found)
        os.close(writer)
        rest = [pair async for pair in found]
        os.close(reader)
        return [first, second, *rest]

    assert asyncio.run(main()) == [(1, b"1"), (2, b"23")]


def test_a_line_without_end_is_refused() -> None:
    async def main() -> None:
        reader, writer = os.pipe()
        os.write(writer, b"1\n" + b"x" * 200)
        found = lines(reader, 100)
        try:
            await anext(found)
            with pytest.raises(UsageError, match="line 2 of standard input is longer than 100 bytes"):
                await anext(found)
        finally:
            os.close(reader)
            os.close(writer)

    asyncio.run(main())


def request(*payloads: bytes, **more: Any) -> SendRequest:
    wanted = {"payloads": lambda: given(*payloads), "seconds": 60.0, **more}
    return SendRequest(project=cast(Project, None), topic=TOPIC, event="e", **wanted)


async def given(*payloads: bytes) -> AsyncIterator[bytes]:
    for payload in payloads:
        yield payload


def sent(script: Script, wanted: SendRequest) -> tuple[list[Result], PrtError | None]:
    results: list[Result] = []

    async def main() -> None:
        async with scripted_server(script) as url, asyncio.timeout(60):
            session = Session(Endpoint(url=url, key="key"))
            await send_all(wanted, session, Tally(results.append))

    try:
        asyncio.run(main())
    except PrtError as exc:
        return results, exc
    except ExceptionGroup as group:
        (error,) = [one for one in group.exceptions if isinstance(one, PrtError)]
        return results, error
    return results, None


def test_messages_leave_in_their_order_without_waiting_for_each_answer() -> None:
    got: list[Any] = []

    async def script(peer: Peer) -> None:
        await peer.accept_join()
        pushes = [await peer.receive() for _ in range(3)]
        got.extend(push[4]["payload"] for push in pushes)
        for push in reversed(pushes):
            await peer.reply(push, {})
        await peer.until_closed()

    results, error = sent(script, request(b"1", b"[2]", b'{"n":3}'))
    assert error is None
    assert got == [1, [2], {"n": 3}]
    assert [result.size for result in results] == [7, 3, 1]
    assert all(result.ms is not None and result.error is None for result in results)


def test_a_message_without_an_answer_ends_it_with_the_likely_reason() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept_join()
        await peer.until_closed()

    results, error = sent(script, request(b"1", is_private=True, seconds=0.05))
    assert error is not None
    assert error.exit_code == 1
    assert 'create policy "anon sends to room"' in (error.hint or "")
    assert [(result.ms, result.error) for result in results] == [(None, error.message)]


def test_who_may_not_read_is_pointed_at_http() -> None:
    async def script(peer: Peer) -> None:
        await peer.reply(await peer.receive(), {"reason": "Unauthorized: no"}, "error")
        await peer.until_closed()

    results, error = sent(script, request(b"1", is_private=True))
    assert results == []
    assert error is not None
    assert error.exit_code == 3
    assert error.hint is not None
    assert error.hint.endswith("who may only send uses --http")


def test_bad_input_is_reported_once_the_rest_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, b'{"n":1}\n{"n":2}\nnope\n{"n":4}\n')
    os.close(writer)
    monkeypatch.setattr(payloads_module, "STDIN", reader)

    async def script(peer: Peer) -> None:
        await peer.accept_join()
        while True:
            await peer.reply(await peer.receive(), {})

    results: list[Result] = []

    async def main() -> None:
        async with scripted_server(script) as url, asyncio.timeout(60):
            session = Session(Endpoint(url=url, key="key"))
            typed = payloads_of("-", repeat=1, is_object=False)()
            await send_all(request(payloads=lambda: typed), session, Tally(results.append))

    with pytest.raises(UsageError) as raised:
        asyncio.run(main())
    os.close(reader)
    assert raised.value.message.startswith("line 3 of standard input is not valid JSON")
    assert raised.value.message.endswith("(2 sent before it)")
    assert raised.value.hint == "one JSON value a line: jq -c ."
    assert len(results) == 2


def test_a_rate_keeps_messages_apart() -> None:
    async def script(peer: Peer) -> None:
        await peer.accept_join()
        while True:
            await peer.reply(await peer.receive(), {})

    results, error = sent(script, request(b"1", b"2", b"3", interval=0.05))
    assert error is None
    moments = sorted(result.sent for result in results)
    assert moments[2] - moments[0] > 25_000


def test_over_http_nothing_is_joined() -> None:
    async def main() -> list[str]:
        async with project_of((202, b"")) as project:
            session = Session(Endpoint(url=project.url, key="key"))
            await send_all(request(b"{}", b"{}", is_http=True), session, Tally(None))
            return [head.split()[1] for head in project.requests]

    assert asyncio.run(main()) == ["/realtime/v1/api/broadcast/room/events/e"] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["room", "e", "{x}"], "prt: PAYLOAD is not valid JSON"),
        (["room", " "], "prt: EVENT is empty"),
        (["realtime:", "e"], "prt: TOPIC names no topic"),
        (["room", "e", "--rate", "0"], "prt: --rate must be more than 0"),
        (["room", "e", "--timeout", "soon"], "prt: --timeout expects a time"),
        (["room", "e", "[1]", "--http"], "prt: PAYLOAD is not a JSON object"),
        (["room"], "prt: Missing argument 'EVENT'"),
    ],
)
def test_usage_errors_are_two_lines_and_exit_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["send", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 2
    assert "\nhint: " in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--persist"], "--persist needs --private"),
        (["--private", "--ttl", "1m"], "--ttl needs --persist"),
        (["--private", "--persist", "--ttl", "soon"], '--ttl expects a time, not "soon"'),
    ],
)
def test_storing_is_for_private_topics(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["send", "a", "e", *options, "--url", "http://127.0.0.1:1"]
    assert run(words) == 2
    assert capsys.readouterr().err.startswith(f"prt: {message}\n")
