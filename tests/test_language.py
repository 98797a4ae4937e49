"""What a machine can judge of the texts that users read; `prt/manual/` and people judge the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import pytest

from prt.cli.completion.grammar import Command, Option, commands
from prt.cli.main import COMMANDS
from prt.cli.options.outputs import TYPES
from prt.cli.options.targets import EVENTS
from prt.config.constants.plans import PLANS
from prt.config.constants.seed_tables import GROUPS, TABLES
from prt.state.conditions.alerts import SEVERITIES
from prt.stream.filters.grammar import OPERATORS
from prt.tap.chaos.plan import REFUSALS
from prt.views.panels.registry import VIEWS
from tests.manual.pages import text_of

COMMANDS_AND_PROGRAM = list(commands())
NO_BEGINNING = set(
    "a of for from in into on to within whose where what which when its their else also there".split()  # noqa: SIM905
)
"""Words with which a help text does not begin, because it would lean on the option's name."""
MAY_BEGIN = (
    "A recording",
    "A page",
    "A second",
    "A table",
    "Also exit",
    "Also read",
    "Also show",
    "Also write",
)

NOTE: Final = r"\[(?:required|default: [^][]+|env: [A-Z_]+|[\d.]*\d\.\.\d[\d.]*|at least \d[\d.]*)\]"
"""Square brackets stand around a note, which says by its first word what it is; `[1..65535]` is a range."""
QUOTED: Final = re.compile(r"(?<!\w)'[^']*'(?!\w)|`[^`]*`")
LEANING: Final = re.compile(r"\bsuch (?!as\b)|^\w+ (?:it|them)\b")
"""Words that mean something the text does not name, such as "Leave them out."."""

FORMS: Final = {
    "TIME": r"\b\d+(?:ms|s|m|h)\b",
    "SIZE": r"\b\d+MB\b",
    "REGEX": r"regular expression REGEX",
    "PERCENT": r"such as \d",
    "RULE": r"such as '",
    "OP.VAL": r"such as \w+=\w+\.\w+",
    "VALUE=N": r"such as \w+=\d",
    "KEY=VALUE": r"such as \w+=",
    "NAME=VALUE": r"such as \w+=",
}
"""What the help says about the form of a value, by the word that stands for the value."""

MEMBERS: Final[dict[str, Iterable[str]]] = {
    "TYPE,TYPE": ["`prt help lines`"],
    "[TABLE:]COL=OP.VAL": ["`prt help guide`"],
    "SUITE": ["--list"],
    "NAME,NAME": VIEWS,
    "SEVERITY": SEVERITIES,
    "STATUS": map(str, REFUSALS),
    "KIND": ["es256", "rs256"],
    "WHO": ["anon", "service", "EMAIL"],
    "EVENT": EVENTS,
}
"""The names that a value may have, or the command that lists them, by the word that stands for the value."""


def texts(command: Command) -> Iterator[tuple[str, str]]:
    """Yield name and text of every option and argument, with the notes behind the text."""
    for option in command.options:
        yield option.names[-1], f"{option.line} {option.notes}".strip()
    for word in command.words:
        yield word.name, word.line


def options_with(value: str) -> list[Option]:
    """Return the options of all commands in whose value a word stands."""
    pattern = re.compile(rf"(?<![A-Z.]){re.escape(value)}(?![A-Z])")
    return [one for command in commands() for one in command.options if pattern.search(one.value)]


@pytest.mark.parametrize("command", COMMANDS_AND_PROGRAM, ids=lambda command: " ".join(command.path) or "prt")
def test_the_help_of_every_option_stands_alone(command: Command) -> None:
    for name, text in texts(command):
        words = text.split()
        assert len(words) >= 2, name
        assert words[0][0].isupper() or words[0] in {"JSON", "NDJSON"}, (name, text)
        assert re.fullmatch(rf".*\.(?: {NOTE})*", text), (name, text)
        assert words[0].lower() not in NO_BEGINNING or text.startswith((*MAY_BEGIN, "The ")), (name, text)
        assert not LEANING.search(text), (name, text)


@pytest.mark.parametrize("command", COMMANDS_AND_PROGRAM, ids=lambda command: " ".join(command.path) or "prt")
def test_every_bracket_in_a_help_is_a_note_with_a_label(command: Command) -> None:
    for name, text in texts(command):
        rest = QUOTED.sub("", re.sub(NOTE, "", text))
        assert not set("[]{}") & set(rest), (name, text)


@pytest.mark.parametrize("command", COMMANDS_AND_PROGRAM, ids=lambda command: " ".join(command.path) or "prt")
def test_a_help_names_only_options_that_its_command_has(command: Command) -> None:
    known = {name for option in command.options for name in option.names}
    for name, text in texts(command):
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", QUOTED.sub("", text)))
        assert named <= known, (name, text)


@pytest.mark.parametrize("value", FORMS)
def test_a_help_shows_the_form_of_a_value(value: str) -> None:
    found = options_with(value)
    assert found
    for option in found:
        assert re.search(FORMS[value], option.line), (option.names, option.line)


@pytest.mark.parametrize("value", MEMBERS)
def test_a_help_lists_the_names_that_a_value_may_have_or_names_the_list(value: str) -> None:
    found = [one for command in commands() for one in command.options if one.value == value]
    assert found
    for option in found:
        for member in MEMBERS[value]:
            assert member in option.line, (option.names, member)


def test_a_help_lists_the_plans() -> None:
    found = [one for command in commands() for one in command.options if one.names[-1] == "--plan"]
    assert found
    for option in found:
        assert all(re.search(rf"\b{name}\b", option.line) for name in PLANS), option.line


def test_a_help_explains_each_choice_that_is_not_a_plan() -> None:
    chosen = [one for command in commands() for one in command.options if one.choices]
    assert chosen
    for option in chosen:
        explained = set(re.findall(r"\((\w+)\)", option.line))
        assert set(option.choices) <= explained | {*PLANS, "none"}, option.line


def test_lists_that_a_help_names_are_complete() -> None:
    guide = text_of("guide")
    for name in (*GROUPS, *TABLES, *OPERATORS):
        assert f"`{name}`" in guide, name
    lines = text_of("lines")
    for name in TYPES:
        assert f"`{name}`" in lines, name
    for command in commands():
        for word in command.words:
            if word.name == "TABLE" and word.is_repeatable:
                assert all(group in word.line for group in (*GROUPS, "`prt help guide`")), command.path


@pytest.mark.parametrize("command", COMMANDS_AND_PROGRAM, ids=lambda command: " ".join(command.path) or "prt")
def test_a_command_is_described_by_what_it_does(command: Command) -> None:
    assert re.match(r"[A-Z][a-z]+\b.*\.$", command.line), command.line
    assert command.line.split()[0].lower() not in NO_BEGINNING


def test_the_list_of_commands_describes_what_they_do() -> None:
    for entry in COMMANDS:
        assert re.match(r"[A-Z][a-z]+ .*\.$", entry.line), entry
        assert entry.line.split()[0].lower() not in NO_BEGINNING
