"""Observations of a project that the suites make beside their own results."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from prt.checks.test.contract.terms import Event, Identity

Trouble = Literal["claim", "matching", "others"]
"""Why a condition was not tried both ways: its claim is not in the token, no row that matches it could be
written, or no other row.
"""


class Arrival(Struct, frozen=True, kw_only=True):
    """How many of the rows that were written came to an identity, as one kind of event.

    `table` is `schema.table`. With a `condition`, `matching` rows met it, and `matching_came` of them came;
    `claim` is the one that the token lacks.
    """

    table: str
    identity: Identity
    event: Event
    written: int
    came: int
    condition: str | None = None
    matching: int = 0
    matching_came: int = 0
    trouble: Trouble | None = None
    claim: str | None = None

    @property
    def rows(self) -> str:
        """Return all, some or none."""
        if not self.came:
            return "none"
        return "all" if self.came == self.written else "some"


class Subscribed(Struct, frozen=True):
    """Whether the server took a subscription to a table: it takes none to one that is not published."""

    table: str
    is_published: bool


class Access(Struct, frozen=True, kw_only=True):
    """The access of an identity to a topic."""

    topic: str
    identity: Identity
    listen: bool
    send: bool
    presence: bool

    @property
    def doing(self) -> list[str]:
        """Return what it may do, in words."""
        rights = {"listens": self.listen, "sends": self.send, "is present": self.presence}
        return [name for name, may in rights.items() if may]


class Declared(Struct, frozen=True, kw_only=True):
    """A table as the database's catalog declares it."""

    table: str
    is_published: bool
    replica_identity: str
    policies: str


class Published(Struct, frozen=True, kw_only=True):
    """The publication as the database's catalog declares it."""

    events: tuple[Event, ...]
    tables: tuple[str, ...]


class TopicPolicies(Struct, frozen=True):
    """The digest of the policies that decide about private topics."""

    policies: str


Observation = Arrival | Subscribed | Access | Declared | Published | TopicPolicies
