"""Judgements by the database soon after a commit: whether filters match, and whether the row is visible.

The database is asked with the audited identity, as Realtime asks it, and for many changes at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString

import msgspec
import psycopg
from msgspec import Struct
from psycopg import AsyncConnection, sql
from psycopg.sql import Composable

from prt.config.secret import Secret, claims_of, facts_of
from prt.postgres.quoting import identifier, type_name
from prt.postgres.snapshots import NotYet, are_visible
from prt.stream.database.session import DatabaseSession
from prt.stream.database.values import AuditedTable, Judgement, LoggedChange
from prt.stream.filters.grammar import Condition
from prt.stream.rest.session import Endpoint

AT_ONCE = 1_000
"""The most changes in one question."""
_OPERATORS: Final[dict[str, LiteralString]] = {
    "eq": "=",
    "neq": "<>",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "like": "~~",
    "ilike": "~~*",
    "match": "~",
    "imatch": "~*",
    "isdistinct": "is distinct from",
}
_IS_WORDS: Final[dict[str, LiteralString]] = {
    "null": "null",
    "true": "true",
    "false": "false",
    "unknown": "unknown",
}
_NOW = "(extract(epoch from clock_timestamp()) * 1000000)::int8"


class Identity(Struct, frozen=True, kw_only=True):
    """The identity that policies are evaluated for.

    Attributes:
        role: The database role.
        claims: The claims of the token, as JSON text.
        is_unrestricted: Whether policies do not apply to the role.
    """

    role: str
    claims: str
    is_unrestricted: bool = False


def role_and_claims(endpoint: Endpoint) -> tuple[str, str]:
    """Return the role, and the claims as JSON text, that Realtime uses for an endpoint."""
    text = endpoint.token or endpoint.key
    role = facts_of(Secret(text)).role or "anon"
    return role, msgspec.json.encode(claims_of(text) or {"role": role}).decode()


class Judge:
    """The questions to the database about changes, asked in batches, one after the other."""

    def __init__(
        self, session: DatabaseSession, identity: Identity, filters: Mapping[str, Sequence[Condition]]
    ) -> None:
        """Prepare the questions.

        Args:
            session: The connection to the database.
            identity: The identity that policies are evaluated for.
            filters: The filter conditions of each table, by `AuditedTable.name`.
        """
        self._session = session
        self._identity = identity
        self._filters = filters

    def needs(self, change: LoggedChange) -> bool:
        """Return whether a filter or policies may exclude a change at all."""
        return bool(self._filters.get(change.table.name)) or change.table.has_row_security

    async def judge(self, changes: Sequence[LoggedChange]) -> list[Judgement]:
        """Return a judgement for each change; an answer in it is None if the database failed to give it."""
        judgements: list[Judgement] = []
        by_table: dict[str, list[LoggedChange]] = defaultdict(list)
        for change in changes:
            by_table[change.table.name].append(change)
        for group in by_table.values():
            for start in range(0, len(group), AT_ONCE):
                judgements += await self._judged(group[start : start + AT_ONCE])
        return judgements

    def _is_guarded(self, change: LoggedChange) -> bool:
        return (
            change.table.has_row_security
            and not self._identity.is_unrestricted
            and change.event != "DELETE"
            and change.key is not None
        )

    async def _judged(self, changes: list[LoggedChange]) -> list[Judgement]:
        table = changes[0].table
        guarded = [change for change in changes if self._is_guarded(change)]
        at, visible = await self._visible(table, guarded) if guarded else (0, set[int]())
        matching = await self._matching(table, changes)
        asked = {change.number for change in guarded}
        return [
            Judgement(
                number=change.number,
                at=at if change.number in asked else change.committed,
                is_matching=None if matching is None else change.number in matching,
                is_visible=(None if visible is None else change.number in visible)
                if change.number in asked
                else True,
            )
            for change in changes
        ]

    async def _visible(self, table: AuditedTable, changes: list[LoggedChange]) -> tuple[int, set[int] | None]:
        """Return when the question was answered (µs), and the numbers of the changes with visible rows."""
        query = _visible_query(table)
        columns = [[change.row[name] for change in changes] for name in table.key]
        transactions = {change.transaction for change in changes}

        async def ask(connection: AsyncConnection[Any]) -> tuple[int, set[int]]:
            not_yet = NotYet()
            while True:
                async with connection.transaction():
                    await connection.execute("set transaction isolation level repeatable read, read only")
                    cursor = await connection.execute(
                        "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true), "
                        f"pg_current_snapshot()::text, {_NOW}",
                        [self._identity.role, self._identity.claims],
                    )
                    setting = await cursor.fetchone()
                    found = await (await connection.execute(query, columns)).fetchall()
                snapshot, at = (setting[2], setting[3]) if setting else ("", 0)
                if are_visible(snapshot, transactions) or not await not_yet.wait():
                    return at, {changes[number - 1].number for (number,) in found}

        try:
            return await self._session.run(ask)
        except psycopg.Error:
            return 0, None

    async def _matching(self, table: AuditedTable, changes: list[LoggedChange]) -> set[int] | None:
        """Return the numbers of the changes that the table's filter matches; None if the database failed."""
        conditions = self._filters.get(table.name, ())
        if not conditions:
            return {change.number for change in changes}
        names = list(dict.fromkeys(condition.column for condition in conditions))
        # As on the server, no condition matches a column that the log left out.
        asked = [change for change in changes if all(name in change.row for name in names)]
        query = _matching_query(table, conditions, names)
        columns: list[Any] = [[change.row[name] for change in asked] for name in names]
        values = [
            list(condition.elements()) if condition.operator == "in" else condition.value
            for condition in conditions
            if condition.operator != "is"
        ]

        async def ask(connection: AsyncConnection[Any]) -> set[int]:
            found = await (await connection.execute(query, columns + values)).fetchall()
            return {asked[number - 1].number for (number,) in found}

        try:
            return await self._session.run(ask) if asked else set()
        except psycopg.Error:
            return None


def _visible_query(table: AuditedTable) -> sql.Composed:
    names = [sql.Identifier(f"key{number}") for number in range(len(table.key))]
    matches = sql.SQL(" and ").join(
        sql.SQL("t.{} = k.{}::{}").format(identifier(column), name, _type(table, column))
        for name, column in zip(names, table.key, strict=True)
    )
    return sql.SQL(
        "select k.place from unnest({}) with ordinality as k({}, place) "
        "where exists (select from {} as t where {})"
    ).format(
        sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(names)),
        sql.SQL(", ").join(names),
        identifier(table.schema, table.table),
        matches,
    )


def _matching_query(
    table: AuditedTable, conditions: Sequence[Condition], names: Sequence[str]
) -> sql.Composed:
    """Return a query that takes the columns' values, then the conditions' values except those of `is`."""
    columns = {name: sql.Identifier(f"value{number}") for number, name in enumerate(names)}
    return sql.SQL("select v.place from unnest({}) with ordinality as v({}, place) where {}").format(
        sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(names)),
        sql.SQL(", ").join(columns.values()),
        sql.SQL(" and ").join(
            _condition(condition, columns[condition.column], _type(table, condition.column))
            for condition in conditions
        ),
    )


def _condition(condition: Condition, name: sql.Identifier, type_: Composable) -> sql.Composed:
    value = sql.SQL("v.{}::{}").format(name, type_)
    if condition.operator == "is":
        test = sql.SQL("{} is {}").format(value, sql.SQL(_IS_WORDS[condition.value.lower()]))
    elif condition.operator == "in":
        test = sql.SQL("{} = any(%s::text[]::{}[])").format(value, type_)
    else:
        operator = sql.SQL(_OPERATORS[condition.operator])
        test = sql.SQL("{} {} %s::text::{}").format(value, operator, type_)
    return sql.SQL("not ({})").format(test) if condition.is_negated else sql.SQL("({})").format(test)


def _type(table: AuditedTable, column: str) -> Composable:
    return type_name(table.type_of(column) or "text")
