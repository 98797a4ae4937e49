"""The parser of tables: words such as `SCHEMA.TABLE:EVENT` and their options become bindings and notices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from prt.cli.options.filters import Filter, parse_filter
from prt.cli.options.identifiers import QUOTED, names_of, unquoted
from prt.config.constants.seed_tables import GROUPS
from prt.errors import UsageError
from prt.stream.binding import Binding, BindingEvent
from prt.suggestions import did_you_mean

EVENTS: Final[tuple[BindingEvent, ...]] = ("INSERT", "UPDATE", "DELETE")
WILDCARD: Final = "*"

_PART: Final = rf'{QUOTED}|[^".:]+'
_WORD: Final = re.compile(rf"(?:(?P<schema>{_PART})\.)?(?P<table>{_PART})(?::(?P<events>[^:]*))?")


class Targets(Struct, frozen=True):
    """The bindings to join, each once, in the order of the words, and notices about what won't arrive."""

    bindings: list[Binding]
    notices: list[str]


class _Target(Struct, frozen=True):
    schema: str
    table: str
    events: tuple[BindingEvent, ...]

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"


def parse_targets(
    words: Sequence[str],
    *,
    schema: str = "public",
    events: Iterable[str] = (),
    filters: Iterable[str] = (),
    select: str | None = None,
) -> Targets:
    """Return the bindings of the given tables.

    Args:
        words: Tables as `[SCHEMA.]TABLE[:EVENT,EVENT]`, or groups; none is the group `all`.
        schema: The schema of tables without one.
        events: Events, separated by commas, of tables without own ones.
        filters: Filters as `[TABLE:]COLUMN=OPERATOR.VALUE`.
        select: Columns, separated by commas; None is all.

    Raises:
        UsageError: A word or an option can't be parsed, or the server would refuse it.
    """
    every = _parse_events(events, "--event") or ("*",)
    targets = [target for word in (words or ("all",)) for target in _parse_word(word, schema, every)]
    columns = _parse_select(select)
    if columns is not None and any(target.table == WILDCARD for target in targets):
        raise UsageError("--select can't be used with '*'", "name the tables: a selection is a table's")
    conditions = _conditions([parse_filter(text) for text in filters], targets, schema)
    bindings = [
        Binding(
            table=target.table,
            schema=target.schema,
            event=event,
            filter=",".join(one.text for one in conditions[target.name]) or None,
            select=columns,
        )
        for target in targets
        for event in target.events
    ]
    return Targets(_merge(bindings), _notices(targets, conditions))


def with_canary(bindings: Sequence[Binding], canary: tuple[str, str]) -> list[Binding]:
    """Return the bindings, with one for the canary's rows if necessary.

    Raises:
        UsageError: A filter or a selection of columns applies to the canary's table.
    """
    schema, table = canary
    own = [one for one in bindings if one.schema == schema and one.table in (table, WILDCARD)]
    if any(one.filter is not None or one.select is not None for one in own):
        raise UsageError(
            f"--canary {schema}.{table} needs all of its rows and columns",
            "leave --filter and --select out for it, or take another table",
        )
    if any(one.event in ("*", "INSERT") for one in own):
        return list(bindings)
    return [*bindings, Binding(table=table, schema=schema, event="INSERT")]


def parse_table(word: str, schema: str = "public") -> tuple[str, str]:
    """Return schema and table of TABLE or SCHEMA.TABLE.

    Raises:
        UsageError: The word isn't a single table.
    """
    match = _WORD.fullmatch(word.strip())
    if match is None or match["events"] is not None or match["table"] == WILDCARD:
        raise UsageError(
            f"{word!r} is not the name of a table", 'write TABLE or SCHEMA.TABLE; odd names in ""'
        )
    named_schema, table = match["schema"], match["table"]
    return schema if named_schema is None else unquoted(named_schema), unquoted(table)


def _parse_word(word: str, schema: str, events: tuple[BindingEvent, ...]) -> list[_Target]:
    match = _WORD.fullmatch(word.strip())
    if match is None:
        raise UsageError(
            f"{word!r} is not the name of a table",
            "write TABLE, SCHEMA.TABLE, TABLE:INSERT,UPDATE, a group or '*'; odd names in \"\"",
        )
    own = match["events"]
    if own is not None:
        events = _parse_events([own], word)
        if not events:
            raise UsageError(f"{word!r} names no event", "write TABLE:INSERT,UPDATE")
    named_schema, table = match["schema"], match["table"]
    if named_schema is None and table in GROUPS:
        return [_Target(schema, one, events) for one in GROUPS[table]]
    if table != WILDCARD and "*" in table and not table.startswith('"'):
        raise UsageError(f"{word!r} is a pattern", "'*' alone is the whole schema; else name the tables")
    return [_Target(schema if named_schema is None else unquoted(named_schema), unquoted(table), events)]


def _parse_events(texts: Iterable[str], where: str) -> tuple[BindingEvent, ...]:
    """Return the events, each once; `*` and `all` are all events. Upper and lower case are equal."""
    names = [name.strip().upper() for text in texts for name in text.split(",") if name.strip()]
    found: list[BindingEvent] = []
    for name in names:
        if name in ("*", "ALL"):
            return ("*",)
        if name not in EVENTS:
            hint = did_you_mean(name, EVENTS, "Realtime sends INSERT, UPDATE and DELETE")
            raise UsageError(f"{where}: there is no event {name}", hint)
        found.append(name)
    kept = tuple(event for event in EVENTS if event in found)
    return ("*",) if kept == EVENTS else kept


def _parse_select(select: str | None) -> tuple[str, ...] | None:
    if select is None:
        return None
    columns = tuple(dict.fromkeys(names_of(select)))
    if not all(columns):
        raise UsageError("--select has an empty column", 'write --select id,title; odd names in ""')
    return None if WILDCARD in map(str.strip, select.split(",")) else columns


def _conditions(filters: list[Filter], targets: list[_Target], schema: str) -> dict[str, list[Filter]]:
    conditions: dict[str, list[Filter]] = {target.name: [] for target in targets}
    for one in filters:
        if one.table is None:
            if any(target.table == WILDCARD for target in targets):
                raise UsageError("--filter can't be used with '*'", "name the tables: a filter is a table's")
            names = list(conditions)
        else:
            wanted = _parse_word(one.table, schema, ("*",))
            names = [target.name for target in wanted if target.table != WILDCARD]
            for name in names:
                if name not in conditions:
                    watched = [target.table for target in targets]
                    hint = did_you_mean(name.rpartition(".")[2], watched, f"add {one.table} to the tables")
                    raise UsageError(f"--filter names {one.table}, which is not watched", hint)
        for name in names:
            if one not in conditions[name]:
                conditions[name].append(one)
    return conditions


def _merge(bindings: list[Binding]) -> list[Binding]:
    """Return each binding once, without those that another binding of the same table contains."""
    unique = list(dict.fromkeys(bindings))
    every = {replace(one, event="*") for one in unique if one.event == "*"}
    return [one for one in unique if one.event == "*" or replace(one, event="*") not in every]


def _notices(targets: list[_Target], conditions: dict[str, list[Filter]]) -> list[str]:
    tables = dict.fromkeys(
        target.table
        for target in targets
        if ("*" in target.events or "DELETE" in target.events)
        and any(set(one.columns) - {"id"} for one in conditions[target.name])
    )
    if not tables:
        return []
    return [
        f"filter on {_listed(list(tables))}: a DELETE carries only the key unless the table's replica "
        "identity is full, so a filter on other columns can't match it"
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} more"
