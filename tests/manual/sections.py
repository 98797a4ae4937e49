"""The parts of the manual that are generated: the pages of commands, and what stands between markers.

A section stands between `<!-- NAME -->` and `<!-- /NAME -->`. `python -m tests.manual` generates all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from prt.cli.completion.grammar import Command, Option, commands
from prt.views.sinks.schema import document as schema

SECTIONS: Final[dict[str, Callable[[], str]]] = {"lines": schema.markdown}


def command_pages() -> dict[str, str]:
    """Return a page for each command by its name, its subcommands included."""
    found: dict[str, list[str]] = {}
    for command in commands():
        if command.path:
            found.setdefault(command.path[0], []).append(_command(command))
    return {name: "\n".join(parts) for name, parts in found.items()}


def rewritten(text: str) -> str:
    """Return a page with its generated sections as they should be. Raises KeyError for an unknown one."""
    return re.sub(
        r"<!-- (?P<name>[a-z]+) -->\n.*?<!-- /(?P=name) -->",
        lambda match: f"<!-- {match['name']} -->\n\n{SECTIONS[match['name']]()}\n<!-- /{match['name']} -->",
        text,
        flags=re.DOTALL,
    )


def _command(command: Command) -> str:
    name = " ".join(("prt", *command.path))
    parts = [f"{'#' * len(command.path)} {name}", _text(command.line)]
    parts += [", ".join(f"`{name} {one}`" for one in command.subcommands)] if command.subcommands else []
    parts += [_options(command.options)]
    parts += ["\n".join(("```sh", *command.examples, "```"))] if command.examples else []
    return "\n\n".join(parts) + "\n"


def _options(options: tuple[Option, ...]) -> str:
    rows = [f"| {_names(one)} | {_text(f'{one.line} {one.notes}'.strip())} |" for one in options]
    return "\n".join(["| option | what it does |", "| --- | --- |", *rows])


def _names(option: Option) -> str:
    *short, last = (f"`{name}`" for name in option.names)
    value = f" {option.value}`" if option.value else "`"
    return _text(", ".join([*short, last[:-1] + value]))


def _text(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
