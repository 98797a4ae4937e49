"""Who among the subscriptions hears of one table's changes, worked out once and kept until it changes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import psycopg

from prt.local.realtime import catalog, conditions, forms
from prt.local.realtime.bindings import EVENTS, EVERY, Parameters
from prt.local.realtime.catalog import Table
from prt.local.realtime.conditions import NEVER, Condition, DatabaseCondition
from prt.local.realtime.filters import Filter
from prt.local.realtime.forms import Form
from prt.local.realtime.pgoutput import UNCHANGED, Row
from prt.local.realtime.session import Connection
from prt.local.realtime.subscriptions import Subscription

Check = tuple[int, Condition]
"""The place of a column in the row, and what must hold for it."""


@dataclass(frozen=True, eq=False)
class Listener:
    """The bindings of one subscription that hear of one event on one table, and select the same columns.

    `refusal` stands in place of every change where the role may not read the key.
    """

    subscription: Subscription
    form: Form
    bindings: list[tuple[int, list[Check]]]
    refusal: str | None
    needs_visibility: bool
    before_data: str
    after_ids: str

    def matching(self, row: Row) -> list[int]:
        """Ids of the bindings whose filters hold, in the server's order: the last of the join first."""
        if self.refusal is not None:
            return [binding for binding, _ in self.bindings]
        return [binding for binding, checks in self.bindings if not checks or _all_hold(checks, row)]

    def frame(self, data: str, ids: list[int]) -> str:
        if self.subscription.is_legacy:
            return self.before_data + data + self.after_ids
        return f'{self.before_data}{data},"ids":[{",".join(map(str, ids))}]}}{self.after_ids}'


@dataclass(frozen=True)
class Audience:
    """Listeners by event; `undecided` are the filters that PostgreSQL evaluates, with their columns."""

    listeners: dict[str, list[Listener]]
    undecided: list[tuple[int, DatabaseCondition]]


async def assemble(connection: Connection, table: Table, subscriptions: list[Subscription]) -> Audience:
    """The audience of a table: asks the catalog once a role, and once a filter."""
    assembly = _Assembly(table)
    for subscription in subscriptions:
        heard = [
            (binding, parameters)
            for binding, parameters in reversed(subscription.bindings)
            if parameters.covers(table.schema, table.name)
        ]
        if heard:
            await assembly.prepare(connection, subscription.principal.role, heard)
            for event in EVENTS:
                assembly.listeners[event] += assembly.listening(subscription, event, heard)
    return Audience(assembly.listeners, assembly.undecided())


class _Assembly:
    """What subscriptions of one table share: forms, filters, the columns that a role may read."""

    def __init__(self, table: Table) -> None:
        self.listeners: dict[str, list[Listener]] = {event: [] for event in EVENTS}
        self._table = table
        self._primary = frozenset(column.name for column in table.primary_key)
        self._forms: dict[frozenset[str], Form] = {}
        self._checks: dict[Filter, Check] = {}
        self._readable: dict[str, frozenset[str]] = {}

    async def prepare(self, connection: Connection, role: str, heard: list[tuple[int, Parameters]]) -> None:
        if role not in self._readable:
            self._readable[role] = frozenset(await catalog.selectable(connection, self._table.oid, role))
        for _, parameters in heard:
            for filter_ in parameters.filters:
                if filter_ not in self._checks:
                    self._checks[filter_] = await _check(connection, self._table, filter_)

    def listening(
        self, subscription: Subscription, event: str, heard: list[tuple[int, Parameters]]
    ) -> list[Listener]:
        """One for each set of selected columns: the server sends each its own frame, all columns first."""
        readable = self._readable[subscription.principal.role]
        is_hidden_by_rows = self._table.has_row_security and event != "DELETE"
        before, after = subscription.version.around(
            subscription.topic, event if subscription.is_legacy else "postgres_changes"
        )
        wanted = [(binding, each) for binding, each in heard if each.event in (EVERY, event)]
        by_select = sorted(wanted, key=lambda pair: ",".join(pair[1].select or ()))
        return [
            Listener(
                subscription=subscription,
                form=self._form(readable, select),
                bindings=[
                    (binding, [self._checks[filter_] for filter_ in parameters.filters])
                    for binding, parameters in group
                ],
                refusal=_refusal(self._table, event, self._primary, readable),
                needs_visibility=is_hidden_by_rows and not subscription.is_unrestricted,
                before_data=before if subscription.is_legacy else before + '{"data":',
                after_ids=after,
            )
            for select, group in groupby(by_select, key=lambda pair: pair[1].select)
        ]

    def undecided(self) -> list[tuple[int, DatabaseCondition]]:
        return [
            (index, condition)
            for index, condition in self._checks.values()
            if isinstance(condition, DatabaseCondition)
        ]

    def _form(self, readable: frozenset[str], select: tuple[str, ...] | None) -> Form:
        visible = readable if select is None else readable & (self._primary | frozenset(select))
        if visible not in self._forms:
            self._forms[visible] = Form(self._table, visible)
        return self._forms[visible]


def _refusal(table: Table, event: str, primary: frozenset[str], readable: frozenset[str]) -> str | None:
    if event == "DELETE":
        return None
    if not primary:
        return forms.refusal(table, event, forms.NO_PRIMARY_KEY)
    if not primary <= readable:
        return forms.refusal(table, event, forms.UNAUTHORIZED)
    return None


async def _check(connection: Connection, table: Table, filter_: Filter) -> Check:
    for index, column in enumerate(table.columns):
        if column.name == filter_.column:
            try:
                return index, await conditions.condition(connection, filter_, column)
            except psycopg.OperationalError:
                raise
            except psycopg.Error:
                break  # the column's type was altered since the filter was let in
    return 0, NEVER


def _all_hold(checks: list[Check], row: Row) -> bool:
    for index, condition in checks:
        value = row[index]
        if value is UNCHANGED or not condition.holds(value):
            return False
    return True
