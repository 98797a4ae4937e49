"""`prt skill`: a SKILL.md with what an agent needs to use `prt`."""

# ruff: noqa: PLC0415 - modules are loaded when they are used

from __future__ import annotations

import typer

from prt.cli.options import shared as options


def skill(debug: options.Debug = False) -> int:
    """Print a SKILL.md for an agent: what prt does, its commands, its exit codes, and examples.

    prt skill

    prt skill > SKILL.md

    prt skill | head -20
    """
    from prt.cli.description import skill_page

    typer.echo(skill_page(), nl=False)
    return 0
