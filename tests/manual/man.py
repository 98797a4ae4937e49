"""The man pages, generated from the program: `prt.1`, and one for each command with its subcommands."""

from __future__ import annotations

from prt import __version__, manual
from prt.cli.completion.grammar import Command, Option, commands
from tests.manual.pages import FOLDER

MAN = FOLDER / "man"
CODES = (
    ("0", "Done, or what was expected came; also if the reader of the pipe went away."),
    ("1", "A test or an expectation failed, or an update was rolled back."),
    ("2", "Usage or configuration."),
    ("3", "Authentication or authorization was refused."),
    ("4", "The project can't be reached, or the subscription was refused."),
    ("5", "The server sent something that is not its protocol."),
    ("124", "The timeout ran out."),
    ("130, 143", "SIGINT, SIGTERM."),
)


def man_pages() -> dict[str, str]:
    """Return every page's roff by its file's name."""
    every = list(commands())
    found = {"prt.1": _program(every)}
    for command in every:
        if len(command.path) == 1:
            below = [one for one in every if one.path[:1] == command.path]
            found[f"prt-{command.path[0]}.1"] = _page(command, below)
    return found


def _program(every: list[Command]) -> str:
    lines = [*_head("prt", every[0].line), ".SH SYNOPSIS", r".B prt", ".I COMMAND", ".RI [ OPTIONS ]"]
    lines += [".SH COMMANDS"]
    for command in every:
        if len(command.path) == 1:
            lines += [".TP", f".BR prt\\-{_text(command.path[0])} (1)", _text(command.line)]
    lines += [".SH MANUAL", "Pages for", ".B prt help", ".IR TOPIC :"]
    for name, line in manual.topics().items():
        lines += [".TP", f".B {_text(name)}", _text(line.replace("`", ""))]
    return "\n".join([*lines, *_codes()]) + "\n"


def _page(command: Command, below: list[Command]) -> str:
    name = " ".join(("prt", *command.path))
    lines = [*_head(name.replace(" ", "-"), command.line), ".SH SYNOPSIS", f".B {_text(name)}"]
    lines += [".RI [ COMMAND ]"] if command.subcommands else []
    lines += [".RI [ OPTIONS ]"]
    for one in below:
        title = "OPTIONS" if one is command else " ".join(("prt", *one.path)).upper()
        lines += [f'.SH "{_text(title)}"', *([] if one is command else [_text(one.line)])]
        for option in one.options:
            lines += [".TP", _names(option), _text(f"{option.line} {option.notes}".strip())]
        if one.examples:
            lines += [".PP", "Examples:", ".nf", *(_text(example) for example in one.examples), ".fi"]
    return "\n".join([*lines, *_codes()]) + "\n"


def _head(name: str, line: str) -> list[str]:
    title = f'.TH "{name.upper()}" "1" "" "prt {__version__}" "Supabase Realtime from a terminal"'
    return [title, ".SH NAME", f"{_text(name)} \\- {_text(line.rstrip('.'))}"]


def _codes() -> list[str]:
    lines = [".SH EXIT STATUS"]
    for code, meaning in CODES:
        lines += [".TP", f".B {code}", _text(meaning)]
    return [*lines, ".SH SEE ALSO", ".BR prt (1),", ".B prt help"]


def _names(option: Option) -> str:
    value = f" \\fI{_text(option.value)}\\fR" if option.value else ""
    return ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names) + value


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in {".", "'"} else escaped
