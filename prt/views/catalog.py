"""The views by name, as `--view` knows them; what one needs is imported when it is made."""

# ruff: noqa: PLC0415 - a view costs where it is shown

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from prt.errors import UsageError

if TYPE_CHECKING:
    from prt.state.screen import Screen
    from prt.views.view import View


class Wishes(Struct, frozen=True, kw_only=True):
    """What the options of a command ask of its views."""

    highlight: tuple[re.Pattern[str], ...] = ()


def _table(screen: Screen, wishes: Wishes) -> View:
    from prt.views.table import Table

    return Table(screen, highlight=wishes.highlight)


def _presence(screen: Screen, _: Wishes) -> View:
    from prt.views.roster import Roster

    return Roster(screen.roster)


def _cursors(_: Screen, __: Wishes) -> View:
    from prt.views.cursors import CursorsView

    return CursorsView()


VIEWS: Final[dict[str, Callable[[Screen, Wishes], View]]] = {
    "table": _table,
    "presence": _presence,
    "cursors": _cursors,
}


def views_named(text: str, wishes: Wishes) -> Callable[[Screen], Sequence[View]]:
    """What makes the views of `NAME,NAME`, in that order; UsageError where one is not known."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in VIEWS:
            close = get_close_matches(name, VIEWS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"views: {', '.join(VIEWS)}"
            raise UsageError(f"--view knows no {name}", hint)
    if not names:
        raise UsageError("--view names no view", f"views: {', '.join(VIEWS)}")
    return lambda screen: [VIEWS[name](screen, wishes) for name in names]
