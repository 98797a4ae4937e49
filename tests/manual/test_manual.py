"""README and manual describe the program as it is, no more and no less.

`python -m tests.manual` generates what is generated. markdown-it-py reads Markdown as its specification says.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from rich.cells import cell_len

from prt import manual
from prt.cli.completion import scripts
from prt.cli.completion.grammar import Command, commands
from prt.cli.completion.kinds import SHELLS
from prt.cli.main import run
from prt.cli.options.outputs import TYPES
from prt.errors import PrtError
from tests.diagnosis import table as diagnosis
from tests.faults import table as faults
from tests.manual.man import MAN, man_pages
from tests.manual.pages import COMMANDS as FOLDER
from tests.manual.pages import README, ROOT, pages, text_of, written
from tests.manual.sections import SECTIONS, command_pages, rewritten

WIDEST = 110
WIDEST_CODE = 95
"""Columns of a code block that GitHub's page shows without scrolling, in a window of 1,280 pixels."""
LONGEST_README = 250
ALL = "\n".join(pages().values())
WRITTEN = "\n".join(written().values())
COMMANDS = [command for command in commands() if command.path]


def code_of(text: str) -> list[str]:
    """Return the lines of a page's code blocks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, flags=re.DOTALL | re.M)
    return [line.rstrip() for block in blocks for line in block.splitlines()]


def named(text: str, name: str) -> bool:
    """Whether an option stands in a text, itself and not as the beginning of a longer one."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def reference_of(command: Command) -> str:
    """Return what the command's page of the manual contains about it and its subcommands."""
    text = (FOLDER / f"{command.path[0]}.md").read_text(encoding="utf-8")
    name = " ".join(("prt", *command.path))
    found = re.search(rf"^#+ {re.escape(name)}\n.*?(?=^# |^## |\Z)", text, flags=re.DOTALL | re.M)
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


def test_generated_pages_and_sections_are_as_the_program_makes_them() -> None:
    """`python -m tests.manual` generates them anew."""
    for path, text in written().items():
        assert rewritten(text) == text, path
    assert all(f"<!-- {name} -->" in WRITTEN for name in SECTIONS)
    assert {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == command_pages()
    assert {path.name: path.read_text(encoding="utf-8") for path in MAN.iterdir()} == man_pages()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.path))
def test_every_option_is_in_reference_completions_and_help(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command.path, "--help"]) == 0
    places = {
        "help": capsys.readouterr().out,
        "reference": reference_of(command),
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
    assert set(re.findall(r"^\| `(--?[\w-]+)", reference_of(command), flags=re.M)) <= known


def test_commands_in_text_and_blocks_have_the_options_that_they_use() -> None:
    """Every `prt …` in code of the written pages, but for the tables of causes and faults."""
    by_path = {command.path: command for command in commands()}
    text = "\n".join(line for line in WRITTEN.splitlines() if line.count("|") < 4)
    code = re.findall(r"```.*?```|`prt [^`\n]+`", text, flags=re.DOTALL)
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


def test_every_line_type_and_exit_code_is_described() -> None:
    lines = text_of("lines")
    for name in TYPES:
        assert f"| `{name}` | `" in lines
    codes = {0, *(kind.exit_code for kind in _kinds(PrtError)), 130, 143}
    rows = re.findall(r"^\| ([\d, ]+) \| ", text_of("exit-codes"), flags=re.M)
    assert {int(code) for row in rows for code in row.split(", ")} == codes


def test_every_link_and_picture_is_there() -> None:
    for path, text in pages().items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            place, _, heading = target.partition("#")
            if place.startswith("https://"):
                continue
            file = (path.parent / place) if place else path
            assert file.exists(), (path, target)
            assert not heading or heading in anchors(file.read_text(encoding="utf-8")), (path, target)


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.M)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_path_in_code_is_there() -> None:
    """Folders and files of this repository."""
    for path in re.findall(r"`((?:prt|tests|completions|\.ci)/[\w./-]*)`", WRITTEN):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"python -m ([\w.]+)", WRITTEN):
        place = ROOT / module.replace(".", "/")
        assert (place / "__main__.py").exists() or place.with_suffix(".py").exists(), module


def test_the_matrix_has_every_fault() -> None:
    delivery = text_of("delivery")
    for name, fault in faults.FAULTS.items():
        assert f"\n{faults.row(name, fault, 0)}" in delivery
    assert f"| **{len(faults.FAULTS)} faults** | | **0** |" in delivery


def test_the_table_of_causes_has_every_fault() -> None:
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text_of("diagnosis").splitlines()
    ]
    by_what = {row[0]: row for row in rows if len(row) == 4}
    for fault in diagnosis.FAULTS.values():
        _, layer, why, remedy = by_what[fault.what.replace("|", "\\|")]
        assert layer == fault.layer
        assert fault.why in why.replace("\\|", "|"), fault.what
        assert fault.remedy in remedy.replace("\\|", "|"), fault.what


@pytest.mark.parametrize("path", written(), ids=lambda path: path.stem)
def test_lines_fit_a_terminal(path: Path) -> None:
    """Tables are read as HTML."""
    wide = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if len(line) > WIDEST and not line.startswith(("|", "![", "<details>"))
    ]
    assert wide == []


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_code_fits_a_browser(path: Path) -> None:
    assert [line for line in code_of(path.read_text(encoding="utf-8")) if len(line) > WIDEST_CODE] == []


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= LONGEST_README


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_a_page_is_whole_as_html(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    html = MarkdownIt("commonmark").enable("table").render(text)
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.M)
    assert html.count("<h1>") == 1
    assert html.count("<table>") == len(re.findall(r"^\|(?: -+:? \|)+$", outside, flags=re.M))
    assert html.count("<img ") == outside.count("![")
    assert html.count("<pre>") == len(re.findall(r"^```\w*$", text, flags=re.M)) / 2
    assert html.count("<details>") == html.count("</details>") == html.count("</summary>")
    # A table that is not read as one stays text with bars.
    prose = re.sub(r"<(pre|code)>.*?</\1>", "", html, flags=re.DOTALL)
    assert "| ---" not in prose
    assert "```" not in prose


@pytest.mark.parametrize("topic", manual.topics())
def test_a_page_fits_80_columns_and_shows_no_markup(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All but code, whose lines are shown as they are: what is copied from them has to run."""
    assert run(["help", topic]) == 0
    shown = capsys.readouterr().out
    code = code_of(manual.page(topic))
    assert [line for line in shown.splitlines() if cell_len(line) > 80 and line not in code] == []
    assert set(filter(None, code)) <= set(shown.splitlines())
    assert shown.count("…") == manual.page(topic).count("…")
    prose = "\n".join(line for line in shown.splitlines() if line not in code)
    assert not re.search(r"<details|<!--|^#+ |!\[|\x1b", prose, flags=re.M)


def test_help_lists_every_page_and_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help"]) == 0
    shown = capsys.readouterr().out
    for name in (*manual.topics(), *(command.path[0] for command in COMMANDS)):
        assert re.search(rf"^  {name} ", shown, flags=re.M), name
    assert max(map(len, shown.splitlines())) <= 120


def test_help_of_a_command_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["local", "up", "--help"]) == 0
    own = capsys.readouterr().out
    assert run(["help", "local", "up"]) == 0
    assert capsys.readouterr().out == own


def test_an_unknown_topic_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "diagnosi"]) == 2
    assert "did you mean `prt help diagnosis`?" in capsys.readouterr().err


def _kinds(kind: type[PrtError]) -> list[type[PrtError]]:
    return [kind, *(one for below in kind.__subclasses__() for one in _kinds(below))]
