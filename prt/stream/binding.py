"""One `postgres_changes` request: what a channel asks the server to send."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

BindingEvent = Literal["*", "INSERT", "UPDATE", "DELETE"]


class Binding(Struct, frozen=True, kw_only=True):
    """`table` "*" is every table of the schema. `filter` is the wire's text, `a=eq.1,b=gt.2`."""

    table: str
    schema: str = "public"
    event: BindingEvent = "*"
    filter: str | None = None
    select: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """`schema.table`, as in `Status.tables`."""
        return f"{self.schema}.{self.table}"

    def to_wire(self) -> dict[str, Any]:
        """The entry of `config.postgres_changes`: the server refuses null for any of its keys."""
        wire: dict[str, Any] = {"event": self.event, "schema": self.schema, "table": self.table}
        if self.filter is not None:
            wire["filter"] = self.filter
        if self.select is not None:
            wire["select"] = list(self.select)
        return wire
