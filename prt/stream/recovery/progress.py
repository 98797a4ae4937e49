"""The recovery progress of all tables of a watch, and which tables a binding stands for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from operator import attrgetter

from msgspec import structs

from prt.events import Change
from prt.stream.binding import Binding
from prt.stream.recovery.reasons import Reasons
from prt.stream.recovery.recent_changes import Memory
from prt.stream.recovery.table_progress import Table, TableProgress
from prt.stream.recovery.verification.emitted import Budget, Emitted
from prt.stream.recovery.verification.rules import SECOND, Operations
from prt.stream.rest.client import Rest
from prt.stream.rest.pages import Shape, shape_of
from prt.stream.socket import wire

HORIZON = 120 * SECOND
"""µs before READY: no window of a verification reaches back further."""

_table_of = attrgetter("schema", "table")


class ProgressOfTables:
    """The recovery progress of each table of a watch, created at the first call that needs it.

    It passes streamed changes on to the tables that need them: tables that are being read, that a snapshot
    holds the keys of, or that are verified.

    Attributes:
        memory: The latest changes of the stream.
        ready_at: The server's time (µs) of the first REST read after READY; None before.
        operations: The kinds of changes that have streamed so far.
    """

    def __init__(
        self,
        rest: Rest,
        bindings: Sequence[Binding],
        keys: Mapping[Table, tuple[str, ...]],
        cursor: str | None,
    ) -> None:
        """Start without progress of any table.

        Args:
            rest: The REST client, used to learn which columns a table has.
            bindings: The bindings of the watch.
            keys: The key columns that the user gave, by table.
            cursor: The date column that the user gave, or None.
        """
        self._rest = rest
        self._keys = keys
        self._cursor = cursor
        self._tables: dict[Table, TableProgress] = {}
        self._bindings = bindings
        self._has_wildcard = any(binding.table == "*" for binding in bindings)
        self._seen: set[Table] = set()
        self.memory = Memory(self._on_chunk)
        self.ready_at: int | None = None
        self.operations = Operations()
        self._budget: Budget | None = None

    def verify(self) -> None:
        """Remember the emitted rows of all tables from now on, so that the tables can be verified."""
        self._budget = Budget()
        for binding in self._bindings:
            if binding.table != "*":
                self.of((binding.schema, binding.table))

    def of(self, table: Table) -> TableProgress:
        """Return the progress of a table, and create it at the first call."""
        if table not in self._tables:
            progress = self._tables[table] = TableProgress(table, given_key=self._keys.get(table))
            if self._budget is not None:
                progress.emitted = Emitted(self._budget)
                progress.emitted.horizon = self._horizon
        return self._tables[table]

    @property
    def _horizon(self) -> int | None:
        return None if self.ready_at is None else self.ready_at - HORIZON

    def read_at(self, date: int | None) -> None:
        """Note the server's time (µs) of a read. The first one after READY dates the start of the watch."""
        if date is None or self.ready_at is not None:
            return
        self.ready_at = date
        for progress in self._tables.values():
            if progress.emitted is not None:
                progress.emitted.horizon = self._horizon

    async def shape(self, progress: TableProgress, binding: Binding) -> Shape:
        """Return the table's key and date columns, and ask the server for them at the first call.

        Raises:
            PrtError: If the table can't be read, or if no key identifies its rows.
        """
        if progress.shape is None:
            progress.shape = await shape_of(self._rest, binding, progress.key, self._cursor)
            self.read_at(self._rest.answered_at)
            progress.date_by(progress.shape, self.memory)
        return progress.shape

    def doubt(self, since: int) -> None:
        """Note for all tables that a gap begins at this moment (µs)."""
        for progress in self._tables.values():
            progress.doubt(since)

    def has_snapshot(self, binding: Binding) -> bool:
        """Return whether all rows of a binding were read for a snapshot."""
        progress = self._tables.get((binding.schema, binding.table))
        return progress is not None and binding in progress.snapshots

    def by_table(self, bindings: Sequence[Binding], reasons: Reasons) -> dict[Table, list[Binding]]:
        """Group bindings by table. A binding of a whole schema is replaced as in `concrete`.

        Args:
            bindings: The bindings.
            reasons: Receives a note for each binding of a whole schema, because tables without a change are
                unknown.
        """
        tables: dict[Table, list[Binding]] = {}
        for binding in bindings:
            if binding.table == "*":
                reasons.add("only tables that changes have come from can be asked for", binding.name)
        for binding in self.concrete(bindings):
            tables.setdefault((binding.schema, binding.table), []).append(binding)
        return tables

    def concrete(self, bindings: Sequence[Binding]) -> list[Binding]:
        """Replace each binding of a whole schema by bindings of the tables that changes have come from."""
        found: list[Binding] = []
        for binding in bindings:
            if binding.table != "*":
                found.append(binding)
                continue
            found += [
                structs.replace(binding, schema=schema, table=table)
                for schema, table in sorted(self._seen)
                if binding.schema in ("*", schema)
            ]
        return found

    def _on_chunk(self, changes: list[Change], first: int) -> None:
        tables = self._tables
        if self._has_wildcard:
            self._seen.update(map(_table_of, changes))
        if self._budget is not None:
            self._note(changes, self._budget)
        if not any(progress.is_attentive for progress in tables.values()):
            return
        for number, change in enumerate(changes, first):
            progress = tables.get((change.schema, change.table))
            if progress is not None:
                progress.observe(change, number)

    def _note(self, changes: Sequence[Change], budget: Budget) -> None:
        """Remember the rows of changes as emitted, unless there are too many of them at once."""
        if not self.operations.are_all_observed:
            self.operations.see({change.event_type for change in changes})
        if not budget.allows(len(changes), time.monotonic()):
            self._skip(changes)
            return
        for change in changes:
            self.of((change.schema, change.table)).note(change)

    def _skip(self, changes: Sequence[Change]) -> None:
        """Give up the verification of what was written until the last of these changes."""
        commit = next((one.commit_timestamp for one in reversed(changes) if one.commit_timestamp), None)
        until = None if commit is None else wire.microseconds(commit)
        if until is not None:
            for table in set(map(_table_of, changes)):
                emitted = self.of(table).emitted
                if emitted is not None:
                    emitted.skip(until)
