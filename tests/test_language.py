"""What a machine can judge of the texts that users read; `prt/manual/` and people judge the rest."""

from __future__ import annotations

import re

import pytest

from prt.cli.completion.grammar import Command, commands
from prt.cli.main import COMMANDS

COMMANDS_AND_PROGRAM = list(commands())
NO_BEGINNING = set(
    "a of for from in into on to within whose where what which when its their else also there".split()  # noqa: SIM905
)
"""Words with which a help text does not begin, because it would lean on the option's name."""
MAY_BEGIN = ("A recording", "A page", "A second", "Also read")


@pytest.mark.parametrize("command", COMMANDS_AND_PROGRAM, ids=lambda command: " ".join(command.path) or "prt")
def test_the_help_of_every_option_stands_alone(command: Command) -> None:
    for option in command.options:
        words = option.line.split()
        assert len(words) >= 2, option
        assert option.line[0].isupper() or words[0] in {"JSON", "NDJSON"}, option
        assert option.line.endswith("."), option
        assert words[0].lower() not in NO_BEGINNING or option.line.startswith(MAY_BEGIN), option


@pytest.mark.parametrize("command", COMMANDS_AND_PROGRAM, ids=lambda command: " ".join(command.path) or "prt")
def test_a_command_is_described_by_what_it_does(command: Command) -> None:
    assert re.match(r"[A-Z][a-z]+\b.*\.$", command.line), command.line
    assert command.line.split()[0].lower() not in NO_BEGINNING


def test_the_list_of_commands_describes_what_they_do() -> None:
    for entry in COMMANDS:
        assert re.match(r"[A-Z][a-z]+ .*\.$", entry.line), entry
        assert entry.line.split()[0].lower() not in NO_BEGINNING
