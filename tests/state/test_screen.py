from __future__ import annotations

from typing import Any

import pytest

from prt.events import Broadcast, Change, Gap, Presence, Status
from prt.state.newest import NEWEST, Newest, Shown, Step
from prt.state.rows.cache import Rows
from prt.state.screen import Refusal, Screen
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


def test_a_refused_table_is_reported_and_the_channel_goes_on() -> None:
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
    assert screen.events == len(story.changes()) - 1
    assert screen.changes["public", "project_tasks", "INSERT"] == 1
    assert screen.read == {"backfill": 1}
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
    gap = Gap(at=1, start=1, end=2, tables=[], cause="x", recovered=4, complete=True)
    lost, malformed = story.trouble()
    screen = screen_of(lost, malformed, gap)
    assert (screen.gaps, screen.incomplete_gaps, screen.recovered, screen.malformed) == (2, 1, 7, 1)
    assert list(screen.last_gaps) == [lost, gap]
    assert (screen.last_incomplete_gap, screen.last_malformed) == (lost, malformed)
    assert screen.lines(9) == [gap, lost]


def test_rows_that_were_read_are_shown_and_counted_apart() -> None:
    rows = [
        story.change("INSERT", "t", new={"id": number}, source=source, lag=5.0)
        for number, source in enumerate(["snapshot", "backfill", "backfill"])
    ]
    screen = screen_of(*rows)
    assert (screen.events, screen.lag.count, screen.rate.per_second(story.BEGIN)) == (0, 0, 0)
    assert screen.read == {"snapshot": 1, "backfill": 2}
    assert [line.source for line in screen.lines(9)] == ["backfill", "backfill", "snapshot"]


def test_vitals_are_kept_and_are_no_event_of_the_stream() -> None:
    vitals = [story.vitals("connecting", at=5), story.vitals("waiting", at=9)]
    screen = screen_of(*vitals)
    assert (screen.vitals, screen.phase, screen.since) == (vitals[1], "waiting", 5)
    assert (screen.first_at, screen.last_at, screen.entries, screen.connection) == (None, None, 0, None)


def at(moment: int, word: str, reason: str | None = None) -> Status:
    return Status(at=moment, status=word, tables=["public.a"], reason=reason)  # type: ignore[arg-type]


def test_since_when_it_is_as_it_is() -> None:
    screen, since = Screen(), []
    for moment, word in enumerate(
        ["SUBSCRIBED", "READY", "READY", "CLOSED", "CHANNEL_ERROR", "TIMED_OUT", "SUBSCRIBED", "READY"]
    ):
        screen.apply(at(moment, word))
        since.append(screen.since)
    assert since == [0, 1, 1, 3, 3, 3, 6, 7]


def test_what_interrupted_the_stream_stands_among_the_changes() -> None:
    screen = screen_of(
        at(0, "CHANNEL_ERROR", "not up yet"),
        at(1, "READY"),
        story.change("INSERT", "t", new={"id": 1}),
        at(2, "CLOSED", "gone"),
        at(3, "CHANNEL_ERROR", "still gone"),
        at(4, "CHANNEL_ERROR", "still gone"),
        at(5, "SUBSCRIBED"),
        at(6, "READY"),
        at(7, "READY", "the role changed"),
        at(8, "READY"),
    )
    steps = [entry for entry in screen.lines(9) if isinstance(entry, Step)]
    assert [(step.status.at, step.status.status, step.times, step.down_us) for step in steps] == [
        (7, "READY", 1, None),
        (6, "READY", 1, 4),
        (4, "CHANNEL_ERROR", 2, None),
        (2, "CLOSED", 1, None),
    ]
    assert screen.entries == 5
    assert screen.lines(9)[-1].table == "t"


def test_a_gap_is_open_from_the_loss_until_it_is_reported() -> None:
    gap = Gap(at=5, start=1, end=4, tables=["public.a"], cause="x")
    screen, is_open = Screen(), []
    for event in (at(1, "READY"), at(2, "CLOSED"), at(4, "READY"), gap, at(6, "CLOSED"), at(7, "READY"), gap):
        screen.apply(event)
        is_open.append(screen.has_open_gap)
    assert is_open == [False, True, True, False, True, True, False]


def test_a_gap_that_is_reported_while_another_is_open_does_not_close_it() -> None:
    overflow = Gap(at=3, start=0, end=1, tables=["public.a"], cause="the queue was full")
    assert screen_of(at(1, "READY"), at(2, "CLOSED"), overflow).has_open_gap


def test_without_tables_no_gap_is_open() -> None:
    assert not screen_of(status("READY"), status("CLOSED")).has_open_gap


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


def test_large_rows_push_the_oldest_out_and_never_the_newest() -> None:
    newest = Newest(Rows(), keep=100, keep_bytes=100_000)
    for number in range(10):
        row = {"id": number, "body": "x" * (30_000 if number < 9 else 200_000)}
        change = story.change("INSERT", "t", new=row)
        assert isinstance(change, Change)
        newest.add(Shown(change, None))
        assert newest.added - newest.first == (min(number + 1, 3) if number < 9 else 1)
    assert newest.kept(8) is None
    assert isinstance(newest.kept(9), Shown)


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


def status_of(word: Any, topic: str, at: int, tables: list[str] | None = None, **more: Any) -> Status:
    return Status(at=at, status=word, topic=topic, tables=tables, **more)


def test_of_several_channels_the_worst_is_shown() -> None:
    screen = Screen()
    tables = ["public.a"]
    for one in (status_of("READY", "prt-watch", 1, tables), status_of("READY", "room:1", 2)):
        screen.apply(one)
    assert (screen.channel, screen.joined, screen.topics) == ("READY", {"public.a"}, {"room:1"})
    screen.apply(status_of("CLOSED", "room:1", 3, reason="1012"))
    assert (screen.channel, screen.reason, screen.topics) == ("CLOSED", "1012", set())
    screen.apply(status_of("READY", "prt-watch", 4, tables))
    assert (screen.channel, screen.since) == ("CLOSED", 3)
    screen.apply(status_of("READY", "room:1", 5))
    assert (screen.channel, screen.reason, screen.since) == ("READY", None, 5)


def test_a_lost_topic_opens_no_gap_as_lost_tables_do() -> None:
    screen = Screen()
    tables = ["public.a"]
    for one in (
        status_of("READY", "prt-watch", 1, tables),
        status_of("READY", "room:1", 2),
        status_of("CLOSED", "room:1", 3),
        status_of("CHANNEL_ERROR", "room:2", 4),
    ):
        screen.apply(one)
    assert not screen.has_open_gap
    screen.apply(status_of("CLOSED", "prt-watch", 5, tables))
    assert screen.has_open_gap
    screen.apply(status_of("READY", "prt-watch", 6, tables))
    screen.apply(Gap(at=7, start=5, end=6, tables=tables, cause="lost"))
    assert not screen.has_open_gap


@pytest.mark.parametrize("is_first", [True, False])
def test_a_topic_that_is_refused_leaves_the_others_connected(is_first: bool) -> None:
    screen = Screen()
    refused = status_of("CHANNEL_ERROR", "room:1", 1, reason="Unauthorized", hint="add a policy")
    for one in (refused, status_of("READY", "room:2", 2))[:: 1 if is_first else -1]:
        screen.apply(one)
    assert (screen.channel, screen.topics) == ("READY", {"room:2"})
    assert screen.refused == {"room:1": Refusal(table="room:1", reason="Unauthorized", hint="add a policy")}
    screen.apply(status_of("READY", "room:1", 3))
    assert screen.refused == {}


def test_what_comes_on_topics_is_counted_but_a_sync_is_not() -> None:
    screen = Screen()
    screen.apply(Presence(at=1, topic="room:1", event="sync", state={}))
    assert screen.events == 0
    screen.apply(Presence(at=1, topic="room:1", event="join", key="k", presences=[{"presence_ref": "r"}]))
    screen.apply(Broadcast(at=2, topic="room:1", event="e"))
    assert screen.events == 2
    assert screen.roster.online == 1
    assert [type(entry).__name__ for entry in screen.lines(9)] == [
        *("BroadcastLine", "PresenceLine", "PresenceLine")
    ]
