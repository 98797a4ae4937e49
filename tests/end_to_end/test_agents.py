"""An agent that gives us a terminal: no colour, no drawing, no question, and nothing else is different."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from prt.local.seed.people import MEMBER
from tests.running import of_project, terminal


def test_a_watch_on_an_agents_terminal_writes_lines(project: Mapping[str, str]) -> None:
    environment = of_project(project, CLAUDECODE="1")
    arguments = ("watch", "budgets", "--duration", "3s")
    with terminal(*arguments, environment=environment, columns=2000) as agent:
        assert agent.finish() == 0
        raw = agent.raw.decode()
    assert "\x1b" not in raw
    lines = [json.loads(line) for line in raw.splitlines() if line.startswith("{")]
    assert lines[0]["type"] == "status"
    assert (lines[-1]["type"], lines[-1]["reason"]) == ("end", "duration")


def test_a_diagnosis_on_an_agents_terminal_has_no_colours(project: Mapping[str, str]) -> None:
    environment = of_project(project, CURSOR_AGENT="1")
    with terminal("status", "budgets", environment=environment) as agent:
        assert agent.finish() == 0
        assert b"\x1b" not in agent.raw
        assert "✓ ok" in agent.raw.decode()
    with terminal("status", "budgets", environment={**environment, "FORCE_COLOR": "1"}) as agent:
        assert agent.finish() == 0
        assert b"\x1b[" in agent.raw


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("status", "--as", MEMBER.email), f"no password for {MEMBER.email}"),
        (("init", "--url", "http://127.0.0.1:1"), "nobody can be asked here"),
        (("watch", "budgets", "--edit"), "--edit is for a view on a terminal"),
    ],
)
def test_an_agent_is_asked_nothing(
    project: Mapping[str, str], arguments: tuple[str, ...], message: str
) -> None:
    environment = of_project(project, GEMINI_CLI="1")
    with terminal(*arguments, environment=environment, columns=200) as agent:
        assert agent.finish() == 2
    assert message in agent.text
