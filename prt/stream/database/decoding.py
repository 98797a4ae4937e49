"""Decoding of messages of the plugins wal2json and pgoutput into changes of the audited tables. Pure.

Realtime itself decodes with wal2json, which does not depend on a publication. In its format version 2, each
change is one JSON object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Raw, Struct

from prt.events import EventType
from prt.postgres import pgoutput
from prt.postgres.pgoutput import UNCHANGED, Row
from prt.stream.database.values import AuditedTable, LoggedChange, Texts, json_text
from prt.stream.values import moment

IsAsked = Callable[[AuditedTable, str], bool]
"""Returns whether a binding asks for a kind of event of a table."""


class LogDecoder(Protocol):
    """The decoder of a plugin's messages.

    It remembers the relations of one slot, and counts the changes of all slots.
    """

    def decode(self, messages: Iterable[bytes]) -> Iterator[LoggedChange]:
        """Yield the changes of audited tables in messages of the log."""
        ...

    def reset(self) -> None:
        """Forget the relations that the former slot described."""
        ...


class _Numbered:
    """The common part of the decoders: it counts changes and creates their values."""

    def __init__(self, tables: Iterable[AuditedTable], is_asked: IsAsked) -> None:
        self._by_name = {(table.schema, table.table): table for table in tables}
        self._is_asked = is_asked
        self._number = 0

    def _change(
        self, table: AuditedTable, event: EventType, committed: int, transaction: int, row: Texts
    ) -> LoggedChange:
        self._number += 1
        return LoggedChange(
            number=self._number,
            table=table,
            event=event,
            committed=committed,
            transaction=transaction,
            key=table.key_of(row),
            row=row,
            is_asked=self._is_asked(table, event),
        )


class _Value(Struct, frozen=True):
    name: str
    value: Raw = Raw(b"null")


class _Wal2Json(Struct, frozen=True, kw_only=True):
    action: str
    xid: int = 0
    timestamp: str = ""
    schema: str = ""
    table: str = ""
    columns: list[_Value] = []
    identity: list[_Value] = []


_decode_wal2json = msgspec.json.Decoder(_Wal2Json).decode
_EVENTS: Mapping[str, EventType] = {"I": "INSERT", "U": "UPDATE", "D": "DELETE"}


class Wal2JsonDecoder(_Numbered):
    """The decoder of wal2json's format version 2, with transaction ids and timestamps."""

    def decode(self, messages: Iterable[bytes]) -> Iterator[LoggedChange]:
        """Yield the changes of audited tables in messages of wal2json."""
        for data in messages:
            message = _decode_wal2json(data)
            event = _EVENTS.get(message.action)
            table = self._by_name.get((message.schema, message.table))
            if event is None or table is None:
                continue
            values = message.identity if event == "DELETE" else message.columns
            row = {one.name: json_text(one.value) for one in values}
            yield self._change(table, event, moment(message.timestamp) or 0, message.xid, row)

    def reset(self) -> None:
        """Forget nothing, because every message names its table and columns."""


class PgoutputDecoder(_Numbered):
    """The decoder of pgoutput, protocol version 1."""

    def __init__(self, tables: Iterable[AuditedTable], is_asked: IsAsked) -> None:
        super().__init__(tables, is_asked)
        self._relations: dict[int, tuple[AuditedTable, tuple[str, ...], frozenset[str]]] = {}
        self._begin = pgoutput.Begin(0, 0)

    def decode(self, messages: Iterable[bytes]) -> Iterator[LoggedChange]:
        """Yield the changes of audited tables in messages of pgoutput."""
        for data in messages:
            message = pgoutput.decode(data)
            if isinstance(message, pgoutput.Begin):
                self._begin = message
            elif isinstance(message, pgoutput.Relation):
                self._describe(message)
            elif isinstance(message, pgoutput.Change) and message.relation in self._relations:
                table, names, identity = self._relations[message.relation]
                event: Any = message.event
                row = _texts(names, message.new, message.old, identity)
                yield self._change(table, event, self._begin.committed, self._begin.transaction, row)

    def reset(self) -> None:
        """Forget the relations: a new stream describes them again."""
        self._relations.clear()

    def _describe(self, relation: pgoutput.Relation) -> None:
        table = self._by_name.get((relation.schema, relation.name))
        if table is None:
            self._relations.pop(relation.oid, None)
            return
        identity = frozenset(
            column.name for column in relation.columns if column.is_identity or relation.identity == "f"
        )
        names = tuple(column.name for column in relation.columns)
        self._relations[relation.oid] = (table, names, identity)


def _texts(names: tuple[str, ...], new: Row | None, old: Row | None, identity: frozenset[str]) -> Texts:
    """Return the columns of a row; for a DELETE only those of the replica identity."""
    if new is None:
        pairs = zip(names, old or [], strict=False)
        return {name: _text(value) for name, value in pairs if name in identity}
    filled = [_filled(value, old, index) for index, value in enumerate(new)]
    return {name: _text(value) for name, value in zip(names, filled, strict=False) if value is not UNCHANGED}


def _filled(value: pgoutput.Value, old: Row | None, index: int) -> pgoutput.Value:
    return old[index] if value is UNCHANGED and old is not None else value


def _text(value: pgoutput.Value) -> str | None:
    return value if isinstance(value, str) else None
