"""The README says what the program is, no more and no less.

`python -m tests.readme` makes its made parts anew. markdown-it-py reads Markdown as its specification says.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from prt.cli.completion import scripts
from prt.cli.completion.grammar import Command, commands
from prt.cli.completion.kinds import SHELLS
from prt.cli.main import run
from prt.cli.options.outputs import TYPES
from prt.errors import PrtError
from tests.diagnosis import table as diagnosis
from tests.faults import table as faults
from tests.readme.sections import SECTIONS, rewritten

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WIDEST = 110
HTML = MarkdownIt("commonmark").enable("table").render(README)
COMMANDS = [command for command in commands() if command.path]


def named(text: str, name: str) -> bool:
    """Whether an option stands in a text, itself and not as the beginning of a longer one."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def reference_of(text: str, command: Command) -> str:
    """What the README's reference has of a command."""
    name = " ".join(("prt", *command.path))
    found = re.search(
        rf"<details><summary><code>{re.escape(name)}</code>: .*?</details>", text, flags=re.DOTALL
    )
    assert found is not None, name
    return found[0]


@cache
def completions_of(shell: str) -> str:
    """fish names an option without its dashes."""
    text = scripts.of(shell)
    if shell != "fish":
        return text
    return re.sub(
        r" -(?:l (?P<long>[\w-]+)|s (?P<short>\w))",
        lambda found: f" --{found['long']}" if found["long"] else f" -{found['short']}",
        text,
    )


def test_made_sections_are_as_the_program_makes_them() -> None:
    """`python -m tests.readme` makes them anew."""
    assert rewritten(README) == README
    for name in SECTIONS:
        assert f"<!-- {name} -->" in README


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.path))
def test_every_option_is_in_reference_completions_and_help(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command.path, "--help"]) == 0
    places = {
        "help": capsys.readouterr().out,
        "reference": reference_of(README, command),
        **{shell: completions_of(shell) for shell in SHELLS},
    }
    for place, text in places.items():
        for name in command.subcommands:
            assert named(text, name), (place, name)
        for option in command.options:
            for name in option.names:
                assert named(text, name), (place, name)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.path))
def test_what_stands_in_reference_and_help_is_an_option(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flag that was removed is missed here."""
    assert run([*command.path, "--help"]) == 0
    known = {name for option in command.options for name in option.names}
    listed = re.findall(r"^  (--?[\w-]+)", capsys.readouterr().out, flags=re.M)
    assert set(listed) <= known
    assert set(re.findall(r"^\| `(--?[\w-]+)", reference_of(README, command), flags=re.M)) <= known


def test_commands_in_text_and_blocks_have_the_options_that_they_use() -> None:
    """Of every `prt …` in code, outside the reference and the tables of what was said."""
    by_path = {command.path: command for command in commands()}
    code = re.findall(r"```.*?```|`prt [^`\n]+`", README.partition("## Reference")[0], flags=re.DOTALL)
    lines = [line for block in code for line in block.strip("`").splitlines()]
    used = [found[0] for line in lines for found in re.finditer(r"(?<![\w/.-])prt [a-z][^|>&;]*", line)]
    assert len(used) > 40
    for text in used:
        words = text.split(" #")[0].split(" -- ")[0].split()[1:]
        path = tuple(words[:2]) if tuple(words[:2]) in by_path else tuple(words[:1])
        assert path in by_path, text
        known = {name for option in by_path[path].options for name in option.names}
        if by_path[path].subcommands and len(words) > 1 and words[1] in by_path[path].subcommands:
            continue
        flags = {word.partition("=")[0] for word in words if re.match(r"--[a-z]|-[a-z]$", word)}
        assert flags - {"--data-binary", "-H"} <= known, text


def test_every_line_type_and_exit_code_is_told() -> None:
    for name in TYPES:
        assert f"| `{name}` | `" in README
    codes = {0, *(kind.exit_code for kind in _kinds(PrtError)), 130, 143}
    told = re.findall(r"^\| ([\d, ]+) \| ", README.partition("| exit | meaning |")[2], flags=re.M)
    assert {int(code) for codes in told for code in codes.split(", ")} == codes


def test_every_link_and_picture_is_there() -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", README)
    assert targets
    for target in targets:
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_every_path_in_code_is_there() -> None:
    """Folders and files of this repository; `room/` beside `prt/` in what tells how it is built."""
    for path in re.findall(r"`((?:prt|tests|completions|\.ci)/[\w./-]*)`", README):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"python -m ([\w.]+)", README):
        place = ROOT / module.replace(".", "/")
        assert (place / "__main__.py").exists() or place.with_suffix(".py").exists(), module


def test_the_matrix_has_every_fault() -> None:
    for fault in faults.FAULTS.values():
        assert f"\n| {fault.what} | {fault.answer} | 0 |" in README
    assert f"| **{len(faults.FAULTS)} faults** | | **0** |" in README


def test_the_table_of_causes_has_every_fault() -> None:
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in README.splitlines()]
    by_what = {row[0]: row for row in rows if len(row) == 4}
    for fault in diagnosis.FAULTS.values():
        _, layer, why, remedy = by_what[fault.what.replace("|", "\\|")]
        assert layer == fault.layer
        assert fault.why in why.replace("\\|", "|"), fault.what
        assert fault.remedy in remedy.replace("\\|", "|"), fault.what


def test_lines_fit_a_terminal() -> None:
    """Tables are read as HTML."""
    wide = [
        line
        for line in README.splitlines()
        if len(line) > WIDEST and not line.startswith(("|", "![", "<details>"))
    ]
    assert wide == []


def test_it_is_whole_as_html() -> None:
    outside = re.sub(r"^```.*?^```$", "", README, flags=re.DOTALL | re.M)
    tables = len(re.findall(r"^\|(?: -+:? \|)+$", outside, flags=re.M))
    assert HTML.count("<table>") == tables > 10
    assert HTML.count("<img ") == outside.count("![") > 5
    assert HTML.count("<pre>") == len(re.findall(r"^```\w*$", README, flags=re.M)) / 2
    assert HTML.count("<details>") == HTML.count("</details>") == HTML.count("</summary>") > len(COMMANDS)
    # A table that is not read as one stays text with bars.
    prose = re.sub(r"<(pre|code)>.*?</\1>", "", HTML, flags=re.DOTALL)
    assert "| ---" not in prose
    assert "```" not in prose


def _kinds(kind: type[PrtError]) -> list[type[PrtError]]:
    return [kind, *(one for below in kind.__subclasses__() for one in _kinds(below))]
