"""Conditions of a contract: filters in which `{jwt.NAME}` stands for a claim of the identity's token.

The database decides which rows meet a condition, and is asked over REST.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import structs

from prt.stream.filters import grammar, postgrest
from prt.stream.filters.grammar import Condition, FilterError
from prt.stream.filters.postgrest import Parameters

_CLAIM: Final = re.compile(r"\{jwt\.([^{}]*)\}")
_NAME: Final = re.compile(r"[\w:/@-]+(\.[\w:/@-]+)*")


class MissingClaimError(Exception):
    """A condition names a claim that the token lacks."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def check(text: str) -> str | None:
    """Return what is wrong with a condition, or None if it is valid."""
    for name in _CLAIM.findall(text):
        if not _NAME.fullmatch(name):
            return f"{{jwt.{name}}} names no claim"
    try:
        found = grammar.read(text)
    except FilterError as error:
        return f"there is no such condition: {error.segment or text}"
    if any(_CLAIM.search(one.column) for one in found):
        return "a claim stands for a value, not for a column"
    return None if found else "the condition is empty"


def claims_in(text: str) -> list[str]:
    """Return the names of the claims in a condition."""
    return list(dict.fromkeys(_CLAIM.findall(text)))


def filled(text: str, claims: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Return the conditions of a text with the claims filled in as values.

    Raises:
        MissingClaimError: The token lacks a claim, or its value is not usable there.
    """

    def value_of(one: Condition) -> str:
        def claim(found: re.Match[str]) -> str:
            values = _claim(claims, found[1])
            if one.operator == "in":
                return ",".join(map(postgrest.quoted, values))
            if len(values) != 1:
                raise MissingClaimError(found[1])
            return values[0]

        return _CLAIM.sub(claim, one.value)

    return tuple(structs.replace(one, value=value_of(one)) for one in grammar.read(text))


def parameters(conditions: tuple[Condition, ...]) -> Parameters:
    """Return the conditions as query parameters of REST."""
    return [postgrest.parameter(one) for one in conditions]


def _claim(claims: Mapping[str, Any], name: str) -> list[str]:
    """Return the values of a claim as text; a list has several. `app_metadata.team` names a nested claim."""
    value: Any = claims
    for part in [name] if name in claims else name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | int | float) for one in values):
        raise MissingClaimError(name)
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]
