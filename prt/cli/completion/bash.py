"""The completion script for bash 3.2 and later; it doesn't need bash-completion."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from prt.cli.completion.grammar import ANYTHING, FILES, Command
from prt.cli.completion.kinds import DYNAMIC, words

_HEAD = """\
# bash completion of prt; made by `prt completion bash`.
# Put it where bash-completion looks, or source it from ~/.bashrc.

# The words of a kind, those that only the program knows among them.
__prt_words() {
    case $1 in
"""

_BODY = """\
    esac
}

# Offers words, one a line, that go on from what stands before the last of , : = in the word.
__prt_offer() {
    local tail=${cur##*[,:=]} word
    local head=${cur%"$tail"} before=${cur%"${cur##*[:=]}"}
    COMPREPLY=()
    # Not by compgen -W, which expands its words: a name with $(…) in it would be run. A word that a shell
    # would not take as it is (an = ends the column of a filter) is left out: readline quotes none of these.
    while IFS= read -r word; do
        [[ $word == "$tail"* && -n $word && $word != *[!a-zA-Z0-9_.=*-]* ]] || continue
        # Readline replaces only what follows the last : or =.
        word=$head$word
        COMPREPLY+=("${word#"$before"}")
    done <<< "$(printf '%s\\n' "$@")"
    case ${COMPREPLY[0]-} in *[=.]) compopt -o nospace 2>/dev/null ;; esac
}

__prt_kind() {
    case $1 in
        files) compopt -o default 2>/dev/null; COMPREPLY=() ;;
        filter)
            case $cur in
                *=*) __prt_offer "$(__prt_words operator)" ;;
                *) __prt_offer "$(__prt_words column | sed 's/$/=/')" ;;
            esac ;;
        table)
            case $cur in
                *:*) __prt_offer "$(__prt_words event)" ;;
                *) __prt_offer "$(__prt_words table)" ;;
            esac ;;
        *) __prt_offer "$(__prt_words "$1")" ;;
    esac
}

_prt() {
    local line=${COMP_LINE:0:COMP_POINT} cur="" prev="" path="" word value=""
    local -a typed
    set -f
    # shellcheck disable=SC2206
    typed=($line)
    set +f
    case $line in
        *[[:space:]]) ;;
        *) cur=${typed[${#typed[@]}-1]}; unset "typed[${#typed[@]}-1]" ;;
    esac
    COMPREPLY=()
    for word in "${typed[@]:1}"; do
        case "$path/$word" in
"""


def script(commands: Sequence[Command]) -> str:
    """Return the whole script."""
    lines = [_HEAD]
    known = words()
    for kind in dict.fromkeys((*known, *DYNAMIC)):
        texts = " ".join(known.get(kind, ()))
        parts = [f"printf '%s\\n' {texts}"] if texts else []
        parts += [f"command prt __complete {kind} 2>/dev/null"] if kind in DYNAMIC else []
        lines.append(f"        {kind}) {'; '.join(parts)} ;;\n")
    lines.append(_BODY)
    for command in commands:
        if command.path:
            *above, name = command.path
            lines.append(
                f'            "{"".join(f"/{one}" for one in above)}/{name}") path="$path/{name}" ;;\n'
            )
    lines.append("        esac\n    done\n")
    lines.append('    [ "${#typed[@]}" -gt 1 ] && prev=${typed[${#typed[@]}-1]}\n')
    lines.append("    case $cur in --*=*) prev=${cur%%=*}; value=1; cur=${cur#*=} ;; esac\n")
    lines.append('    case "$path $prev" in\n')
    for command in commands:
        lines += [f"        {line}\n" for line in _values(command)]
    lines.append('    esac\n    [ -n "$value" ] && return\n    case "$path" in\n')
    for command in commands:
        flags = [name for option in command.options for name in option.names]
        lines.append(f'        "{_path(command)}")\n            case $cur in\n')
        lines.append(f"                -*) {_offer(flags)} ;;\n")
        lines.append(f"                *) {_rest(command)} ;;\n            esac ;;\n")
    lines.append("    esac\n}\n\ncomplete -F _prt prt\n")
    return "".join(lines)


def _values(command: Command) -> list[str]:
    """Return the completion of each option that takes a value; it's empty if the value can't be completed."""
    lines = []
    for option in command.options:
        if option.kind is None:
            continue
        patterns = "|".join(f'"{_path(command)} {name}"' for name in option.names)
        if option.choices:
            action = _offer(option.choices)
        else:
            action = "" if option.kind == ANYTHING else f"__prt_kind {option.kind}"
        lines.append(f"{patterns}) {f'{action}; ' if action else ''}return ;;")
    return lines


def _rest(command: Command) -> str:
    if command.subcommands:
        return _offer(command.subcommands)
    if command.argument_choices:
        return _offer(command.argument_choices)
    return f"__prt_kind {command.arguments or FILES}"


def _offer(texts: Sequence[str]) -> str:
    return f"__prt_offer {' '.join(map(shlex.quote, texts))}"


def _path(command: Command) -> str:
    return "".join(f"/{name}" for name in command.path)
