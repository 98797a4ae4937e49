"""A roster made from presence events alone, as they are documented: what a view or a script can do."""

from __future__ import annotations

from typing import Any

from prt.events import Presence


class Mirror:
    """By key, the presences by their `presence_ref`."""

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, dict[str, Any]]] = {}

    def apply(self, event: Presence) -> None:
        if event.event == "sync":
            self.keys = {key: _by_ref(some) for key, some in (event.state or {}).items()}
            return
        key, presences = event.key or "", _by_ref(event.presences or [])
        if event.event == "update":
            self.keys[key] = presences
        elif event.event == "join":
            self.keys.setdefault(key, {}).update(presences)
        else:
            for ref in presences:
                del self.keys[key][ref]
            if not self.keys[key]:
                del self.keys[key]


def _by_ref(presences: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {presence["presence_ref"]: presence for presence in presences}
