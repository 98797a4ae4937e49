"""The encoder for `--template '{table} {new[id]}'`: lines composed of members of the NDJSON object.

A template can only reach members and indices of that object, never attributes or methods.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
from msgspec import Raw, Struct

from prt.errors import UsageError
from prt.events import Event
from prt.suggestions import nearest
from prt.views.drawing.cells import safe
from prt.views.drawing.escaping import escaped_text
from prt.views.sinks.ndjson import encode

COMMON = frozenset({"type", "at"})
MEMBERS = COMMON | {
    *(
        "topic",
        "eventType",
        "schema",
        "table",
        "commit_timestamp",
        "new",
        "old",
        "errors",
        "lag_ms",
        "source",
        "merged",
    ),
    *("event", "payload", "meta", "key", "presences", "state", "status", "connection", "tables", "reason"),
    *("hint", "from", "to", "cause", "recovered", "complete", "frame", "exit_code", "events", "gaps"),
    *("encoding", "rule", "severity", "value", "limit", "row", "kept", "local", "remote"),
}
"""The names with which a field can begin: all keys of the NDJSON lines."""

MISSING = "-"

_TOKEN = re.compile(
    r"(?P<brace>\{\{|\}\})|\{(?P<field>[^{}]*)\}|(?P<stray>[{}])|\\(?P<escape>[nt\\])|(?P<text>[^{}\\]+|\\)"
)
_FIELD = re.compile(r"(?P<name>\w+)(?P<steps>(?:\[[^\[\]]*\])*)")
_STEP = re.compile(r"\[([^\[\]]*)\]")
_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\"}
_EXAMPLE = "as in '{eventType} {table} {new[id]}'; {{ and }} are braces"

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_text = msgspec.json.Decoder(str).decode
_array = msgspec.json.Decoder(list[Raw]).decode


class _Field(Struct, frozen=True):
    name: str
    steps: tuple[str, ...] = ()

    def of(self, members: dict[str, Raw]) -> str:
        value = members.get(self.name)
        for step in self.steps:
            value = None if value is None else _member(value, step)
        return MISSING if value is None else _value_text(value)


def compile_template(template: str, *, is_terminal: bool = False) -> Callable[[Event], bytes]:
    """Return an encoder that writes an event as the template.

    A missing member is written as `-`, a string without quotes, and any other value as JSON. Events without
    any of the members that the template names are left out; `type` and `at`, which all events have, only
    count if there are no others.

    Raises:
        UsageError: The template is not valid.
    """
    parts = _parts(template)
    names = {part.name for part in parts if isinstance(part, _Field)}
    distinctive = (names - COMMON) or names
    shown = safe if is_terminal else escaped_text

    def line_of(event: Event) -> bytes:
        line = encode(event)
        members = _members(line) if line else {}
        if distinctive.isdisjoint(members):
            return b""
        texts = (part if isinstance(part, str) else shown(part.of(members)) for part in parts)
        return "".join(texts).encode(errors="backslashreplace") + b"\n"

    return line_of


def _members(line: bytes) -> dict[str, Raw]:
    try:
        return _object(line)
    except (
        msgspec.DecodeError,
        RecursionError,
    ):  # half a surrogate pair, which JSON may escape and a text can't hold
        return _object(_SURROGATES.sub(rb"\\ufffd", line))


def _parts(template: str) -> list[str | _Field]:
    parts: list[str | _Field] = []
    for match in _TOKEN.finditer(template):
        if match["stray"]:
            raise UsageError(f"template: a single {match['stray']} at {match.start() + 1}", _EXAMPLE)
        if match["field"] is not None:
            parts.append(_field(match["field"]))
        elif match["brace"]:
            parts.append(match["brace"][0])
        else:
            parts.append(_ESCAPES[match["escape"]] if match["escape"] else match["text"])
    if not any(isinstance(part, _Field) for part in parts):
        raise UsageError("template: names no field", _EXAMPLE)
    return parts


def _field(text: str) -> _Field:
    match = _FIELD.fullmatch(text)
    if match is None:
        raise UsageError(f"template: {{{text}}} is not a field", _EXAMPLE)
    name = match["name"]
    if name not in MEMBERS:
        near = nearest(name, sorted(MEMBERS))
        hint = f"did you mean {{{near}}}?" if near else f"a column is {{new[{name}]}} or {{old[{name}]}}"
        raise UsageError(f"template: no event has a field {name!r}", hint)
    return _Field(name, tuple(_STEP.findall(match["steps"])))


def _member(value: Raw, step: str) -> Raw | None:
    """Return the member of an object or the element of an array; None if there is none."""
    kind = bytes(value)[:1]
    if kind == b"{":
        return _object(value).get(step)
    if kind == b"[" and re.fullmatch(r"-?[0-9]{1,9}", step):
        elements = _array(value)
        return elements[int(step)] if -len(elements) <= int(step) < len(elements) else None
    return None


def _value_text(value: Raw) -> str:
    raw = bytes(value)
    return _text(raw) if raw[:1] == b'"' else raw.decode()
