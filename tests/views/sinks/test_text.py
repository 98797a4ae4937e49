from __future__ import annotations

from collections.abc import Callable

from msgspec import Raw

from prt.events import Broadcast, Presence, Status
from prt.views.drawing.notices import notice
from prt.views.sinks.text import TextLines
from tests.views import meeting, story

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


def test_what_was_missed_and_what_came_back() -> None:
    lines = TextLines()
    text = b"".join(lines.encode(event) for event in story.healed()).decode().splitlines()
    assert [line.split(" ", 1)[1] for line in text if "(snapshot)" in line or "(backfill)" in line] == [
        "INSERT budgets 2 (snapshot) name Video",
        f"UPDATE project_tasks {story.TASK} (backfill) ≈ status doing → done",
        "INSERT budgets 4 (backfill) name Sound",
    ]
    gaps = [line for line in text if " GAP " in line]
    assert "(4 tables): the connection was closed with 1012" in gaps[0]
    assert gaps[0].endswith("; 2 recovered, events may be missing")
    assert gaps[1].endswith("(project_tasks, archive.documents): the queue was full; complete")


def test_ready_can_have_a_reason() -> None:
    noticed = notice(Status(at=1, status="READY", tables=["public.a"], reason="the role changed"))
    assert noticed == ("ready: changes of 1 table flow; the role changed", None)


def test_notices(golden: Callable[[str, str], None]) -> None:
    noticed = [notice(event) for event in (*story.story(), *OTHERS, story.ending())]
    golden("notices.txt", "".join(f"{one[0]}\nhint: {one[1]}\n" for one in noticed if one))


def test_topics(golden: Callable[[str, str], None]) -> None:
    lines = TextLines()
    text = b"".join(lines.encode(event) for event in (*meeting.met_again(), *meeting.spoken())).decode()
    assert not set(text) & set("\x1b\x9b\u202e\t\r")
    golden("text_topics.txt", text)


def test_a_topic_is_ready_when_it_is_joined() -> None:
    assert notice(Status(at=1, status="READY", topic="room:1")) == ("ready: room:1 is joined", None)
