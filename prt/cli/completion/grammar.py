"""The commands and options as values, read from Typer for the completion scripts, the help and the tests."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

import typer.main
from msgspec import Struct
from msgspec.structs import replace

from prt.cli.help import examples_of, notes_of
from prt.cli.main import app

FILES: Final = "files"
KIND_OF_METAVAR: Final = {
    "TABLE": "table",
    "[TABLE:]COL=OP.VAL": "filter",
    "COL": "column",
    "COLUMN": "column",
    "COL,COL": "column",
    "[TABLE:]COL,COL": "column",
    "EVENT": "event",
    "TYPE,TYPE": "type",
    "VIEW": "view",
    "VIEW,VIEW": "view",
    "SUITE": "suite",
    "WHO": "who",
    "SHELL": "shell",
    "FILE": FILES,
    "DIR": FILES,
    "PATH": FILES,
}
"""The kind of a value, by its placeholder in the help."""
KIND_OF_OPTION: Final = {"--profile": "profile"}
ANYTHING: Final = ""


class Option(Struct, frozen=True):
    """An option of a command.

    Attributes:
        names: The names, the short one first.
        line: The help.
        kind: The kind of the value; None is a flag, and "" a value that can't be completed.
        choices: The only values, if they are limited.
        value: The placeholder of the value in the help.
        type: The type of the value.
        default: The default value.
        is_repeatable: Whether the option can be given several times.
    """

    names: tuple[str, ...]
    line: str
    kind: str | None
    choices: tuple[str, ...] = ()
    value: str = ""
    type: str = "flag"
    default: bool | float | str | None = None
    is_repeatable: bool = False
    notes: str = ""
    """What the help says behind the line: the default, the range, whether it is required."""
    variable: str | None = None
    """The environment variable that can replace the option."""


class Argument(Struct, frozen=True):
    """A positional argument."""

    name: str
    line: str
    is_required: bool
    is_repeatable: bool


class Command(Struct, frozen=True):
    """A command; `path` () is the program itself, and `arguments` the kind of its positional arguments."""

    path: tuple[str, ...]
    line: str
    options: tuple[Option, ...]
    subcommands: tuple[str, ...] = ()
    arguments: str = ANYTHING
    argument_choices: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    words: tuple[Argument, ...] = ()


def commands() -> list[Command]:
    """Return all commands; those of a group follow the group."""
    return _walked(typer.main.get_command(app), (), None)


def _walked(command: Any, path: tuple[str, ...], parent: Any) -> list[Command]:
    context = command.context_class(
        command, info_name=path[-1] if path else "prt", parent=parent, **command.context_settings
    )
    names = tuple(command.list_commands(context)) if hasattr(command, "list_commands") else ()
    parameters = command.get_params(context)
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    found = Command(
        path=path,
        line=" ".join((command.help or "").partition("\n\n")[0].split()),
        options=tuple(
            replace(_option(one), notes=notes_of(one, context))
            for one in parameters
            if one.param_type_name == "option" and not one.hidden
        ),
        subcommands=names,
        arguments=_kind(arguments[0]) if arguments else ANYTHING,
        argument_choices=_choices(arguments[0]) if arguments else (),
        examples=tuple(examples_of(command)),
        words=tuple(
            Argument(
                (one.metavar or one.name).strip("[].").upper(), one.help or "", one.required, one.nargs == -1
            )
            for one in arguments
        ),
    )
    below = [command.get_command(context, name) for name in names]
    return [
        found,
        *(
            one
            for name, each in zip(names, below, strict=True)
            for one in _walked(each, (*path, name), context)
        ),
    ]


def _option(one: Any) -> Option:
    # The short name comes first; the names of the help option have no order.
    names = (*sorted(one.opts, key=len), *one.secondary_opts)
    variable = one.envvar if isinstance(one.envvar, str) else None
    if one.is_flag or one.count:
        return Option(names, one.help or "", None, default=bool(one.default), variable=variable)
    choices = _choices(one)
    return Option(
        names,
        one.help or "",
        _kind(one),
        choices,
        one.metavar or "|".join(choices) or "VALUE",
        type="choice" if choices else _type(one),
        default=_default(one.default),
        is_repeatable=bool(one.multiple),
        variable=variable,
    )


def _type(one: Any) -> str:
    annotation = getattr(getattr(one, "type_descriptor", None), "annotation", None)
    return (
        {int: "integer", float: "number"}.get(annotation, "text") if isinstance(annotation, type) else "text"
    )


def _default(value: Any) -> bool | float | str | None:
    if isinstance(value, Enum):
        return str(value.value)
    return value if isinstance(value, bool | int | float | str) else None


def _kind(one: Any) -> str:
    for name in one.opts:
        if name in KIND_OF_OPTION:
            return KIND_OF_OPTION[name]
    return KIND_OF_METAVAR.get((one.metavar or "").rstrip("."), ANYTHING)


def _choices(one: Any) -> tuple[str, ...]:
    descriptor = getattr(one, "type_descriptor", None)
    annotation = getattr(descriptor, "annotation", None)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(str(value.value) for value in annotation)
    return ()
