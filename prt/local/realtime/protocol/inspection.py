"""Values as Elixir's `inspect` prints them: the real server quotes bindings so in its messages."""

from __future__ import annotations

from typing import Any

_ESCAPES = str.maketrans(
    {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x00": "\\0", "\x1b": "\\e"}
)


def inspected(value: Any) -> str:
    """`value` is decoded JSON; a tuple prints as a tuple, what is nested too deeply as dots."""
    try:
        return _inspected(value)
    except RecursionError:
        return "..."


def _inspected(value: Any) -> str:
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.translate(_ESCAPES).replace("#{", "\\#{") + '"'
        case dict():
            pairs = (f"{_inspected(key)} => {_inspected(value[key])}" for key in sorted(value))
            return "%{" + ", ".join(pairs) + "}"
        case tuple():
            return "{" + ", ".join(map(_inspected, value)) + "}"
        case list():
            return "[" + ", ".join(map(_inspected, value)) + "]"
        case _:
            return repr(value)


def interpolated(value: Any) -> str:
    """As in `"#{…}"`: text stands as it is, everything else inspected."""
    return value if isinstance(value, str) else inspected(value)
