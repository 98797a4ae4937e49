"""The parsed parameters of a request.

A `Path` identifies an embedded resource by its names in the answer, from the outermost to the innermost; `()`
is the table itself.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Path = tuple[str, ...]


class Step(Struct, frozen=True):
    """One arrow of a JSON path, `->key` or `->>key`; the key is a member's name, or an element's index."""

    key: str | int
    is_text: bool


class Field(Struct, frozen=True):
    """A column, or a JSON value in it, to which the steps lead."""

    name: str
    steps: tuple[Step, ...] = ()


class Star(Struct, frozen=True):
    """All columns of a table, `*`."""


class Column(Struct, frozen=True):
    """A selected field, with an alias and the name of a type to which it is cast."""

    field: Field
    alias: str | None = None
    cast: str | None = None

    @property
    def output(self) -> str | None:
        """The name in the answer, None if it is the column's own name.

        It is the alias, or else the last key of a JSON path.
        """
        if self.alias is not None or not self.field.steps:
            return self.alias
        keys = [step.key for step in self.field.steps if isinstance(step.key, str)]
        return keys[-1] if keys else self.field.name


class Embed(Struct, frozen=True):
    """An embedded resource: rows of a related table.

    Attributes:
        target: The name of a table, of a foreign key, or of a foreign key's column.
        nodes: The selected columns and embedded resources of the related table.
        alias: The name in the answer, if it is not `target`.
        hint: A name that selects one of several relationships (`target!hint`).
        is_inner: Whether rows without related rows are left out (`!inner`).
        is_spread: Whether the columns are added to the parent's object (`...target`).
    """

    target: str
    nodes: tuple[Node, ...]
    alias: str | None = None
    hint: str | None = None
    is_inner: bool = False
    is_spread: bool = False

    @property
    def output(self) -> str:
        """The name of the member in the answer that contains the embedded rows."""
        return self.alias or self.target


Node = Star | Column | Embed


class Filter(Struct, frozen=True):
    """A condition on a field.

    Attributes:
        field: The field.
        operator: PostgREST's operator, such as `eq`.
        value: The value; a list for the operator `in`.
        is_negated: Whether the condition must not hold.
        quantifier: `any` or `all` if the value is an array whose elements are compared.
        language: The language of a text search.
    """

    field: Field
    operator: str
    value: str | tuple[str, ...]
    is_negated: bool = False
    quantifier: Literal["any", "all"] | None = None
    language: str | None = None


class Logic(Struct, frozen=True):
    """Conditions joined by `and` or `or`."""

    operator: Literal["and", "or"]
    conditions: tuple[Condition, ...]
    is_negated: bool = False


Condition = Filter | Logic


class Order(Struct, frozen=True):
    """A field by which rows are ordered; with `relation`, it is a field of that embedded to-one resource."""

    field: Field
    relation: str | None = None
    direction: Literal["asc", "desc"] | None = None
    nulls: Literal["first", "last"] | None = None


class Window(Struct, frozen=True):
    """The part of the rows that is returned: at most `limit` rows, after the first `offset` ones."""

    limit: int | None = None
    offset: int = 0


class Query(Struct, frozen=True, kw_only=True):
    """The parsed parameters of a request; conditions, orders and windows by the path of their resource."""

    select: tuple[Node, ...] = (Star(),)
    conditions: dict[Path, tuple[Condition, ...]] = {}
    orders: dict[Path, tuple[Order, ...]] = {}
    windows: dict[Path, Window] = {}
    columns: tuple[str, ...] | None = None
    on_conflict: tuple[str, ...] | None = None
    has_select: bool = False
