"""The views by the names that `--view` accepts. A view's modules are imported when it is built."""

# ruff: noqa: PLC0415 - only views that are shown are loaded

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from prt.errors import UsageError
from prt.inputs import Input
from prt.suggestions import did_you_mean

if TYPE_CHECKING:
    from datetime import tzinfo

    from prt.state.conditions.pattern import Pattern
    from prt.state.screen import Screen
    from prt.views.panels.view import View


class ViewOptions(Struct, frozen=True, kw_only=True):
    """The options of a command's views."""

    highlight: tuple[Pattern, ...] = ()
    tz: tzinfo | None = None
    """The time zone; None is the local one."""
    board: tuple[str, str] = ("public", "project_tasks")
    """Schema and table of the board."""
    group_by: str = "status"
    columns: tuple[str, ...] = ()
    limits: Mapping[str, int] = {}
    """The limits of work in progress, by column of the board."""
    schema: str = "public"
    """The schema of the budgets and their transactions."""
    sheet: tuple[str, str] | None = None
    """Schema and table whose present rows the table view shows; None for a table of events."""
    sort: str | None = None
    plan: str | None = None
    """The name of the plan; its `limit` is in messages a second."""
    limit: int | None = None
    feed: Mapping[str, str] = {}
    """Templates of the feed's sentences, by `TABLE` or `TABLE:EVENT`."""
    has_presence: bool = True
    """Whether the presence of a topic may come."""
    has_broadcasts: bool = True
    """Whether broadcasts may come."""


def _table(screen: Screen, options: ViewOptions) -> View:
    if options.sheet is not None:
        from prt.state.sheet import Sheet
        from prt.views.panels.head import waiting_for_rows
        from prt.views.panels.sheet import SheetView

        sheet = Sheet(*options.sheet, sort=options.sort, key_columns=screen.rows.key_columns)
        return SheetView(sheet, waiting=lambda: waiting_for_rows(screen))
    from prt.views.panels.table import Table

    return Table(screen, tz=options.tz, highlight=options.highlight)


def _presence(screen: Screen, options: ViewOptions) -> View:
    from prt.views.panels.roster import Roster

    return Roster(screen.roster, is_watched=options.has_presence)


def _cursors(_: Screen, options: ViewOptions) -> View:
    from prt.views.panels.cursors import CursorsView

    return CursorsView(is_watched=options.has_broadcasts)


def _board(screen: Screen, options: ViewOptions) -> View:
    from prt.state.board import Board
    from prt.state.rows.names import Names
    from prt.views.panels.board import BoardView
    from prt.views.panels.head import waiting_for_table

    schema, table = options.board
    board = Board(
        table,
        schema=schema,
        group_by=options.group_by,
        columns=options.columns,
        limits=options.limits,
        key_columns=screen.rows.key_columns,
    )
    name = f"{schema}.{table}"
    return BoardView(board, named=Names(screen.rows).of, waiting=lambda: waiting_for_table(screen, name))


def _budget(screen: Screen, options: ViewOptions) -> View:
    from prt.state.budget import Budgets
    from prt.views.panels.budget import BudgetView
    from prt.views.panels.head import waiting_for_table

    budgets = Budgets(schema=options.schema, key_columns=screen.rows.key_columns)
    name = f"{options.schema}.budgets"
    return BudgetView(budgets, tz=options.tz, waiting=lambda: waiting_for_table(screen, name))


def _feed(screen: Screen, options: ViewOptions) -> View:
    from prt.state.feed import Feed
    from prt.state.rows.names import Names
    from prt.views.panels.feed import FeedView, templates_of
    from prt.views.panels.head import waiting

    rows = screen.rows
    feed = Feed(rows=rows, named=Names(rows).of, templates=templates_of(options.feed))
    return FeedView(screen, feed, tz=options.tz, waiting=lambda: waiting(screen))


def _stats(_: Screen, options: ViewOptions) -> View:
    from prt.views.panels.stats import StatsView

    return StatsView(plan=options.plan, limit=options.limit)


def _details(screen: Screen, options: ViewOptions) -> View:
    from prt.views.panels.details import DetailsView
    from prt.views.panels.head import waiting

    return DetailsView(tz=options.tz, waiting=lambda: waiting(screen))


VIEWS: Final[dict[str, Callable[[Screen, ViewOptions], View]]] = {
    "table": _table,
    "board": _board,
    "budget": _budget,
    "feed": _feed,
    "stats": _stats,
    "details": _details,
    "presence": _presence,
    "cursors": _cursors,
}


OFFERED: Final = ("table", "board", "budget", "feed", "stats", "presence", "cursors")
"""Views that keys can show in a live view, in this order after those that were asked for."""


def view_names(text: str) -> tuple[str, ...]:
    """Split `NAME,NAME` into the names of views, each once.

    Raises:
        UsageError: A name is unknown, or there is none.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in VIEWS:
            hint = did_you_mean(name, VIEWS, f"views: {', '.join(VIEWS)}")
            raise UsageError(f'unknown view "{name}"', hint)
    if not names:
        raise UsageError(f"{Input.VIEW} names no view", f"views: {', '.join(VIEWS)}")
    return names


class ChosenViews(Struct, frozen=True):
    """Builds the views of a screen: those of `names` at once, the others when a key asks for them."""

    names: Sequence[str]
    options: ViewOptions

    def __call__(self, screen: Screen) -> Sequence[View]:
        """Return the views that were asked for, in their order."""
        return [VIEWS[name](screen, self.options) for name in self.names]

    def others(self) -> Mapping[str, Callable[[Screen], View]]:
        """Return functions that build the other views, by name."""
        return {name: self._maker(name) for name in OFFERED if name not in self.names}

    def _maker(self, name: str) -> Callable[[Screen], View]:
        return lambda screen: VIEWS[name](screen, self.options)


def made(names: Sequence[str], options: ViewOptions) -> ChosenViews:
    """Return a function that builds the views of these names, in that order."""
    return ChosenViews(names, options)
