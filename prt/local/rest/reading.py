"""Compilation of a read with its embedded resources into one SELECT.

PostgreSQL builds the JSON, so that all types are converted as by PostgREST.
"""

# ruff: noqa: S608 - all names in the SQL are quoted, all values are parameters

from __future__ import annotations

from collections.abc import Iterable

from prt.local.rest.catalog import ForeignKey, TableName
from prt.local.rest.conditions import all_of, field_sql, names_in, order_sql
from prt.local.rest.errors import RestError
from prt.local.rest.query.tree import Column, Embed, Node, Order, Path, Query, Star
from prt.local.rest.relationships import Relationship, resolve
from prt.local.rest.sql import Parameters, quote

ROW = '"prt row"'
"""The alias of a row that is converted to JSON: unusual, because a column of the same name would win."""


class Source:
    """The source of rows in a SELECT.

    Attributes:
        table: The name of the table, from which foreign keys are looked up.
        text: The SQL of the FROM item.
        owner: The quoted name or alias that qualifies the columns.
        condition: The SQL condition that relates the rows to those of the parent.
    """

    def __init__(self, table: str, text: str, owner: str, condition: str = "true") -> None:
        self.table = table
        self.text = text
        self.owner = owner
        self.condition = condition

    @classmethod
    def of_table(cls, table: TableName) -> Source:
        """Return a table as a source of rows."""
        return cls(table.name, table.quoted, table.quoted)


class Reading:
    """The compiler for the SELECT of one request, which also collects the statement's parameters.

    `keys` are the foreign keys of `schema`, the request's schema; they decide which tables can be embedded.
    """

    def __init__(self, query: Query, schema: str, keys: tuple[ForeignKey, ...]) -> None:
        self.query = query
        self.parameters = Parameters()
        self._schema = schema
        self._keys = keys
        self._aliases = 0

    def rows(
        self,
        source: Source,
        nodes: Iterable[Node],
        path: Path = (),
        *,
        is_filtered: bool = True,
        is_counted: bool = False,
    ) -> str:
        """Return a SELECT of the rows.

        Args:
            source: The source of the rows.
            nodes: The selected columns and embedded resources.
            path: The path of the resource, `()` for the table of the request.
            is_filtered: Whether the request's conditions for this path apply.
            is_counted: Whether the rows are only counted. Columns, order, window and embedded resources that
                don't change the number of rows are then left out.
        """
        nodes = tuple(nodes)
        conditions = self.query.conditions.get(path, ()) if is_filtered else ()
        mentioned = names_in(conditions)
        outputs: list[str] = ["1"] if is_counted else []
        joins: list[str] = []
        embedded: dict[str, str] = {}
        for node in nodes:
            if not isinstance(node, Embed):
                if not is_counted:
                    outputs.append(self._column(node, source.owner))
            elif not is_counted or node.is_inner or node.output in mentioned:
                join, output, presence = self._embedded(source, node, path)
                joins.append(join)
                embedded[node.output] = presence
                if output and not is_counted:
                    outputs.append(output)
        where = all_of(conditions, source.owner, self.parameters, embedded)
        text = f"select {', '.join(outputs)} from {source.text} {' '.join(joins)}"
        text += f" where {source.condition} and {where}"
        return text if is_counted else text + self._order(source, nodes, path) + self._window(path)

    def check_paths(self) -> None:
        """Raise RestError `PGRST108` if a condition, order or window belongs to no embedded resource."""
        known = set(_paths(self.query.select, ()))
        for path in (*self.query.conditions, *self.query.orders, *self.query.windows):
            if path not in known:
                raise _not_embedded(path[-1])

    def needed_columns(self, table: str) -> set[str] | None:
        """Return the columns that a write has to return, so that the answer can be read from its result.

        None stands for all columns.
        """
        names = {order.field.name for order in self.query.orders.get((), ()) if order.relation is None}
        for node in self.query.select:
            match node:
                case Star():
                    return None
                case Column():
                    names.add(node.field.name)
                case Embed():
                    names |= {own for own, _ in self._relationship(table, node).pairs}
        return names

    def _column(self, node: Star | Column, owner: str) -> str:
        if isinstance(node, Star):
            return f"{owner}.*"
        text = field_sql(node.field, owner, self.parameters)
        if node.cast is not None:
            text = f"cast({text} as {node.cast})"
        return text if node.output is None else f"{text} as {quote(node.output)}"

    def _embedded(self, source: Source, node: Embed, path: Path) -> tuple[str, str, str]:
        """Return the SQL that embeds a resource.

        Returns:
            The join, the expression of the output (empty if the resource is not part of the answer), and an
            expression that is null if no row is related.
        """
        relationship = self._relationship(source.table, node)
        self._aliases += 1
        alias = quote(f"prt {self._aliases}")
        rows = self.rows(self._related(relationship, source.owner), node.nodes, (*path, node.output))
        kind = "inner" if node.is_inner else "left"
        if node.is_spread:
            if not relationship.is_to_one:
                raise RestError(
                    400,
                    "PGRST119",
                    f"A spread operation on '{node.output}' is not possible",
                    _not_to_one(source.table, node.output),
                )
            return f"{kind} join lateral ({rows}) as {alias} on true", f"{alias}.*", f"{alias}.*"
        aggregate = f"row_to_json({ROW})" if relationship.is_to_one else f"json_agg({ROW})"
        presence = f"{alias}.json"
        condition = f"{presence} is not null" if node.is_inner else "true"
        related = f"select {aggregate} as json from ({rows}) as {ROW}"
        join = f"{kind} join lateral ({related}) as {alias} on {condition}"
        value = presence if relationship.is_to_one else f"coalesce({presence}, '[]')"
        return join, f"{value} as {quote(node.output)}" if node.nodes else "", presence

    def _related(self, relationship: Relationship, owner: str) -> Source:
        self._aliases += 1
        alias = quote(f"{relationship.target}_{self._aliases}"[-63:])
        target = f"{quote(self._schema)}.{quote(relationship.target)} as {alias}"
        near = alias
        conditions: list[str] = []
        if relationship.junction is not None:
            near = quote(f"prt junction {self._aliases}")
            target += f", {quote(self._schema)}.{quote(relationship.junction)} as {near}"
            conditions += [f"{near}.{quote(a)} = {alias}.{quote(b)}" for a, b in relationship.junction_pairs]
        conditions += [f"{owner}.{quote(a)} = {near}.{quote(b)}" for a, b in relationship.pairs]
        return Source(relationship.target, target, alias, " and ".join(conditions))

    def _relationship(self, table: str, node: Embed) -> Relationship:
        return resolve(table, node, self._keys, self._schema)

    def _order(self, source: Source, nodes: tuple[Node, ...], path: Path) -> str:
        orders = self.query.orders.get(path, ())
        texts = [order_sql(order, self._order_key(order, source, nodes)) for order in orders]
        return f" order by {', '.join(texts)}" if texts else ""

    def _order_key(self, order: Order, source: Source, nodes: tuple[Node, ...]) -> str:
        if order.relation is None:
            return field_sql(order.field, source.owner, self.parameters)
        embeds = (node for node in nodes if isinstance(node, Embed) and node.output == order.relation)
        if (embed := next(embeds, None)) is None:
            raise _not_embedded(order.relation)
        relationship = self._relationship(source.table, embed)
        if not relationship.is_to_one:
            raise RestError(
                400,
                "PGRST118",
                f"A related order on '{order.relation}' is not possible",
                _not_to_one(source.table, order.relation),
            )
        related = self._related(relationship, source.owner)
        key = field_sql(order.field, related.owner, self.parameters)
        return f"(select {key} from {related.text} where {related.condition})"

    def _window(self, path: Path) -> str:
        window = self.query.windows.get(path)
        if window is None:
            return ""
        limit = "" if window.limit is None else f" limit {window.limit}"
        return f"{limit} offset {window.offset}" if window.offset else limit


def _paths(nodes: Iterable[Node], path: Path) -> Iterable[Path]:
    yield path
    for node in nodes:
        if isinstance(node, Embed):
            yield from _paths(node.nodes, (*path, node.output))


def has_embeds(nodes: Iterable[Node]) -> bool:
    """Return whether rows of other tables are embedded."""
    return any(isinstance(node, Embed) for node in nodes)


def _not_to_one(table: str, name: str) -> str:
    return f"'{table}' and '{name}' do not form a many-to-one or one-to-one relationship"


def _not_embedded(name: str) -> RestError:
    return RestError(
        400,
        "PGRST108",
        f"'{name}' is not an embedded resource in this request",
        hint=f"Verify that '{name}' is included in the 'select' query parameter.",
    )
