"""Translation of fields, conditions and orders into SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prt.local.rest.query.filters import QUANTIFIABLE, SEARCH, SIMPLE
from prt.local.rest.query.tree import Condition, Field, Filter, Logic, Order
from prt.local.rest.sql import Parameters, array_literal, quote

IS_TEXT = {"null": "null", "not_null": "not null", "true": "true", "false": "false", "unknown": "unknown"}


def field_sql(field: Field, owner: str, parameters: Parameters) -> str:
    """Return the SQL of a column, or of a JSON value in it.

    `owner` is the quoted name of the table, or its alias. The JSON keys become parameters of the statement.
    """
    text = f"{owner}.{quote(field.name)}"
    for step in field.steps:
        arrow = "->>" if step.is_text else "->"
        key = str(step.key) if isinstance(step.key, int) else f"{parameters.bind(step.key)}::text"
        text += f"{arrow}({key})"
    return text


def all_of(
    conditions: Iterable[Condition],
    owner: str,
    parameters: Parameters,
    embedded: Mapping[str, str] | None = None,
) -> str:
    """Return the SQL of conditions joined by AND, `true` if there are none.

    Args:
        conditions: The conditions.
        owner: The quoted name of the table that has the columns, or its alias.
        parameters: Collects the values of the conditions.
        embedded: Embedded resources by name, each with an SQL expression that is null if no row is related.
    """
    return " and ".join(_condition(one, owner, parameters, embedded or {}) for one in conditions) or "true"


def names_in(conditions: Iterable[Condition]) -> set[str]:
    """Return the names of all columns and embedded resources in the conditions."""
    names: set[str] = set()
    for one in conditions:
        names |= {one.field.name} if isinstance(one, Filter) else names_in(one.conditions)
    return names


def _condition(condition: Condition, owner: str, parameters: Parameters, embedded: Mapping[str, str]) -> str:
    match condition:
        case Logic():
            parts = [_condition(one, owner, parameters, embedded) for one in condition.conditions]
            text = f"({f' {condition.operator} '.join(parts)})"
        case Filter():
            text = f"({_filter(condition, owner, parameters, embedded)})"
    return f"not {text}" if condition.is_negated else text


def order_sql(order: Order, text: str) -> str:
    """Return the SQL that orders rows by an expression; `text` is the SQL of the expression."""
    direction = f" {order.direction}" if order.direction else ""
    nulls = f" nulls {order.nulls}" if order.nulls else ""
    return f"{text}{direction}{nulls}"


def _filter(condition: Filter, owner: str, parameters: Parameters, embedded: Mapping[str, str]) -> str:
    operator, value = condition.operator, condition.value
    if operator == "is" and condition.field.name in embedded and not condition.field.steps:
        return f"{embedded[condition.field.name]} is {IS_TEXT[str(value)]}"
    field = field_sql(condition.field, owner, parameters)
    if not isinstance(value, str):
        return f"{field} = any({parameters.bind(array_literal(value))})"
    if operator == "is":
        return f"{field} is {IS_TEXT[value]}"
    if operator in SEARCH:
        language = ""
        if condition.language is not None:
            language = f"{parameters.bind(condition.language)}::text::regconfig, "
        return f"{field} @@ {SEARCH[operator]}({language}{parameters.bind(value)}::text)"
    if operator in {"like", "ilike"}:
        value = value.replace("*", "%")
    sign = QUANTIFIABLE.get(operator) or SIMPLE[operator]
    placeholder = parameters.bind(value)
    return (
        f"{field} {sign} {f'{condition.quantifier}({placeholder})' if condition.quantifier else placeholder}"
    )
