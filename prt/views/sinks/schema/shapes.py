"""The JSON Schemas of common values, and the definition of a key."""

from __future__ import annotations

from typing import Any, Final, get_args

from msgspec import Struct

from prt.events import VerifiedScope
from prt.inputs import Input

TEXT: Final = {"type": "string"}
TEXT_OR_NULL: Final = {"type": ["string", "null"]}
INTEGER: Final = {"type": "integer", "minimum": 0}
NUMBER: Final = {"type": "number"}
BOOLEAN: Final = {"type": "boolean"}
OBJECT: Final = {"type": "object"}
MOMENT: Final = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"}
NUMBER_OR_NULL: Final = {"type": ["number", "null"]}
INTEGER_OR_NULL: Final = {"type": ["integer", "null"], "minimum": 0}
TEXTS: Final = {"type": "array", "items": TEXT}
METAS: Final = {"type": "array", "items": OBJECT}
PERCENTILES: Final = {
    "type": ["object", "null"],
    "properties": dict.fromkeys(("p50", "p95", "p99", "max"), NUMBER),
    "required": ["p50", "p95", "p99", "max"],
    "additionalProperties": False,
}
VERIFIED: Final = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "age_seconds": {"type": ["number", "null"]},
            "scope": {"enum": list(get_args(VerifiedScope))},
            "reason": TEXT_OR_NULL,
        },
        "required": ["age_seconds", "scope", "reason"],
        "additionalProperties": False,
    },
}
COST: Final = {
    "type": ["object", "null"],
    "properties": dict.fromkeys(("messages", "connections", "channels"), INTEGER),
    "required": ["messages", "connections", "channels"],
    "additionalProperties": False,
}
ERROR: Final = {
    "type": "object",
    "properties": {"id": TEXT, "message": TEXT, "hint": TEXT_OR_NULL, "try": TEXT_OR_NULL},
    "required": ["id", "message", "hint", "try"],
    "additionalProperties": False,
}


class Key(Struct, frozen=True):
    """A key of a line.

    Attributes:
        name: The name of the key.
        schema: The JSON Schema of its value.
        line: Its description.
        is_always: Whether every line of its type has the key.
    """

    name: str
    schema: dict[str, Any]
    line: str
    is_always: bool = True
    asked: tuple[Input, str] | None = None
    """The option that adds the key, and the value of the option after a space."""

    @property
    def text(self) -> str:
        """The description, with the option that adds the key."""
        return self.line if self.asked is None else f"{self.line}, with `{self.asked[0]}{self.asked[1]}`"


def one_of(values: Any) -> dict[str, Any]:
    """Return the JSON Schema for the values of a literal type."""
    return {"enum": list(get_args(values))}


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema for a value or null."""
    return {**schema, "type": [schema["type"], "null"]}
