"""Parsers for filters, `column=op.value`, and for logic trees, `and=(a.eq.1,or(b.gt.2,c.is.null))`."""

from __future__ import annotations

import re
from typing import Literal

from prt.local.rest.query.scanner import Scanner
from prt.local.rest.query.tree import Condition, Field, Filter, Logic

QUANTIFIABLE = {
    "eq": "=",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "like": "like",
    "ilike": "ilike",
    "match": "~",
    "imatch": "~*",
}
SIMPLE = {
    "neq": "<>",
    "cs": "@>",
    "cd": "<@",
    "ov": "&&",
    "sl": "<<",
    "sr": ">>",
    "nxr": "&<",
    "nxl": "&>",
    "adj": "-|-",
    "isdistinct": "is distinct from",
}
SEARCH = {
    "fts": "to_tsquery",
    "plfts": "plainto_tsquery",
    "phfts": "phraseto_tsquery",
    "wfts": "websearch_to_tsquery",
}
IS_VALUES = {"null", "not_null", "true", "false", "unknown"}
OPERATOR = re.compile(r"([a-z]+)(?:\(([^()]*)\))?\.")
EXPECTED = '"not" or operator (eq, gt, ...)'


def parse_filter(field: Field, text: str) -> Filter:
    """Parse the value of a filter parameter, `op.value`; the value extends to the end of the text."""
    scanner = Scanner(text, "filter")
    return _operation(scanner, field, is_nested=False)


def parse_logic(operator: Literal["and", "or"], text: str, *, is_negated: bool) -> Logic:
    """Parse the value of the parameter `and` or `or`, such as `(a.eq.1,b.gt.2)`."""
    scanner = Scanner(text, "logic tree")
    conditions = _conditions(scanner)
    scanner.expect_end("end of input")
    return Logic(operator, conditions, is_negated)


def is_operation(text: str) -> bool:
    """Return whether the value of a function call's parameter looks like a filter, `op.value`."""
    matched = OPERATOR.match(text.removeprefix("not."))
    return matched is not None and matched[1] in {*QUANTIFIABLE, *SIMPLE, *SEARCH, "in", "is"}


def _conditions(scanner: Scanner) -> tuple[Condition, ...]:
    scanner.expect("(")
    conditions = [_condition(scanner)]
    while scanner.accepts(","):
        conditions.append(_condition(scanner))
    scanner.expect(")")
    return tuple(conditions)


def _condition(scanner: Scanner) -> Condition:
    scanner.take_while(str.isspace)
    for prefix, is_negated in (("not.", True), ("", False)):
        if scanner.sees(f"{prefix}and("):
            scanner.accepts(f"{prefix}and")
            return Logic("and", _conditions(scanner), is_negated)
        if scanner.sees(f"{prefix}or("):
            scanner.accepts(f"{prefix}or")
            return Logic("or", _conditions(scanner), is_negated)
    field = scanner.field()
    scanner.expect(".")
    return _operation(scanner, field, is_nested=True)


def _operation(scanner: Scanner, field: Field, *, is_nested: bool) -> Filter:
    is_negated = scanner.accepts("not.")
    matched = OPERATOR.match(scanner.text, scanner.at)
    if matched is None:
        raise scanner.error(EXPECTED)
    operator, argument = matched[1], matched[2]
    is_search = operator in SEARCH
    is_quantified = operator in QUANTIFIABLE and argument in {"any", "all"}
    is_known = is_search or operator in {*QUANTIFIABLE, *SIMPLE, "in", "is"}
    if not is_known or (argument is not None and not (is_search or is_quantified)):
        raise scanner.error(EXPECTED)
    scanner.at = matched.end()
    value: str | tuple[str, ...]
    if operator == "in":
        value = _list(scanner)
        if not is_nested:
            scanner.expect_end("end of input")
    else:
        start = scanner.at
        value = _nested_value(scanner) if is_nested else scanner.rest()
        if operator == "is":
            value = value.lower()
            if value not in IS_VALUES:
                scanner.at = start
                raise scanner.error("isVal: (null, not_null, true, false, unknown)")
    return Filter(
        field,
        operator,
        value,
        is_negated,
        argument if is_quantified else None,  # type: ignore[arg-type]
        argument if is_search else None,
    )


def _list(scanner: Scanner) -> tuple[str, ...]:
    scanner.expect("(")
    if scanner.accepts(")"):
        return ()
    values = [_list_value(scanner)]
    while scanner.accepts(","):
        values.append(_list_value(scanner))
    scanner.expect(")")
    return tuple(values)


def _list_value(scanner: Scanner) -> str:
    return _quoted_or(scanner, ",)")


def _nested_value(scanner: Scanner) -> str:
    """Read a value that ends at `,` or `)`; an array or a range literal may contain commas."""
    if scanner.sees("{"):
        taken = scanner.take_while(lambda c: c != "}")
        scanner.expect("}")
        return taken + "}"
    if scanner.sees("[") or scanner.sees("("):
        taken = scanner.take_while(lambda c: c not in "])")
        closing = "]" if scanner.sees("]") else ")"
        scanner.expect(closing)
        return taken + closing
    return _quoted_or(scanner, ",)")


def _quoted_or(scanner: Scanner, ends: str) -> str:
    """Read a value, and remove quotes around it.

    If more text follows the closing quote, the quotes are part of the value.
    """
    start = scanner.at
    if scanner.sees('"'):
        value = scanner.quoted()
        if scanner.is_done or scanner.text[scanner.at] in ends:
            return value
        scanner.at = start
    return scanner.take_while(lambda c: c not in ends)
