"""Who listens to what: the subscriptions of all joined channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prt.local.realtime.protocol.bindings import Parameters
from prt.local.realtime.protocol.frames import Version
from prt.local.realtime.protocol.tokens import Principal


@dataclass(frozen=True, eq=False)
class Subscription:
    """The bindings of one joined channel, in the order of its join, and the way to its socket.

    `bindings` are ids with their parameters, `tables` the oids of the tables that each of them found
    published when the channel subscribed: another table of the same name is not heard of. `is_legacy`
    subscriptions get the payload bare, under the change's own event name. `resubscribed` tells the channel
    that changes were lost and flow anew, `refused` ends the subscription with a message.
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

    def hears_of(self, table: int) -> bool:
        """Return whether one of its bindings found that table, given as an oid."""
        return any(table in found for found in self.tables)

    def bindings_of(self, table: int) -> list[tuple[int, Parameters]]:
        """Return the bindings that found that table in the server's order: the last of the join first."""
        bound = zip(self.bindings, self.tables, strict=True)
        return [binding for binding, found in reversed(list(bound)) if table in found]


class Subscriptions:
    """`revision` changes with the set, for those who keep something made from it.

    `on_removal` is called with each subscription that is taken out.
    """

    def __init__(self) -> None:
        self._all: dict[Subscription, None] = {}
        self.revision = 0
        self.on_removal: Callable[[Subscription], None] = lambda _: None

    def replace(self, former: Subscription | None, new: Subscription | None) -> None:
        """Replace a subscription in one step, so that no change falls between the two."""
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
