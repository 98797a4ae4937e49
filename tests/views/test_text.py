from __future__ import annotations

from collections.abc import Callable

from msgspec import Raw

from prt.events import Broadcast, Presence, Status
from prt.views.notices import notice
from prt.views.text import TextLines
from tests.views import story

OTHERS = [
    Broadcast(at=story.BEGIN, topic="document:7", event="cursor-move", payload=Raw(b'{"x":\x1b1}')),
    Presence(at=story.BEGIN, topic="lobby", event="sync", state={"k": [], "l": []}),
    Presence(at=story.BEGIN, topic="lobby", event="join", key="\u202ek", presences=[]),
    Status(at=story.BEGIN, status="TIMED_OUT", topic="prt", reason="no answer"),
]


def test_one_line_an_event(golden: Callable[[str, str], None]) -> None:
    lines = TextLines()
    text = b"".join(lines.encode(event) for event in (*story.story(), *OTHERS, story.ending())).decode()

    assert text.count("\n") == len(story.story()) + len(OTHERS) + 1
    assert not set(text) & set("\x1b\x9b\u202e\t\r")
    golden("text.txt", text)


def test_notices(golden: Callable[[str, str], None]) -> None:
    said = [notice(event) for event in (*story.story(), *OTHERS, story.ending())]
    golden("notices.txt", "".join(f"{one[0]}\nhint: {one[1]}\n" for one in said if one))
