"""Parsers for the parameters `select`, `order`, `columns` and `on_conflict`."""

from __future__ import annotations

import re
from typing import Literal

from prt.local.rest.errors import RestError
from prt.local.rest.query.scanner import Scanner
from prt.local.rest.query.tree import Column, Embed, Node, Order, Star

CAST = re.compile(r"[A-Za-z_][A-Za-z0-9_ $]*")
"""The name of a type, without quotes or parentheses because it becomes part of the SQL unchanged."""
AGGREGATE = re.compile(r"\.?(avg|count|max|min|sum)\(\)")


def parse_select(text: str) -> tuple[Node, ...]:
    """Parse the parameter `select` into columns and embedded resources; an empty text selects all columns."""
    scanner = Scanner(text, "select parameter")
    nodes = _nodes(scanner) if text else (Star(),)
    scanner.expect_end('field name, "," or end of input')
    return nodes


def parse_order(text: str) -> tuple[Order, ...]:
    """Parse the parameter `order`."""
    scanner = Scanner(text, "order")
    orders = [_order(scanner)]
    while scanner.accepts(","):
        orders.append(_order(scanner))
    scanner.expect_end('"," or end of input')
    return tuple(orders)


def parse_names(text: str, what: str) -> tuple[str, ...]:
    """Parse a list of names; `what` names the parameter in error messages."""
    scanner = Scanner(text, what)
    names = [scanner.name()]
    while scanner.accepts(","):
        names.append(scanner.name())
    scanner.expect_end('"," or end of input')
    return tuple(names)


def _nodes(scanner: Scanner) -> tuple[Node, ...]:
    nodes = [_node(scanner)]
    while scanner.accepts(","):
        nodes.append(_node(scanner))
    return tuple(nodes)


def _node(scanner: Scanner) -> Node:
    scanner.take_while(str.isspace)
    if scanner.accepts("*"):
        return Star()
    is_spread = scanner.accepts("...")
    if AGGREGATE.match(scanner.text, scanner.at):
        raise RestError(400, "PGRST123", "Use of aggregate functions is not allowed")
    start = scanner.at
    alias = scanner.name()
    if scanner.sees("::") or not scanner.accepts(":"):
        alias, scanner.at = "", start
    field = scanner.field()
    if not field.steps and (scanner.sees("!") or scanner.sees("(")):
        return _embed(scanner, field.name, alias or None, is_spread)
    if is_spread:
        raise scanner.error('"(" or "!"')
    if AGGREGATE.match(scanner.text, scanner.at):
        raise RestError(400, "PGRST123", "Use of aggregate functions is not allowed")
    cast: str | None = None
    if scanner.accepts("::"):
        if (matched := CAST.match(scanner.text, scanner.at)) is None:
            raise scanner.error("type name")
        cast, scanner.at = matched.group().strip(), matched.end()
    return Column(field, alias or None, cast)


def _embed(scanner: Scanner, target: str, alias: str | None, is_spread: bool) -> Embed:
    hint: str | None = None
    is_inner = False
    while scanner.accepts("!"):
        word = scanner.name()
        if word == "inner":
            is_inner = True
        elif word != "left":
            hint = word
    scanner.expect("(")
    nodes = () if scanner.sees(")") else _nodes(scanner)
    scanner.expect(")")
    return Embed(target, nodes, alias, hint, is_inner, is_spread)


def _order(scanner: Scanner) -> Order:
    field = scanner.field()
    relation: str | None = None
    if not field.steps and scanner.accepts("("):
        relation, field = field.name, scanner.field()
        scanner.expect(")")
    direction: Literal["asc", "desc"] | None = None
    nulls: Literal["first", "last"] | None = None
    if scanner.accepts(".asc"):
        direction = "asc"
    elif scanner.accepts(".desc"):
        direction = "desc"
    if scanner.accepts(".nullsfirst"):
        nulls = "first"
    elif scanner.accepts(".nullslast"):
        nulls = "last"
    return Order(field, relation, direction, nulls)
