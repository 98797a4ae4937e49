"""The columns on which Realtime can't filter.

A filter on an array or composite column makes Realtime lose changes for all clients of the project.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from prt.errors import PrtError, UsageError
from prt.stream.binding import Binding
from prt.stream.filters import grammar, postgrest
from prt.stream.rest.client import Rest
from prt.stream.rest.session import Endpoint

ANSWER_SECONDS: Final = 5.0
"""How long REST may take. After that the type counts as unknown, so that a watch does not wait for REST."""

Kind = Literal["array", "composite"]

_LITERALS: Final[tuple[tuple[str, Kind], ...]] = (
    ("malformed array literal", "array"),
    ("malformed record literal", "composite"),
    ("input of anonymous composite types", "composite"),
)
"""PostgreSQL's messages about a text that can't be read as a value of such a type."""
_PROBE: Final = "eq.-"
"""A condition with a value that is neither an array nor a row."""


class Unfilterable(Struct, frozen=True):
    """A filter on an array or composite column."""

    binding: Binding
    column: str
    kind: Kind

    @property
    def reason(self) -> str:
        """Why the filter is refused, as a sentence."""
        article = "an" if self.kind == "array" else "a"
        return (
            f"{self.binding.name}: {self.column} is {article} {self.kind} column; a filter on it makes the "
            "server lose the changes of every client of the project"
        )


async def unfilterable(rest: Rest, bindings: Sequence[Binding]) -> list[Unfilterable]:
    """Return the filters on array and composite columns, as far as REST reveals the types.

    The server accepts such a filter and fails to evaluate it. With it, the server drops the changes of all
    tables that it has just read. To find out the type, REST is asked for no row under a condition that is
    malformed only for such columns.
    """
    asked: dict[tuple[str, str, str], Binding] = {}
    for binding in bindings:
        if binding.table != "*":
            for column in grammar.columns_of(binding.filter):
                asked.setdefault((binding.schema, binding.table, column), binding)
    kinds = await asyncio.gather(*(_kind_of(rest, *names) for names in asked))
    return [
        Unfilterable(binding, names[2], kind)
        for (names, binding), kind in zip(asked.items(), kinds, strict=True)
        if kind is not None
    ]


async def unfilterable_of(endpoint: Endpoint, bindings: Sequence[Binding]) -> list[Unfilterable]:
    """Return the same as `unfilterable`, with a REST client of its own."""
    async with Rest(lambda: endpoint, pauses=()) as rest:
        return await unfilterable(rest, bindings)


async def refuse_unfilterable(rest: Rest, bindings: Sequence[Binding]) -> None:
    """Raise UsageError for the first filter on an array or composite column."""
    for found in await unfilterable(rest, bindings):
        raise UsageError(found.reason, "filter by another column, or pick the lines here, behind the stream")


async def _kind_of(rest: Rest, schema: str, table: str, column: str) -> Kind | None:
    parameters = [("select", postgrest.column(column)), postgrest.condition(column, _PROBE), ("limit", "0")]
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await rest.read(schema, table, parameters)
    except PrtError as exc:
        return next((kind for words, kind in _LITERALS if words in exc.message), None)
    except TimeoutError:
        return None
    return None
