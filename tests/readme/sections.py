"""The parts of the README that are made, not written: between `<!-- NAME -->` and `<!-- /NAME -->`.

`python -m tests.readme` makes them anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from prt.cli.completion.grammar import Command, Option, commands
from prt.views.sinks import schema


def reference() -> str:
    """Every command with its options and examples, folded away one by one."""
    return "\n".join(_command(command) for command in commands() if command.path)


def lines() -> str:
    """The keys of every NDJSON line."""
    return schema.markdown()


SECTIONS: Final[dict[str, Callable[[], str]]] = {"reference": reference, "lines": lines}


def rewritten(text: str) -> str:
    """The README with its made sections as they should be. KeyError for one that nobody makes."""
    return re.sub(
        r"<!-- (?P<name>[a-z]+) -->\n.*?<!-- /(?P=name) -->",
        lambda match: f"<!-- {match['name']} -->\n\n{SECTIONS[match['name']]()}\n<!-- /{match['name']} -->",
        text,
        flags=re.DOTALL,
    )


def _command(command: Command) -> str:
    name = " ".join(("prt", *command.path))
    begin = f"<details><summary><code>{name}</code>: {_text(command.line)}</summary>\n\n"
    below = [f"`{name} {one}`" for one in command.subcommands]
    body = ",\n".join(below) + "\n\n" if below else ""
    body += _options(command.options)
    examples = "\n".join(("\n```sh", *command.examples, "```\n")) if command.examples else ""
    return f"{begin}{body}{examples}\n</details>"


def _options(options: tuple[Option, ...]) -> str:
    rows = [f"| {_names(one)} | {_text(one.line)} |" for one in options]
    return "\n".join(["| option | |", "| --- | --- |", *rows]) + "\n"


def _names(option: Option) -> str:
    *short, last = (f"`{name}`" for name in option.names)
    value = f" {option.value}`" if option.value else "`"
    return _text(", ".join([*short, last[:-1] + value]))


def _text(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
