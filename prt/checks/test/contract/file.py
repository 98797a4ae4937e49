"""Reading and writing of a contract as a TOML file.

A file is validated as a whole. It is written in a sorted order with one fact a line.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from prt.checks.test.contract.conditions import check
from prt.checks.test.contract.terms import (
    ROWS,
    Bounds,
    Contract,
    Event,
    Identity,
    PublicationTerms,
    Receives,
    Right,
    TableTerms,
    TopicTerms,
)
from prt.checks.test.service_levels import Limit, Percentile, parse_limit
from prt.config.files import read_text
from prt.errors import UsageError
from prt.inputs import Input

VERSION: Final = 1
_CONTROLS: Final = re.compile(
    "[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)

Digest = Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]
Percent = Annotated[float, Meta(ge=0, le=100)]
Name = Annotated[str, Meta(min_length=1)]


class _Part(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The base of the tables in the TOML file."""


class _Receives(_Part):
    identity: Identity
    event: Event
    rows: str


class _Table(_Part):
    name: Name
    marker: Name | None = None
    published: bool | None = None
    replica_identity: Literal["default", "full", "nothing", "index"] | None = None
    policies: Digest | None = None
    receives: list[_Receives] = []


class _Right(_Part):
    identity: Identity
    listen: bool
    send: bool
    presence: bool


class _Topic(_Part):
    name: Name
    private: bool = True
    rights: list[_Right] = []


class _Publication(_Part):
    events: list[Event]
    tables: list[Name] | None = None


class _Bounds(_Part):
    max_lag: dict[Percentile, str] = {}
    min_delivery: Percent | None = None


class _File(_Part):
    version: int
    topic_policies: Digest | None = None
    bounds: _Bounds = msgspec.field(default_factory=_Bounds)
    publication: _Publication | None = None
    table: list[_Table] = []
    topic: list[_Topic] = []


def read(path: Path) -> Contract:
    """Read the contract in a file.

    Raises:
        UsageError: The file can't be read, or is not a contract of this version.
    """
    hint = "mend it, or write it anew into another file"
    try:
        text = read_text(path)
    except OSError as exc:
        raise UsageError(f"{Input.CONTRACT} {path} can't be read: {exc.strerror}", "name a contract") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{Input.CONTRACT} {path} is not UTF-8", hint) from exc
    try:
        return _contract(tomllib.loads(text))
    except RecursionError as exc:
        raise UsageError(f"{Input.CONTRACT} {path} is nested too deep", hint) from exc
    except tomllib.TOMLDecodeError as exc:
        raise UsageError(f"{Input.CONTRACT} {path} is not TOML: {exc}", hint) from exc
    except _VersionError as exc:
        raise UsageError(
            f"{Input.CONTRACT} {path} has version {exc.version}, and this prt reads version {VERSION}",
            "update prt, or write the contract anew",
        ) from exc
    except (msgspec.ValidationError, _TermError) as exc:
        raise UsageError(f"{Input.CONTRACT} {path} is not a contract: {_one_line(exc)}", hint) from exc


class _VersionError(Exception):
    def __init__(self, version: int) -> None:
        super().__init__(str(version))
        self.version = version


class _TermError(Exception):
    """A term that has the right type but makes no sense."""


def _one_line(error: Exception) -> str:
    return " ".join(str(error).replace("`$.", "`").split())


def _contract(found: dict[str, Any]) -> Contract:
    version = found.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version != VERSION:
        raise _VersionError(version)
    file = msgspec.convert(found, _File)
    tables = [_table(one) for one in file.table]
    topics = [
        TopicTerms(
            name=one.name,
            is_private=one.private,
            rights=tuple(Right(**msgspec.structs.asdict(right)) for right in one.rights),
        )
        for one in file.topic
    ]
    _each_once("the table", (one.name for one in tables))
    _each_once("the topic", (one.name for one in topics))
    for topic in topics:
        _each_once(f"the topic {topic.name} and the identity", (one.identity for one in topic.rights))
    return Contract(
        bounds=_bounds(file.bounds),
        publication=None if file.publication is None else _publication(file.publication),
        topic_policies=file.topic_policies,
        tables=tuple(sorted(tables, key=lambda one: one.name)),
        topics=tuple(sorted(topics, key=lambda one: one.name)),
    )


def _table(one: _Table) -> TableTerms:
    schema, dot, table = one.name.partition(".")
    if not dot:
        schema, table = "public", one.name
    for term in one.receives:
        if term.rows not in ROWS and (fault := check(term.rows)) is not None:
            raise _TermError(f"the rows of {one.name} are all, some, none or a filter: {fault}")
    _each_once(
        f"the table {one.name}: identity and event",
        (f"{term.identity} {term.event}" for term in one.receives),
    )
    return TableTerms(
        schema=schema,
        table=table,
        marker=one.marker,
        is_published=one.published,
        replica_identity=one.replica_identity,
        policies=one.policies,
        receives=tuple(Receives(**msgspec.structs.asdict(term)) for term in one.receives),
    )


def _publication(one: _Publication) -> PublicationTerms:
    tables = None if one.tables is None else tuple(sorted(set(one.tables)))
    return PublicationTerms(events=tuple(sorted(set(one.events))), tables=tables)


def _bounds(one: _Bounds) -> Bounds:
    limits: list[Limit] = []
    for name, size in one.max_lag.items():
        try:
            limits.append(parse_limit(f"{name}={size}"))
        except UsageError as exc:
            raise _TermError(f"max_lag.{name} is a time such as 500ms or 2s, not {size}") from exc
    return Bounds(limits=tuple(limits), min_delivery=one.min_delivery)


def _each_once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _TermError(f"{what} {name} stands there twice")
        seen.add(name)


def text(contract: Contract) -> str:
    """Return the content of a contract's file. The same contract always produces the same text."""
    lines = [
        f"# What Realtime sends to whom in this project. `prt test {Input.CONTRACT} FILE` holds it to that;",
        "# `prt help contract` describes every key.",
        f"version = {VERSION}",
    ]
    if contract.topic_policies is not None:
        lines.append(f"topic_policies = {_string(contract.topic_policies)}")
    lines += _bounds_lines(contract.bounds)
    if contract.publication is not None:
        lines += ["", "[publication]", f"events = {_strings(sorted(contract.publication.events))}"]
        if contract.publication.tables is not None:
            lines += _block("tables", (_string(name) for name in sorted(contract.publication.tables)))
    for table in sorted(contract.tables, key=lambda one: one.name):
        lines += ["", "[[table]]", *_table_lines(table)]
    for topic in sorted(contract.topics, key=lambda one: one.name):
        lines += ["", "[[topic]]", f"name = {_string(topic.name)}", f"private = {_boolean(topic.is_private)}"]
        rights = sorted(topic.rights, key=lambda one: one.identity)
        lines += _block("rights", map(_right, rights))
    return "\n".join(lines) + "\n"


def _bounds_lines(bounds: Bounds) -> Iterator[str]:
    if bounds:
        yield from ("", "[bounds]")
    if bounds.limits:
        sizes = (f'{one.name} = "{one.ms:.12g}ms"' for one in sorted(bounds.limits, key=lambda one: one.name))
        yield f"max_lag = {{ {', '.join(sizes)} }}"
    if bounds.min_delivery is not None:
        yield f"min_delivery = {bounds.min_delivery:.12g}"


def _table_lines(table: TableTerms) -> Iterator[str]:
    yield f"name = {_string(table.name)}"
    if table.marker is not None:
        yield f"marker = {_string(table.marker)}"
    if table.is_published is not None:
        yield f"published = {_boolean(table.is_published)}"
    if table.replica_identity is not None:
        yield f"replica_identity = {_string(table.replica_identity)}"
    if table.policies is not None:
        yield f"policies = {_string(table.policies)}"
    if table.receives:
        receives = sorted(table.receives, key=lambda one: (one.identity, one.event))
        yield from _block("receives", map(_received, receives))


def _received(one: Receives) -> str:
    return f'{{ identity = "{one.identity}", event = "{one.event}", rows = {_string(one.rows)} }}'


def _right(one: Right) -> str:
    return (
        f'{{ identity = "{one.identity}", listen = {_boolean(one.listen)}, '
        f"send = {_boolean(one.send)}, presence = {_boolean(one.presence)} }}"
    )


def _block(name: str, items: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a TOML array with one element a line."""
    yield f"{name} = ["
    yield from (f"  {item}," for item in items)
    yield "]"


def _strings(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_string, texts))}]"


def _string(text: str) -> str:
    """Return a basic string of TOML. JSON's escapes are valid in it, except for surrogates."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def _boolean(value: bool) -> str:
    return "true" if value else "false"
