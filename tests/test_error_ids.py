"""Every error has an id that the manual explains, and every id of the manual is some error's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from prt import manual
from prt.cli.failure import writes_lines
from prt.cli.main import run
from prt.errors import PrtError
from prt.stream.socket import failures, refusal_codes
from tests.running import PRT, clean_environment
from tests.test_architecture import modules


def kinds(kind: type[PrtError]) -> list[type[PrtError]]:
    return [kind, *(one for below in kind.__subclasses__() for one in kinds(below))]


def ids() -> set[str]:
    from importlib import import_module

    for name, module in modules().items():
        text = module.path.read_text(encoding="utf-8")
        if "Error(" in text and not name.startswith(("prt.local", "prt.__main__")):
            import_module(name)
    return {kind.id for kind in kinds(PrtError)} | {
        refusal_codes.error_id(code) for code in get_args(refusal_codes.Code)
    }


def test_the_manual_explains_every_id_and_no_other() -> None:
    assert ids() == set(manual.errors())
    assert list(manual.errors()) == sorted(manual.errors(), key=lambda name: name.replace("-", " "))


def test_the_manual_gives_the_exit_code_of_every_kind() -> None:
    refused = {
        failures.RefusedByServerError,
        failures.HandshakeRefusedError,
        failures.VersionRefusedError,
        failures.EndedError,
    }
    for kind in set(kinds(PrtError)) - refused:
        if kind.__module__.startswith("prt."):
            assert f"Exit code {kind.exit_code}." in manual.errors()[kind.id], kind


def test_help_explains_an_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "e-table-unpublished"]) == 0
    shown = capsys.readouterr().out
    assert "E-TABLE-UNPUBLISHED" in shown
    assert "alter publication supabase_realtime add table" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "error_id"),
    [
        (("watch", "--json"), 2, "E-NO-PROJECT"),
        (("watch", "--json", "--count", "0"), 2, "E-USAGE"),
        (("watch", "--json", "--nonsense"), 2, "E-USAGE"),
        (("presence", "room:1", "--url", "http://127.0.0.1:1"), 2, "E-NO-KEY"),
        (("replay", "missing.ndjson", "-o", "json"), 2, "E-USAGE"),
        (("tap",), 2, "E-NO-PROJECT"),
        (("tap", "--json", "--", "true"), 2, "E-NO-PROJECT"),
    ],
)
def test_the_last_line_has_the_error_if_nothing_was_opened(
    arguments: tuple[str, ...], code: int, error_id: str, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [PRT, *arguments], capture_output=True, text=True, cwd=tmp_path, env=clean_environment(), check=False
    )
    assert ended.returncode == code
    [line] = ended.stdout.splitlines()
    end = json.loads(line)
    assert (end["type"], end["reason"], end["exit_code"], end["events"]) == ("end", "error", code, 0)
    assert end["error"]["id"] == error_id
    message, *hint = ended.stderr.splitlines()
    assert message == f"prt: {end['error']['message']}"
    assert hint == ([f"hint: {end['error']['hint']}"] if end["error"]["hint"] else [])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["watch", "--json"], True),
        (["watch", "--output", "text", "--json"], True),
        (["watch", "-o", "json"], True),
        (["watch", "-o", "text"], False),
        (["watch", "--output=table"], False),
        (["watch", "--template", "{table}"], False),
        (["watch"], True),
        (["watch", "--help"], False),
        (["notify", "send"], False),
        (["notify"], True),
        (["local", "run", "--", "prt", "watch", "--json"], False),
        (["tap", "--", "npm", "start"], False),
        (["tap", "--json", "--", "npm", "start"], True),
        ([], False),
    ],
)
def test_lines_are_written_in_a_pipe_or_if_they_are_asked_for(arguments: list[str], expected: bool) -> None:
    assert writes_lines(arguments) is expected
