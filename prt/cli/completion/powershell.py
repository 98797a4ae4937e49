"""The completion script for PowerShell 5.1 and later."""

from __future__ import annotations

from collections.abc import Sequence

from prt.cli.completion.grammar import ANYTHING, FILES, Command, Option
from prt.cli.completion.kinds import DYNAMIC, words

_HEAD = """\
# PowerShell completion of prt; made by `prt completion powershell`.
# Dot-source it from your $PROFILE.

Register-ArgumentCompleter -Native -CommandName prt -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $known = @{
"""

_BODY = """\
    $cur = "$wordToComplete"
    $path = ''
    $prev = ''
    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
        if ($element.Extent.EndOffset -ge $cursorPosition -and $cur) { break }
        $prev = $element.Extent.Text
        if ($options.ContainsKey("$path/$prev")) { $path = "$path/$prev" }
    }
    $kind = $arguments[$path]
    if ($prev.StartsWith('-') -and $values[$path].ContainsKey($prev)) { $kind = $values[$path][$prev] }
    elseif ($cur.StartsWith('-')) { $kind = 'option' }
    if ($kind -eq 'filter') { $kind = if ($cur.Contains('=')) { 'operator' } else { 'column' } }
    if ($kind -eq 'table' -and $cur.Contains(':')) { $kind = 'event' }
    if (-not $kind) { return }
    $at = $cur.LastIndexOfAny([char[]]',:=') + 1
    $head = $cur.Substring(0, $at)
    $tail = $cur.Substring($at)
    $words = if ($kind -eq 'option') { $options[$path] } else { $known[$kind] }
    if ($asked -contains $kind) {
        # What is offered is inserted as it is, so a name is offered only if it is a plain word.
        $words = @($words) + @(prt __complete $kind | Where-Object { $_ -match '^[A-Za-z0-9_.-]+\\z' })
    }
    $words | Where-Object { $_ -and $_.StartsWith($tail) } | Sort-Object -Unique | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new("$head$_", $_, 'ParameterValue', $_)
    }
}
"""


def script(commands: Sequence[Command]) -> str:
    """Return the whole script."""
    known = words()
    choices = {
        ",".join(one.choices): one.choices for command in commands for one in command.options if one.choices
    }
    lines = [_HEAD]
    lines += [f"        {_quoted(kind)} = @({_list(texts)})\n" for kind, texts in known.items()]
    lines += [f"        {_quoted(name)} = @({_list(texts)})\n" for name, texts in choices.items()]
    lines += [
        f"        {_quoted('below' + _path(one))} = @({_list(one.subcommands)})\n"
        for one in commands
        if one.subcommands
    ]
    lines.append(f"    }}\n    $asked = @({_list(DYNAMIC)})\n    $options = @{{\n")
    for command in commands:
        names = [name for option in command.options for name in option.names]
        lines.append(f"        {_quoted(_path(command))} = @({_list(names)})\n")
    lines.append("    }\n    $arguments = @{\n")
    for command in commands:
        lines.append(f"        {_quoted(_path(command))} = {_quoted(_argument(command))}\n")
    lines.append("    }\n    $values = @{\n")
    for command in commands:
        kinds = "; ".join(
            f"{_quoted(name)} = {_quoted(_kind(option))}"
            for option in command.options
            if option.kind is not None
            for name in option.names
        )
        lines.append(f"        {_quoted(_path(command))} = @{{ {kinds} }}\n")
    lines.append("    }\n" + _BODY)
    return "".join(lines)


def _kind(option: Option) -> str:
    """Return the kind of words; it's empty for files, which the shell completes itself."""
    if option.choices:
        return ",".join(option.choices)
    return "" if option.kind in (FILES, None) else str(option.kind)


def _argument(command: Command) -> str:
    if command.subcommands:
        return f"below{_path(command)}"
    return "" if command.arguments in (ANYTHING, FILES) else command.arguments


def _path(command: Command) -> str:
    return "".join(f"/{name}" for name in command.path)


def _list(texts: Sequence[str]) -> str:
    return ", ".join(_quoted(text) for text in texts)


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
