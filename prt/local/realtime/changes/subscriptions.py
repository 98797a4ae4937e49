"""The subscriptions to changes of all joined channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prt.local.realtime.protocol.bindings import Parameters
from prt.local.realtime.protocol.frames import Version
from prt.local.realtime.protocol.tokens import Principal


@dataclass(frozen=True, eq=False)
class Subscription:
    """A channel's subscription to changes.

    Attributes:
        principal: The role and the claims with which row security is checked.
        is_unrestricted: Whether the role bypasses row security.
        bindings: The ids of the bindings with their parameters, in the order of the join.
        tables: For each binding, the oids of the tables that were published when the channel subscribed. A
            table that is created later under the same name is not included.
        topic: The topic with the prefix `realtime:`.
        version: The protocol version of the socket.
        is_legacy: Whether a change is sent as an event of its own name, with the bare payload.
        deliver: Puts a frame into the outbox of the socket.
        resubscribed: Informs the channel that changes were lost, and that it is subscribed again.
        refused: Ends the subscription with an error message.
    """

    principal: Principal
    is_unrestricted: bool
    bindings: tuple[tuple[int, Parameters], ...]
    tables: tuple[frozenset[int], ...]
    topic: str
    version: Version
    is_legacy: bool
    deliver: Callable[[str], None]
    resubscribed: Callable[[], None]
    refused: Callable[[str], None]

    def includes(self, table: int) -> bool:
        """Return whether a binding includes the table with this oid."""
        return any(table in found for found in self.tables)

    def bindings_of(self, table: int) -> list[tuple[int, Parameters]]:
        """Return the bindings for a table (an oid) in the server's order: the last one of the join first."""
        bound = zip(self.bindings, self.tables, strict=True)
        return [binding for binding, found in reversed(list(bound)) if table in found]


class Subscriptions:
    """A set of subscriptions, in the order in which they were added.

    `revision` increases with each change of the set, so that caches can be invalidated. `on_removal` is
    called with each subscription that is removed.
    """

    def __init__(self) -> None:
        self._all: dict[Subscription, None] = {}
        self.revision = 0
        self.on_removal: Callable[[Subscription], None] = lambda _: None

    def replace(self, former: Subscription | None, new: Subscription | None) -> None:
        """Replace a subscription in one step, so that no change is missed between the two.

        `former` is None to add one, `new` is None to remove one.
        """
        if former is not None:
            self._all.pop(former, None)
        if new is not None:
            self._all[new] = None
        self.revision += 1
        if former is not None:
            self.on_removal(former)

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._all)

    def __contains__(self, subscription: Subscription) -> bool:
        return subscription in self._all
