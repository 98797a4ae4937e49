"""The option --migrations of `prt local up` and `run`, and the question that `up` asks without it."""

# ruff: noqa: PLC0415 - imports cost where they are used

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperOption

from prt.views.sinks.stderr import notice

if TYPE_CHECKING:
    from collections.abc import Iterator


class MigratingCommand(TyperCommand):
    """A command whose --migrations may stand without a value, which then is supabase/migrations."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments, after the value that --migrations lacks has been put in."""
        return super().parse_args(ctx, list(self._completed(ctx, args)))

    def _completed(self, ctx: Any, args: list[str]) -> Iterator[str]:
        """Yield the arguments, of which those of a program that is to run stay as they are."""
        from prt.local.project.migration_files import MIGRATIONS

        valued = {
            name
            for option in self.params
            if isinstance(option, TyperOption) and not option.is_flag
            for name in option.opts
        }
        rest = list(reversed(args))
        while rest and rest[-1] != "--" and (rest[-1].startswith("-") or ctx.allow_interspersed_args):
            yield (name := rest.pop())
            if name == "--migrations" and (not rest or rest[-1].startswith("-")):
                yield str(MIGRATIONS)
            elif name in valued and rest:
                yield rest.pop()
        yield from reversed(rest)


def offered(data_dir: Path | None) -> list[Path] | None:
    """Return the migrations of the working folder if somebody at the terminal wants to run them.

    Nothing is asked if the data folder is filled already. Nobody is asked in a pipe, and no agent is: a
    notice names the option instead.
    """
    from prt.config.terminal import is_terminal
    from prt.local.project.lifecycle import is_filled
    from prt.local.project.migration_files import MIGRATIONS, found_in

    found = found_in(Path.cwd())
    if found is None or (data_dir is not None and is_filled(data_dir)):
        return None
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        notice(f"{MIGRATIONS} is not run; --migrations runs it")
        return None
    question = f"Run {MIGRATIONS} and its seeds instead of the demo?"
    return [found] if typer.confirm(question, default=False, err=True) else None
