"""The expectations of `--expect`.

Examples: `INSERT notifications title=Test`, `broadcast room:7 cursor-move userId=4`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec
from msgspec import Struct

from prt.decoding import decoded, decoded_row
from prt.errors import UsageError
from prt.events import Broadcast, Change, Event
from prt.inputs import Input
from prt.suggestions import did_you_mean

EVENTS: Final = ("INSERT", "UPDATE", "DELETE", "*", "BROADCAST")
_EXAMPLES: Final = "write 'INSERT notifications title=Test' or 'broadcast document:7 cursor-move userId=4'"
_MISSING: Final = object()
_JSON: Final = json.JSONDecoder()


class Condition(Struct, frozen=True):
    """A condition on a value. `path` is a column or key, with dots into JSON; `old.COLUMN` is the old row."""

    path: str
    value: str

    def holds_in(self, row: dict[str, Any], old: dict[str, Any]) -> bool:
        """Return whether a row, or the old row if the path begins with `old.`, has the expected value."""
        found = _look_up(row, self.path)
        if found is _MISSING and self.path.startswith("old."):
            found = _look_up(old, self.path.removeprefix("old."))
        return found is not _MISSING and _equals(found, self.value)


class Expectation(Struct, frozen=True, kw_only=True):
    """An event that must arrive. `subject` is a table, `schema.table`, `*`, or a broadcast's topic."""

    text: str
    event: str
    subject: str
    is_broadcast: bool = False
    conditions: tuple[Condition, ...] = ()

    def nearness(self, event: Event) -> tuple[int, int, int] | None:
        """Return how closely an event matches; None if its table or topic doesn't.

        Returns:
            1 for the subject, 1 or 0 for the event type, and the number of conditions that hold.
        """
        if self.is_broadcast:
            if type(event) is not Broadcast or event.topic != self.subject:
                return None
            row = _payload(event)
            return 1, event.event == self.event, sum(one.holds_in(row, {}) for one in self.conditions)
        if type(event) is not Change or self.subject not in (
            "*",
            event.table,
            f"{event.schema}.{event.table}",
        ):
            return None
        old = event.old_row()
        row = old if event.event_type == "DELETE" else event.new_row()
        fits = self.event in ("*", event.event_type)
        return 1, fits, sum(one.holds_in(row, old) for one in self.conditions)

    @property
    def whole(self) -> tuple[int, int, int]:
        """The nearness of an event that meets the expectation."""
        return 1, 1, len(self.conditions)


class Missing(Struct, frozen=True):
    """An expectation that was not met, and the event that came closest."""

    expectation: Expectation
    closest: Event | None

    def __str__(self) -> str:
        if self.closest is None:
            return f"missing: {self.expectation.text}; nothing like it came"
        return f"missing: {self.expectation.text}; closest: {_describe(self.closest, self.expectation)}"


class Expectations:
    """All events that must arrive, in any order; one event can meet several expectations."""

    def __init__(self, expectations: Iterable[Expectation] = ()) -> None:
        self._all = tuple(expectations)
        self._open = list(self._all)
        self._nearest: dict[Expectation, tuple[tuple[int, int, int], Event]] = {}

    def __bool__(self) -> bool:
        """Return whether anything is expected at all."""
        return bool(self._all)

    @property
    def are_met(self) -> bool:
        """Whether every expectation was met."""
        return not self._open

    def apply(self, event: Event) -> bool:
        """Apply a live event. Return whether all expectations are met now."""
        for expectation in tuple(self._open):
            nearness = expectation.nearness(event)
            if nearness is None:
                continue
            if nearness == expectation.whole:
                self._open.remove(expectation)
            elif expectation not in self._nearest or nearness > self._nearest[expectation][0]:
                self._nearest[expectation] = nearness, event
        return self.are_met

    def missing(self) -> list[Missing]:
        """Return the expectations that are not met, in the order of the options."""
        return [Missing(one, self._nearest[one][1] if one in self._nearest else None) for one in self._open]


def parse_expectations(texts: Iterable[str]) -> Expectations:
    """Parse expectations, each `EVENT TABLE [COLUMN=VALUE…]` or `broadcast TOPIC EVENT [KEY=VALUE…]`.

    Raises:
        UsageError: A text isn't an expectation.
    """
    return Expectations(_parse(text) for text in dict.fromkeys(texts))


def _parse(text: str) -> Expectation:
    try:
        words = _words(text)
    except ValueError as exc:
        raise UsageError(f"{Input.EXPECT} has a quote that does not end: {text}", _EXAMPLES) from exc
    if len(words) < 2:
        raise UsageError(f"{Input.EXPECT} needs an event and a table: {text}", _EXAMPLES)
    event = words[0].upper()
    if event not in EVENTS:
        hint = did_you_mean(event, EVENTS, _EXAMPLES)
        raise UsageError(f"{Input.EXPECT}: unknown event {words[0]}", hint)
    if event == "BROADCAST":
        if len(words) < 3 or "=" in words[2]:
            raise UsageError(f"{Input.EXPECT} needs a topic and an event: {text}", _EXAMPLES)
        topic = words[1].removeprefix("realtime:")
        return Expectation(
            text=text,
            event=words[2],
            subject=topic,
            is_broadcast=True,
            conditions=_conditions(words[3:], text),
        )
    if "=" in words[1]:
        raise UsageError(f"{Input.EXPECT} needs a table before {words[1]}", _EXAMPLES)
    return Expectation(text=text, event=event, subject=words[1], conditions=_conditions(words[2:], text))


def _words(text: str) -> list[str]:
    """Split a text into words as a shell does, but keep an object or array after `=` in one word."""
    quoted, at = [], 0
    for match in re.finditer(r"=(?=[{\[])", text):
        if match.end() < at or not _is_whole(text[: match.end()]):
            continue
        try:
            _, end = _JSON.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        quoted += [text[at : match.end()], shlex.quote(text[match.end() : end])]
        at = end
    return shlex.split("".join([*quoted, text[at:]]))


def _is_whole(text: str) -> bool:
    """Return whether no quote is open at the end of a text."""
    try:
        shlex.split(text)
    except ValueError:
        return False
    return True


def _conditions(words: list[str], text: str) -> tuple[Condition, ...]:
    conditions = []
    for word in words:
        path, equals, value = word.partition("=")
        if not path or not equals:
            raise UsageError(f"{Input.EXPECT} can't read {word} in: {text}", "conditions are COLUMN=VALUE")
        conditions.append(Condition(path, value))
    return tuple(conditions)


def _look_up(row: Any, path: str) -> Any:
    """Return the value at a path; a column whose own name has dots has priority."""
    if not isinstance(row, dict):
        return _MISSING
    if path in row:
        return row[path]
    head, dot, rest = path.partition(".")
    return _look_up(row[head], rest) if dot and head in row else _MISSING


def _equals(found: Any, expected: str) -> bool:
    if isinstance(found, str):
        return found == expected
    if found is None or isinstance(found, bool):
        return expected == {None: "null", True: "true", False: "false"}[found]
    if isinstance(found, int | float | Decimal):
        try:
            return Decimal(str(found)) == Decimal(expected)
        except InvalidOperation:
            return False
    return bool(decoded(expected.encode(errors="surrogatepass")) == found)


def _payload(event: Broadcast) -> dict[str, Any]:
    return decoded_row(event.payload)


def _describe(event: Event, expectation: Expectation) -> str:
    """Return the event as text, with the values that the conditions are about."""
    if isinstance(event, Broadcast):
        words, row, old = ["broadcast", event.topic, event.event], _payload(event), {}
    elif isinstance(event, Change):
        old = event.old_row()
        row = old if event.event_type == "DELETE" else event.new_row()
        words = [event.event_type, event.table]
    else:
        return type(event).__name__
    for condition in expectation.conditions:
        found = _look_up(row, condition.path)
        if found is _MISSING and condition.path.startswith("old."):
            found = _look_up(old, condition.path.removeprefix("old."))
        shown = "(absent)" if found is _MISSING else _shown(found)
        words.append(f"{condition.path}={shown}")
    return " ".join(words)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = text if len(text) <= 60 else text[:59] + "…"
    return shlex.quote(text) if isinstance(value, str) else text
