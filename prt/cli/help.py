"""The help of commands as plain text: one line for each option, in the groups of `rich_help_panel`.

Help that is longer than a screen has two columns if the terminal is wide enough. Typer's own help needs Rich,
which takes longer than the rest of `--help`, interprets square brackets as markup, and fills two screens
instead of one.
"""

from __future__ import annotations

import re
import shutil
import sys
from typing import Any, Final

from prt.config.terminal import is_terminal

ARGUMENTS: Final = "Arguments"
OPTIONS: Final = "Options"
WIDEST_NAME: Final = 30
EXAMPLE: Final = "prt "
LONG: Final = 40
"""How many lines of options fit on one screen."""
GUTTER: Final = 3
LONGEST_KEPT: Final = 30
"""Characters of a note, a quotation or a piece of code that is never broken between two lines."""
_SPACE: Final = "\u00a0"
_HYPHEN: Final = "\u2011"
"""They stand for a space and a hyphen at which no line is broken, until all lines are laid out."""
_KEPT: Final = re.compile(
    rf"""\[[^\]]{{,{LONGEST_KEPT}}}\]|`[^`]{{,{LONGEST_KEPT}}}`|(?<!\w)'[^']{{,{LONGEST_KEPT}}}'(?!\w)"""
    r"|\((?:\d+[a-zA-Z]+(?:, )?)+\)|(?<![\w-])--[a-z-]+"
)
_RANGE: Final = re.compile(r"(?P<least>[\d.]+)<=x<=(?P<most>[\d.]+)|x>=(?P<only>[\d.]+)")


def with_plain_help(command: Any) -> Any:
    """Replace Typer's help of a command and its subcommands, and return the command."""

    def format_help(ctx: Any, formatter: Any) -> None:
        write_help(command, ctx, formatter)

    command.format_help = format_help
    for one in getattr(command, "commands", {}).values():
        with_plain_help(one)
    return command


def write_help(command: Any, ctx: Any, formatter: Any) -> None:
    """Write the help: usage, description, subcommands, options by group, and examples.

    Examples are the paragraphs of the description that begin with `prt `.
    """
    paragraphs = _paragraphs(command)
    examples = examples_of(command)
    # Typer puts braces around an argument that is required.
    pieces = (re.sub(r"^\{(.+)\}", r"\1", piece) for piece in command.collect_usage_pieces(ctx))
    formatter.write_usage(ctx.command_path, " ".join(pieces))
    for text in paragraphs:
        if text not in examples:
            formatter.write_paragraph()
            formatter.write_text(_kept_together(text))
    subcommands = getattr(command, "commands", None)
    if subcommands:
        _section(formatter, "Commands", [(name, _summary(one)) for name, one in subcommands.items()])
    groups = _groups(command, ctx)
    if ARGUMENTS in groups:
        _section(formatter, ARGUMENTS, groups.pop(ARGUMENTS))
    formatter.write_paragraph()
    blocks = [_block(formatter, heading, records) for heading, records in groups.items()]
    for line in laid_out(blocks, _columns(formatter)):
        formatter.write(f"{line}\n")
    if examples:
        with formatter.section("Examples"):
            for text in examples:
                formatter.write(f"{'':{formatter.current_indent}}{text}\n")
    formatter.buffer[:] = (text.replace(_SPACE, " ").replace(_HYPHEN, "-") for text in formatter.buffer)


def examples_of(command: Any) -> list[str]:
    """Return the examples in a command's description: the paragraphs that begin with `prt `."""
    return [text for text in _paragraphs(command) if text.startswith(EXAMPLE)]


def _paragraphs(command: Any) -> list[str]:
    return [" ".join(text.split()) for text in (command.help or "").split("\n\n")]


def notes_of(parameter: Any, ctx: Any) -> str:
    """Return what Typer knows about a parameter beside its help, each note in brackets of its own.

    A note, here and in the helps themselves, has one of these forms: `[required]`, `[default: 5s]`,
    `[env: SUPABASE_URL]`, `[1..65535]`, `[at least 1]`. Only in names such as `[SCHEMA.]TABLE` do brackets
    stand around what may be left out.
    """
    record = parameter.get_help_record(ctx)
    known = "" if record is None else record[1].removeprefix(parameter.help or "").strip()
    return " ".join(f"[{_note(one)}]" for one in known[1:-1].split("; ")) if known else ""


def _note(text: str) -> str:
    found = _RANGE.fullmatch(text)
    if found is None:
        return text
    return f"at least {found['only']}" if found["only"] else f"{found['least']}..{found['most']}"


def _kept_together(text: str) -> str:
    """Return a text in which what belongs together, such as a short note, is not broken between two lines."""
    return _KEPT.sub(lambda found: found[0].replace(" ", _SPACE).replace("-", _HYPHEN), text)


def laid_out(blocks: list[list[str]], columns: int) -> list[str]:
    """Return the lines of all blocks; long help has no lines between blocks, and two columns if they fit."""
    below = [line for block in blocks for line in block]
    if len(below) <= LONG:
        return [line for block in blocks for line in ("", *block)][1:]
    least = min(
        range(1, len(blocks)), key=lambda cut: max(sum(map(len, blocks[:cut])), sum(map(len, blocks[cut:])))
    )
    left = [line for block in blocks[:least] for line in block]
    right = [line for block in blocks[least:] for line in block]
    width = max(map(len, left)) + GUTTER
    if width + max(map(len, right)) > columns:
        return below
    padded = [[*side, *[""] * (max(len(left), len(right)) - len(side))] for side in (left, right)]
    return [f"{one:{width}}{other}".rstrip() for one, other in zip(*padded, strict=True)]


def _block(formatter: Any, heading: str, records: list[tuple[str, str]]) -> list[str]:
    own = type(formatter)(width=formatter.width)
    _section(own, heading, records)
    lines: list[str] = own.getvalue().splitlines()
    return lines


def _columns(formatter: Any) -> int:
    if not is_terminal(sys.stdout):
        return int(formatter.width)
    return shutil.get_terminal_size().columns


def _groups(command: Any, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """Return the help records by heading, in the order of the parameters; those without a group come last."""
    groups: dict[str, list[tuple[str, str]]] = {}
    rest: list[tuple[str, str]] = []
    for one in command.get_params(ctx):
        record = one.get_help_record(ctx)
        if record is None:
            continue
        # The usage alone shows where a `--` is needed.
        text = _kept_together(f"{one.help or ''} {notes_of(one, ctx)}".strip())
        record = record[0].removeprefix("-- "), text
        if one.param_type_name == "argument":
            # Typer adds the Python type, which is useless for users.
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
