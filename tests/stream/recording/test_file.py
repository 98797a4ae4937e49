"""A recording read back: every event as it was, at the pace that is asked for."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from prt.errors import UsageError
from prt.events import (
    EMPTY,
    Alert,
    Broadcast,
    Change,
    Conflict,
    End,
    Event,
    Gap,
    Malformed,
    Presence,
    Rewound,
    Status,
)
from prt.stream.binding import Binding
from prt.stream.recording.file import BATCH, VERSION, Recording
from prt.stream.recording.lines import event_of
from prt.stream.recording.seeking import WARM_LINES, offset_of
from prt.stream.topic import TopicSettings
from prt.views.sinks.ndjson import encode
from prt.views.sinks.recorder import Recorder, header_of
from tests.running import PRT, clean_environment
from tests.views import story

AT = story.BEGIN

EVENTS: list[Event] = [
    *story.story(),
    Change(
        at=AT,
        topic="t",
        event_type="INSERT",
        schema="s",
        table="numbers",
        commit_timestamp=None,
        new=Raw(b'{"big": 123456789012345678901234567890, "price": 1.10,\n "bad": "\xff"}'),
        errors=["Error 413: Payload Too Large"],
        lag_ms=None,
        source="backfill",
    ),
    Broadcast(
        at=AT, topic="room:7", event="move", payload=Raw(b'[1.0, "\\u0000", 1e400]'), meta=Raw(b'{"id":"x"}')
    ),
    Broadcast(at=AT, topic="room:7", event="raw", binary=b"\x00\xff\n"),
    Presence(at=AT, topic="room:7", event="sync", state={"a": [{"n": 1.5, "phx_ref": "x"}], "": []}),
    Presence(at=AT, topic="room:7", event="join", key="b", presences=[{"name": "\u202ex", "n": 2**60}]),
    Status(at=AT, status="CHANNEL_ERROR", topic=None, tables=None, reason="x", hint="y"),
    Gap(at=AT, start=AT - 7, end=AT - 1, tables=["public.t"], cause="lost", recovered=2, complete=True),
    Malformed(at=AT, frame="\\xff{", reason="no JSON"),
    Alert(at=AT, rule="a>=1", severity="warn", table="t", value="1.10", limit="1", row=Raw(b'{"id":1}')),
    Conflict(at=AT, table="public.t", key="1", kept="local", local=Raw(b'{"a":1}'), remote=EMPTY),
    story.ending(),
]


def lines_of(events: list[Event]) -> bytes:
    return b"".join(map(encode, events))


def recorded(path: Path, events: list[Event], *, rest: bytes = b"") -> Path:
    with Recorder(path, header_of("abc.supabase.co", AT), pytest.fail) as recorder:
        for event in events:
            recorder.consume(event)
    with path.open("ab") as file:
        file.write(rest)
    return path


def played(path: Path, **window: int | None) -> tuple[list[Event], list[str]]:
    async def play() -> list[Event]:
        recording = Recording(path, on_unreadable=unreadable.append)
        recording.keep(window.get("start"), window.get("end"))
        async with recording as batches:
            return [event async for batch in batches for event in batch]

    unreadable: list[str] = []
    return asyncio.run(play()), unreadable


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_comes_back_as_the_same_line(event: Event) -> None:
    line = encode(event)
    if line:  # the vitals have none
        assert encode(event_of(line)) == line


NAMES = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
ROWS = st.dictionaries(NAMES, JSON, max_size=4)


METAS = st.lists(st.dictionaries(NAMES, st.integers(-(2**63), 2**63)), max_size=2)


@given(row=ROWS, name=NAMES, metas=METAS, at=st.integers(0, 4_000_000_000_000_000), binary=st.binary())
def test_whatever_is_in_it_the_line_stays_the_same(
    row: Any, name: str, metas: Any, at: int, binary: bytes
) -> None:
    raw = Raw(json.dumps(row).encode())
    for event in (
        Change(
            at=at,
            topic=name,
            event_type="UPDATE",
            schema=name,
            table=name,
            commit_timestamp=name,
            new=raw,
            old=raw,
            errors=[name],
            lag_ms=at / 7,
        ),
        Broadcast(at=at, topic=name, event=name, payload=raw),
        Broadcast(at=at, topic=name, event=name, binary=binary),
        Presence(at=at, topic=name, event="join", key=name, presences=metas),
    ):
        line = encode(event)
        assert encode(event_of(line)) == line


def test_a_recording_is_played_to_the_lines_that_were_recorded(tmp_path: Path) -> None:
    events = [event for event in EVENTS if encode(event)]
    found, unreadable = played(recorded(tmp_path / "r", events))
    assert lines_of(found) == lines_of(events)
    assert unreadable == []


def test_without_its_end_one_is_made_at_the_last_moment(tmp_path: Path) -> None:
    found, _ = played(recorded(tmp_path / "r", story.changes()))
    assert found[-1] == End(at=story.changes()[-1].at, reason="replayed", exit_code=0, events=0)
    assert len(found) == len(story.changes()) + 1


def test_a_torn_last_line_is_left_out_and_reported(tmp_path: Path) -> None:
    half = encode(story.changes()[0])[:-20]
    path = recorded(tmp_path / "r", story.changes(), rest=half)
    found, unreadable = played(path)
    assert lines_of(found[:-1]) == lines_of(story.changes())
    assert unreadable == [f"{path}: line {len(story.changes()) + 2} is torn and is left out"]


def test_a_line_that_cannot_be_read_is_left_out_and_reported(tmp_path: Path) -> None:
    rest = b'{"type":"surprise","at":"2026-11-22T16:45:14Z"}\n' + encode(story.changes()[0])
    found, unreadable = played(recorded(tmp_path / "r", [], rest=rest))
    assert [type(event) for event in found] == [Change, End]
    assert len(unreadable) == 1
    assert "line 2 can't be read" in unreadable[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a recording"),
        (b"hello\n", "is not a recording"),
        (encode(story.changes()[0]), "is not a recording"),
        (b"\xff\xfe\x00", "is not a recording"),
        (b'{"type":"recording","version":1,"prt":"1","at":"noon","host":"h"}\n', "is not a recording"),
        (
            b'{"type":"recording","version":%d,"prt":"9.9","at":"2026-11-22T16:45:14Z","host":"h","more":1}\n'
            % (VERSION + 1),
            f"is a recording of version {VERSION + 1}, by prt 9.9",
        ),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "r"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        Recording(path)
    with pytest.raises(UsageError, match="can't be read: No such file"):
        Recording(tmp_path / "none")


def test_the_header_contains_what_was_watched_and_nothing_secret(tmp_path: Path) -> None:
    path = tmp_path / "r"
    header = header_of(
        "abc.supabase.co",
        AT,
        bindings=[Binding(table="t", event="INSERT", filter="id=eq.1")],
        topics=[TopicSettings(topic="room:7", key="maya", tracked={"token": "s3cret"}, is_private=True)],
        keys={("public", "t"): ("org", "nr")},
    )
    with Recorder(path, header, pytest.fail):
        pass
    recording = Recording(path)
    assert recording.keys == {("public", "t"): ("org", "nr")}
    assert recording.started_at == AT
    assert recording.header.bindings == [
        {"event": "INSERT", "schema": "public", "table": "t", "filter": "id=eq.1"}
    ]
    assert recording.header.rooms[0]["topic"] == "room:7"
    assert b"s3cret" not in path.read_bytes()
    assert b"maya" not in path.read_bytes()


def test_only_the_window_that_is_asked_for(tmp_path: Path) -> None:
    changes = story.changes()
    path = recorded(tmp_path / "r", [*story.connecting(), *changes, story.ending()])
    found, _ = played(path, start=changes[2].at, end=changes[4].at)
    assert found[0] == story.connecting()[-1]  # how the channel was
    assert lines_of(found[1:-1]) == lines_of(changes[2:5])
    assert found[-1] == End(at=changes[4].at, reason="replayed", exit_code=0, events=0)


class Loop:
    """The time of a loop, which passes by sleeping alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        monkeypatch.setattr("prt.stream.recording.file.asyncio", self)

    def get_running_loop(self) -> Loop:
        return self

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds

    @asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncIterator[None]:
        await self.sleep(seconds)
        raise TimeoutError
        yield

    Event = asyncio.Event


@pytest.mark.parametrize(("speed", "factor"), [(1.0, 1.0), (10.0, 0.1), (0.5, 2.0)])
def test_it_is_played_at_its_pace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speed: float, factor: float
) -> None:
    events = [story.change("INSERT", "t", at=AT + ms * 1000, new={"id": 1}) for ms in (0, 0, 400, 400, 1000)]
    path = recorded(tmp_path / "r", events)
    loop = Loop(monkeypatch)
    recording = Recording(path, speed=speed)
    shown: list[tuple[int, int]] = []

    async def play() -> None:
        async with recording as batches:
            async for batch in batches:
                shown.append((len(batch), recording.now() - AT))

    asyncio.run(play())
    assert [seconds for seconds in loop.slept if seconds] == [round(0.4 * factor, 6), round(0.6 * factor, 6)]
    assert sum(count for count, _ in shown) == len(events) + 1
    assert [moment for _, moment in shown][-1] == 1_000_000


@pytest.mark.parametrize("form", [["--json"], ["--output", "text"], ["--template", "{type}"]])
def test_a_recording_from_a_pipe_plays_as_from_its_file(form: list[str], tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "manual" / "recordings" / "demo.ndjson"
    arguments = [PRT, "replay", "--speed", "max", *form]

    with path.open("rb") as file:
        cat = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
        piped = subprocess.run(
            [*arguments, "/dev/stdin"],
            stdin=cat.stdout,
            capture_output=True,
            env=clean_environment(),
            check=False,
            timeout=60,
        )
        cat.communicate()
    direct = subprocess.run(
        [*arguments, str(path)], capture_output=True, env=clean_environment(), check=False, timeout=60
    )

    assert (piped.returncode, piped.stdout, piped.stderr) == (0, direct.stdout, b"")


START = AT + 1_000_000


def seekable(path: Path, count: int) -> Path:
    """A recording of a change every 10 ms."""
    events = [
        *story.connecting(),
        *(story.change("INSERT", "t", at=START + n * 10_000, new={"id": n}) for n in range(count)),
    ]
    return recorded(path, events)


def keys_of(batch: list[Event]) -> list[int]:
    return [event.new_row()["id"] for event in batch if isinstance(event, Change)]


@pytest.mark.parametrize("wanted", [0, 1, 777, 19_998, 19_999])
def test_seeking_goes_on_from_the_first_event_of_a_moment(tmp_path: Path, wanted: int) -> None:
    path = seekable(tmp_path / "r", 20_000)

    async def play() -> list[Event]:
        found: list[Event] = []
        async with Recording(path) as batches:
            await anext(batches)
            batches.halt(is_halted=True)
            batches.seek(START + wanted * 10_000)
            while not (keys := keys_of(found)) or keys[-1] < wanted:
                batches.step()
                found += await anext(batches)
        return found

    found = asyncio.run(play())
    keys = keys_of(found)
    if wanted > BATCH:
        first = found[0]
        assert isinstance(first, Rewound) or keys[0] >= BATCH - 4
        assert keys == list(range(keys[0], wanted + 1))
    assert len(keys) <= WARM_LINES + 1 + BATCH


def test_seeking_back_begins_anew_with_how_the_connection_came_up(tmp_path: Path) -> None:
    path = seekable(tmp_path / "r", 20_000)

    async def play() -> list[Event]:
        async with Recording(path) as batches:
            for _ in range(70):
                await anext(batches)
            batches.seek(START + 100_000_000)
            return await anext(batches)

    found = asyncio.run(play())
    assert found[0] == Rewound(at=START + 100_000_000)
    assert [event.status for event in found if isinstance(event, Status)] == [
        event.status for event in story.connecting() if isinstance(event, Status)
    ]
    assert keys_of(found)[0] == 10_000 - WARM_LINES


def test_a_moment_is_found_in_a_few_looks_at_the_file(tmp_path: Path) -> None:
    path = seekable(tmp_path / "r", 20_000)

    class Counting(io.BytesIO):
        looks = 0

        def readline(self, *size: int) -> bytes:
            self.looks += 1
            return super().readline(*size)

    file = Counting(path.read_bytes())
    begin = file.getvalue().index(b"\n") + 1
    for number in (0, 1, 5_000, 19_999):
        offset = offset_of(file, begin, START + number * 10_000)
        file.seek(offset)
        assert event_of(file.readline()).at == START + number * 10_000
    assert offset_of(file, begin, START + 10**12) == len(file.getvalue())
    assert file.looks < 5 * 30


def test_one_event_at_a_time(tmp_path: Path) -> None:
    path = seekable(tmp_path / "r", 20)

    async def play() -> list[int]:
        async with Recording(path) as batches:
            found = []
            for _ in range(6):
                batches.step()
                found += keys_of(await anext(batches))
            assert batches.is_halted
            return found

    assert asyncio.run(play()) == [0, 1]
