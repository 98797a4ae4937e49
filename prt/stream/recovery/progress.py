"""The ledgers of all tables: which a binding means, and which of them have to see what streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

from msgspec import structs

from prt.events import Change
from prt.stream.binding import Binding
from prt.stream.recovery.reasons import Reasons
from prt.stream.recovery.recent_changes import Memory
from prt.stream.recovery.table_progress import Ledger, Table
from prt.stream.rest.client import Rest
from prt.stream.rest.pages import Shape, shape_of

_table_of = attrgetter("schema", "table")


class Ledgers:
    """One for each table that was asked for. `keys` and `cursor` are the user's."""

    def __init__(
        self,
        rest: Rest,
        bindings: Sequence[Binding],
        keys: Mapping[Table, tuple[str, ...]],
        cursor: str | None,
    ) -> None:
        self._rest = rest
        self._keys = keys
        self._cursor = cursor
        self._ledgers: dict[Table, Ledger] = {}
        self._has_wildcard = any(binding.table == "*" for binding in bindings)
        self._seen: set[Table] = set()
        self.memory = Memory(self._on_chunk)

    def of(self, table: Table) -> Ledger:
        if table not in self._ledgers:
            self._ledgers[table] = Ledger(table, given_key=self._keys.get(table))
        return self._ledgers[table]

    async def shape(self, ledger: Ledger, binding: Binding) -> Shape:
        """Raises PrtError where the table can't be read, or its rows not be told apart."""
        if ledger.shape is None:
            ledger.shape = await shape_of(self._rest, binding, ledger.key, self._cursor)
        return ledger.shape

    def doubt(self, since: int) -> None:
        """A gap begins here (µs)."""
        for ledger in self._ledgers.values():
            ledger.doubt(since)

    def has_snapshot(self, binding: Binding) -> bool:
        ledger = self._ledgers.get((binding.schema, binding.table))
        return ledger is not None and binding in ledger.snapshots

    def by_table(self, bindings: Sequence[Binding], reasons: Reasons) -> dict[Table, list[Binding]]:
        """The bindings of each table; a whole schema stands for the tables that were seen."""
        tables: dict[Table, list[Binding]] = {}
        for binding in bindings:
            if binding.table != "*":
                tables.setdefault((binding.schema, binding.table), []).append(binding)
                continue
            reasons.add("only tables that changes have come from can be asked for", binding.name)
            for schema, table in sorted(self._seen):
                if binding.schema in ("*", schema):
                    one = structs.replace(binding, schema=schema, table=table)
                    tables.setdefault((schema, table), []).append(one)
        return tables

    def _on_chunk(self, changes: list[Change], first: int) -> None:
        ledgers = self._ledgers
        if self._has_wildcard:
            self._seen.update(map(_table_of, changes))
        if not any(ledger.is_attentive for ledger in ledgers.values()):
            return
        for number, change in enumerate(changes, first):
            ledger = ledgers.get((change.schema, change.table))
            if ledger is not None:
                ledger.observe(change, number)
