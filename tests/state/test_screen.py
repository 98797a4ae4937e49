from __future__ import annotations

from prt.events import Broadcast, Gap, Presence, Status
from prt.state.screen import NEWEST, Refusal, Screen
from tests.views import story


def screen_of(*events: object) -> Screen:
    screen = Screen()
    for event in events:
        screen.apply(event)  # type: ignore[arg-type]
    return screen


def status(word: str, *tables: str, **more: str) -> Status:
    return Status(at=story.BEGIN, status=word, tables=list(tables) or None, **more)  # type: ignore[arg-type]


def test_nothing_is_known_at_first() -> None:
    screen = Screen()
    assert (screen.connection, screen.channel, screen.events, screen.lines(9)) == (None, None, 0, [])


def test_the_connection_has_the_words_of_the_seed() -> None:
    words = {
        "SUBSCRIBED": "connected",
        "READY": "connected",
        "CHANNEL_ERROR": "error",
        "TIMED_OUT": "timeout",
        "CLOSED": "disconnected",
    }
    assert {word: screen_of(status(word)).connection for word in words} == words


def test_a_refused_table_is_told_and_the_channel_goes_on() -> None:
    screen = screen_of(*story.connecting())

    assert screen.channel == "READY"
    assert screen.joined == set(story.TABLES)
    assert screen.refused == {
        "public.secrets": Refusal(
            table="public.secrets",
            reason="not in the publication supabase_realtime",
            hint="alter publication supabase_realtime add table public.secrets;",
        )
    }


def test_an_error_of_all_joined_tables_is_the_channel_s() -> None:
    screen = screen_of(
        status("SUBSCRIBED", "public.a", "public.b"),
        status("CHANNEL_ERROR", "public.a", "public.b", reason="gone", hint="come back"),
    )
    assert (screen.connection, screen.reason, screen.hint, screen.refused) == (
        "error",
        "gone",
        "come back",
        {},
    )


def test_a_table_that_is_ready_after_all_is_refused_no_more() -> None:
    screen = screen_of(
        status("SUBSCRIBED", "public.a", "public.b"),
        status("CHANNEL_ERROR", "public.a"),
        status("READY", "public.a", "public.b"),
    )
    assert screen.refused == {}


def test_changes_are_counted_by_table_and_type() -> None:
    screen = screen_of(*story.changes())
    assert screen.events == len(story.changes())
    assert screen.changes["public", "project_tasks", "INSERT"] == 2
    assert screen.changes["public", "project_tasks", "DELETE"] == 2
    assert screen.keyless == {("public", "entries")}


def test_broadcasts_and_presence_count_as_events_and_statuses_do_not() -> None:
    screen = screen_of(
        *story.connecting(),
        Broadcast(at=story.BEGIN, topic="t", event="e"),
        Presence(at=story.BEGIN, topic="t", event="join"),
    )
    assert (screen.events, screen.broadcasts, screen.presences) == (2, 1, 1)
    assert screen.rate.per_second(story.BEGIN) == 2


def test_trouble_is_counted_and_the_last_kept() -> None:
    gap = Gap(at=1, start=1, end=2, tables=[], cause="x", complete=True)
    screen = screen_of(*story.trouble(), gap)
    assert (screen.gaps, screen.incomplete_gaps, screen.last_gap, screen.malformed) == (2, 1, gap, 1)


def test_lines_are_the_newest_first_with_the_row_before_at_that_time() -> None:
    rows = [story.task(status=word) for word in ("todo", "doing", "done")]
    screen = screen_of(
        story.change("INSERT", "t", new=rows[0]),
        story.change("UPDATE", "t", new=rows[1], old={"id": story.TASK}),
        story.change("UPDATE", "t", new=rows[2], old={"id": story.TASK}),
    )
    # Asked for only now: each still knows the row before it, not the last one.
    newest, second = screen.lines(2)

    assert [(cell.before, cell.after) for cell in newest.cells] == [("doing", "done")]
    assert [(cell.before, cell.after) for cell in second.cells] == [("todo", "doing")]
    assert screen.lines(2)[0] is newest
    assert len(screen.lines(99)) == 3


def test_frames_are_let_go_once_their_lines_are_drawn() -> None:
    screen = screen_of(*story.changes())
    screen.lines(NEWEST)
    assert all(shown.change is None and shown.previous is None for shown in screen._newest)


def test_what_is_shown_is_bounded() -> None:
    screen = screen_of(*(story.change("INSERT", "t", new={"id": number}) for number in range(NEWEST + 50)))
    assert len(screen.lines(10_000)) == NEWEST
    assert screen.lines(1)[0].key == str(NEWEST + 49)


def test_the_times_are_those_of_the_events() -> None:
    screen = screen_of(*story.story(), story.ending())
    assert (screen.first_at, screen.last_at, screen.ready_at) == (
        story.BEGIN,
        story.NOW,
        story.BEGIN + 400_000,
    )
    assert screen.end == story.ending()
