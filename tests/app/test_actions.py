"""The bell and the command of an event, with real small programs."""

from __future__ import annotations

import asyncio
import os
import shlex
from pathlib import Path

import pytest

from prt.app import actions as acting
from prt.app.actions import AT_ONCE, WAITING, Actions
from prt.errors import UsageError
from prt.events import Broadcast, Change, End, Event
from tests.running import read_to_end
from tests.views import story

LINE = b'{"type":"change","new":{"title":"$HOME `id` ; \xc3\xa4"}}\n'


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def acted(command: str, lines: int = 1, *, seconds: float = 20) -> tuple[list[str], list[str]]:
    """Return what was reported, and the notes for a view, once the commands are over."""
    reported: list[str] = []

    async def main() -> list[str]:
        async with Actions(command=command, report=reported.append) as actions:
            for _ in range(lines):
                actions.on(LINE)
            await actions.finish(seconds)
        return list(actions.notes)

    notes = asyncio.run(main())
    return reported, notes


def has_readers(fifo: Path) -> bool:
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def test_a_command_gets_the_event_and_no_shell_reads_it(tmp_path: Path) -> None:
    out = tmp_path / "$(got) it"
    reported, _ = acted(f"tee {shlex.quote(str(out))}")
    assert out.read_bytes() == LINE
    assert reported == [f"--exec tee: {LINE.decode().strip()}"], "what it says is shown"


def test_it_has_our_environment_and_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRT_TEST_MARK", "as the user set it")
    out = tmp_path / "environment"
    acted(f"sh -c 'cat /proc/$$/environ > {out}'")
    assert sorted(out.read_text().rstrip("\0").split("\0")) == sorted(
        f"{k}={v}" for k, v in os.environ.items()
    )


@pytest.mark.parametrize(
    ("command", "reported"),
    [
        (
            "sh -c 'echo dark; echo \"no display\" >&2; exit 3'",
            ["--exec sh: dark", "--exec sh: exited with 3: no display"],
        ),
        ("sh -c 'kill -9 $$'", ["--exec sh: was ended by SIGKILL"]),
        ("sh -c 'exit 0'", []),
        ("sh -c 'seq 1 100000'", [f"--exec sh: {n}" for n in range(99996, 100001)]),
    ],
)
def test_a_failure_is_reported_and_ends_nothing(command: str, reported: list[str]) -> None:
    assert acted(command) == (reported, reported[-acting.NOTES :])


def test_a_program_that_disappeared_is_reported(tmp_path: Path) -> None:
    program = tmp_path / "gone"
    program.write_text("#!/nowhere/interpreter\n")
    program.chmod(0o755)
    assert acted(str(program))[0] == ["--exec gone: can't be started: No such file or directory"]


def test_few_run_at_once_and_few_wait_and_all_are_killed_at_the_end(fifo: Path) -> None:
    too_many = 3
    reported, _ = acted(f"cat {fifo}", AT_ONCE + WAITING + too_many, seconds=0)
    assert reported == [
        "--exec cat: it is slower than the events: with 100 waiting, what comes on top is left out",
        f"--exec cat: {AT_ONCE + WAITING} of its runs were not over at the end",
        f"--exec cat: left out for {too_many} events",
    ]
    assert not has_readers(fifo)


def test_those_that_wait_are_started_in_turn(tmp_path: Path) -> None:
    out = tmp_path / "out"
    acted(f"sh -c 'cat >> {out}'", AT_ONCE * 3)
    assert out.read_bytes() == LINE * AT_ONCE * 3


def test_who_does_not_listen_is_killed_with_all_it_started(
    fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "KILL_SECONDS", 0.05)

    async def main() -> str:
        loop = asyncio.get_running_loop()
        command = f"sh -c 'trap \"\" TERM; exec 3> {fifo}; echo ready >&3; sleep 1000; sleep 1000'"
        async with Actions(command=command) as actions:
            actions.on(LINE)
            alive = await loop.run_in_executor(None, fifo.open)
            assert alive.readline() == "ready\n"
        with alive:
            return read_to_end(alive)

    assert asyncio.run(main()) == "", "the end comes when nobody is left that could write"


@pytest.mark.parametrize("steps", range(1, 5))
@pytest.mark.parametrize("trap", ["", "trap '' TERM;"], ids=["polite", "deaf"])
def test_all_that_it_started_ends_whatever_the_moment_of_the_cancellation(
    fifo: Path, monkeypatch: pytest.MonkeyPatch, steps: int, trap: str
) -> None:
    """The program itself ends at SIGTERM; what it started holds the fifo, and may ignore SIGTERM."""
    monkeypatch.setattr(acting, "KILL_SECONDS", 0.05)
    script = f"exec 3> {fifo}; ({trap} echo ready >&3; exec sleep 1000) & wait"

    async def main() -> str:
        async with Actions(command=f"sh -c {shlex.quote(script)}") as actions:
            actions.on(LINE)
            for _ in range(steps):
                await asyncio.sleep(0)
            # The loop stands still until the program has started another: its start is not yet reported.
            alive = fifo.open()
            assert alive.readline() == "ready\n"
        with alive:
            return read_to_end(alive)

    assert asyncio.run(main()) == "", "the end comes when nobody is left that could write"


@pytest.mark.parametrize("command", ["", "no-such-program-of-ours --now", "sh -c 'never closed", "./"])
def test_what_can_not_be_started_is_known_before(command: str) -> None:
    with pytest.raises(UsageError, match="--exec"):
        Actions(command=command)


class Kept:
    """An Output that keeps what it gets."""

    pending = 7
    keys = None

    def __init__(self) -> None:
        self.events: list[Event] = []

    def write(self, event: Event) -> None:
        self.events.append(event)

    def close(self, end: End) -> None:
        self.events.append(end)

    def drain(self) -> bool:
        return True

    def flush(self) -> None: ...

    def suspend(self) -> None: ...

    def resume(self) -> None: ...

    def fileno(self) -> int:
        return 1


def test_wanted_events_are_acted_upon_and_all_are_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    events: list[Event] = [
        story.change("INSERT", "notes", new={"id": 1}),
        Broadcast(at=1, topic="room", event="shout"),
    ]
    end = End(at=2, reason="count", exit_code=0, events=2)

    async def main() -> list[Event]:
        kept = Kept()
        command = f"sh -c 'cat >> {out}'"
        async with Actions(command=command, wanted=lambda event: isinstance(event, Change)) as actions:
            output = actions.around(kept)
            for event in events:
                output.write(event)
            assert output.pending == 7
            output.close(end)
            await actions.finish()
        return kept.events

    assert asyncio.run(main()) == [*events, end]
    assert out.read_text().count("\n") == 1
    assert '"new":{"id": 1}' in out.read_text()


def test_nothing_to_do_leaves_the_output_alone() -> None:
    kept = Kept()
    assert Actions().around(kept) is kept


def test_the_bell_rings_only_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    primary, secondary = os.openpty()
    with os.fdopen(secondary, "w") as terminal, os.fdopen(primary, "rb", buffering=0) as person:
        monkeypatch.setattr("sys.stderr", terminal)
        Actions(bell=True).on(LINE)
        assert person.read(10) == b"\a"
    with Path(os.devnull).open("w") as nobody:
        monkeypatch.setattr("sys.stderr", nobody)
        monkeypatch.setattr("sys.stdout", nobody)
        Actions(bell=True).on(LINE)
