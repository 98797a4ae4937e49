"""`prt help`: the pages of the manual, and the help of every command."""

# ruff: noqa: PLC0415 - modules are loaded when they are used

from __future__ import annotations

import sys
from typing import Annotated

import typer

from prt.cli.options import shared as options
from prt.errors import UsageError


def show_help(
    topic: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TOPIC",
            help=(
                "A page of the manual, a command such as `local up`, or the id of an error such as "
                "E-TABLE-UNPUBLISHED."
            ),
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Write one JSON document that describes every command and option.")
    ] = False,
    debug: options.Debug = False,
) -> int:
    """Show a page of the manual, the help of a command, or what an error means; without TOPIC, list all.

    prt help

    prt help --json

    prt help diagnosis

    prt help local up

    prt help E-TABLE-UNPUBLISHED
    """
    from prt import manual

    if json:
        if topic:
            raise UsageError("--json describes every command", "leave the topic out")
        return _describe()
    if not topic:
        _list(manual.topics())
    elif len(topic) == 1 and topic[0] in manual.topics():
        _show(manual.page(topic[0]))
    elif len(topic) == 1 and topic[0].upper() in manual.errors():
        _show(f"# {topic[0].upper()}\n\n{manual.errors()[topic[0].upper()]}\n")
    else:
        return _help_of_command(topic)
    return 0


def _describe() -> int:
    from json import dumps

    from prt.cli.description import description

    typer.echo(dumps(description(), ensure_ascii=False))
    return 0


def _list(topics: dict[str, str]) -> None:
    from prt.cli.main import COMMANDS

    width = max(map(len, [*topics, *(entry.name for entry in COMMANDS)])) + 2
    typer.echo("Pages of the manual, for `prt help TOPIC`:\n")
    for name, line in topics.items():
        typer.echo(f"  {name:{width}}{line}")
    typer.echo("\nCommands, for `prt help COMMAND` and `prt COMMAND --help`:\n")
    for entry in COMMANDS:
        typer.echo(f"  {entry.name:{width}}{entry.line}")


def _show(page: str) -> None:
    from prt.config.terminal import is_terminal

    if not is_terminal(sys.stdout):
        from prt.views.drawing.markdown import plain

        typer.echo(plain(page), nl=False)
        return
    from prt.views.drawing.markdown import draw
    from prt.views.terminal.console import terminal_console

    draw(page, terminal_console(None, is_stderr=False))


def _help_of_command(words: list[str]) -> int:
    from prt import manual
    from prt.cli.completion.grammar import commands
    from prt.cli.main import run
    from prt.suggestions import nearest

    paths = {" ".join(command.path) for command in commands() if command.path}
    name = " ".join(words)
    if name in paths:
        return run([*words, "--help"])
    near = nearest(name, [*paths, *manual.topics(), *manual.errors()])
    raise UsageError(
        f"unknown topic {name}", f"did you mean `prt help {near}`?" if near else "see `prt help`"
    )
