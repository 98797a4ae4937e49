r"""Conversion of values to JSON, as Realtime prints them.

The result is that of `to_jsonb(text::type)`, with three exceptions of the real server. wal2json prints
numbers that aren't finite as null, and `bytea` without its `\x`, but only in columns of these types, and not
in arrays, composites and domains. And the cast has no length, so that `char(5)` and `bit(3)` keep one
character, in arrays too; but the columns of composites and the bases of domains keep their length. The text
must come from a session with UTC, ISO dates and hexadecimal bytea.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from prt.local.realtime.changes.decoding import jsonb

Convert = Callable[[str], str]

BOOL, BYTEA, BPCHAR, BIT, JSON, JSONB = 16, 17, 1042, 1560, 114, 3802
INTEGERS = (20, 21, 23)
FLOATS = (700, 701)
NUMERIC = 1700
HSTORE = "hstore"
DATE, TIME, TIMESTAMP, TIMESTAMPTZ = 1082, 1083, 1114, 1184

NUMBERS = (NUMERIC, *FLOATS)
NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})


class Field(Struct, frozen=True):
    """A column of a composite type."""

    name: str
    type_oid: int


class Type(Struct, frozen=True, kw_only=True):
    """A type in `pg_type`.

    Attributes:
        oid: The type's oid.
        name: The name without a schema.
        sql: The name as `regtype` prints it, quoted if necessary.
        kind: `typtype`: `b` for base types, `c` for composites, `d` for domains, `e` for enums …
        delimiter: The delimiter in an array's text.
        element: The oid of an array's element type, 0 for other types.
        base: The oid of a domain's base type, 0 for other types.
        fields: The columns of a composite type.
    """

    oid: int
    name: str
    sql: str
    kind: str
    delimiter: str = ","
    element: int = 0
    base: int = 0
    fields: tuple[Field, ...] = ()

    @property
    def is_hstore(self) -> bool:
        """Whether the type is that of the extension hstore."""
        return self.name == HSTORE and self.kind == "b"


Types = Mapping[int, Type]


def converter(oid: int, types: Types) -> Convert:
    """Return the function that converts the text of a column to JSON. A dropped type counts as text."""
    if oid in _OF_COLUMNS:
        return _OF_COLUMNS[oid]
    found = types.get(oid)
    if found is not None and found.element in _WITHOUT_LENGTH:
        return lambda text: _array(text, _one_character, found.delimiter)
    return _nested(oid, types)


def _nested(oid: int, types: Types) -> Convert:
    """Return the function for values within other values, which are printed as by `to_jsonb`."""
    if oid in _BUILT_IN:
        return _BUILT_IN[oid]
    found = types.get(oid)
    if found is None:
        return jsonb.string
    if found.base:
        return _nested(found.base, types)
    if found.element:
        element = _nested(found.element, types)
        return lambda text: _array(text, element, found.delimiter)
    if found.fields:
        fields = [(field.name, _nested(field.type_oid, types)) for field in found.fields]
        return lambda text: _composite(text, fields)
    return _hstore if found.is_hstore else jsonb.string


def _same(text: str) -> str:
    return text


def _boolean(text: str) -> str:
    return "true" if text == "t" else "false"


def is_finite(text: str) -> bool:
    """Return whether the text of a number is finite, so that JSON can represent it."""
    return text not in NOT_FINITE


def _number(text: str) -> str:
    return jsonb.number(text) if is_finite(text) else "null"


def _nested_number(text: str) -> str:
    return jsonb.number(text) if is_finite(text) else f'"{text}"'


def _bytes(text: str) -> str:
    return f'"{text[2:]}"'


def _one_character(text: str) -> str:
    return jsonb.string(text[:1])


def _timestamp(text: str) -> str:
    return f'"{text.replace(" ", "T", 1)}"' if text[-1] != "y" else f'"{text}"'


def _zoned_timestamp(text: str) -> str:
    if text[-1] == "y":  # infinity
        return f'"{text}"'
    # The session's time zone is UTC, so the offset is always "+00".
    return f'"{text.replace(" ", "T", 1).replace("+00", "+00:00", 1)}"'


def _array(text: str, element: Convert, delimiter: str) -> str:
    """Convert an array or a vector.

    An array looks like `{1,NULL,{"a,b"}}`, after bounds like `[0:1]=` unless they begin at 1; a vector like
    `1 2`.
    """
    at = text.find("{")
    if at < 0:
        return "[" + ", ".join(map(element, text.split())) + "]"
    pieces: list[str] = []
    while at < len(text):
        character = text[at]
        if character == "{":
            pieces.append("[")
            at += 1
        elif character == "}":
            pieces.append("]")
            at += 1
        elif character == delimiter:
            pieces.append(", ")
            at += 1
        elif character == '"':
            value, at = _quoted(text, at + 1)
            pieces.append(element(value))
        else:
            value, at = _bare(text, at, delimiter + "}")
            pieces.append("null" if value.upper() == "NULL" else element(value))
    return "".join(pieces)


def _composite(text: str, fields: list[tuple[str, Convert]]) -> str:
    """Convert a composite such as `(1,"a b",)`. An empty field is null; keys are in jsonb's order."""
    at, pairs = 1, []
    for name, convert in fields:
        start, value = at, ""
        while text[at] not in ",)":
            piece, at = _quoted(text, at + 1) if text[at] == '"' else _bare(text, at, ',)"')
            value += piece
        pairs.append((name, "null" if at == start else convert(value)))
        at += 1
    return jsonb.object_of(pairs)


def _hstore(text: str) -> str:
    """Convert an hstore such as `"a"=>"1", "b"=>NULL` to an object, as its own cast to `json` does."""
    at, pairs = 0, []
    while at < len(text):
        key, at = _quoted(text, at + 1)
        at += len("=>")
        if text[at] == '"':
            value, at = _quoted(text, at + 1)
            pairs.append((key, jsonb.string(value)))
        else:
            at += len("NULL")
            pairs.append((key, "null"))
        at += len(", ")
    return jsonb.object_of(pairs)


def _quoted(text: str, at: int) -> tuple[str, int]:
    r"""Return a quoted text, and the index after its closing quote; `\` and a second `"` are escapes."""
    pieces: list[str] = []
    while True:
        character = text[at]
        if character == "\\":
            pieces.append(text[at + 1])
            at += 2
        elif character != '"':
            pieces.append(character)
            at += 1
        elif text[at + 1 : at + 2] == '"':
            pieces.append('"')
            at += 2
        else:
            return "".join(pieces), at + 1


def _bare(text: str, at: int, ends: str) -> tuple[str, int]:
    pieces: list[str] = []
    while text[at] not in ends:
        if text[at] == "\\":
            at += 1
        pieces.append(text[at])
        at += 1
    return "".join(pieces), at


_BUILT_IN: dict[int, Convert] = {
    BOOL: _boolean,
    JSON: jsonb.normalised,
    JSONB: _same,
    TIMESTAMP: _timestamp,
    TIMESTAMPTZ: _zoned_timestamp,
    **dict.fromkeys(INTEGERS, _same),
    **dict.fromkeys(NUMBERS, _nested_number),
}

_WITHOUT_LENGTH = (BPCHAR, BIT)

_OF_COLUMNS: dict[int, Convert] = {
    **_BUILT_IN,
    BYTEA: _bytes,
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys(_WITHOUT_LENGTH, _one_character),
}
