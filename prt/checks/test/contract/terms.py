"""The terms of a contract as values."""

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
"""The words for how many of the rows arrive, if no condition says which."""


class Receives(Struct, frozen=True, kw_only=True):
    """The rows that an identity receives as one kind of event: all, some, none, or those of a condition."""

    identity: Identity
    event: Event
    rows: str

    @property
    def condition(self) -> str | None:
        """Return the condition on the rows; None for all, some or none."""
        return None if self.rows in ROWS else self.rows


class TableTerms(Struct, frozen=True, kw_only=True):
    """The terms about a table. Whatever is None is not agreed.

    Attributes:
        marker: The column that holds the mark of test rows.
        policies: The digest of the table's policies.
        unsent: The events that the publication is known to leave out. They are not part of the file.
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
        """Return the agreed conditions, each with its identity."""
        return {(one.identity, one.condition) for one in self.receives if one.condition is not None}

    def is_silent(self, identity: Identity, event: Event) -> bool:
        """Return whether the identity is agreed, or known from the publication, to receive no such event."""
        silent = Receives(identity=identity, event=event, rows="none")
        return event in self.unsent or silent in self.receives


class Right(Struct, frozen=True, kw_only=True):
    """The rights of an identity on a topic, as agreed."""

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
    """The limits of latency and delivery that a person has added to a contract."""

    limits: tuple[Limit, ...] = ()
    min_delivery: float | None = None

    def __bool__(self) -> bool:
        return bool(self.limits) or self.min_delivery is not None


class Contract(Struct, frozen=True, kw_only=True):
    """A whole contract. Tables and topics are sorted by their names."""

    bounds: Bounds = Bounds()
    publication: PublicationTerms | None = None
    topic_policies: str | None = None
    tables: tuple[TableTerms, ...] = ()
    topics: tuple[TopicTerms, ...] = ()

    @property
    def asks_database(self) -> bool:
        """Return whether a term can only be checked in the database's catalog."""
        return (
            self.publication is not None
            or self.topic_policies is not None
            or any(one.replica_identity or one.policies for one in self.tables)
        )


def short(name: str) -> str:
    """Return a table's name as messages show it: without its schema if that is `public`."""
    return name.removeprefix("public.")


def listed(words: Iterable[str]) -> str:
    """Return words as an enumeration in a sentence: a, b and c."""
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last
