"""The latest changes: all handed on, in order, and bounded whatever comes."""

from __future__ import annotations

from msgspec import Raw

from prt.events import Change
from prt.stream.recovery.recent_changes import CHUNK, Memory
from prt.stream.values import timestamp

START = 1_700_000_000_000_000


def change(number: int, *, size: int = 0, commit: int | None = None) -> Change:
    return Change(
        at=0,
        topic="t",
        event_type="INSERT",
        schema="public",
        table="notes",
        commit_timestamp=timestamp(START + number * 1000 if commit is None else commit),
        new=Raw(b'{"id":%d,"text":"%s"}' % (number, b"x" * size)),
    )


def ids(memory: Memory) -> list[int]:
    return [one.new_row()["id"] for _, one in memory]


def test_every_change_is_handed_on_once_in_order() -> None:
    seen: list[tuple[int, int]] = []
    memory = Memory(
        lambda changes, first: seen.extend((n, one.new_row()["id"]) for n, one in enumerate(changes, first))
    )
    for number in range(CHUNK + 3):
        memory.observe(change(number))
    assert len(seen) == CHUNK, "before anyone asks"
    memory.collect()
    memory.collect()
    assert seen == [(n, n) for n in range(CHUNK + 3)]
    assert (memory.count, ids(memory)) == (CHUNK + 3, list(range(CHUNK + 3)))
    assert memory.covers_since is None


def test_bytes_are_bounded_and_what_is_forgotten_is_known() -> None:
    memory = Memory(lambda *_: None, max_bytes=10 * CHUNK * 5_000)
    for number in range(40 * CHUNK):
        memory.observe(change(number, size=4_000))
    kept = ids(memory)
    assert 8 * CHUNK <= len(kept) <= 10 * CHUNK
    assert kept[-1] == 40 * CHUNK - 1
    assert memory.covers_since == START + (kept[0] - 1) * 1000 + 2_000


def test_heavy_changes_are_found_wherever_they_stand() -> None:
    for phase in range(8):
        memory = Memory(lambda *_: None, max_bytes=4 * 1024 * 1024)
        for number in range(40 * CHUNK):
            memory.observe(change(number, size=100_000 if number % 8 == phase else 0))
        weight = sum(len(one.new) for _, one in memory)
        assert weight < 16 * 1024 * 1024, phase


def test_the_last_commit_up_to_a_moment() -> None:
    memory = Memory(lambda *_: None)
    assert memory.last_commit(START) is None
    for number in (1, 2, 5):
        memory.observe(change(number))
    memory.collect()
    assert memory.last_commit(START + 4_000) == START + 2_000
    assert memory.last_commit(START + 9_000) == START + 5_000
    assert memory.last_commit(START) is None


def test_a_commit_that_was_forgotten_is_as_old_as_what_is_left() -> None:
    memory = Memory(lambda *_: None, max_bytes=1)
    for number in range(3 * CHUNK):
        memory.observe(change(number))
    assert memory.covers_since == START + (2 * CHUNK - 1) * 1000 + 2_000
    assert memory.last_commit(START + 5_000) == START + 5_000
    assert memory.last_commit(START + (2 * CHUNK - 1) * 1000) == START + (2 * CHUNK - 1) * 1000
