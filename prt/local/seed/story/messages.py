"""What the member is told."""

from __future__ import annotations

from random import Random

from prt.local.seed.people import MEMBER
from prt.local.seed.story.steps import NOW, Scene, Shelf, Step, forget, update


class Messages:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._shelf = Shelf("notifications", 30)
        self._unread: list[str] = []

    def opening(self) -> list[Step]:
        return [forget("notifications")]

    def notify(self, kind: str, title: str, message: str) -> Scene:
        yield from self._shelf.add(
            self._random, {"user_id": MEMBER.id, "type": kind, "title": title, "message": message}
        )
        self._unread = [row for row in self._unread if row in self._shelf.rows]
        self._unread.append(next(reversed(self._shelf.rows)))

    def read(self) -> Scene:
        if self._unread:
            yield update("notifications", self._unread.pop(0), read_at=NOW)
