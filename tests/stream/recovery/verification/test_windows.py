"""The judgement of a verification, against a model of a database and its stream."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prt.stream.binding import BindingEvent
from prt.stream.recovery.verification.emitted import Budget, Emitted
from prt.stream.recovery.verification.rules import (
    SECOND,
    Dated,
    Operations,
    Passage,
    Rules,
    Suspect,
    has_passed,
    is_asked,
    is_published,
)
from prt.stream.recovery.verification.windows import Windows

START = 1_700_000_000 * SECOND
RULES = Rules()
ALL = Operations(inserts=True, updates=True, deletes=True)


class Write:
    """A committed write; `date` is when its transaction began, None for a DELETE."""

    def __init__(self, key: int, date: int | None, created: int, committed: int, *, is_lost: bool) -> None:
        self.key, self.date, self.created = key, date, created
        self.committed, self.is_lost = committed, is_lost


class Model:
    """A table, its stream in commit order, and the verification of both."""

    def __init__(self, event: BindingEvent = "*") -> None:
        self.now = START
        self.rows: dict[int, Dated] = {}
        self.log: list[Write] = []
        self.sent = 0
        self.emitted = Emitted(Budget())
        self.windows = Windows(
            event, self.emitted, RULES, since=START, inserted_since=START, verified_to=START
        )
        self.last_commit: int | None = None
        self.quiet_since = self.now
        self.lost: list[Suspect] = []

    def write(self, key: int, *, age: int, is_lost: bool, is_delete: bool) -> None:
        self.now += SECOND // 10
        former = self.rows.get(key)
        date = max(self.now - age, START + 1)
        if is_delete:
            if self.rows.pop(key, None) is not None:
                self.log.append(Write(key, None, 0, self.now, is_lost=is_lost))
            return
        created = date if former is None else former.created or date
        self.rows[key] = Dated((key,), date, created)
        self.log.append(Write(key, date, created, self.now, is_lost=is_lost))

    def deliver(self) -> None:
        """The next change that the server has not lost arrives."""
        while self.sent < len(self.log) and self.log[self.sent].is_lost:
            self.sent += 1
        if self.sent == len(self.log):
            return
        write = self.log[self.sent]
        self.sent += 1
        self.last_commit = write.committed
        self.quiet_since = self.now
        if write.date is None:
            self.emitted.drop((write.key,))
        else:
            self.emitted.note((write.key,), write.date)

    def wait(self, seconds: int) -> None:
        """Time passes; no change takes as long as a silence."""
        until = self.now + seconds * SECOND
        while (due := self._due()) is not None and due + 10 * SECOND <= until:
            self.now = max(self.now, due + 10 * SECOND)
            self.deliver()
        self.now = until

    def _due(self) -> int | None:
        left = [write.committed for write in self.log[self.sent :] if not write.is_lost]
        return left[0] if left else None

    def read(self, off: int) -> None:
        """A window is read; its time is known up to a second."""
        windows = self.windows
        if windows.is_read:
            return
        read_at = self.now + off
        rows = [row for row in self.rows.values() if windows.start <= row.date <= self.now]
        windows.process(rows, read_at=read_at, now=self.now)
        windows.read_to_end(read_at)

    def judge(self) -> None:
        windows = self.windows
        due = windows.due(
            Passage(last_commit=self.last_commit, quiet_since=self.quiet_since, answered_at=self.now)
        )
        present = {(key,): row for key, row in self.rows.items()}
        verdicts = windows.judge(due, present, ALL, is_hidden={})
        found = [one for one in due if verdicts[one.row.key] == "lost"]
        self.lost += found
        for one in found:
            self.emitted.note(one.row.key, one.row.date)
        if windows.is_settled:
            windows.settle()
            self.emitted.forget(windows.start)

    def step(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("write", key, age, is_lost, is_delete):
                self.write(key, age=age, is_lost=is_lost, is_delete=is_delete)
            case ("deliver",):
                self.deliver()
            case ("wait", seconds):
                self.wait(seconds)
            case ("read", off):
                self.read(off)
        self.judge()

    def finish(self) -> None:
        for _ in range(3):
            self.step(("wait", 20))
            self.step(("read", 0))
            self.step(("wait", 20))


def steps(*, loses: bool) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    lost = st.booleans() if loses else st.just(value=False)
    ages = st.sampled_from([0, 0, 0, SECOND, 20 * SECOND, 50 * SECOND])
    return st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.integers(0, 3), ages, lost, st.sampled_from([False, False, True])),
            st.tuples(st.just("deliver")),
            st.tuples(st.just("wait"), st.sampled_from([1, 3, 16, 40])),
            st.tuples(st.just("read"), st.sampled_from([-SECOND, 0, SECOND])),
        ),
        max_size=40,
    )


@settings(max_examples=300, deadline=None)
@given(steps(loses=False))
@example([("write", 0, 0, False, False), ("read", SECOND), ("wait", 16)])
@example(
    [
        ("write", 1, 0, False, False),
        ("read", -SECOND),
        ("write", 1, 0, False, True),
        ("wait", 16),
        ("write", 0, 0, False, False),
        ("write", 1, 0, False, False),
        ("deliver",),
    ]
)
def test_what_is_only_late_is_never_lost(script: list[tuple[Any, ...]]) -> None:
    model = Model()
    for step in script:
        model.step(step)
    model.finish()
    assert model.lost == []


@settings(max_examples=300, deadline=None)
@given(steps(loses=True))
@example([("read", 0), ("write", 0, 50 * SECOND, True, False), ("read", 0)])
@example([("write", 0, 0, True, False), ("read", -SECOND), ("wait", 16), ("read", 0)])
def test_every_last_state_that_was_lost_is_found_in_its_window(script: list[tuple[Any, ...]]) -> None:
    model = Model()
    for step in script:
        model.step(step)
    model.finish()
    last = {write.key: write for write in model.log}
    for write in last.values():
        if write.date is None or not write.is_lost:
            continue
        # A write that is dated before an earlier one of its row can't be told from that.
        earlier = [one for one in model.log if one.key == write.key and one is not write]
        if any((one.date or 0) >= write.date for one in earlier):
            continue
        found = [one for one in model.lost if one.row.key == (write.key,) and one.row.date == write.date]
        assert found, (write.key, write.date - START)
        assert any(one.start <= write.committed <= one.read_at + SECOND for one in found)


def suspect(read_at: int, seen_at: int = 0) -> Suspect:
    return Suspect(row=Dated((1,), read_at, None), start=0, read_at=read_at, seen_at=seen_at)


@pytest.mark.parametrize(
    ("passage", "passed"),
    [
        (Passage(), False),
        (Passage(last_commit=100 * SECOND), False),
        (Passage(last_commit=102 * SECOND), False),
        (Passage(last_commit=102 * SECOND + 1), True),
        (Passage(quiet_since=0), False),
        (Passage(quiet_since=0, answered_at=24 * SECOND), False),
        (Passage(quiet_since=0, answered_at=25 * SECOND), True),
        (Passage(quiet_since=20 * SECOND, answered_at=30 * SECOND), False),
        (Passage(quiet_since=20 * SECOND, answered_at=35 * SECOND), True),
    ],
)
def test_a_stream_has_passed_a_read_by_a_later_commit_or_by_an_answering_silence(
    passage: Passage, passed: bool
) -> None:
    """Read at 100 s of the server's time, 10 s of our running clock."""
    assert has_passed(suspect(100 * SECOND, 10 * SECOND), passage, RULES) is passed


@pytest.mark.parametrize(
    ("event", "created", "known", "asked"),
    [
        ("*", 5, None, True),
        ("INSERT", 5, None, True),
        ("DELETE", 5, None, False),
        ("UPDATE", 5, None, True),
        ("UPDATE", 15, None, False),
        ("UPDATE", 15, 16, True),
        ("UPDATE", None, None, False),
        ("UPDATE", None, 16, True),
    ],
)
def test_a_row_is_judged_only_if_its_write_was_asked_for(
    event: BindingEvent, created: int | None, known: int | None, asked: bool
) -> None:
    """The window starts at 10, the row is dated 20."""
    assert is_asked(Dated((1,), 20, created), event, 10, known) is asked


@pytest.mark.parametrize(
    ("event", "created", "known", "seen", "published"),
    [
        ("*", 20, None, Operations(), True),
        ("*", 20, None, Operations(inserts=True), True),
        ("*", 20, None, Operations(updates=True), False),
        ("*", 20, None, Operations(deletes=True), False),
        ("*", 5, None, Operations(), False),
        ("*", 15, None, Operations(), True),
        ("*", 5, None, Operations(inserts=True), False),
        ("*", 5, None, Operations(updates=True), True),
        ("*", 15, None, Operations(inserts=True), True),
        ("*", 15, None, Operations(updates=True), True),
        ("*", 20, 20, Operations(inserts=True), False),
        ("*", 15, 16, Operations(inserts=True), False),
        ("*", 15, 16, Operations(updates=True), True),
        ("*", None, None, Operations(inserts=True), False),
        ("*", None, None, Operations(inserts=True, updates=True), True),
        ("INSERT", 20, None, Operations(updates=True), False),
        ("INSERT", 20, None, Operations(inserts=True), True),
        ("UPDATE", 5, None, Operations(inserts=True), False),
        ("UPDATE", 5, None, Operations(updates=True), True),
    ],
)
def test_a_row_is_lost_only_if_its_operation_is_published(
    event: BindingEvent, created: int | None, known: int | None, seen: Operations, published: bool
) -> None:
    """The watch began at 10, the row is dated 20."""
    assert is_published(Dated((1,), 20, created), event, 10, known, seen) is published


def windows_of(event: BindingEvent = "*") -> Windows:
    return Windows(
        event,
        Emitted(Budget()),
        RULES,
        since=100 * SECOND,
        inserted_since=100 * SECOND,
        verified_to=100 * SECOND,
    )


def passed(windows: Windows) -> list[Suspect]:
    return windows.due(Passage(last_commit=10_000 * SECOND))


def read(windows: Windows, *rows: Dated, at: int) -> None:
    windows.process(rows, read_at=at, now=at)
    windows.read_to_end(at)


def test_what_was_there_before_the_watch_is_not_judged() -> None:
    windows = windows_of()
    read(windows, Dated((1,), 90 * SECOND), Dated((2,), 101 * SECOND), at=110 * SECOND)
    assert [one.row.key for one in passed(windows)] == [(2,)]


def test_a_row_that_is_gone_at_the_second_read_is_not_lost() -> None:
    windows = windows_of()
    read(windows, Dated((1,), 105 * SECOND), at=110 * SECOND)
    due = passed(windows)
    assert windows.judge(due, {}, ALL, is_hidden={}) == {(1,): "gone"}
    assert windows.is_settled


def test_a_row_that_came_before_the_second_read_is_not_lost() -> None:
    windows = windows_of()
    read(windows, Dated((1,), 105 * SECOND), at=110 * SECOND)
    due = passed(windows)
    windows.emitted.note((1,), 105 * SECOND)
    present = {(1,): due[0].row}
    assert windows.judge(due, present, ALL, is_hidden={}) == {(1,): "emitted"}


def test_a_row_that_was_hidden_when_it_was_written_is_not_lost_nor_judged_again() -> None:
    windows = windows_of()
    row = Dated((1,), 105 * SECOND)
    read(windows, row, at=110 * SECOND)
    assert windows.judge(passed(windows), {(1,): row}, ALL, is_hidden={(1,): True}) == {(1,): "hidden"}
    windows.settle()
    read(windows, row, at=120 * SECOND)
    assert windows.is_settled


def test_a_row_that_had_been_emitted_before_was_not_hidden() -> None:
    windows = windows_of()
    windows.emitted.note((1,), 101 * SECOND)
    row = Dated((1,), 105 * SECOND)
    read(windows, row, at=110 * SECOND)
    assert windows.judge(passed(windows), {(1,): row}, ALL, is_hidden={(1,): True}) == {(1,): "lost"}


def test_a_row_that_was_emitted_stays_unproven_until_an_update_shows() -> None:
    """Its INSERT streamed, and its UPDATE need not have: the publication may leave them out."""
    windows = windows_of()
    windows.emitted.note((1,), 105 * SECOND)
    row = Dated((1,), 106 * SECOND, 105 * SECOND)
    read(windows, row, at=110 * SECOND)
    seen = Operations(inserts=True)
    assert windows.judge(passed(windows), {(1,): row}, seen, is_hidden={}) == {(1,): "unproven"}
    assert windows.proven(seen) == []
    assert windows.is_settled
    seen.see(["UPDATE"])
    (proven,) = windows.proven(seen)
    assert windows.judge([proven], {(1,): row}, seen, is_hidden={}) == {(1,): "lost"}


def test_an_unproven_row_is_lost_as_soon_as_its_operation_shows() -> None:
    windows = windows_of()
    row = Dated((1,), 105 * SECOND, 50 * SECOND)
    read(windows, row, at=110 * SECOND)
    seen = Operations(inserts=True)
    assert windows.judge(passed(windows), {(1,): row}, seen, is_hidden={}) == {(1,): "unproven"}
    windows.settle()
    read(windows, row, at=120 * SECOND)
    assert windows.is_settled
    assert windows.proven(seen) == []
    seen.see({"UPDATE"})
    (proven,) = windows.proven(seen)
    assert windows.judge([proven], {(1,): row}, seen, is_hidden={}) == {(1,): "lost"}
    assert (proven.start, proven.read_at) == (100 * SECOND, 110 * SECOND)


def test_what_is_missing_in_a_declared_gap_is_accounted_for() -> None:
    windows = windows_of()
    windows.declared(104 * SECOND, 106 * SECOND)
    read(windows, Dated((1,), 105 * SECOND), Dated((2,), 107 * SECOND), at=110 * SECOND)
    assert [one.row.key for one in passed(windows)] == [(2,)]


def test_windows_overlap_by_a_minute() -> None:
    windows = windows_of()
    assert windows.start == 40 * SECOND
    read(windows, at=130 * SECOND)
    windows.settle()
    assert windows.start == 70 * SECOND
    read(windows, Dated((1,), 75 * SECOND), at=140 * SECOND)
    (late,) = passed(windows)
    assert (late.start, late.read_at) == (128 * SECOND, 140 * SECOND)
