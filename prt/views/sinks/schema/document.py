"""The JSON Schema of a line, and the same as a Markdown table."""

from __future__ import annotations

from typing import Any, Final

from prt.views.sinks.schema.events import EVENT_KEYS
from prt.views.sinks.schema.reports import STATUS_KEYS, TEST_KEYS
from prt.views.sinks.schema.shapes import MOMENT, Key

VERSION: Final = 1
"""The version of the lines: it changes if a key is removed or changes its meaning, not if one is added."""

ALL_KEYS: Final = {**EVENT_KEYS, **TEST_KEYS, **STATUS_KEYS}

_AT: Final = Key("at", MOMENT, "when prt received it, UTC, microseconds")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one line."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of prt",
        "version": VERSION,
        "type": "object",
        "required": ["type", "at"],
        "oneOf": [_of_type(name, keys) for name, keys in ALL_KEYS.items()],
    }


def markdown() -> str:
    """Return all keys as a Markdown table."""
    lines = ["| `type` | key | holds |", "| --- | --- | --- |", f"| every one | `at` | {_AT.line} |"]
    for name, keys in ALL_KEYS.items():
        for index, key in enumerate(keys):
            shown = f"`{name}`" if index == 0 else ""
            values = key.schema.get("enum")
            named = f": {', '.join(f'`{value}`' for value in values)}" if values else ""
            lines.append(f"| {shown} | `{key.name}` | {key.text}{named} |")
    return "\n".join(lines) + "\n"


def _of_type(name: str, keys: tuple[Key, ...]) -> dict[str, Any]:
    properties = {key.name: {**key.schema, "description": key.text} for key in (_AT, *keys)}
    return {
        "title": name,
        "type": "object",
        "properties": {"type": {"const": name}, **properties},
        "required": ["type", "at", *(key.name for key in keys if key.is_always)],
        "additionalProperties": False,
    }
