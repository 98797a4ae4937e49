"""What programs and agents read about prt: `prt help --json`, `prt skill`, and a watch for an agent."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from prt.cli import description
from prt.cli.completion.grammar import commands
from prt.state.conditions.bounds import AGENT_SECONDS, Outcome, Progress, parse_bounds
from prt.state.conditions.expectations import Expectations, parse_expectations
from tests.running import PATIENCE, PRT, of_project

Watched = Future[tuple[int, list[dict[str, object]]]]
PATHS = [command.path for command in commands() if command.path]


def prt(project: dict[str, str], *arguments: str, **variables: str) -> tuple[int, list[dict[str, object]]]:
    ended = subprocess.run(
        [PRT, *arguments],
        env=of_project(project, **variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    # The JSON Schema is one document of many lines.
    texts = [ended.stdout] if arguments == ("schema",) else ended.stdout.splitlines()
    return ended.returncode, [json.loads(text) for text in texts]


@pytest.fixture(scope="module", autouse=True)
def watches(project: dict[str, str]) -> Iterator[list[Watched]]:
    """Start a watch for an agent by the option and one by the variable, and run the other tests meanwhile."""
    with ThreadPoolExecutor() as pool:
        yield [
            pool.submit(prt, project, "watch", "notifications", "--agent"),
            pool.submit(prt, project, "watch", "notifications", PRT_AGENT="1"),
        ]


def test_the_effects_are_described_for_exactly_the_existing_commands() -> None:
    assert set(description.EFFECTS) == set(PATHS)


def test_what_makes_a_command_write_is_an_option_of_it() -> None:
    for command in commands():
        names = {name for option in command.options for name in option.names}
        if command.path:
            assert names >= description.EFFECTS[command.path].with_options.keys(), command.path


def test_the_document_has_every_option_with_its_type_and_default() -> None:
    document = json.loads(json.dumps(description.description()))
    assert [one["name"].split() for one in document["commands"]] == [list(path) for path in PATHS]
    watch = next(one for one in document["commands"] if one["name"] == "watch")
    options = {one["names"][-1]: one for one in watch["options"]}
    assert options["--count"]["type"] == "integer"
    assert options["--schema"]["default"] == "public"
    assert options["--output"]["choices"] == ["table", "json", "text"]
    assert options["--filter"]["repeatable"] is True
    assert options["--agent"]["variable"] == "PRT_AGENT"
    assert options["--agent"]["default"] is False
    assert 124 in watch["exit_codes"]
    assert (watch["effect"], "--record" in watch["writes_with"]) == ("reads", True)
    send = next(one for one in document["commands"] if one["name"] == "send")
    assert (send["effect"], send["writes"]) == ("writes", "a broadcast")


def test_the_exit_codes_are_those_of_the_manual() -> None:
    from prt import manual

    rows = re.findall(r"^\| ([\d, ]+) \|", manual.page("exit-codes"), flags=re.MULTILINE)
    assert {int(code) for row in rows for code in row.split(",")} == set(description.EXIT_CODES)


def test_a_watch_for_an_agent_ends_by_itself_unless_another_time_is_given() -> None:
    progress = Progress(parse_bounds(count=3, agent=True), Expectations(), started=0.0)
    assert progress.due(AGENT_SECONDS - 0.1) is None
    assert progress.due(AGENT_SECONDS) == Outcome("agent", 0)
    awaited = Progress(parse_bounds(agent=True), parse_expectations(["INSERT tasks"]), started=0.0)
    assert awaited.due(AGENT_SECONDS) == Outcome("agent", 1)
    for bounds in (parse_bounds(duration="1h", agent=True), parse_bounds(timeout="1h", agent=True)):
        assert Progress(bounds, Expectations(), started=0.0).due(AGENT_SECONDS + 1) is None
    assert parse_bounds().agent is None


def test_the_session_of_an_agent_ends_with_output_that_parses(project: dict[str, str]) -> None:
    code, document = prt(project, "help", "--json")
    assert (code, document[0]["version"]) == (0, description.VERSION)
    code, layers = prt(project, "status", "notifications", "--json")
    assert (code, layers[-1]["type"]) == (0, "layers")


def test_the_page_for_agents_holds_examples_that_run(project: dict[str, str]) -> None:
    """What they wait for does not come here, which is a proper end too."""
    page = description.skill_page()
    assert page.startswith("---\nname: prt\n")
    for _, example in description.SKILL_EXAMPLES:
        assert f"`{example}`" in page
        arguments = shlex.split(example)[1:]
        arguments = ["1s" if word == "30s" else word for word in arguments]
        if "--agent" in arguments:
            continue
        code, lines = prt(project, *arguments)
        assert code in {0, 124}, (example, lines)
        assert lines, example


def test_the_end_of_a_watch_for_an_agent_has_its_reason(watches: list[Watched]) -> None:
    """Each takes its 30 s, so this comes last."""
    for watch in watches:
        code, lines = watch.result()
        assert (code, lines[-1]["type"], lines[-1]["reason"]) == (0, "end", "agent")
