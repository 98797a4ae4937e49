"""One entry of `postgres_changes` in a join: the changes that a channel asks the server for."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

BindingEvent = Literal["*", "INSERT", "UPDATE", "DELETE"]


class Binding(Struct, frozen=True, kw_only=True):
    """The changes of a table, or of a schema's tables, that a channel asks for.

    Attributes:
        table: The table; "*" for every table of the schema.
        schema: The schema; "*" for every schema.
        event: The kind of changes; "*" for all.
        filter: The filter in Realtime's grammar, such as `a=eq.1,b=gt.2`; None for all rows.
        select: The columns to send; None for all.
    """

    table: str
    schema: str = "public"
    event: BindingEvent = "*"
    filter: str | None = None
    select: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The table as `schema.table`, as in `Status.tables`."""
        return f"{self.schema}.{self.table}"

    def to_wire(self) -> dict[str, Any]:
        """Return the entry of `config.postgres_changes`, without null values, which the server refuses."""
        wire: dict[str, Any] = {"event": self.event, "schema": self.schema, "table": self.table}
        if self.filter is not None:
            wire["filter"] = self.filter
        if self.select is not None:
            wire["select"] = list(self.select)
        return wire
