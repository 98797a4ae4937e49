"""The completion script for zsh 5 and later."""

from __future__ import annotations

from collections.abc import Sequence

from prt.cli.completion.grammar import ANYTHING, FILES, Command, Option
from prt.cli.completion.kinds import DYNAMIC, words

_HEAD = """\
#compdef prt
# zsh completion of prt; made by `prt completion zsh`.
# Put it as _prt into a folder of $fpath, before compinit runs.

# Offers the words of a kind, behind what stands before the last of , : = in the word.
_prt_kind() {
    local -a found
    local kind=$1 suffix=' '
    case $kind in
        filter) if [[ $PREFIX == *=* ]]; then kind=operator; else kind=column suffix='='; fi ;;
        table) [[ $PREFIX == *:* ]] && kind=event ;;
    esac
    case $kind in
"""

_BODY = """\
    esac
    compset -P '*[,:=]'
    [[ $kind == operator ]] && suffix=''
    compadd -S "$suffix" -q -- $found
}

"""


def script(commands: Sequence[Command]) -> str:
    """Return the whole script."""
    lines = [_HEAD]
    known = words()
    for kind in dict.fromkeys((*known, *DYNAMIC)):
        asked = f' ${{(f)"$(command prt __complete {kind} 2>/dev/null)"}}' if kind in DYNAMIC else ""
        lines.append(f"        {kind}) found=({' '.join(known.get(kind, ()))}{asked}) ;;\n")
    lines.append(_BODY)
    for command in reversed(commands):
        lines.append(_function(command, commands))
    lines.append('if [[ $funcstack[1] == _prt ]]; then\n    _prt "$@"\nelse\n    compdef _prt prt\nfi\n')
    return "".join(lines)


def _function(command: Command, commands: Sequence[Command]) -> str:
    name = _name(command.path)
    specs = [spec for option in command.options for spec in _specs(option)]
    if not command.subcommands:
        specs.append(_argument(command))
        body = " \\\n        ".join(specs)
        return f"{name}() {{\n    _arguments -s -S \\\n        {body}\n}}\n\n"
    body = " \\\n        ".join([*specs, "'1: :->command'", "'*:: :->rest'"])
    line_of = {one.path: one.line for one in commands}
    offered = "\n".join(
        f"            {_quoted(one + ':' + line_of[(*command.path, one)])}" for one in command.subcommands
    )
    chosen = "\n".join(
        f"                {one}) {_name((*command.path, one))} ;;" for one in command.subcommands
    )
    return (
        f"{name}() {{\n    local curcontext=$curcontext state line\n    local -a below\n"
        f"    _arguments -C \\\n        {body} && return\n"
        "    case $state in\n        command)\n"
        f"            below=(\n{offered}\n            )\n            _describe command below ;;\n"
        f"        rest)\n            case $words[1] in\n{chosen}\n            esac ;;\n    esac\n}}\n\n"
    )


def _specs(option: Option) -> list[str]:
    """Return the specifications of an option, one for each of its names; an option can be repeated."""
    specs = []
    for name in option.names:
        text = f"*{name}[{_escaped(option.line)}]"
        if option.kind is not None:
            text = text.replace("[", "=[" if name.startswith("--") else "+[", 1)
            text += f":{option.names[-1].lstrip('-')}:{_action(option.kind, option.choices)}"
        specs.append(_quoted(text))
    return specs


def _argument(command: Command) -> str:
    return _quoted(f"*:{'word'}:{_action(command.arguments or FILES, command.argument_choices)}")


def _action(kind: str, choices: tuple[str, ...]) -> str:
    if choices:
        return f"({' '.join(choices)})"
    if kind == FILES:
        return "_files"
    return " " if kind == ANYTHING else f" _prt_kind {kind}"


def _name(path: tuple[str, ...]) -> str:
    return "_".join(("_prt", *path)).replace("-", "_") if path else "_prt"


def _escaped(text: str) -> str:
    for sign in ("\\", "[", "]", ":"):
        text = text.replace(sign, f"\\{sign}")
    return text


def _quoted(text: str) -> str:
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"
