"""The steps of a story. Each is one SQL statement that changes rows of one table."""

# ruff: noqa: S608 - the names of tables and columns are constants of this package, values are parameters

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from msgspec import Struct


class Step(Struct, frozen=True):
    """An SQL statement with its parameters.

    `changes` is the number of row changes that subscribers receive, including those of triggers; 0 if the
    statement may change no row.
    """

    sql: str
    parameters: tuple[Any, ...]
    changes: int = 1


class Expression(Struct, frozen=True):
    """A value that the database computes; `%s` in the SQL stands for a parameter."""

    sql: str
    parameters: tuple[Any, ...] = ()


Scene = Iterator[Step]

NOW: Final = Expression("now()")
# The ids of all rows that a story adds are between these two, and no other ids are.
FIRST, LAST = "7aff1c00-0000-0000-0000-000000000000", "7aff1c00-ffff-ffff-ffff-ffffffffffff"


def plus(column: str, amount: object) -> Expression:
    """Return the expression that adds an amount to a column."""
    return Expression(f"{column} + %s", (amount,))


def new_id(random: Random) -> str:
    """Return a random version 4 UUID between FIRST and LAST, which marks a row of a story."""
    bits = f"{random.getrandbits(88):022x}"
    return f"7aff1c00-{bits[:4]}-4{bits[4:7]}-8{bits[7:10]}-{bits[10:]}"


def insert(table: str, columns: Mapping[str, object], changes: int = 1) -> Step:
    """Return the step that inserts a row; `changes` is the number of row changes that it makes."""
    # If a client has removed the row that this one refers to, the step fails and is skipped by the traffic.
    values, parameters = _rendered(columns)
    names = ", ".join(columns)
    return Step(
        f"insert into public.{table} ({names}) values ({', '.join(values)}) on conflict do nothing",
        parameters,
        changes,
    )


def update(table: str, row: str, **columns: object) -> Step:
    """Return the step that updates columns of the row with this id."""
    values, parameters = _rendered(columns)
    changes = ", ".join(f"{name} = {value}" for name, value in zip(columns, values, strict=True))
    return Step(f"update public.{table} set {changes} where id = %s", (*parameters, row))


def delete(table: str, row: str) -> Step:
    """Return the step that deletes the row with this id."""
    return Step(f"delete from public.{table} where id = %s", (row,))


def forget(table: str) -> Step:
    """Return the step that deletes all rows that an earlier story added to a table."""
    return Step(f"delete from public.{table} where id between %s and %s", (FIRST, LAST), 0)


def restore(
    table: str, rows: Mapping[str, Sequence[object]], names: Sequence[str], types: Sequence[str]
) -> Step:
    """Return the step that restores columns of the seed's rows. Rows that are already right are not updated.

    Args:
        table: The name of the table.
        rows: The right values by id, in the order of `names`.
        names: The names of the columns.
        types: The SQL types of the columns, in the order of `names`.
    """
    arrays = ", ".join(f"%s::{kind}[]" for kind in ("uuid", *types))
    was = ", ".join(f"{table}.{name}" for name in names)
    wanted = ", ".join(f"opening.{name}" for name in names)
    columns = [list(rows), *(list(column) for column in zip(*rows.values(), strict=True))]
    return Step(
        f"update public.{table} set ({', '.join(names)}) = row({wanted}) "
        f"from unnest({arrays}) as opening (id, {', '.join(names)}) "
        f"where {table}.id = opening.id and ({was}) is distinct from ({wanted})",
        tuple(columns),
        0,
    )


@dataclass
class Shelf:
    """The rows that the story added to a table, at most `size`: the oldest is deleted before one is added."""

    table: str
    size: int
    rows: dict[str, str] = field(default_factory=dict)
    """The rows' statuses by id, the oldest first."""

    def add(self, random: Random, columns: Mapping[str, object], changes: int = 1) -> Scene:
        """Insert a row, and delete the oldest one if there are `size` rows."""
        if len(self.rows) >= self.size:
            yield self.drop(next(iter(self.rows)))
        row = new_id(random)
        self.rows[row] = str(columns.get("status", ""))
        yield insert(self.table, {"id": row, **columns}, changes)

    def move(self, row: str, status: str, **columns: object) -> Step:
        """Return the step that gives a row another status, and other columns with it."""
        self.rows[row] = status
        return update(self.table, row, status=status, **columns)

    def drop(self, row: str) -> Step:
        """Return the step that deletes a row."""
        del self.rows[row]
        return delete(self.table, row)


def _rendered(columns: Mapping[str, object]) -> tuple[list[str], tuple[Any, ...]]:
    values: list[str] = []
    parameters: list[Any] = []
    for value in columns.values():
        if isinstance(value, Expression):
            values.append(value.sql)
            parameters.extend(value.parameters)
        else:
            values.append("%s")
            parameters.append(value)
    return values, tuple(parameters)
