"""Descriptions of the program for other programs: the output of `prt help --json` and of `prt skill`.

Both are read from the commands. `EFFECTS` adds what can't be read there, such as whether a command writes; a
test checks that it has every command.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from prt import __version__
from prt.cli.completion.grammar import Command, Option, commands
from prt.state.conditions.bounds import AGENT_SECONDS

VERSION: Final = 1
"""The version of the document of `prt help --json`."""

EXIT_CODES: Final = {
    0: "done, expectations met",
    1: "a test or an expectation failed, an update was rolled back",
    2: "usage or configuration",
    3: "authentication or authorization refused",
    4: "the project can't be reached, or the subscription was refused",
    5: "the server spoke something that is not its protocol",
    124: "the timeout ran out",
    130: "SIGINT",
    143: "SIGTERM",
}
OFFLINE: Final = (0, 1, 2, 130, 143)
"""The exit codes of commands that reach no project."""
ONLINE: Final = tuple(code for code in EXIT_CODES if code != 124)


class Effect(Struct, frozen=True):
    """The effects of a command: what it always `writes`, and what it writes `with_options`.

    `is_local` commands reach no remote project.
    """

    writes: str | None = None
    with_options: dict[str, str] = {}
    is_local: bool = False


_FILES: Final = {"--record": "a file", "--export": "a file", "--exec": "what the command does"}
EFFECTS: Final[dict[tuple[str, ...], Effect]] = {
    ("watch",): Effect(
        None,
        {
            **_FILES,
            "--metrics": "a file",
            "--canary": "rows, which it removes",
            "--edit": "rows, at the keys that write",
        },
    ),
    ("presence",): Effect(None, {"--track": "a presence of its own while it runs"}),
    ("notify",): Effect(None, {"--exec": "what the command does", "--edit": "that notifications were read"}),
    ("notify", "send"): Effect("a notification"),
    ("notify", "read"): Effect("that notifications were read"),
    ("test",): Effect(
        None, {"--allow-writes": "rows, which it removes", "--junit": "a file", "--write-contract": "a file"}
    ),
    ("audit",): Effect(None, {"--allow-slot": "a replication slot, which it drops"}),
    ("status",): Effect(None, {"--bundle": "a file"}),
    ("tap",): Effect(None, {"--record": "a file", "--command-log": "a file"}),
    ("send",): Effect("a broadcast"),
    ("update",): Effect("a row"),
    ("replay",): Effect(None, {"--export": "a file"}, True),
    ("local",): Effect(None, {}, True),
    ("local", "up"): Effect("an embedded project", {}, True),
    ("local", "run"): Effect("an embedded project, and what the command does", {}, True),
    ("local", "env"): Effect(None, {}, True),
    ("local", "status"): Effect(None, {}, True),
    ("local", "token"): Effect(None, {}, True),
    ("local", "traffic"): Effect("rows of the embedded project", {}, True),
    ("local", "reset"): Effect("all of the embedded project", {}, True),
    ("local", "stop"): Effect("the end of the embedded project", {}, True),
    ("demo",): Effect("an embedded project", {}, True),
    ("init",): Effect("a profile in prt.toml", {}, True),
    ("config",): Effect(None, {}, True),
    ("help",): Effect(None, {}, True),
    ("skill",): Effect(None, {}, True),
    ("schema",): Effect(None, {}, True),
    ("completion",): Effect(None, {}, True),
}
"""The effects of every command, by its path."""


def description() -> dict[str, Any]:
    """Return the document of `prt help --json`."""
    return {
        "version": VERSION,
        "program": {"name": "prt", "version": __version__},
        "exit_codes": {str(code): meaning for code, meaning in EXIT_CODES.items()},
        "commands": [_command(one) for one in commands() if one.path],
    }


def _command(command: Command) -> dict[str, Any]:
    effect = EFFECTS[command.path]
    return {
        "name": " ".join(command.path),
        "summary": command.line,
        "effect": "writes" if effect.writes else "reads",
        "writes": effect.writes,
        "writes_with": {name: what for name, what in effect.with_options.items() if _has(command, name)},
        "subcommands": list(command.subcommands),
        "arguments": [
            {
                "name": one.name,
                "summary": one.line,
                "required": one.is_required,
                "repeatable": one.is_repeatable,
            }
            for one in command.words
        ],
        "options": [_option(one) for one in command.options],
        "exit_codes": sorted(_codes(command, effect)),
        "examples": list(command.examples),
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "names": list(option.names),
        "summary": option.line,
        "type": option.type,
        "value": option.value or None,
        "choices": list(option.choices),
        "default": option.default,
        "repeatable": option.is_repeatable,
        "variable": option.variable,
    }


def _codes(command: Command, effect: Effect) -> set[int]:
    codes = set(OFFLINE if effect.is_local else ONLINE)
    if command.path[0] in ("local", "demo"):
        codes.add(4)
    return codes | ({124} if _has(command, "--timeout") and command.path != ("send",) else set())


def _has(command: Command, name: str) -> bool:
    return any(name in option.names for option in command.options)


SKILL_EXAMPLES: Final = (
    ("Find what is wrong, with a remedy for each finding", "prt status --json"),
    (
        "Receive the next change of a table, or give up",
        "prt watch project_tasks --json --count 1 --timeout 30s",
    ),
    ("Watch for 30 s", "prt watch --agent --json"),
    ("Wait for an event", "prt watch --expect 'INSERT notifications' --timeout 30s --json"),
    ("See who is online", "prt presence user-presence --once --json"),
    ("Send a broadcast", """prt send document:7 cursor-move '{"x": 1}' --json"""),
    ("Read what every line means", "prt schema"),
    ("Read every command and option", "prt help --json"),
)
"""Examples with their purpose; a test runs all of them."""


def skill_page() -> str:
    """Return the SKILL.md."""
    read = [one for one in commands() if one.path and not EFFECTS[one.path].writes]
    written = [one for one in commands() if one.path and EFFECTS[one.path].writes]
    examples = "\n".join(f"- {what}: `{command}`" for what, command in SKILL_EXAMPLES)
    codes = "\n".join(f"- {code}: {meaning}" for code, meaning in EXIT_CODES.items())
    return f"""---
name: prt
description: Watch, test and diagnose Supabase Realtime from a terminal. Use it to see live changes, \
broadcasts and presence of a Supabase project, to find why events don't arrive, and to test Realtime \
against an embedded Supabase without Docker.
---

# prt {__version__}

Set SUPABASE_URL and SUPABASE_ANON_KEY, or add `--local` for an embedded project. Standard output is data, one
JSON object a line with `--json`; standard error is for people. The last line has the type `end` and says why
the command ended. A failed command writes an `error` there with an id: `prt help ID` explains it.

Set PRT_AGENT=1 (or `--agent`): a watch without `--duration` or `--timeout` then ends after
{AGENT_SECONDS:g} s, with the reason `agent`, and a terminal gets no colours, drawing or questions.

## Examples

{examples}

## Commands that only read

{_listed(read)}

## Commands that write

{_listed(written)}

`prt help --json` names the options with which a reading command writes too.

## Exit codes

{codes}
"""


def _listed(described: list[Command]) -> str:
    return "\n".join(
        f"- `prt {' '.join(one.path)}`: {one.line}" for one in described if not one.subcommands or one.words
    )
