"""The conditions of `prt presence`: certain keys, a number of people, our own presence, the first roster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prt.errors import RefusedError
from prt.events import Event, Presence, Status
from prt.state.roster import Presences
from prt.state.topics.metas import tracked
from prt.stream.topic import NO_ROSTER, NOT_TRACKED


class Attendance:
    """The conditions on the roster of one topic. They are met as soon as all hold at the same time."""

    def __init__(
        self, topic: str, *, keys: Sequence[str] = (), least: int = 0, is_roster_enough: bool = False
    ) -> None:
        self._topic = topic
        self._keys = tuple(dict.fromkeys(keys))
        self._least = least
        self._is_roster_enough = is_roster_enough
        self._own_key = ""
        self._own: dict[str, Any] | None = None
        self._presences = Presences()
        self.are_met = not self

    def __bool__(self) -> bool:
        return bool(self._keys or self._least or self._is_roster_enough)

    def wait_for_us(self, key: str, own: dict[str, Any]) -> None:
        """Require that the roster has our own presence, under this key and with this meta."""
        self._own_key, self._own = key, own

    def apply(self, event: Event) -> bool:
        """Apply an event, and return whether the conditions are met.

        Raises:
            RefusedError: The server refuses us the roster, or a presence on it.
        """
        if isinstance(event, Status) and self._is_in_vain(event.code):
            raise RefusedError(event.reason or event.status, event.hint)
        if isinstance(event, Presence) and event.topic == self._topic:
            self._presences.apply(event)
            self.are_met = self.are_met or not self.missing()
        return self.are_met

    def _is_in_vain(self, code: str | None) -> bool:
        if code == NOT_TRACKED:
            return self._own is not None
        return code == NO_ROSTER and not self.are_met

    def missing(self) -> list[str]:
        """Return the conditions that don't hold yet, each as a line."""
        if self.are_met:
            return []
        topic = self._presences.topics.get(self._topic)
        if topic is None or topic.synced_at is None:
            return [f"missing: the roster of {self._topic}"]
        people = topic.people
        missing = [f"missing: {key} is not online" for key in self._keys if key not in people]
        if len(people) < self._least:
            missing.append(f"missing: {len(people):,} online instead of {self._least:,}")
        if self._own is not None:
            ours = people.get(self._own_key)
            if ours is None or all(tracked(meta) != self._own for meta in ours.metas):
                missing.append("missing: our own presence")
        return missing
