"""The bindings of a join (its `postgres_changes` entries), with their ids and error messages. Pure."""

from __future__ import annotations

import zlib
from typing import Any

from msgspec import Struct

from prt.local.realtime.changes.filters import grammar
from prt.local.realtime.changes.filters.grammar import Filter
from prt.local.realtime.protocol.frames import encoded
from prt.local.realtime.protocol.inspection import inspected, interpolated

EVENTS = ("INSERT", "UPDATE", "DELETE")
EVERY = "*"

MOST_BINDINGS = 1000
LARGEST_FILTER = 16_384
"""The longest filter, in characters.

This limit and `MOST_BINDINGS` are our own, because every change is compared with every filter. The real
server has other limits, which come from its index.
"""

_ID_BITS = 27  # as wide as the real server's hash


class BindingRefusedError(Exception):
    """A binding is refused; the exception's text is the message that the server sends in a `system` event."""


class Parameters(Struct, frozen=True, kw_only=True):
    """The parsed parameters of a binding.

    Attributes:
        event: `INSERT`, `UPDATE`, `DELETE`, or `*` for all events.
        schema: The schema, or `*` for all schemas.
        table: The table, or `*` for all tables.
        filters: The filters, all of which must match.
        select: The selected columns, to which the primary key is added; None for all columns.
    """

    event: str
    schema: str
    table: str
    filters: tuple[Filter, ...] = ()
    select: tuple[str, ...] | None = None

    def described(self) -> str:
        """Return the parameters as the server's error messages print them."""
        listed = [(each.column, each.operator, each.value, each.is_negated) for each in self.filters]
        select = None if self.select is None else list(self.select)
        return (
            f"event: {self.event}, schema: {self.schema}, table: {self.table}, "
            f"filters: {inspected(listed)}, select: {interpolated(select)}"
        )


def identity(binding: dict[str, Any]) -> int:
    """Return the id of a binding: a hash, so that equal bindings have the same id on every channel."""
    return zlib.crc32(encoded(binding).encode()) & ((1 << _ID_BITS) - 1)


def of_topic(subtopic: str) -> list[dict[str, Any]]:
    """Return the binding of a join without `config`, in which the topic is `realtime:schema:table:filter`."""
    return [dict(zip(("schema", "table", "filter"), subtopic.split(":", 2), strict=False))]


def raised(parameters: Parameters, exception: str) -> str:
    """Return the server's message for a binding that PostgreSQL refused with an exception."""
    return (
        "Unable to subscribe to changes with given parameters. An exception happened so please check "
        f"your connect parameters: [{parameters.described()}]. Exception: {exception}"
    )


def too_many(count: int) -> str:
    """Return the message that refuses a join with `count` bindings, which is more than allowed."""
    return f"A channel takes {MOST_BINDINGS} bindings at most, not {count}"


def parse_all(entries: list[dict[str, Any]]) -> list[Parameters]:
    """Parse the bindings of a channel. Raise BindingRefusedError if one is invalid."""
    return [parse(entry) for entry in entries]


def parse(binding: dict[str, Any]) -> Parameters:
    """Parse a binding.

    Raises:
        BindingRefusedError: The binding is invalid, for example because a name is null or a number.
    """
    select = _select(binding)
    match [binding.get(key, ...) for key in ("schema", "table", "filter")]:
        case [str() as schema, str() as table, str() as text]:
            if len(text) > LARGEST_FILTER:
                raise BindingRefusedError(
                    f"Error parsing `filter` params: a filter holds {LARGEST_FILTER} characters at most, "
                    f"not {len(text)}"
                )
            parsed = grammar.parse(text)
            if isinstance(parsed, str):
                raise BindingRefusedError(f"Error parsing `filter` params: {parsed}")
            found = Parameters(
                event=_event(binding), schema=schema, table=table, filters=parsed, select=select
            )
        case [str() as schema, str() as table, no_filter] if no_filter is ...:
            found = Parameters(event=_event(binding), schema=schema, table=table, select=select)
        case [str() as schema, no_table, no_filter] if no_table is ... and no_filter is ...:
            found = Parameters(event=_event(binding), schema=schema, table=EVERY, select=select)
        case [no_schema, str() as table, no_filter] if no_schema is ... and no_filter is ...:
            found = Parameters(event=_event(binding), schema="public", table=table, select=select)
        case _:
            raise BindingRefusedError(
                "No subscription params provided. Please provide at least a `schema` or `table` "
                f"to subscribe to: {inspected(binding)}"
            )
    if select is not None and EVERY in (found.schema, found.table):
        raise BindingRefusedError(
            "Column selection is not supported for wildcard subscriptions. "
            "Provide an explicit schema and table name."
        )
    return found


def _event(binding: dict[str, Any]) -> str:
    """Return the event in upper case. An unknown event counts as all events, as on the real server."""
    event = binding.get("event")
    return event.upper() if isinstance(event, str) and event.upper() in EVENTS else EVERY


def _select(binding: dict[str, Any]) -> tuple[str, ...] | None:
    match binding.get("select"):
        case str():
            raise BindingRefusedError(
                "Error parsing `select` params: expected a list of column name strings, "
                'e.g. select: ["col1", "col2"]'
            )
        case list() as columns:
            return tuple(sorted(column for column in columns if isinstance(column, str))) or None
        case _:
            return None
