"""The kinds of events that a list can leave out, and the overlays of a view."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from prt.events import Alert, Conflict, Gap
from prt.state.newest import Kept, Met, Shown, Step
from prt.state.viewport.intents import Intent


class Kind(StrEnum):
    """The kinds of events that can be switched off and on."""

    CHANGES = "changes"
    BROADCASTS = "broadcasts"
    PRESENCE = "presence"
    STATUSES = "statuses"


class Overlay(StrEnum):
    """A panel that is shown over the view."""

    DETAILS = "details"
    HELP = "help"


class Prompt(Struct):
    """A line that is being typed; `former` is restored if the person gives up."""

    intent: Intent
    text: str
    former: str


KIND_OF: Final = {
    Intent.CHANGES: Kind.CHANGES,
    Intent.BROADCASTS: Kind.BROADCASTS,
    Intent.PRESENCE: Kind.PRESENCE,
    Intent.STATUSES: Kind.STATUSES,
}


def kind_of(kept: Kept) -> Kind:
    """Return the kind of an event, by which the views are filtered: change, broadcast, presence and so on."""
    if isinstance(kept, Shown):
        return Kind.CHANGES
    if isinstance(kept, Met):
        return Kind.PRESENCE
    return Kind.STATUSES if isinstance(kept, Gap | Alert | Conflict | Step) else Kind.BROADCASTS


CLOSING: Final = frozenset({(Intent.OPEN, Overlay.DETAILS), (Intent.HELP, Overlay.HELP)})
"""The keys that open an overlay close it too."""
