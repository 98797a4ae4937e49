"""The completion script for fish 3 and later."""

from __future__ import annotations

from collections.abc import Sequence

from prt.cli.completion.grammar import ANYTHING, FILES, Command, Option
from prt.cli.completion.kinds import DYNAMIC, words

_HEAD = """\
# fish completion of prt; made by `prt completion fish`.
# Put it into ~/.config/fish/completions/prt.fish.

# Which command the line is in: its words, joined by /.
function __prt_path
    set -l path ""
    for word in (commandline -opc)[2..-1]
        switch "$path/$word"
"""

_BODY = """\
        end
    end
    echo "$path"
end

function __prt_in
    test (__prt_path) = "$argv[1]"
end

# Words that go on from what stands before the last of , : = in the word.
function __prt_offer
    set -l token (commandline -ct | string replace -r '^--[a-z-]+=' '')
    set -l head (string match -r '^.*[,:=]' -- $token)
    for word in $argv
        printf '%s\\n' "$head$word"
    end
end

function __prt_kind
    set -l token (commandline -ct | string replace -r '^--[a-z-]+=' '')
    switch $argv[1]
        case filter
            if string match -q '*=*' -- $token
                __prt_offer (__prt_words operator)
            else
                __prt_offer (__prt_words column)=
            end
        case table
            if string match -q '*:*' -- $token
                __prt_offer (__prt_words event)
            else
                __prt_offer (__prt_words table)
            end
        case '*'
            __prt_offer (__prt_words $argv[1])
    end
end

complete -c prt -f
"""


def script(commands: Sequence[Command]) -> str:
    """Return the whole script."""
    lines = [_HEAD]
    for command in commands:
        if command.path:
            *above, name = command.path
            path = "".join(f"/{one}" for one in above)
            lines.append(f"            case {path}/{name}\n                set path {path}/{name}\n")
    lines.append(_BODY.partition("# Words that")[0])
    lines.append("function __prt_words\n    switch $argv[1]\n")
    known = words()
    for kind in dict.fromkeys((*known, *DYNAMIC)):
        lines.append(f"        case {kind}\n")
        if kind in known:
            lines.append(f"            printf '%s\\n' {' '.join(known[kind])}\n")
        if kind in DYNAMIC:
            lines.append(f"            command prt __complete {kind} 2>/dev/null\n")
    lines.append("    end\nend\n\n# Words that" + _BODY.partition("# Words that")[2])
    for command in commands:
        lines += [f"{line}\n" for line in _completions(command, commands)]
    return "".join(lines)


def _completions(command: Command, commands: Sequence[Command]) -> list[str]:
    path = "".join(f"/{name}" for name in command.path)
    begin = f"complete -c prt -n '__prt_in \"{path}\"'"
    line_of = {one.path: one.line for one in commands}
    lines = [
        f"{begin} -a {name} -d {_quoted(line_of[(*command.path, name)])}" for name in command.subcommands
    ]
    if command.argument_choices:
        lines.append(f"{begin} -a '{' '.join(command.argument_choices)}'")
    elif command.arguments == FILES:
        lines.append(f"{begin} -F")
    elif command.arguments != ANYTHING:
        lines.append(f"{begin} -a '(__prt_kind {command.arguments})'")
    return lines + [f"{begin} {_option(option)}" for option in command.options]


def _option(option: Option) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    parts = [names]
    if option.choices:
        parts.append(f"-x -a '{' '.join(option.choices)}'")
    elif option.kind == FILES:
        parts.append("-r -F")
    elif option.kind == ANYTHING:
        parts.append("-x")
    elif option.kind is not None:
        parts.append(f"-x -a '(__prt_kind {option.kind})'")
    parts.append(f"-d {_quoted(option.line)}")
    return " ".join(parts)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
