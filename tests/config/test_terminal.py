from __future__ import annotations

import re

import pytest

from prt import manual
from prt.config.terminal import AGENTS, is_agent, is_terminal, may_color, serving_agent


def test_the_manual_names_the_variables() -> None:
    section = manual.page("configuration").partition("## Agents")[2].partition("\n## ")[0]
    assert {*re.findall(r"`([A-Z_]+)(?:=1)?`", section)} == {*AGENTS, "FORCE_COLOR"}


class Terminal:
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_one_unless_an_agent_runs_us(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_terminal(Terminal())
    assert not is_terminal(None)
    for name in AGENTS:
        with monkeypatch.context() as patch:
            patch.setenv(name, "1")
            assert not is_terminal(Terminal()), name


@pytest.mark.parametrize("value", ["", "0", "false", "No"])
def test_a_variable_that_is_switched_off_does_not_count(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CLAUDECODE", value)
    assert not is_agent()


def test_the_option_counts_as_long_as_the_command_runs() -> None:
    with serving_agent(is_asked_for=True), serving_agent(is_asked_for=False):
        assert is_agent()
    assert not is_agent()


def test_an_agent_gets_colours_only_if_they_are_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    assert may_color()
    monkeypatch.setenv("GEMINI_CLI", "1")
    assert not may_color()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert may_color()
