"""Rules for alerts: a row that crosses a limit raises an alert, and the next one only after it came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from msgspec import Raw, Struct

from prt.errors import UsageError
from prt.events import Alert, Change, Event
from prt.inputs import Input
from prt.state.conditions.expression import Comparison, parse_comparison
from prt.state.rows.present import KeyColumns, assume_id, key_of, values_of

SEVERITIES: Final = ("info", "warn", "critical")
"""The severities, the least severe first."""

BUDGET_RULES: Final = ("budgets: spent/amount>=0.8:warn", "budgets: spent/amount>=1:critical")
"""The rules for budgets if no rule is given."""

_REMEMBERED = 20_000
_LONGEST = 60  # characters of a number, more than amounts in PostgreSQL have


class Rule(Struct, frozen=True):
    """A rule of `--alert`. `table` None is every table that has the columns; `schema` None is any."""

    text: str
    schema: str | None
    table: str | None
    comparison: Comparison
    severity: str

    def is_for(self, change: Change) -> bool:
        """Return whether the rule applies to the table of a change."""
        return self.table in (None, change.table) and self.schema in (None, change.schema)


def parse_rule(text: str) -> Rule:
    """Parse a rule of the form `[[SCHEMA.]TABLE:] EXPRESSION [:SEVERITY]`.

    Raises:
        UsageError: The text isn't a rule.
    """
    table, colon, rest = text.partition(":")
    if not colon or _compares(table):
        table, rest = "", text
    expression, _, severity = rest.rpartition(":") if ":" in rest else (rest, "", SEVERITIES[1])
    severity = severity.strip()
    if severity not in SEVERITIES:
        raise UsageError(f"{Input.ALERT}: unknown severity {severity}", f"there are {', '.join(SEVERITIES)}")
    schema, _, name = table.strip().rpartition(".")
    return Rule(
        text=text.strip(),
        schema=schema or None,
        table=name or None,
        comparison=parse_comparison(expression.strip(), Input.ALERT),
        severity=severity,
    )


class Alerts:
    """The rules, and which rows are beyond a limit.

    `counts` are the alerts so far, by severity. If a row is already beyond the limit when it appears first,
    it raises an alert too.
    """

    def __init__(self, rules: Iterable[Rule], key_columns: KeyColumns = assume_id) -> None:
        self.counts: Counter[str] = Counter()
        self._rules = list(rules)
        self._key_columns = key_columns
        self._by_table: dict[tuple[str, str], list[tuple[int, Rule]]] = {}
        self._remembered: dict[tuple[int, str, str, bytes], None] = {}
        self._given: set[int] = set()
        self._judging: set[int] = set()

    def idle_rules(self) -> list[Rule]:
        """Return the rules that rows arrived for, but no row with the numbers that the rule compares."""
        return [self._rules[index] for index in sorted(self._given - self._judging)]

    def apply(self, event: Event) -> list[Alert]:
        """Return the alerts that an event raises."""
        if type(event) is not Change:
            return []
        name = (event.schema, event.table)
        rules = self._by_table.get(name)
        if rules is None:
            found = [(index, rule) for index, rule in enumerate(self._rules) if rule.is_for(event)]
            rules = self._by_table[name] = found
            self._given.update(index for index, _ in found)
        if not rules:
            return []
        key = key_of(event.old if event.event_type == "DELETE" else event.new, self._key_columns(*name))
        if key is None:
            return []
        rule_rows = [((index, *name, key), rule) for index, rule in rules]
        if event.event_type == "DELETE":
            for rule_row, _ in rule_rows:
                self._remembered.pop(rule_row, None)
            return []
        return [
            alert for rule_row, rule in rule_rows if (alert := self._judge(rule_row, rule, event)) is not None
        ]

    def _judge(self, rule_row: tuple[int, str, str, bytes], rule: Rule, change: Change) -> Alert | None:
        verdict = rule.comparison.judge(numbers_of(change.new, rule.comparison.columns))
        if verdict is None:
            return None
        self._judging.add(rule_row[0])
        if not verdict.holds:
            self._remembered.pop(rule_row, None)
            return None
        if rule_row in self._remembered:
            return None
        self._remembered[rule_row] = None
        if len(self._remembered) > _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self.counts[rule.severity] += 1
        return Alert(
            at=change.at,
            rule=rule.text,
            severity=rule.severity,
            table=f"{change.schema}.{change.table}",
            value=plain(verdict.value),
            limit=plain(verdict.limit),
            row=Raw(bytes(change.new)),
        )


def numbers_of(row: bytes | Raw, columns: Sequence[str]) -> Mapping[str, Decimal]:
    """Return the finite numbers in these columns as exact decimals; other values are left out."""
    values = values_of(row, tuple(columns)) or ()
    found = zip(columns, map(number_of, values), strict=False)
    return {column: number for column, number in found if number is not None}


def number_of(value: bytes | None) -> Decimal | None:
    """Return a JSON number, or a number in quotes as some clients need it, without rounding it to a float."""
    if value is None or len(value) > _LONGEST:
        return None
    try:
        number = Decimal(value.decode().strip('"'))
    except (InvalidOperation, UnicodeDecodeError):
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _LONGEST else None


def plain(number: Decimal) -> str:
    """Return a number without an exponent and with at most six decimal places."""
    if number.adjusted() > _LONGEST:
        return str(number)
    return f"{number:.6f}".rstrip("0").rstrip(".")


def is_as_severe(severity: str, least: str) -> bool:
    """Return whether a severity is at least as severe as `least`."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)


def _compares(text: str) -> bool:
    return any(sign in text for sign in "<>=")
