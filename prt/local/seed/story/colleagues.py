"""The acts of simulated colleagues: they come online, change pages, move their cursor, and leave.

The acts are chosen at random, as in the rest of the story. Each contains the time since the previous act.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from msgspec import Struct

from prt.local.seed.story.words import PLACES
from prt.local.seed.tables import seeded

PRESENCE = "user-presence"
DOCUMENT = "document:7"
CURSOR = "cursor-move"
"""The topics of the seed's pages, and the event for cursor moves on the second topic."""

WIDTH, HEIGHT = 1280, 800
"""The size of the document in pixels."""


class Colleague(Struct, frozen=True):
    """A colleague who is present on the seed's pages."""

    id: str
    name: str


COLLEAGUES = tuple(
    Colleague(seeded("personnel", number), name)
    for number, name in (
        (2, "Ines Okafor"),
        (3, "Tomasz Wilk"),
        (4, "Aiko Berg"),
        (5, "Samuel Ndiaye"),
        (7, "Luca Moretti"),
        (10, "Priya Raman"),
    )
)
"""The colleagues, who are part of the seed's personnel."""


class At(Struct, frozen=True):
    """An act: `after` seconds after the previous act, the colleague opens a page and so is online."""

    after: float
    location: str


class Point(Struct, frozen=True):
    """An act: `after` seconds after the previous act, the cursor moves to a point (in pixels)."""

    after: float
    x: int
    y: int


class Leave(Struct, frozen=True):
    """An act: `after` seconds after the previous act, the colleague goes offline."""

    after: float


Act = At | Point | Leave


def acts(random: Random, moves_per_second: float) -> Iterator[Act]:
    """Yield the acts of one colleague without end.

    Presence changes slowly enough for a server's limit; `moves_per_second` is the speed of the cursor.
    """
    pause = random.uniform(0.1, 2)
    while True:
        yield At(pause, random.choice(PLACES))
        yield from _stay(random, moves_per_second, random.uniform(60, 180))
        yield Leave(random.uniform(0.5, 2))
        pause = random.uniform(5, 20)


def _stay(random: Random, moves_per_second: float, seconds: float) -> Iterator[Act]:
    x, y, passed, goes_at = _somewhere(random), _somewhere(random), 0.0, random.uniform(12, 30)
    while passed < seconds:
        rest = random.uniform(0.3, 3)
        passed += rest
        if passed >= goes_at:
            yield At(rest, random.choice(PLACES))
            goes_at = passed + random.uniform(12, 30)
            rest = 0.0
        target_x, target_y = _somewhere(random), _somewhere(random)
        lasts = random.uniform(0.4, 2)
        moves = max(round(lasts * moves_per_second), 1)
        for number in range(1, moves + 1):
            along = number / moves
            eased = along * along * (3 - 2 * along)  # a hand speeds up and slows down gradually
            yield Point(
                rest + lasts / moves,
                round((x + (target_x - x) * eased) * WIDTH),
                round((y + (target_y - y) * eased) * HEIGHT),
            )
            rest = 0.0
        passed += lasts
        x, y = target_x, target_y


def _somewhere(random: Random) -> float:
    return random.uniform(0.03, 0.97)
