"""The show: cues, tickets, equipment, presence, posts and files."""

from __future__ import annotations

from random import Random

from prt.local.seed.people import MEMBER
from prt.local.seed.story import words
from prt.local.seed.story.messages import Messages
from prt.local.seed.story.steps import NOW, Expression, Scene, Shelf, Step, forget, plus, restore, update
from prt.local.seed.tables import seeded

CUES = 14
EVENTS_ON_SALE = (2, 3, 5, 6, 9, 14)
ASSETS, PERSONNEL, PRODUCTIONS = 16, 18, 12


class Show:
    """The state of the show: the live cue, the equipment that is checked out, and the added rows."""

    def __init__(self, random: Random, messages: Messages) -> None:
        self._random = random
        self._messages = messages
        self._cue = 0
        """The number of the live cue; 0 before the first."""
        self._is_out = dict.fromkeys((seeded("assets", n) for n in range(1, ASSETS + 1)), False)
        self._handovers = Shelf("asset_transactions", 30)
        self._posts = Shelf("community_posts", 12)
        self._files = Shelf("files", 16)

    def opening(self) -> list[Step]:
        """Return the steps that undo what an earlier story did."""
        cues = {seeded("run_of_show", n): ("pending", None, None) for n in range(1, CUES + 1)}
        assets = dict.fromkeys(self._is_out, ("available",))
        return [
            *(forget(table) for table in ("asset_transactions", "community_posts", "files")),
            restore(
                "run_of_show",
                cues,
                ("status", "started_at", "ended_at"),
                ("public.cue_status", "timestamptz", "timestamptz"),
            ),
            restore("assets", assets, ("status",), ("public.asset_status",)),
        ]

    def advance(self) -> Scene:
        """End the live cue, start the next one and prepare the one after. After the last, reset all cues."""
        if self._cue:
            yield update("run_of_show", seeded("run_of_show", self._cue), status="done", ended_at=NOW)
        if self._cue == CUES:
            self._cue = 0
            rows = [seeded("run_of_show", n) for n in range(1, CUES + 1)]
            yield Step(
                "update public.run_of_show set status = 'pending', started_at = null, ended_at = null "
                "where id = any(%s::uuid[])",
                (rows,),
                CUES,
            )
            return
        self._cue += 1
        yield update("run_of_show", seeded("run_of_show", self._cue), status="live", started_at=NOW)
        if self._cue < CUES:
            yield update("run_of_show", seeded("run_of_show", self._cue + 1), status="standby")
        if self._cue == 1:
            yield from self._messages.notify("show", "Doors are open", "Festival, day one")

    def sell(self) -> Scene:
        """Sell tickets of an event. If it is sold out, return half of them instead."""
        event = seeded("events", self._random.choice(EVENTS_ON_SALE))
        sold = Expression(
            "case when tickets_sold < capacity then least(tickets_sold + %s, capacity) else capacity / 2 end",
            (self._random.randint(1, 60),),
        )
        yield update("events", event, tickets_sold=sold)

    def hand_over(self) -> Scene:
        """Check an asset out or in."""
        asset = self._random.choice(list(self._is_out))
        goes_out = not self._is_out[asset]
        self._is_out[asset] = goes_out
        yield update("assets", asset, status="checked_out" if goes_out else "available")
        yield from self._handovers.add(
            self._random,
            {
                "production_id": seeded("productions", self._random.randint(1, PRODUCTIONS)),
                "asset_id": asset,
                "personnel_id": seeded("personnel", self._random.randint(1, PERSONNEL)),
                "type": "check_out" if goes_out else "check_in",
            },
        )

    def look_around(self) -> Scene:
        """Change the presence row of the member: status, page and time."""
        yield update(
            "user_presence",
            seeded("user_presence", self._random.randint(1, 2)),
            status=self._random.choice(("online", "online", "busy", "away")),
            location=self._random.choice(words.PLACES),
            last_seen_at=NOW,
        )

    def post(self) -> Scene:
        """Add a post, or like one."""
        if self._random.random() < 0.7:
            yield update(
                "community_posts",
                seeded("community_posts", self._random.randint(1, 8)),
                likes=plus("likes", 1),
            )
            return
        title, body = self._random.choice(words.POSTS)
        yield from self._posts.add(self._random, {"user_id": MEMBER.id, "title": title, "body": body})

    def upload(self) -> Scene:
        """Add a file, or a new version of one."""
        size = self._random.randint(20_000, 9_000_000)
        if self._random.random() < 0.5:
            row = seeded("files", self._random.randint(1, 14))
            yield update("files", row, version=plus("version", 1), size_bytes=size)
            return
        name, mime_type = self._random.choice(words.FILES)
        yield from self._files.add(
            self._random,
            {
                "production_id": seeded("productions", self._random.randint(1, PRODUCTIONS)),
                "name": name,
                "path": f"uploads/{name}",
                "mime_type": mime_type,
                "size_bytes": size,
                "uploaded_by": MEMBER.id,
            },
        )

    def tidy(self) -> Scene:
        """Change a row that seldom changes: a company, location, team, person, production or connection."""
        pick = self._random.randint
        match self._random.randrange(6):
            case 0:
                yield update("companies", seeded("companies", pick(1, 12)), rating=pick(30, 50) / 10)
            case 1:
                contact = Expression("contact || jsonb_build_object('radio', %s::int)", (pick(1, 16),))
                yield update("locations", seeded("locations", pick(1, 9)), contact=contact)
            case 2:
                yield update("teams", seeded("teams", pick(1, 6)), radio_channel=pick(1, 16))
            case 3:
                status = self._random.choice(("active", "on_site", "resting"))
                yield update("personnel", seeded("personnel", pick(1, PERSONNEL)), status=status)
            case 4:
                size = Expression("details || jsonb_build_object('crew_size', %s::int)", (pick(6, 60),))
                yield update("productions", seeded("productions", pick(1, PRODUCTIONS)), details=size)
            case _:
                status = self._random.choice(("pending", "accepted"))
                yield update("connections", seeded("connections", pick(1, 8)), status=status)
