"""The observations of a project that the suites make in addition to their results."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from prt.checks.test.contract.terms import Event, Identity

Trouble = Literal["claim", "matching", "others"]
"""The reason why a condition was not tried both ways.

The token lacks its claim (`claim`), or no row that meets it (`matching`) or does not meet it (`others`) could
be written.
"""


class Arrival(Struct, frozen=True, kw_only=True):
    """How many of the written rows an identity received as one kind of event.

    Attributes:
        table: The table as `schema.table`.
        written: How many rows were written.
        came: How many of them were received.
        condition: The agreed condition, None if there is none.
        matching: How many of the written rows meet the condition.
        matching_came: How many of the received rows meet the condition.
        trouble: Why the condition was not tried both ways.
        claim: The claim that the token lacks.
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
        """Return `all`, `some` or `none`."""
        if not self.came:
            return "none"
        return "all" if self.came == self.written else "some"


class Subscribed(Struct, frozen=True):
    """The server's answer to a subscription to a table.

    The server refuses it if the table is not published.
    """

    table: str
    is_published: bool


class Access(Struct, frozen=True, kw_only=True):
    """The rights of an identity on a topic, as observed."""

    topic: str
    identity: Identity
    listen: bool
    send: bool
    presence: bool

    @property
    def allowed(self) -> list[str]:
        """Return the rights of the identity in words."""
        rights = {"listens": self.listen, "sends": self.send, "is present": self.presence}
        return [name for name, may in rights.items() if may]


class Declared(Struct, frozen=True, kw_only=True):
    """A table as the database's catalog declares it. `policies` is the digest of its policies."""

    table: str
    is_published: bool
    replica_identity: str
    policies: str


class Published(Struct, frozen=True, kw_only=True):
    """The publication as the database's catalog declares it."""

    events: tuple[Event, ...]
    tables: tuple[str, ...]


class TopicPolicies(Struct, frozen=True):
    """The digest of the policies of private topics."""

    policies: str


Observation = Arrival | Subscribed | Access | Declared | Published | TopicPolicies
