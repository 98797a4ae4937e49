"""Where `prt` begins: a TAB is answered before anything is imported that takes time."""

from __future__ import annotations

import sys

COMPLETE = "__complete"


def main() -> None:
    """The `prt` command."""
    if sys.argv[1:2] == [COMPLETE]:
        _offer(sys.argv[2] if len(sys.argv) > 2 else "")
        return
    from prt.cli.main import main  # noqa: PLC0415 - Typer takes longer than a TAB may

    main()


def _offer(kind: str) -> None:
    """The words of a kind, a line each; none where something is wrong."""
    from prt.cli.completing.offers import offers  # noqa: PLC0415

    try:
        sys.stdout.write("".join(f"{word}\n" for word in offers(kind)))
        sys.stdout.flush()
    except OSError:
        return
