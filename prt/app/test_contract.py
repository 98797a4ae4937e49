"""The contract of a test run: it's either compared with the run, or written from its observations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, structs

from prt.checks.database import is_installed
from prt.checks.test.check import Suite
from prt.checks.test.contract import catalog, file
from prt.checks.test.contract.judging import Judge
from prt.checks.test.contract.observations import Observation
from prt.checks.test.contract.steps import suites_of
from prt.checks.test.contract.terms import EVENTS, Contract, Event, TableTerms, TopicTerms, short
from prt.checks.test.contract.writing import Draft, drafted
from prt.checks.test.runner import without_secrets
from prt.config.project import Project
from prt.results import Result

Name = tuple[str, str]
"""A schema and a table."""
DEFAULT: Name = ("public", "notifications")


class Agreement(Struct, frozen=True, kw_only=True):
    """A contract that a run is compared with, or the plan of a contract that the run writes.

    Attributes:
        path: The file of the contract.
        contract: The terms.
        is_written: Whether the run writes the contract.
        asks_database: Whether the database's catalog is read.
        names_all: Whether the written contract names every table of the publication.
        notices: Messages for people before the run.
    """

    path: Path
    contract: Contract
    is_written: bool = False
    asks_database: bool = False
    names_all: bool = False
    notices: tuple[str, ...] = ()

    @property
    def suites(self) -> list[Suite]:
        """The suites that observe what the contract is about."""
        return suites_of(self.contract, asks_database=self.asks_database)

    def judged(
        self, observed: Mapping[int, Sequence[Observation]], results: Sequence[Result]
    ) -> Iterable[Result]:
        """Yield the results of each round against the contract; none if the run writes the contract."""
        for number, of_round in () if self.is_written else sorted(observed.items()):
            ran = [result for result in results if result.round == number]
            reasons = {(one.suite, one.name): why for one in ran if (why := _why_not(one)) is not None}
            judge = Judge(of_round, at=ran[-1].at, round_=number, reasons=reasons)
            for result in judge.results(self.contract):
                yield without_secrets(result)

    def draft(self, observed: Mapping[int, Sequence[Observation]]) -> Draft:
        """Return the contract made of the observations in the first round."""
        return drafted(self.contract, observed.get(1, ()), names_all=self.names_all)


def _why_not(result: Result) -> str | None:
    """Return why a check observed nothing; None if it did."""
    return result.reason if result.failure is None else result.failure.headline


def agreed(path: Path) -> Agreement:
    """Return the contract in a file, to compare the run with.

    Raises:
        UsageError: The file can't be read or is not a contract.
    """
    contract = file.read(path)
    return Agreement(path=path, contract=contract, asks_database=contract.asks_database)


def planned(
    project: Project, path: Path, *, tables: Sequence[Name], topics: Sequence[str], marker: str | None
) -> Agreement:
    """Return the plan of a contract to write.

    Tables, topics, conditions and bounds that are in the file already are kept. Without them and without
    `tables`, the tables are those of the publication, if the database can be queried.

    Args:
        project: The project.
        path: The file of the contract.
        tables: The tables that were named, as (schema, table).
        topics: The topics that were named.
        marker: The column for the mark in rows of `tables`; None keeps the file's.

    Raises:
        UsageError: The file is not a contract.
        PrtError: The tables of the publication can't be read.
    """
    before = file.read(path) if path.is_file() else Contract()
    scope = _scope(project, before, tables)
    known = {one.name: one for one in before.tables}
    terms = [
        _to_observe(
            known.get(f"{schema}.{table}") or TableTerms(schema=schema, table=table),
            scope.unsent,
            marker if (schema, table) in tables else None,
        )
        for schema, table in scope.tables
    ]
    privacy = {one.name: one.is_private for one in before.topics}
    names = dict.fromkeys([*privacy, *topics])
    return Agreement(
        path=path,
        contract=Contract(
            bounds=before.bounds,
            tables=tuple(sorted(terms, key=lambda one: one.name)),
            topics=tuple(TopicTerms(name=one, is_private=privacy.get(one, True)) for one in sorted(names)),
        ),
        is_written=True,
        asks_database=scope.can_ask,
        names_all=scope.names_all,
        notices=scope.notices,
    )


class _Scope(Struct, frozen=True, kw_only=True):
    """The scope of a contract to write."""

    tables: tuple[Name, ...]
    unsent: tuple[Event, ...]
    can_ask: bool
    names_all: bool
    notices: tuple[str, ...]


def _scope(project: Project, before: Contract, tables: Sequence[Name]) -> _Scope:
    named = [(one.schema, one.table) for one in before.tables]
    is_whole = before.publication is not None and before.publication.tables is not None
    secret = project.database_url if is_installed() else None
    names_all = secret is not None and (is_whole or not (named or tables))
    notices: list[str] = []
    unsent: tuple[Event, ...] = ()
    if secret is not None:
        sent, published = asyncio.run(catalog.published(secret.reveal()))
        unsent = tuple(event for event in EVENTS if event not in sent)
        if names_all:
            gone = [f"{schema}.{table}" for schema, table in named if (schema, table) not in published]
            notices += [f"{short(name)} is not published any more, and left out" for name in gone]
            named = list(published)
    elif before.asks_database:
        notices.append("replica identity, publication and policies are left out: set SUPABASE_DB_URL")
    if not named and not tables:
        named = [DEFAULT]
        notices.append(
            f"the contract is about {short('.'.join(DEFAULT))} alone: name tables, or set SUPABASE_DB_URL "
            "for all that are published"
        )
    return _Scope(
        tables=tuple(dict.fromkeys([*named, *tables])),
        unsent=unsent,
        can_ask=secret is not None,
        names_all=names_all,
        notices=tuple(notices),
    )


def _to_observe(terms: TableTerms, unsent: tuple[Event, ...], marker: str | None) -> TableTerms:
    """Return the terms of a table without agreed values, except conditions that a person has written."""
    return structs.replace(
        terms,
        marker=marker or terms.marker,
        is_published=None,
        replica_identity=None,
        policies=None,
        receives=tuple(one for one in terms.receives if one.condition is not None),
        unsent=unsent,
    )
