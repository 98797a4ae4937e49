"""Completion: scripts that don't drift from the program, tried in the shells themselves."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from prt.cli.completion import scripts
from prt.cli.completion.grammar import commands
from prt.cli.completion.kinds import SHELLS
from prt.cli.completion.offers import offers
from prt.cli.main import run
from prt.config import name_cache
from tests.running import PRT, Terminal, clean_environment, of_project, piped

HERE = Path(__file__).parents[3] / "completions"
PROMPT = "ready> "
STARTS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        "PS1='{prompt}'; bind 'set bell-style none'; . {script}",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "PS1='{prompt}'; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; . {script}",
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        "function fish_prompt; echo '{prompt}'; end; set -g fish_autosuggestion_enabled 0; source {script}",
    ),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_are_those_of_the_program(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m prt.cli.completion.scripts completions` makes them anew."""
    assert (HERE / scripts.FILES[shell]).read_text(encoding="utf-8") == scripts.of(shell)
    assert run(["completion", shell]) == 0
    assert capsys.readouterr().out == scripts.of(shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_in_every_script(shell: str) -> None:
    text = scripts.of(shell)
    for command in commands():
        for name in command.subcommands:
            assert name in text
        for option in command.options:
            for name in option.names:
                shown = f"-l {name[2:]}" if shell == "fish" and name.startswith("--") else name
                shown = f"-s {name[1:]}" if shell == "fish" and not name.startswith("--") else shown
                assert re.search(rf"{re.escape(shown)}(?![\w-])", text), (command.path, name)


def test_a_tab_imports_nothing_that_takes_time(tmp_path: Path) -> None:
    asked = (
        "import sys; sys.argv = ['prt', '__complete', 'table']; from prt.cli.entry import main; main();"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked],
        env=clean_environment(HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    heavy = {"typer", "rich", "msgspec", "realtime", "supabase", "httpx", "websockets", "asyncio", "psycopg"}
    assert not loaded & heavy


def test_names_that_were_seen_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "seen.json"
    name_cache.keep(path, {"tasks": ["id", "title"], "crew.people": ["id"]})
    name_cache.keep(
        path, {"tasks": ["id", "title", "done"], "$(reboot)": ["id"], "odd": ["a b", "\x1b[31m", "c"]}
    )
    assert name_cache.read(path) == {"tasks": ["id", "title", "done"], "crew.people": ["id"], "odd": ["c"]}
    path.write_text("{ broken")
    assert name_cache.read(path) == {}
    name_cache.keep(path, {"tasks": ["id"]})
    assert name_cache.read(path) == {"tasks": ["id"]}


def test_the_cache_is_the_users_alone_and_no_link_leads_out_of_it(tmp_path: Path) -> None:
    path, other = tmp_path / "cache" / "seen.json", tmp_path / "other"
    path.parent.mkdir()
    for name in (path.name, f"{path.name}.draft", f".{path.name}.new"):
        (path.parent / name).symlink_to(other)
    name_cache.keep(path, {"tasks": ["id"]})
    assert not other.exists()
    assert name_cache.read(path) == {"tasks": ["id"]}
    assert path.stat().st_mode & 0o077 == 0


class Shell(Terminal):
    """An interactive shell in which `prt` completes."""

    is_lost = False

    def __init__(self, name: str, home: Path, programs: Path = Path(PRT).parent) -> None:
        command, start = STARTS[name]
        self.home = home
        path = f"{programs}:{clean_environment()['PATH']}"
        super().__init__(
            command,
            clean_environment(HOME=str(home), XDG_CACHE_HOME=str(home / ".cache"), PATH=path),
            160,
            40,
            home,
        )
        self.send(
            b" " + start.format(prompt=PROMPT, script=HERE / scripts.FILES[name]).encode() + b"; clear\r"
        )
        self.until(lambda text: text.strip() == PROMPT.strip())

    def completed(self, typed: str, wanted: str) -> None:
        """Types, presses TAB until the line is as wanted, and empties the line."""
        assert not self.is_lost, "an earlier wait was in vain, and its keys may still stand there"
        self.is_lost = True
        self.send(typed.encode() + b"\t")
        line = re.compile(rf"{re.escape(PROMPT)}{re.escape(wanted)}( |$)", re.MULTILINE)
        self.until(lambda text: line.search(text) is not None)
        self.send(b"\x15\x0c")
        self.until(lambda text: text.strip() == PROMPT.strip())
        self.is_lost = False


@pytest.fixture(scope="module", params=[name for name in STARTS if shutil.which(name)])
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    home = tmp_path_factory.mktemp("home")
    (home / ".cache" / "prt").mkdir(parents=True)
    names = {"stage_plots": ["stage_id", "rigging"], "project_tasks": ["id"]}
    (home / ".cache" / "prt" / "seen.json").write_text(json.dumps(names))
    (home / "prt.toml").write_text("[profiles.staging]\n")
    with Shell(request.param, home) as opened:
        yield opened


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("prt wat", "prt watch"),
        ("prt local ru", "prt local run"),
        ("prt watch --snap", "prt watch --snapshot"),
        ("prt watch --json --snap", "prt watch --json --snapshot"),
        ("prt watch project_t", "prt watch project_tasks"),
        ("prt watch stage_p", "prt watch stage_plots"),
        ("prt watch budgets:UPD", "prt watch budgets:UPDATE"),
        ("prt watch budgets:INSERT,UPD", "prt watch budgets:INSERT,UPDATE"),
        ("prt watch --filter stage_i", "prt watch --filter stage_id="),
        ("prt watch --filter stage_id=il", "prt watch --filter stage_id=ilike."),
        ("prt watch --select id,rig", "prt watch --select id,rigging"),
        ("prt watch --profile sta", "prt watch --profile staging"),
        ("prt watch --output te", "prt watch --output text"),
        ("prt test laten", "prt test latency"),
        ("prt completion fi", "prt completion fish"),
    ],
)
def test_a_tab_in_the_shell_itself(shell: Shell, typed: str, wanted: str) -> None:
    shell.completed(typed, wanted)


# --- names that others have written are data


MARK = "run-by-a-tab"
HOSTILE = (
    *(f"evil$(touch {MARK})", f"evil`touch {MARK}`", f"evil;touch {MARK}", f"evil<(touch {MARK})"),
    *(f"evil\x1b]0;touch {MARK}\x07", f"evil\rtouch {MARK}\n", f"evil${{x[$(touch {MARK})]}}", "evil*"),
    *(f"evil'$(touch {MARK})'", f'evil"$(touch {MARK})"', "-evil", "evil\\", f"evil\ttouch {MARK}", ""),
    # A name that nothing else begins like is inserted whole.
    f"only$(touch {MARK})",
)


def test_names_of_a_poisoned_cache_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    path.write_text(json.dumps({**{name: ["id"] for name in HOSTILE}, "tasks": [*HOSTILE, "id"]}))
    assert name_cache.read(path) == {"tasks": ["id"]}


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a": {"b": 1}, "c": [1, null, {}]}', b"\xff\xfe", b"[]", b'"x"']
)
def test_whatever_is_in_the_cache_is_no_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "seen.json"
    path.write_bytes(content)
    assert set(name_cache.read(path)) <= {"c"}


def test_profiles_of_a_cloned_folder_are_plain_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    names = "\n".join(f"[profiles.{json.dumps(name)}]" for name in (*HOSTILE, "ünï", "my-own_1"))
    Path("prt.toml").write_text(names.replace("\\u007f", ""), encoding="utf-8")
    assert offers("profile") == ["my-own_1"]
    Path("prt.toml").write_text("profiles = 3\n")
    assert offers("profile") == []


@pytest.fixture(scope="module", params=[name for name in STARTS if shutil.which(name)])
def poisoned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in which `prt` itself offers hostile words, so that nothing but the script stands between."""
    home = tmp_path_factory.mktemp("poisoned")
    program = home / "bin" / "prt"
    program.parent.mkdir()
    words = "".join(f"{word}\n" for word in (*HOSTILE, "stage_plots"))
    (home / "words").write_text(words)
    program.write_text(f'#!/bin/sh\n[ "$1" = __complete ] && exec cat {home}/words\necho ran\n')
    program.chmod(0o755)
    with Shell(request.param, home, program.parent) as opened:
        yield opened


@pytest.mark.parametrize(
    "typed", ["prt watch stage_p", "prt watch --key stage_p", "prt watch --profile stage_p"]
)
def test_a_tab_runs_nothing_of_what_is_offered(poisoned: Shell, typed: str) -> None:
    poisoned.completed(typed, f"{typed}lots")
    assert not (poisoned.home / MARK).exists()


@pytest.mark.parametrize("typed", ["evil", "only"])
def test_a_line_that_was_completed_with_a_hostile_name_runs_nothing(poisoned: Shell, typed: str) -> None:
    """Shells that offer such a name quote it; the first of several may be inserted by a second TAB."""
    poisoned.send(f"prt watch {typed}\t\t\t".encode())
    poisoned.send(b"\x05 stage_plots\r")
    poisoned.until(lambda text: re.search(r"^ran$", text, re.MULTILINE) is not None)
    poisoned.send(b"\x15\x0c")
    poisoned.until(lambda text: text.strip() == PROMPT.strip())
    assert not (poisoned.home / MARK).exists()


def test_powershells_script_parses() -> None:
    """By its grammar for tree-sitter; no PowerShell runs it here."""
    import tree_sitter
    import tree_sitter_powershell

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    tree = parser.parse(scripts.of("powershell").encode())
    assert not tree.root_node.has_error
    assert parser.parse(b"$a = @{ 'b' = ").root_node.has_error


def test_a_watch_remembers_names_for_tab(project: dict[str, str], tmp_path: Path) -> None:
    environment = of_project(project, XDG_CACHE_HOME=str(tmp_path))
    with piped("watch", "companies", "--count", "1", environment=environment) as watch:
        watch.until_ready()
        with psycopg.connect(project["SUPABASE_DB_URL"], autocommit=True) as database:
            database.execute(
                "insert into companies (workspace_id, name)"
                " select workspace_id, 'TAB Rigging' from productions limit 1"
            )
        assert watch.finish()[0] == 0
    kept = name_cache.read(tmp_path / "prt" / "seen.json")
    assert {"id", "workspace_id", "name"} <= set(kept["companies"])
