from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prt.errors import PrtError, ReaderGoneError
from prt.events import Event, Status, Vitals
from prt.views.sinks.ndjson import encode
from prt.views.sinks.output import JsonOutput, LineOutput, settled
from prt.views.sinks.template import compile_template
from prt.views.sinks.text import TextLines
from tests.views import story

MANY = [story.change("INSERT", "t", new={"id": number, "text": "x" * 500}) for number in range(1000)]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for fd in (read, write):
        try:
            os.close(fd)
        except OSError:
            continue  # the test closed it


def test_lines_reach_the_reader_when_drained(pipe: tuple[int, int]) -> None:
    output = JsonOutput(pipe[1])
    output.write(MANY[0])
    assert output.pending == len(encode(MANY[0]))

    assert output.drain()

    assert output.pending == 0
    assert os.read(pipe[0], 1 << 16) == encode(MANY[0])


def test_a_reader_that_takes_nothing_does_not_block_and_loses_nothing(pipe: tuple[int, int]) -> None:
    output = JsonOutput(pipe[1])
    for event in MANY:
        output.write(event)
    whole = b"".join(map(encode, MANY))

    assert not output.drain()
    assert not output.drain()
    assert 0 < output.pending < len(whole)

    got = b""
    while not output.drain():
        got += os.read(pipe[0], 1 << 20)
    got += os.read(pipe[0], 1 << 20)
    assert got == whole


def test_a_slow_reader_holds_up_the_writer_but_not_the_loop(pipe: tuple[int, int]) -> None:
    output = JsonOutput(pipe[1])
    whole = b"".join(map(encode, MANY))
    got = bytearray()
    may_read = threading.Event()

    def reader() -> None:
        may_read.wait()
        while len(got) < len(whole):
            got.extend(os.read(pipe[0], 1 << 16))

    async def main() -> None:
        for event in MANY:
            output.write(event)
        writing = asyncio.create_task(settled(output))
        for _ in range(3):
            await asyncio.sleep(0)  # the loop turns although nobody reads
        assert not writing.done()
        assert output.pending < len(whole)
        may_read.set()
        await writing

    thread = threading.Thread(target=reader)
    thread.start()
    asyncio.run(main())
    thread.join()
    assert bytes(got) == whole


def test_flush_waits_for_the_reader(pipe: tuple[int, int]) -> None:
    output = JsonOutput(pipe[1])
    whole = b"".join(map(encode, MANY))
    got = bytearray()

    def reader() -> None:
        while len(got) < len(whole):
            got.extend(os.read(pipe[0], 1 << 16))

    thread = threading.Thread(target=reader)
    thread.start()
    for event in MANY:
        output.write(event)
    output.flush()
    thread.join()
    assert bytes(got) == whole


def test_nothing_to_write_waits_for_nobody(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    try:
        while True:
            os.write(pipe[1], b"x" * 4096)  # of another writer
    except BlockingIOError:
        pass
    JsonOutput(pipe[1]).flush()


def test_close_gives_up_on_a_reader_that_has_stopped(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prt.views.sinks.output.STALLED_MS", 1)
    output = JsonOutput(pipe[1])
    for event in MANY:
        output.write(event)

    output.close(story.ending())

    assert output.pending > 0


def test_a_reader_that_went_away_is_noticed_even_when_nothing_is_written(pipe: tuple[int, int]) -> None:
    output = JsonOutput(pipe[1])
    assert output.drain()
    os.close(pipe[0])

    with pytest.raises(ReaderGoneError):
        output.drain()


def test_a_reader_that_went_away_is_noticed_by_every_way_of_writing(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    output = JsonOutput(pipe[1])

    for write in (output.drain, output.flush, lambda: output.close(story.ending())):
        output.write(MANY[0])
        with pytest.raises(ReaderGoneError):
            write()


def test_a_descriptor_that_somebody_made_non_blocking_is_written_whole(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    test_a_reader_that_takes_nothing_does_not_block_and_loses_nothing(pipe)


def test_a_file_takes_everything_at_once(tmp_path: Path) -> None:
    with (tmp_path / "lines").open("wb") as file:
        output = JsonOutput(file.fileno())
        for event in MANY:
            output.write(event)
        assert output.drain()
        output.close(story.ending())

    assert (tmp_path / "lines").read_bytes() == b"".join(map(encode, [*MANY, story.ending()]))


@pytest.mark.parametrize(
    ("code", "expected"),
    [(errno.ENOSPC, PrtError), (errno.EIO, ReaderGoneError), (errno.EPIPE, ReaderGoneError)],
)
def test_a_failed_write_is_reported(
    code: int, expected: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    with (tmp_path / "lines").open("wb") as file:
        output = JsonOutput(file.fileno())
        output.write(MANY[0])
        monkeypatch.setattr(os, "write", failing)
        with pytest.raises(expected):
            output.drain()
        monkeypatch.undo()


def test_a_terminal_takes_what_it_is_given() -> None:
    master, slave = os.openpty()
    output = JsonOutput(slave)
    output.write(MANY[0])
    assert output.drain()
    assert os.read(master, 1 << 16).replace(b"\r\n", b"\n") == encode(MANY[0])
    os.close(master)
    output.write(MANY[0])
    with pytest.raises(ReaderGoneError):
        output.drain()
    os.close(slave)


def test_only_keeps_some_types_and_always_the_end(pipe: tuple[int, int]) -> None:
    output = JsonOutput(pipe[1], only=["status", "gap"])
    for event in (*story.story(),):
        output.write(event)
    output.close(story.ending())

    types = [json.loads(line)["type"] for line in os.read(pipe[0], 1 << 16).splitlines()]
    assert types == ["status"] * 4 + ["gap", "end"]


def test_an_encoder_may_write_nothing_for_an_event(pipe: tuple[int, int]) -> None:
    output = LineOutput(pipe[1], lambda event: b"" if isinstance(event, Status) else b"x\n")
    for event in story.story()[:5]:
        output.write(event)
    assert output.drain()
    assert os.read(pipe[0], 100) == b"x\n"


@pytest.mark.parametrize(
    "encode",
    [encode, TextLines().encode, compile_template("{type} {at}")],
    ids=["json", "text", "template"],
)
def test_vitals_are_no_line_of_any_output(encode: Callable[[Event], bytes], pipe: tuple[int, int]) -> None:
    vitals = Vitals(at=story.BEGIN, phase="waiting", since=story.BEGIN, retry_at=story.NOW)
    assert encode(vitals) == b""

    output = LineOutput(pipe[1], encode)
    output.write(vitals)
    assert output.pending == 0


def test_no_line_holds_control_characters(pipe: tuple[int, int]) -> None:
    output = JsonOutput(pipe[1])
    output.write(story.change("INSERT", "t", new={"a": "\x9b\u202e"}))
    assert output.drain()
    assert b'"a": "\\u009b\\u202e"' in os.read(pipe[0], 1000)
