from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import pytest
import typer

from prt.cli import main as ground
from prt.cli.completion.grammar import Command, commands
from prt.cli.help import GUTTER, LONG, laid_out
from prt.cli.main import Entry, run
from prt.errors import (
    ProtocolError,
    PrtError,
    RefusedError,
    TimedOutError,
    UnreachableError,
    UsageError,
)
from tests.running import PRT, clean_environment, terminal

HEAVY = ("supabase", "realtime", "httpx", "psycopg", "starlette", "uvicorn", "websockets", "msgspec", "rich")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """`run` takes over signals; the test run keeps its own."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., object]], None]:
    """Makes a function the command `act`."""

    def give(function: Callable[..., object]) -> None:
        module = types.ModuleType("prt.cli.commands.acting")
        module.act = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "prt.cli.commands.acting", module)
        monkeypatch.setattr(ground, "COMMANDS", (Entry("act", "acting:act", "Acts."),))

    return give


def raising(error: BaseException) -> Callable[..., object]:
    def act(debug: bool = typer.Option(False, "--debug")) -> None:
        raise error

    return act


# --- errors become two lines and a code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PrtError("it failed", "do this"), 1),
        (UsageError("it failed", "do this"), 2),
        (RefusedError("it failed", "do this"), 3),
        (UnreachableError("it failed", "do this"), 4),
        (ProtocolError("it failed", "do this"), 5),
        (TimedOutError("it failed", "do this"), 124),
    ],
)
def test_our_errors(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str], error: PrtError, code: int
) -> None:
    command(raising(error))
    assert run(["act"]) == code
    assert capsys.readouterr() == ("", "prt: it failed\nhint: do this\n")


def test_an_error_without_a_hint_is_one_line(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(PrtError("it failed")))
    assert run(["act"]) == 1
    assert capsys.readouterr().err == "prt: it failed\n"


def test_our_error_is_found_in_a_group(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    inner = ExceptionGroup("inner", [ValueError("x"), RefusedError("refused", "sign in")])
    command(raising(ExceptionGroup("outer", [OSError("y"), inner])))
    assert run(["act"]) == 3
    assert capsys.readouterr().err == "prt: refused\nhint: sign in\n"


def test_an_unexpected_error_is_a_bug(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(ZeroDivisionError("by zero")))
    assert run(["act"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("prt: unexpected ZeroDivisionError: by zero; this is a bug in prt\nhint: ")
    assert "--debug" in error
    assert "Traceback" not in error


def test_a_system_error_is_its_words(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(PermissionError(13, "Permission denied", "out.ndjson")))
    assert run(["act"]) == 1
    assert capsys.readouterr().err == "prt: Permission denied: out.ndjson\n"


def test_a_traceback_only_with_debug(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(UsageError("it failed")))
    run(["act"])
    assert "Traceback" not in capsys.readouterr().err
    assert run(["act", "--debug"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("Traceback (most recent call last):\n  File ")
    assert error.endswith("prt: it failed\n")
    assert run(["--debug", "act"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_debug_of_a_foreign_command_is_not_ours(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    def act(words: list[str]) -> None:
        raise UsageError(" ".join(words))

    command(act)
    assert run(["act", "--", "pytest", "--debug"]) == 2
    assert capsys.readouterr().err == "prt: pytest --debug\n"


@pytest.mark.parametrize("options", [[], ["--debug"]], ids=["plain", "debug"])
def test_nothing_from_outside_steers_the_terminal_or_is_a_secret(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    hostile = "\x1b[31mred\x07\u202e\nline two \x9b1m wss://h?apikey=s3cr3t eyJhbGciOi.eyJyb2xl.sig"
    command(raising(PrtError(hostile, hostile)))
    run(["act", *options])
    error = capsys.readouterr().err
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(error)
    assert "s3cr3t" not in error
    assert "eyJyb2xl" not in error
    assert r"prt: \x1b[31mred\x07\u202e\nline two \x9b1m" in error


# --- what commands return


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (7, 7), ("text", 0)])
def test_a_command_may_return_its_exit_code(
    command: Callable[..., None], returned: object, code: int
) -> None:
    command(lambda: returned)
    assert run(["act"]) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (typer.Exit(9), 9),
        (SystemExit(5), 5),
        (SystemExit(None), 0),
        (SystemExit("told elsewhere"), 1),
        (KeyboardInterrupt(), 130),
        (typer.Abort(), 130),
        (BrokenPipeError(32, "Broken pipe"), 0),
    ],
    ids=repr,
)
def test_other_ends(command: Callable[..., None], error: BaseException, code: int) -> None:
    command(raising(error))
    nowhere = os.dup(1)
    try:
        assert run(["act"]) == code
    finally:
        os.dup2(nowhere, 1)
        os.close(nowhere)


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_signals_unwind_the_stack(command: Callable[..., None], name: str, code: int) -> None:
    closed = []

    def act() -> None:
        try:
            os.kill(os.getpid(), getattr(signal, name))
            signal.pause()
        finally:
            closed.append(name)

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command(act)
    assert run(["act"]) == code
    assert closed == [name]


def test_a_signal_that_was_ignored_stays_ignored(command: Callable[..., None]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    command(lambda: os.kill(os.getpid(), signal.SIGHUP))
    assert run(["act"]) == 0


# --- usage


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["watsh"], "prt: no command watsh\nhint: did you mean `prt watch`?\n"),
        (["xyz"], "prt: no command xyz\nhint: see `prt --help`\n"),
        (["--verison"], "prt: No such option: --verison\nhint: did you mean --version?\n"),
        (["--xyz"], "prt: No such option: --xyz\nhint: see `prt --help`\n"),
        (["local", "tokn"], "prt: No such command 'tokn'\nhint: did you mean 'token'?\n"),
        (
            ["local", "up", "--prot", "1"],
            "prt: No such option: --prot\nhint: did you mean --poll or --port or --rate?\n",
        ),
        (
            ["local", "up", "--port"],
            "prt: Option '--port' requires an argument\nhint: see `prt --help`\n",
        ),
    ],
)
def test_usage_errors_are_two_lines(
    capsys: pytest.CaptureFixture[str], arguments: list[str], error: str
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr() == ("", error)


def test_a_bad_value_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["local", "env", "--format", "x"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("prt: Invalid value for '--format': 'x' is not one of 'export', 'dotenv'")
    assert error.endswith("\nhint: see `prt local env --help`\n")


def test_without_arguments_the_help_shows_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    output = capsys.readouterr().out
    for command in ("demo", "watch", "status", "test", "local run -- pytest"):
        assert f"\n  prt {command} " in output
    for words in ("SUPABASE_URL", "prt init", "prt --help"):
        assert words in output
    assert len(output.splitlines()) <= 24


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_fits_a_screen(capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert run([option]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    names = [line.split()[0] for line in lines[lines.index("Commands:") + 1 : lines.index("Options:") - 1]]
    order = "watch presence notify test audit status send update replay tap local demo init config help"
    assert " ".join(names) == f"{order} skill schema completion"


def test_help_of_a_command(command: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    def act(
        word: Annotated[str, typer.Argument(metavar="WORD", help="Said aloud.")],
        loud: Annotated[
            int, typer.Option("--loud", "-l", metavar="N", help="How loud.", rich_help_panel="Voice")
        ] = 1,
        hidden: Annotated[bool, typer.Option("--hidden", hidden=True)] = False,
    ) -> None:
        """Says a word,
        and a [bracket] is no markup.

        It may be long.

        prt act hello --template '{new[id]}'
        """

    command(act)
    assert run(["act", "--help"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Usage: prt act [OPTIONS] WORD",
        "",
        "Says a word, and a [bracket] is no markup.",
        "",
        "It may be long.",
        "",
        "Arguments:",
        "  WORD  Said aloud. [required]",
        "",
        "Voice:",
        "  -l, --loud N  How loud. [default: 1]",
        "",
        "Options:",
        "  -h, --help  Show this message and exit.",
        "",
        "Examples:",
        "  prt act hello --template '{new[id]}'",
    ]


def test_help_of_a_group_and_of_what_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["local", "--help"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("Usage: prt local [OPTIONS] COMMAND [ARGS]...\n")
    assert "\nCommands:\n  up " in output
    assert run(["local", "up", "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: prt local up [OPTIONS]\n")


@pytest.mark.parametrize(
    "command", [one for one in commands() if one.path], ids=lambda one: " ".join(one.path)
)
def test_help_of_each_command_begins_a_line_for_each_option(
    capsys: pytest.CaptureFixture[str], command: Command
) -> None:
    assert run([*command.path, "--help"]) == 0
    output = capsys.readouterr().out
    lines = output.splitlines()
    assert max(map(len, lines)) <= 86
    begun = {name for line in lines for name in re.findall(r"^  (?:-\w, )?(--[\w-]+)", line)}
    assert {option.names[-1] for option in command.options} <= begun | begun_second(lines)
    listed = output[re.search(r"^[A-Z].*:$", output, re.M).start() :].splitlines()  # type: ignore[union-attr]
    assert [line for line in listed if line and not re.match(r"  \S| {8}|[A-Z].*:$", line)] == []


def begun_second(lines: list[str]) -> set[str]:
    """Return the names that stand behind a slash, such as `--no-backfill`."""
    return {name for line in lines for name in re.findall(r"^  --[\w-]+ / (--[\w-]+)", line)}


def test_a_long_help_has_two_columns_where_they_fit() -> None:
    with terminal("watch", "--help", environment=clean_environment(), columns=170, lines=130) as wide:
        assert wide.finish() == 0
        lines = wide.text.splitlines()
    assert lines[0].startswith("Usage: prt watch")
    beside = next(line for line in lines if line.startswith("Tables and topics:"))
    assert re.fullmatch(r"Tables and topics: +\w.*:", beside)
    listed = {name for line in lines for name in re.findall(r"(?<!\S)--?[a-z][a-z-]*", line)}
    watch = next(one for one in commands() if one.path == ("watch",))
    assert {name for option in watch.options for name in option.names} <= listed


def test_columns_are_for_what_is_long_and_fits() -> None:
    short = [["A:", "  --one"], ["B:", "  --two"]]
    assert laid_out(short, 200) == ["A:", "  --one", "", "B:", "  --two"]
    long = [["A:", *["  --one"] * LONG], ["B:", *["  --two"] * LONG]]
    assert laid_out(long, 7 + GUTTER + 6) == [line for block in long for line in block]
    assert laid_out(long, 7 + GUTTER + 7) == [
        f"{'A:':{7 + GUTTER}}B:",
        *[f"{'  --one':{7 + GUTTER}}  --two"] * LONG,
    ]


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_versions(capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert run([option]) == 0
    words = capsys.readouterr().out.split()
    assert words[0] == "prt"
    assert words[2] == "(realtime"


# --- the real program


def prt(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "prt", *arguments],
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
        **options,
    )


@pytest.mark.parametrize("arguments", [["--help"], []], ids=["help", "nothing"])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys, json, io\n"
        "from prt.cli.main import run\n"
        f"code = run({arguments!r})\n"
        f"print(json.dumps([code, sorted(set(sys.modules) & set({HEAVY!r}))]), file=sys.stderr)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(found.stderr) == [0, []]


@pytest.mark.parametrize("name", ["watch", "local", "test", "notify"])
def test_a_commands_help_loads_nothing_heavy(name: str) -> None:
    script = (
        "import sys, json\n"
        "from prt.cli.main import run\n"
        f"code = run([{name!r}, '--help'])\n"
        f"print(json.dumps([code, sorted(set(sys.modules) & set({HEAVY!r}))]), file=sys.stderr)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(found.stderr) == [0, []]


def test_the_program_and_the_module_are_one() -> None:
    assert (
        prt("--version").stdout
        == subprocess.run(
            [Path(sys.executable).with_name("prt"), "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
    )


def test_a_reader_that_went_away_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "prt", "--help"],
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_full_disk_is_reported(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(ground, "silence_stdout", lambda: None)
    monkeypatch.setattr("sys.stdout", Full())
    assert ground._flush_stdout(0) == 1
    assert ground._flush_stdout(3) == 3
    assert capsys.readouterr().err == "prt: the output can't be written: No space left on device\n" * 2


@pytest.mark.parametrize("arguments", [["--version"], ["schema"], ["config"], ["help", "exit-codes"]])
def test_a_full_disk_has_one_wording(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([PRT, *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (
        1,
        b"prt: the output can't be written: No space left on device\n",
    )


def test_closed_streams_are_no_error() -> None:
    ended = subprocess.run(["sh", "-c", f"{sys.executable} -m prt >&- 2>&-"], timeout=60, check=False)
    assert ended.returncode == 0
