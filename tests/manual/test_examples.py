"""Every example at the end of a command's help, run as it stands there, against a project with traffic.

One that goes on until somebody ends it gets a bound; one of `prt local` runs beside the `up` that it means.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from prt.cli.completion.grammar import commands
from tests.manual.town import done, town, until, up
from tests.running import PATIENCE, clean_environment

AT_ONCE = 4
"""Examples that run at a time."""
LEAST = 3
STOPPED = 128 + signal.SIGTERM
EXAMPLES = {command.path: command.examples for command in commands()}
GROUPS = {command.path for command in commands() if command.subcommands}
LIFECYCLE = ("up", "status", "env", "token", "traffic", "reset", "stop")
"""Of `prt local`, in the order in which they are run."""
ELSEWHERE = {
    "prt init": "it asks a person: tests/cli/commands/test_init.py",
    "prt status --watch --plan pro": "it goes on until Ctrl-C: tests/cli/commands/test_status.py",
    "prt tap --cut at=5s,for=10s --expect-recovery 15s -- npm test": "it needs an app: "
    "tests/end_to_end/test_tap_chaos.py",
    """prt send room:1 cue '{"go": 12}' --private --persist --ttl 10m""": (
        "it needs a policy: tests/end_to_end/test_send.py"
    ),
    "prt test": "a recipe of the manual runs it",
    "prt local run -- prt test --junit out.xml --report out.html": "a recipe of the manual",
}
RUN = dict.fromkeys(
    example
    for path, examples in EXAMPLES.items()
    if path[:1] != ("local",) or path[1:] == ("run",)
    for example in examples
    if example not in ELSEWHERE
)
GOES_ON = ("prt watch", "prt presence", "prt notify", "prt demo")
ENDS = ("--once", "--expect", "--count", "prt notify send", "prt notify read")
FILES = {
    "moves.ndjson": '{"position": {"x": 1, "y": 2}}\n{"position": {"x": 3, "y": 4}}\n',
    "supabase/config.toml": 'project_id = "venue"\n[api]\nport = 54321\n',
    "supabase/migrations/1_todos.sql": "create table public.todos (id int primary key, title text);\n",
    "package.json": json.dumps({"name": "venue", "scripts": {"test": 'test -n "$SUPABASE_URL"'}}),
    "test_venue.py": "import os\n\ndef test_url():\n    assert os.environ['SUPABASE_URL']\n",
    "prt.toml": '[profiles.staging]\nurl = "https://abcdefghijklmnopqrst.supabase.co"\n',
    ".local/share/bash-completion/completions/_": "",
    ".config/fish/completions/_": "",
    ".zfunc/_": "",
}


def bounded(example: str) -> str:
    """The example with an end."""
    if example.startswith(GOES_ON) and not any(word in example for word in ENDS):
        return f"{example} --count 1"
    if example.startswith("prt audit"):
        return f"{example} --duration 1s"
    return example


def furnished(folder: Path) -> Path:
    """A user's folder, with the files that examples name."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def results(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Future[subprocess.CompletedProcess[str]]]]:
    """What came of each, several at once: most of their time they wait."""
    with town() as shell, ThreadPoolExecutor(AT_ONCE) as pool:
        day = furnished(tmp_path_factory.mktemp("day"))
        recorded = done("prt watch --snapshot --count 20 --record day.ndjson", shell, day)
        assert recorded.returncode == 0, recorded

        def ran(example: str) -> subprocess.CompletedProcess[str]:
            folder = furnished(tmp_path_factory.mktemp("example"))
            (folder / "day.ndjson").write_bytes((day / "day.ndjson").read_bytes())
            return done(bounded(example), {**shell, "HOME": str(folder)}, folder)

        yield {example: pool.submit(ran, example) for example in RUN}


@pytest.mark.parametrize("example", RUN)
def test_an_example_runs(example: str, results: dict[str, Future[subprocess.CompletedProcess[str]]]) -> None:
    result = results[example].result()
    assert result.returncode == 0, result
    assert "prt: unexpected" not in result.stderr


def test_each_command_has_examples() -> None:
    for path, examples in EXAMPLES.items():
        assert path in GROUPS or len(examples) >= LEAST, path
        assert len(set(examples)) == len(examples), path
    assert set(ELSEWHERE) <= {example for examples in EXAMPLES.values() for example in examples}


@pytest.mark.parametrize("command", EXAMPLES["local", "up"])
def test_examples_around_an_embedded_project(command: str, open_folder: Path) -> None:
    """Those that choose a project as this one was started, and at last the one that stops it."""
    chooser = next((word for word in ("--port", "--data-dir") if word in command), None)
    runtime = open_folder / "runtime"
    runtime.mkdir(mode=0o700)
    port = _free_port()
    folder = furnished(open_folder)
    shell = {**clean_environment(), "PRT_RUNTIME_DIR": str(runtime), "GITHUB_ENV": str(folder / "github.env")}
    with up(command.replace("54321", port), shell, folder) as project:
        assert chooser != "--port" or project.port == port
        for name in LIFECYCLE[1:]:
            for example in EXAMPLES["local", name]:
                if next((word for word in ("--port", "--data-dir") if word in example), None) != chooser:
                    continue
                if name == "traffic":
                    _interrupted(example, shell, folder)
                    continue
                result = done(example.replace("54321", port), shell, folder)
                assert result.returncode == 0, result
        assert project.process.wait(PATIENCE) == STOPPED


def _interrupted(example: str, shell: Mapping[str, str], folder: Path) -> None:
    process = subprocess.Popen(
        ["sh", "-euc", f"exec {example}"], stderr=subprocess.PIPE, text=True, cwd=folder, env=dict(shell)
    )
    try:
        until(process, "traffic to ")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130, errors
    finally:
        process.kill()
        process.communicate()


def _free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])
