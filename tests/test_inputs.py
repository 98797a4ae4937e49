from __future__ import annotations

import pytest

from prt.cli.completion.grammar import commands
from prt.cli.options.names import OPTIONS
from prt.errors import UsageError
from prt.inputs import Input, named
from prt.state.conditions.bounds import parse_duration


def test_every_input_has_an_option_that_a_command_takes() -> None:
    taken = {name for command in commands() for option in command.options for name in option.names}
    assert set(OPTIONS) == set(Input)
    assert set(OPTIONS.values()) <= taken


def test_a_sentence_names_the_thing_and_the_option_while_a_table_is_in_force() -> None:
    with named({}):
        with pytest.raises(UsageError, match=r'^the timeout expects a time, not "soon"$'):
            parse_duration("soon", Input.TIMEOUT)
        with (
            named({Input.TIMEOUT: "--timeout"}),
            pytest.raises(UsageError, match=r'^--timeout expects a time, not "soon"$'),
        ):
            parse_duration("soon", Input.TIMEOUT)
        assert f"{Input.TIMEOUT}" == "the timeout"


def test_a_table_is_in_force_no_longer_when_its_block_fails() -> None:
    with named({}):
        with pytest.raises(ValueError, match="boom"), named({Input.KEY: "--key"}):
            raise ValueError("boom")
        assert str(Input.KEY) == "the key"
