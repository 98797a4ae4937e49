"""The presence roster of a topic, merged from states and differences as Phoenix's presence.js does. Pure.

A presence is printed as supabase-js shows it: the tracked object and a `presence_ref`. The ref distinguishes
the connections of one key and changes with every update. Phoenix's own `phx_ref` and `phx_ref_prev` are left
out.

The `presences` of a join are those that came, those of a leave are those that went, and those of an update
are all that the key has now. It is an update if one difference has both joins and leaves of a key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from prt.events import Presence

Shown = dict[str, list[dict[str, Any]]]


class Entry(Struct, frozen=True):
    """The presence of one key as the server sends it: a tracked object ("meta") for each connection."""

    metas: list[dict[str, Any]]


class Difference(Struct, frozen=True):
    """The payload of a `presence_diff`."""

    joins: dict[str, Entry] = {}
    leaves: dict[str, Entry] = {}


state_of: Callable[[Raw], dict[str, Entry]] = msgspec.json.Decoder(dict[str, Entry]).decode
"""Decode the payload of a `presence_state`. Raises msgspec.DecodeError."""
difference_of: Callable[[Raw], Difference] = msgspec.json.Decoder(Difference).decode
"""Decode the payload of a `presence_diff`. Raises msgspec.DecodeError."""


class Roster:
    """The presence roster of one joined topic. Every join needs a new one, so that no absent key remains."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._metas: dict[str, list[dict[str, Any]]] = {}
        self._held: list[Difference] | None = []

    @property
    def is_known(self) -> bool:
        """Whether the server has sent its state."""
        return self._held is None

    def state(self, state: dict[str, Entry], at: int) -> Presence:
        """Take the server's whole state, and return it as a `sync` event.

        Differences that came before the state are applied to it, because the state may be older.

        Args:
            state: The presence of each key.
            at: When it came, in µs since the epoch.
        """
        held, self._held = self._held or [], None
        self._metas = {key: list(entry.metas) for key, entry in state.items() if entry.metas}
        for difference in held:
            self.difference(difference, at)
        return self.sync(at)

    def difference(self, difference: Difference, at: int) -> list[Presence]:
        """Apply a difference, and return one event for each key that it changes.

        Before the state has come there are no events, because the state may already contain the difference.

        Args:
            difference: The joins and leaves.
            at: When they came, in µs since the epoch.
        """
        if self._held is not None:
            self._held.append(difference)
            return []
        keys = dict.fromkeys((*difference.joins, *difference.leaves))
        events = [self._changed(key, difference, at) for key in keys]
        return [event for event in events if event is not None]

    def sync(self, at: int) -> Presence:
        """Return the whole roster as a `sync` event, dated `at` (µs since the epoch)."""
        return Presence(at=at, topic=self._topic, event="sync", state=self.shown())

    def shown(self) -> Shown:
        """Return the presences of each key as they are printed, as a new object."""
        return {key: [_shown(meta) for meta in metas] for key, metas in self._metas.items()}

    def _changed(self, key: str, difference: Difference, at: int) -> Presence | None:
        before = self._metas.get(key, [])
        joining = difference.joins[key].metas if key in difference.joins else []
        leaving = {_ref(meta) for meta in difference.leaves[key].metas} if key in difference.leaves else set()
        joined = {_ref(meta) for meta in joining}
        # Joins first, then leaves, as presence.js does: one difference may have both for one connection.
        after = [
            meta
            for meta in (*(meta for meta in before if _ref(meta) not in joined), *joining)
            if _ref(meta) not in leaving
        ]
        known = {_ref(meta) for meta in before}
        came = [meta for meta in after if _ref(meta) not in known]
        went = [meta for meta in before if _ref(meta) in leaving]
        if after:
            self._metas[key] = after
        else:
            self._metas.pop(key, None)
        if came and went:
            return self._event("update", key, after, at)
        if came:
            return self._event("join", key, came, at)
        return self._event("leave", key, went, at) if went else None

    def _event(
        self, event: Literal["join", "leave", "update"], key: str, metas: list[dict[str, Any]], at: int
    ) -> Presence:
        presences = [_shown(meta) for meta in metas]
        return Presence(at=at, topic=self._topic, event=event, key=key, presences=presences)


def _ref(meta: dict[str, Any]) -> Any:
    ref = meta.get("phx_ref")
    return ref if isinstance(ref, str) else repr(ref)


def _shown(meta: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in meta.items() if name not in ("phx_ref", "phx_ref_prev")}
    shown["presence_ref"] = meta.get("phx_ref")
    return shown
