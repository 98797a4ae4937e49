"""The notifications of the seed's member."""

from __future__ import annotations

from random import Random

from prt.local.seed.people import MEMBER
from prt.local.seed.story.steps import NOW, Scene, Shelf, Step, forget, update


class Messages:
    """The notifications that the story writes for the seed's member, unread and read."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._shelf = Shelf("notifications", 30)
        self._unread: list[str] = []

    def opening(self) -> list[Step]:
        """Return the steps that undo what an earlier story did."""
        return [forget("notifications")]

    def notify(self, kind: str, title: str, message: str) -> Scene:
        """Add a notification."""
        yield from self._shelf.add(
            self._random, {"user_id": MEMBER.id, "type": kind, "title": title, "message": message}
        )
        self._unread = [row for row in self._unread if row in self._shelf.rows]
        self._unread.append(next(reversed(self._shelf.rows)))

    def read(self) -> Scene:
        """Mark the oldest unread notification as read."""
        if self._unread:
            yield update("notifications", self._unread.pop(0), read_at=NOW)
