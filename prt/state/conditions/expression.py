"""Comparisons of a row's numbers, such as `spent/amount>=0.8`, evaluated as decimals and never run as code.

    comparison = sum ("<" | "<=" | ">" | ">=" | "=" | "==" | "!=") sum
    sum        = product (("+" | "-") product)*
    product    = unary (("*" | "/") unary)*
    unary      = "-" unary | number | column | "(" sum ")"

A column is a name, or any text in double quotes.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException
from typing import Final

from msgspec import Struct

from prt.errors import UsageError
from prt.inputs import Input

Numbers = Mapping[str, Decimal]
Term = Callable[[Numbers], Decimal]

_CONTEXT: Final = Context(prec=50, Emax=9999, Emin=-9999)
_TOKEN: Final = re.compile(
    r'\s*(?:(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<column>[^\W\d][\w$]*)|"(?P<quoted>(?:[^"]|"")+)"'
    r"|(?P<sign>>=|<=|==|!=|<>|[-+*/()<>=]))"
)
_COMPARISONS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
}
_ARITHMETIC: Final[dict[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": _CONTEXT.add,
    "-": _CONTEXT.subtract,
    "*": _CONTEXT.multiply,
    "/": _CONTEXT.divide,
}
_DEEPEST: Final = 50


class Verdict(Struct, frozen=True):
    """The result of a comparison: whether it holds, and the two numbers that were compared."""

    holds: bool
    value: Decimal
    limit: Decimal


class Comparison:
    """A parsed comparison; `columns` are those it needs, in their order."""

    def __init__(
        self, columns: tuple[str, ...], left: Term, compare: Callable[[Decimal, Decimal], bool], right: Term
    ) -> None:
        self.columns = columns
        self._left = left
        self._compare = compare
        self._right = right

    def judge(self, numbers: Numbers) -> Verdict | None:
        """Compare the numbers of a row.

        Returns:
            The result; None if a column is missing or a number is divided by zero.
        """
        try:
            value, limit = self._left(numbers), self._right(numbers)
            return Verdict(self._compare(value, limit), value, limit)
        except (KeyError, DecimalException):
            return None


def parse_comparison(text: str, what: Input | str) -> Comparison:
    """Parse a comparison of a row's numbers.

    Args:
        text: The comparison.
        what: The option or value that the error names.

    Raises:
        UsageError: The text isn't a comparison.
    """
    return _Parser(text, what).comparison()


class _Parser:
    def __init__(self, text: str, what: Input | str) -> None:
        self._text = text
        self._what = what
        self._tokens: list[tuple[str, str]] = []
        self._columns: dict[str, None] = {}
        self._depth = 0
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise self._error(f"can't read {text[position:].strip()}")
            position = match.end()
            kind = match.lastgroup or ""
            self._tokens.append((kind, match[kind]))

    def comparison(self) -> Comparison:
        left = self._sum()
        kind, sign = self._next()
        compare = _COMPARISONS.get(sign) if kind == "sign" else None
        if compare is None:
            raise self._error("it compares nothing")
        right = self._sum()
        if self._tokens:
            raise self._error(f"can't go on with {self._tokens[0][1]}")
        if not self._columns:
            raise self._error("it names no column")
        return Comparison(tuple(self._columns), left, compare, right)

    def _sum(self) -> Term:
        return self._chain(self._product, "+-")

    def _product(self) -> Term:
        return self._chain(self._unary, "*/")

    def _chain(self, operand: Callable[[], Term], signs: str) -> Term:
        term = operand()
        while self._tokens and self._tokens[0][0] == "sign" and self._tokens[0][1] in signs:
            term = _joined(_ARITHMETIC[self._next()[1]], term, operand())
        return term

    def _unary(self) -> Term:
        kind, text = self._next()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error("it is too deep")
        try:
            if kind == "number":
                number = Decimal(text)
                return lambda _: number
            if kind in ("column", "quoted"):
                return self._column(text.replace('""', '"'))
            if text == "-":
                term = self._unary()
                return lambda numbers: _CONTEXT.minus(term(numbers))
            if text == "(":
                term = self._sum()
                if self._next()[1] != ")":
                    raise self._error("a ( is not closed")
                return term
            raise self._error(f"can't begin with {text}" if text else "something is missing at its end")
        finally:
            self._depth -= 1

    def _column(self, name: str) -> Term:
        self._columns[name] = None
        return lambda numbers: numbers[name]

    def _next(self) -> tuple[str, str]:
        return self._tokens.pop(0) if self._tokens else ("", "")

    def _error(self, why: str) -> UsageError:
        return UsageError(f"{self._what} can't be read, {why}: {self._text}", "write 'spent/amount>=0.8'")


def _joined(compute: Callable[[Decimal, Decimal], Decimal], left: Term, right: Term) -> Term:
    return lambda numbers: compute(left(numbers), right(numbers))
