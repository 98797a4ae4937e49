"""The completion script of each shell, and its name in the repository.

`python -m prt.cli.completion.scripts FOLDER` writes all scripts.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from prt.cli.completion import bash, fish, powershell, zsh
from prt.cli.completion.grammar import commands

FILES: Final = {"bash": "prt.bash", "zsh": "_prt", "fish": "prt.fish", "powershell": "prt.ps1"}
_SCRIPT_OF: Final = {
    "bash": bash.script,
    "zsh": zsh.script,
    "fish": fish.script,
    "powershell": powershell.script,
}


def of(shell: str) -> str:
    """Return the script of a shell, generated from the current commands."""
    return _SCRIPT_OF[shell](commands())


if __name__ == "__main__":
    for name, file in FILES.items():
        Path(sys.argv[1], file).write_text(of(name), encoding="utf-8")
