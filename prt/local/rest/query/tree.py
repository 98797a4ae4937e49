"""The parameters of a request as a tree.

A `path` leads to an embedded resource by the names it has in the answer; `()` is the table itself.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Path = tuple[str, ...]


class Step(Struct, frozen=True):
    """One arrow of a JSON path; `key` is a member's name or an index."""

    key: str | int
    is_text: bool


class Field(Struct, frozen=True):
    """A column, with the path of a JSON value in it."""

    name: str
    steps: tuple[Step, ...] = ()


class Star(Struct, frozen=True):
    """All columns."""


class Column(Struct, frozen=True):
    """A selected column."""

    field: Field
    alias: str | None = None
    cast: str | None = None

    @property
    def output(self) -> str | None:
        """The name in the answer where it differs from the column's: the alias, or a path's last key."""
        if self.alias is not None or not self.field.steps:
            return self.alias
        keys = [step.key for step in self.field.steps if isinstance(step.key, str)]
        return keys[-1] if keys else self.field.name


class Embed(Struct, frozen=True):
    """A related table: `target` is a table, a foreign key or its column, `hint` decides between several."""

    target: str
    nodes: tuple[Node, ...]
    alias: str | None = None
    hint: str | None = None
    is_inner: bool = False
    is_spread: bool = False

    @property
    def output(self) -> str:
        """Return the name under which the embedded rows stand."""
        return self.alias or self.target


Node = Star | Column | Embed


class Filter(Struct, frozen=True):
    """`value` is a list for `in`; `language` is of text search; `quantifier` makes the value an array."""

    field: Field
    operator: str
    value: str | tuple[str, ...]
    is_negated: bool = False
    quantifier: Literal["any", "all"] | None = None
    language: str | None = None


class Logic(Struct, frozen=True):
    """Conditions that are joined by an operator."""

    operator: Literal["and", "or"]
    conditions: tuple[Condition, ...]
    is_negated: bool = False


Condition = Filter | Logic


class Order(Struct, frozen=True):
    """`relation` is the embedded to-one resource whose column orders the rows."""

    field: Field
    relation: str | None = None
    direction: Literal["asc", "desc"] | None = None
    nulls: Literal["first", "last"] | None = None


class Window(Struct, frozen=True):
    """The window of the rows that are asked for."""

    limit: int | None = None
    offset: int = 0


class Query(Struct, frozen=True, kw_only=True):
    """A request's parameters. Conditions, orders and windows are kept by the path that they belong to."""

    select: tuple[Node, ...] = (Star(),)
    conditions: dict[Path, tuple[Condition, ...]] = {}
    orders: dict[Path, tuple[Order, ...]] = {}
    windows: dict[Path, Window] = {}
    columns: tuple[str, ...] | None = None
    on_conflict: tuple[str, ...] | None = None
    has_select: bool = False
