"""The audience of a table: the subscriptions that receive its changes, computed once until they change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from prt.local.postgres.session import Connection
from prt.local.realtime.changes import forms
from prt.local.realtime.changes.decoding import catalog
from prt.local.realtime.changes.decoding.catalog import Table
from prt.local.realtime.changes.filters import conditions
from prt.local.realtime.changes.filters.conditions import NEVER, Condition
from prt.local.realtime.changes.filters.grammar import Filter
from prt.local.realtime.changes.forms import Form
from prt.local.realtime.changes.subscriptions import Subscription
from prt.local.realtime.protocol.bindings import EVENTS, EVERY, Parameters
from prt.postgres.pgoutput import UNCHANGED, Row

Check = tuple[int, Condition]
"""The index of a column in the row, and the condition for its value."""


@dataclass(eq=False)
class Listener:
    """The bindings of one subscription for one event of one table that select the same columns.

    Attributes:
        subscription: The subscription.
        form: The JSON form with the columns that the subscriber may see and has selected.
        bindings: The ids of the bindings, each with its filters.
        refusal: The payload that is sent instead of every change if the role may not read the primary key.
        needs_visibility: Whether row security has to be checked for each row.
        before_data: The text of the frame before the payload.
        after_ids: The text of the frame after the payload and the ids.
        undecided: The filters that PostgreSQL has to evaluate, as of the last call of `is_undecided`.
    """

    subscription: Subscription
    form: Form
    bindings: list[tuple[int, list[Check]]]
    refusal: str | None
    needs_visibility: bool
    before_data: str
    after_ids: str
    undecided: list[Check] = field(init=False)

    def __post_init__(self) -> None:
        checks = {check for _, checks in self.bindings for check in checks}
        self.undecided = [] if self.refusal is not None else list(checks)

    def is_undecided(self) -> bool:
        """Return whether `matching` needs an answer of PostgreSQL first (see `lanes.py`)."""
        if self.undecided:
            self.undecided = [check for check in self.undecided if not check[1].is_decided]
        return bool(self.undecided)

    def decided(self, answers: Mapping[Condition, Condition]) -> Listener:
        """Return a listener in which conditions are replaced by the answers for them."""
        bindings = [
            (binding, [(index, answers.get(condition, condition)) for index, condition in checks])
            for binding, checks in self.bindings
        ]
        return replace(self, bindings=bindings) if answers else self

    def matching(self, row: Row) -> list[int]:
        """Return the ids of the bindings whose filters match; the last one of the join is first."""
        if self.refusal is not None:
            return [binding for binding, _ in self.bindings]
        return [binding for binding, checks in self.bindings if not checks or _all_hold(checks, row)]

    def frame(self, data: str, ids: list[int]) -> str:
        """Return the frame of a change; `data` is JSON text, `ids` are those of the matching bindings."""
        if self.subscription.is_legacy:
            return self.before_data + data + self.after_ids
        return f'{self.before_data}{data},"ids":[{",".join(map(str, ids))}]}}{self.after_ids}'


@dataclass(frozen=True)
class Audience:
    """The listeners of a table by event."""

    listeners: dict[str, list[Listener]]


class Audiences:
    """A factory for the audiences of one table, which keeps forms and filters while the table is the same.

    What a role may read is looked up each time. If `is_polled` is true, the visibility of rows is checked
    even for roles that bypass row security, because a row may be deleted before the poll.
    """

    def __init__(self, table: Table, *, is_polled: bool) -> None:
        self.table = table
        self._is_polled = is_polled
        self._primary = frozenset(column.name for column in table.primary_key)
        self._forms: dict[frozenset[str], Form] = {}
        self._checks: dict[Filter, Check] = {}
        self._readable: dict[str, frozenset[str]] = {}

    async def assemble(self, connection: Connection, *, subscriptions: list[Subscription]) -> Audience:
        """Return the audience of the table for these subscriptions.

        Raises:
            TableGoneError: The table was dropped.
        """
        bindings = {subscription: subscription.bindings_of(self.table.oid) for subscription in subscriptions}
        wanted = {filter_ for bound in bindings.values() for _, each in bound for filter_ in each.filters}
        self._checks = {filter_: self._check(filter_) for filter_ in wanted}
        self._readable = {
            role: frozenset(await catalog.selectable(connection, self.table.oid, role))
            for role in {subscription.principal.role for subscription in bindings}
        }
        return Audience(
            {
                event: [
                    listener
                    for subscription, bound in bindings.items()
                    for listener in self._listening(subscription, event, bound)
                ]
                for event in EVENTS
            }
        )

    def _listening(
        self, subscription: Subscription, event: str, bound: list[tuple[int, Parameters]]
    ) -> list[Listener]:
        """Return a listener for each set of selected columns, the one with all columns first.

        The server sends a separate frame for each.
        """
        readable = self._readable[subscription.principal.role]
        refusal = _refusal(self.table, event, self._primary, readable)
        needs_visibility = (
            self.table.has_row_security
            and event != "DELETE"
            and refusal is None
            and (self._is_polled or not subscription.is_unrestricted)
        )
        before, after = subscription.version.around(
            subscription.topic, event if subscription.is_legacy else "postgres_changes"
        )
        wanted = [(binding, each) for binding, each in bound if each.event in (EVERY, event)]
        by_select = sorted(wanted, key=lambda pair: ",".join(pair[1].select or ()))
        return [
            Listener(
                subscription=subscription,
                form=self._form(readable, select),
                bindings=[
                    (binding, [self._checks[filter_] for filter_ in parameters.filters])
                    for binding, parameters in group
                ],
                refusal=refusal,
                needs_visibility=needs_visibility,
                before_data=before if subscription.is_legacy else before + '{"data":',
                after_ids=after,
            )
            for select, group in groupby(by_select, key=lambda pair: pair[1].select)
        ]

    def _form(self, readable: frozenset[str], select: tuple[str, ...] | None) -> Form:
        visible = readable if select is None else readable & (self._primary | frozenset(select))
        if visible not in self._forms:
            self._forms[visible] = Form(self.table, visible)
        return self._forms[visible]

    def _check(self, filter_: Filter) -> Check:
        if filter_ in self._checks:
            return self._checks[filter_]
        for index, column in enumerate(self.table.columns):
            if column.name == filter_.column:
                return index, conditions.condition(filter_, column)
        return 0, NEVER


def _refusal(table: Table, event: str, primary: frozenset[str], readable: frozenset[str]) -> str | None:
    if event == "DELETE":
        return None
    if not primary:
        return forms.refusal(table, event, forms.NO_PRIMARY_KEY)
    if not primary <= readable:
        return forms.refusal(table, event, forms.UNAUTHORIZED)
    return None


def _all_hold(checks: list[Check], row: Row) -> bool:
    for index, condition in checks:
        value = row[index]
        if value is UNCHANGED or not condition.holds(value):
            return False
    return True
