"""The help of every command: plain text, one line an option, in the groups of `rich_help_panel`.

Typer's own needs Rich, which costs more than all the rest of a `--help`, takes square brackets for
markup, and fills two screens where this one fills one.
"""

from __future__ import annotations

from typing import Any, Final

ARGUMENTS: Final = "Arguments"
OPTIONS: Final = "Options"
WIDEST_NAME: Final = 30
EXAMPLE: Final = "prt "


def with_plain_help(command: Any) -> Any:
    """The command, and those below it, with this help instead of Typer's."""

    def format_help(ctx: Any, formatter: Any) -> None:
        write_help(command, ctx, formatter)

    command.format_help = format_help
    for one in getattr(command, "commands", {}).values():
        with_plain_help(one)
    return command


def write_help(command: Any, ctx: Any, formatter: Any) -> None:
    """Usage, what it does, its commands, options by group, examples: paragraphs that begin with `prt `."""
    paragraphs = [" ".join(text.split()) for text in (command.help or "").split("\n\n")]
    examples = [text for text in paragraphs if text.startswith(EXAMPLE)]
    command.format_usage(ctx, formatter)
    for text in paragraphs:
        if text not in examples:
            formatter.write_paragraph()
            formatter.write_text(text)
    subcommands = getattr(command, "commands", None)
    if subcommands:
        _section(formatter, "Commands", [(name, _summary(one)) for name, one in subcommands.items()])
    for heading, records in _groups(command, ctx).items():
        _section(formatter, heading, records)
    if examples:
        with formatter.section("Examples"):
            for text in examples:
                formatter.write(f"{'':{formatter.current_indent}}{text}\n")


def _groups(command: Any, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """Help records by heading, in the order of the parameters; what has no group of its own comes last."""
    groups: dict[str, list[tuple[str, str]]] = {}
    rest: list[tuple[str, str]] = []
    for one in command.get_params(ctx):
        record = one.get_help_record(ctx)
        if record is None:
            continue
        if one.param_type_name == "argument":
            # Typer adds the Python type, which tells a user nothing.
            groups.setdefault(ARGUMENTS, []).append((record[0].partition(" <")[0], record[1]))
        elif one.rich_help_panel is None:
            rest.append(record)
        else:
            groups.setdefault(one.rich_help_panel, []).append(record)
    return {**groups, OPTIONS: rest} if rest else groups


def _section(formatter: Any, heading: str, records: list[tuple[str, str]]) -> None:
    with formatter.section(heading):
        formatter.write_dl(records, col_max=WIDEST_NAME)


def _summary(command: Any) -> str:
    return " ".join((command.help or "").partition("\n\n")[0].split())
