"""`prt completion`: the completion script for a shell."""

# ruff: noqa: PLC0415 - modules are loaded when they are used

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from prt.cli.options import shared as options


class Shell(StrEnum):
    """The shells that have a completion script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completion(
    shell: Annotated[
        Shell, typer.Argument(metavar="SHELL", help="The shell: bash, zsh, fish or powershell.")
    ],
    debug: options.Debug = False,
) -> int:
    """Print the script with which a shell completes commands and options of prt at TAB.

    prt completion bash > ~/.local/share/bash-completion/completions/prt

    prt completion zsh > ~/.zfunc/_prt

    prt completion fish > ~/.config/fish/completions/prt.fish
    """
    from prt.cli.completion import scripts

    typer.echo(scripts.of(shell.value), nl=False)
    return 0
