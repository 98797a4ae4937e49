"""The terms of a contract, as values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, get_args

from msgspec import Struct

from prt.checks.test.service_levels import Limit

Identity = Literal["anon", "member", "service", "stranger"]
Event = Literal["DELETE", "INSERT", "UPDATE"]
IDENTITIES: Final[tuple[Identity, ...]] = get_args(Identity)
EVENTS: Final[tuple[Event, ...]] = get_args(Event)
ROWS: Final = ("all", "some", "none")
"""How many of the rows arrive, unless a condition says which."""


class Receives(Struct, frozen=True, kw_only=True):
    """The rows that an identity receives as one event: all, some or none, or those of a condition."""

    identity: Identity
    event: Event
    rows: str

    @property
    def condition(self) -> str | None:
        """Return the condition on the rows, None for all, some or none."""
        return None if self.rows in ROWS else self.rows


class TableTerms(Struct, frozen=True, kw_only=True):
    """The terms about a table; what is None is not agreed. `marker` is the column for the mark of a row.

    `unsent` are events that the publication is known to leave out; no file says that of a table.
    """

    schema: str
    table: str
    marker: str | None = None
    is_published: bool | None = None
    replica_identity: str | None = None
    policies: str | None = None
    receives: tuple[Receives, ...] = ()
    unsent: tuple[Event, ...] = ()

    @property
    def name(self) -> str:
        """Return `schema.table`."""
        return f"{self.schema}.{self.table}"

    def conditions(self) -> set[tuple[Identity, str]]:
        """Return the identities with the conditions that are agreed for them."""
        return {(one.identity, one.condition) for one in self.receives if one.condition is not None}

    def is_silent(self, identity: Identity, event: Event) -> bool:
        """Return whether it is agreed, or known, that nothing arrives."""
        silent = Receives(identity=identity, event=event, rows="none")
        return event in self.unsent or silent in self.receives


class Right(Struct, frozen=True, kw_only=True):
    """The rights of an identity on a topic."""

    identity: Identity
    listen: bool
    send: bool
    presence: bool


class TopicTerms(Struct, frozen=True, kw_only=True):
    """The terms about a topic."""

    name: str
    is_private: bool = True
    rights: tuple[Right, ...] = ()


class PublicationTerms(Struct, frozen=True, kw_only=True):
    """The terms about the publication."""

    events: tuple[Event, ...]
    tables: tuple[str, ...] | None = None


class Bounds(Struct, frozen=True, kw_only=True):
    """Objectives that a person has added."""

    limits: tuple[Limit, ...] = ()
    min_delivery: float | None = None

    def __bool__(self) -> bool:
        return bool(self.limits) or self.min_delivery is not None


class Contract(Struct, frozen=True, kw_only=True):
    """All that is agreed. Tables and topics are sorted by their names."""

    bounds: Bounds = Bounds()
    publication: PublicationTerms | None = None
    topic_policies: str | None = None
    tables: tuple[TableTerms, ...] = ()
    topics: tuple[TopicTerms, ...] = ()

    @property
    def asks_database(self) -> bool:
        """Return whether something is agreed that only the database's catalog tells."""
        return (
            self.publication is not None
            or self.topic_policies is not None
            or any(one.replica_identity or one.policies for one in self.tables)
        )


def short(name: str) -> str:
    """Return a table's name for people: without the schema public, as in a filter or a policy."""
    return name.removeprefix("public.")


def listed(words: Iterable[str]) -> str:
    """Return words as people enumerate them: a, b and c."""
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last
