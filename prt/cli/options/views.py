"""Parsers of the options for views: their names, their settings, and the tables that they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from prt.config.constants.plans import limits_of
from prt.errors import UsageError
from prt.stream.binding import Binding, BindingEvent
from prt.views.sinks.form import Form, OutputForm

if TYPE_CHECKING:
    from prt.app.watch_request import RecoveryRequest
    from prt.config.profiles import Defaults
    from prt.state.conditions.alerts import Rule
    from prt.state.screen import Screen
    from prt.views.panels.registry import ViewOptions
    from prt.views.panels.view import View

Table = tuple[str, str]

_BOARD: Final = "project_tasks"
_PEOPLE: Final = "personnel"
_BUDGETS: Final[tuple[tuple[str, BindingEvent], ...]] = (
    ("budgets", "UPDATE"),
    ("financial_transactions", "INSERT"),
)
"""The bindings of the budget view: the seed subscribes to them as two bindings of one channel."""
_BRINGING: Final = frozenset({"board", "budget"})
EVERY: Final = "*"


class ViewSelection(Struct, frozen=True, kw_only=True):
    """The views of a command.

    `names` are the views in their order, empty if none was asked for. `wants_rows` is set by --snapshot and
    --once.
    """

    names: tuple[str, ...] = ()
    group_by: str = "status"
    columns: tuple[str, ...] = ()
    limits: Mapping[str, int] = {}
    sort: str | None = None
    plan: str | None = None
    feed: Mapping[str, str] = {}
    has_details: bool = False
    wants_rows: bool = False

    @property
    def brings_tables(self) -> bool:
        """Whether the views alone determine which tables are watched."""
        return bool(self.names) and _BRINGING.issuperset(self.names)

    def given(self, defaults: Defaults) -> ViewSelection:
        """Return the selection, with the profile's values for options that are not given."""
        from prt.views.panels.registry import view_names  # noqa: PLC0415 - only needed if a profile names views

        names = self.names or (view_names(",".join(defaults.views)) if defaults.views else ())
        return structs.replace(self, names=names, feed={**defaults.feed, **self.feed})

    def words(self, tables: Sequence[str]) -> list[str]:
        """Return the given tables, and those that the views need besides."""
        words = list(tables)
        if "board" in self.names and not tables and self.brings_tables:
            words.append(_BOARD)
        if "budget" in self.names and (tables or self.brings_tables):
            known = {word.partition(":")[0].rpartition(".")[2] for word in tables}
            if not known & {"all", "module", EVERY}:
                words += [f"{table}:{event}" for table, event in _BUDGETS if table not in known]
        return words

    def companions(self, bindings: Sequence[Binding]) -> list[Binding]:
        """Return bindings for tables with the names on a board's cards: the people in the seed's tasks."""
        tables = {binding.table for binding in bindings}
        if "board" not in self.names or _BOARD not in tables or tables & {_PEOPLE, EVERY}:
            return []
        schema = next(binding.schema for binding in bindings if binding.table == _BOARD)
        return [Binding(table=_PEOPLE, schema=schema)]

    def options(self, options: ViewOptions, bindings: Sequence[Binding]) -> ViewOptions:
        """Return the options of the views for the tables that are watched."""
        budgets = [one for one in bindings if one.table == _BUDGETS[0][0]]
        return structs.replace(
            options,
            board=self._board(bindings),
            group_by=self.group_by,
            columns=self.columns,
            limits=self.limits,
            schema=budgets[0].schema if budgets else "public",
            sheet=self._sheet(bindings),
            sort=self.sort,
            plan=self.plan,
            limit=None if self.plan is None else limits_of(self.plan).messages,
            feed=self.feed,
        )

    def views_of(
        self, options: ViewOptions, bindings: Sequence[Binding]
    ) -> Callable[[Screen], Sequence[View]]:
        """Return a function that builds the chosen views, or the table of events if there are none."""
        from prt.views.panels.registry import made  # noqa: PLC0415

        return made(self._shown(bindings) or ("table",), self.options(options, bindings))

    def form(self, form: Form) -> Form:
        """Return the form of the output; for the feed without a screen, lines with sentences."""
        if "feed" not in self.names or form.encode is not None or form.is_table:
            return form
        from prt.state.feed import Feed  # noqa: PLC0415
        from prt.state.rows.cache import Rows  # noqa: PLC0415
        from prt.state.rows.names import Names  # noqa: PLC0415
        from prt.views.panels.feed import templates_of  # noqa: PLC0415
        from prt.views.sinks.sentences import json_lines, text_lines  # noqa: PLC0415

        rows = Rows()
        feed = Feed(rows=rows, named=Names(rows).of, templates=templates_of(self.feed))
        lines = text_lines(feed) if form.kind is OutputForm.TEXT else None
        return replace(form, encode=lines or json_lines(feed))

    def recovery(self, recovery: RecoveryRequest, bindings: Sequence[Binding]) -> RecoveryRequest:
        """Return the reads over REST, with snapshots of the tables that the views need.

        With --once or --snapshot, all tables are read if the views don't need certain ones.
        """
        needed = self.snapshot_of(bindings)
        if recovery.snapshot or not (needed or self.wants_rows):
            return recovery
        return structs.replace(recovery, snapshot=needed or True)

    def snapshot_of(self, bindings: Sequence[Binding]) -> frozenset[Table]:
        """Return the tables whose present rows the views need."""
        needed: set[Table] = set()
        if "board" in self.names:
            needed.add(self._board(bindings))
            needed.update((one.schema, one.table) for one in bindings if one.table == _PEOPLE)
        if "budget" in self.names:
            own = {table for table, _ in _BUDGETS}
            needed.update((one.schema, one.table) for one in bindings if one.table in own)
        return frozenset(needed)

    def _shown(self, bindings: Sequence[Binding]) -> tuple[str, ...]:
        """Return the views that were asked for by name, and those that other options imply."""
        details = ("details",) if self.has_details and "details" not in self.names else ()
        if self.names:
            return self.names + details
        return ("table", *details) if details or self._sheet(bindings) else ()

    def _sheet(self, bindings: Sequence[Binding]) -> Table | None:
        """Return the table whose present rows are wanted, if only one is watched."""
        tables = {(one.schema, one.table) for one in bindings}
        if not self.wants_rows or len(tables) != 1 or next(iter(tables))[1] == EVERY:
            return None
        return next(iter(tables))

    def _board(self, bindings: Sequence[Binding]) -> Table:
        """Return the table of the board: the seed's tasks if they are watched, otherwise the first table."""
        named = [one for one in bindings if one.table != EVERY]
        found = [one for one in named if one.table == _BOARD] or named
        if found:
            return found[0].schema, found[0].table
        return (bindings[0].schema if bindings else "public"), _BOARD


def parse_views(
    view: str | None = None,
    *,
    group_by: str | None = None,
    columns: str | None = None,
    wip: Iterable[str] = (),
    sort: str | None = None,
    plan: str | None = None,
    details: bool = False,
    wants_rows: bool = False,
) -> ViewSelection:
    """Return the checked options of the views.

    Args:
        view: Names of views, separated by commas.
        group_by: The column that groups the cards of a board.
        columns: Columns of a board, separated by commas.
        wip: Limits of work in progress, each as `COLUMN=N`.
        sort: The column that the rows of a table are sorted by.
        plan: The plan whose limits are shown.
        details: Whether the last change is shown with both sides.
        wants_rows: Whether the present rows are wanted.

    Raises:
        UsageError: An option can't be parsed.
    """
    from prt.views.panels.registry import view_names  # noqa: PLC0415

    if plan is not None:
        limits_of(plan)
    return ViewSelection(
        names=() if view is None else view_names(view),
        group_by=group_by or "status",
        columns=tuple(name.strip() for name in (columns or "").split(",") if name.strip()),
        limits=dict(map(_limit, wip)),
        sort=sort,
        plan=plan,
        has_details=details,
        wants_rows=wants_rows,
    )


def _limit(text: str) -> tuple[str, int]:
    column, _, number = text.rpartition("=")
    if not column or not number.isdecimal() or int(number) < 1:
        raise UsageError(f"--wip can't read {text}", "write --wip in_progress=3")
    return column, int(number)


def parse_rules(alerts: Iterable[str], viewing: ViewSelection) -> list[Rule]:
    """Return the rules of `--alert`; without any, those for budgets if these are shown.

    Raises:
        UsageError: A rule can't be parsed.
    """
    from prt.state.conditions.alerts import BUDGET_RULES, parse_rule  # noqa: PLC0415

    texts = list(alerts) or (BUDGET_RULES if "budget" in viewing.names else ())
    return [parse_rule(text) for text in texts]


def check_rules(rules: Iterable[Rule], bindings: Sequence[Binding]) -> None:
    """Check that the tables of all rules are watched.

    Raises:
        UsageError: A rule is for a table that is not watched.
    """
    for rule in rules:
        schemas = {one.schema for one in bindings if rule.table is None or one.table in (rule.table, EVERY)}
        if not schemas or not (rule.schema is None or {rule.schema, EVERY} & schemas):
            raise UsageError(f"--alert {rule.text}: its table is not watched", "add it to the tables")


def checked_severity(severity: str | None) -> str | None:
    """Return the severity.

    Raises:
        UsageError: The severity is unknown.
    """
    from prt.state.conditions.alerts import SEVERITIES  # noqa: PLC0415

    if severity is not None and severity not in SEVERITIES:
        raise UsageError(
            f"--fail-on-alert: unknown severity {severity}", f"there are {', '.join(SEVERITIES)}"
        )
    return severity
