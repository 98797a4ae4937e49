"""One optimistic write, with a stream and a database that the test controls step by step."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from msgspec import Raw

from prt.app.loop import follow
from prt.app.update import UpdateSource
from prt.errors import PrtError, UnreachableError
from prt.events import Change, Conflict, End, Event, Status
from prt.state.conditions.bounds import Bounds, Progress
from prt.state.conditions.expectations import Expectations
from prt.state.conditions.matching import Matching
from prt.state.update import Update
from prt.stream.rest.answers import RejectedError
from prt.stream.rest.client import Page, Rest
from prt.stream.socket.queue import EventQueue
from prt.views.drawing.outcome import steps
from tests.views.story import change, raw

ROW = {"id": 7, "status": "todo", "title": "Rig", "updated_at": "2026-11-22T16:45:00+00:00"}
WRITTEN = ROW | {"status": "done", "updated_at": "2026-11-22T16:45:10+00:00"}
READY = Status(at=1, status="READY", topic="t", tables=["public.tasks"])
ECHO = change("UPDATE", "tasks", new=WRITTEN, old={"id": 7})
FOREIGN = change(
    "UPDATE",
    "tasks",
    new=ROW | {"status": "blocked", "updated_at": "2026-11-22T16:45:05+00:00"},
    old={"id": 7},
)


class Stage:
    """The table as REST has it, the stream as `say` makes it; `answer` is what an UPDATE waits for."""

    def __init__(
        self, *rows: dict[str, Any], timeout: float = 60, unless: dict[str, Raw] | None = None
    ) -> None:
        self.rows = list(rows)
        self.queue = EventQueue()
        self.update_ = Update("public", "tasks", {"id": Raw(b"7")}, {"status": Raw(b'"done"')})
        self.source = UpdateSource(self, cast(Rest, self), self.update_, unless=unless or {}, timeout=timeout)
        self.is_asked = asyncio.Event()
        self.answer: asyncio.Future[list[Raw]] = asyncio.get_running_loop().create_future()
        self.conditions: Any = None
        self.written: list[Event] = []
        self.came = asyncio.Event()
        self.pending, self.keys = 0, None

    async def __aenter__(self) -> EventQueue:
        return self.queue

    async def __aexit__(self, *_: object) -> None:
        self.queue.close()

    async def read(self, schema: str, table: str, parameters: Any) -> Page:
        assert (schema, table) == ("public", "tasks")
        return Page([Raw(json.dumps(row).encode()) for row in self.rows], None)

    async def update(self, schema: str, table: str, conditions: Any, values: Any) -> list[Raw]:
        assert {name: bytes(value) for name, value in values.items()} == {"status": b'"done"'}
        self.conditions = conditions
        self.is_asked.set()
        return await self.answer

    def say(self, *events: Event) -> None:
        for event in events:
            self.queue.put(event)

    async def until(self, wanted: Callable[[], bool]) -> None:
        while not wanted():
            self.came.clear()
            await self.came.wait()

    def write(self, event: Event) -> None:
        self.written.append(event)
        self.came.set()

    close = write

    def drain(self) -> bool:
        return True

    def flush(self) -> None: ...
    def suspend(self) -> None: ...
    def resume(self) -> None: ...

    def fileno(self) -> int:
        return 1

    @property
    def shown(self) -> Any:
        row = self.update_.row
        return None if row is None else json.loads(row)

    @property
    def reported(self) -> list[str]:
        return [type(event).__name__ for event in self.written]


def play(script: Callable[[Stage], Awaitable[None]], **stage: Any) -> tuple[Stage, End, PrtError | None]:
    async def main() -> tuple[Stage, End, PrtError | None]:
        rows = stage.pop("rows", [ROW])
        on = Stage(*rows, **stage)
        progress = Progress(Bounds(), Expectations(), started=0)
        following = asyncio.create_task(follow(on.source, cast(Any, on), progress, Matching()))
        await script(on)
        ending = await following
        return on, ending.end, ending.error or on.source.failure

    return asyncio.run(main())


def test_applied_committed_confirmed() -> None:
    async def script(stage: Stage) -> None:
        assert not stage.is_asked.is_set()
        stage.say(READY)
        await stage.is_asked.wait()
        assert stage.shown == ROW | {"status": "done"}
        stage.answer.set_result([raw(WRITTEN)])
        stage.say(ECHO)

    stage, end, error = play(script)
    assert (end.reason, end.exit_code, end.events, error) == ("expect", 0, 1, None)
    assert stage.reported == ["Status", "Change", "End"]
    assert stage.conditions == [("id", "eq.7")]
    assert stage.shown == WRITTEN
    assert steps(stage.update_).startswith("applied → committed ")
    assert "→ confirmed " in steps(stage.update_)


def test_an_echo_that_overtakes_the_answer_confirms_too() -> None:
    async def script(stage: Stage) -> None:
        stage.say(READY)
        await stage.is_asked.wait()
        stage.say(ECHO)
        await stage.until(lambda: "Change" in stage.reported)
        stage.answer.set_result([raw(WRITTEN)])

    stage, end, _ = play(script)
    assert (end.exit_code, stage.shown) == (0, WRITTEN)


@pytest.mark.parametrize("is_answer_first", [True, False])
def test_a_foreign_write_before_the_echo_is_judged_and_reported(is_answer_first: bool) -> None:
    async def script(stage: Stage) -> None:
        stage.say(READY)
        await stage.is_asked.wait()
        if is_answer_first:
            stage.answer.set_result([raw(WRITTEN)])
            await asyncio.sleep(0)
        stage.say(FOREIGN)
        await stage.until(lambda: "Change" in stage.reported)
        if not is_answer_first:
            stage.answer.set_result([raw(WRITTEN)])
        await stage.until(lambda: "Conflict" in stage.reported)
        assert stage.shown == WRITTEN
        stage.say(ECHO)

    stage, end, _ = play(script)
    assert end.exit_code == 0
    (conflict,) = [event for event in stage.written if isinstance(event, Conflict)]
    assert (conflict.kept, conflict.key, conflict.table) == ("local", "7", "public.tasks")
    assert conflict.remote == FOREIGN.new


def test_a_refusal_rolls_back() -> None:
    async def script(stage: Stage) -> None:
        stage.say(READY)
        await stage.is_asked.wait()
        stage.answer.set_exception(RejectedError("REST answered 400: no such status", "check it", "22P02"))

    stage, end, error = play(script)
    assert (end.reason, end.exit_code) == ("error", 1)
    assert error is not None
    assert (error.message, error.hint, error.exit_code) == (
        "REST answered 400: no such status",
        "check it",
        1,
    )
    assert stage.shown == ROW
    assert "→ rolled back " in steps(stage.update_)


@pytest.mark.parametrize(
    ("present", "hint"),
    [(WRITTEN, "dropped the change above its rate"), (None, "may not read the row as it is now")],
)
def test_without_its_echo_in_time_it_is_rolled_back_and_reported_as_committed(
    present: Any, hint: str
) -> None:
    async def script(stage: Stage) -> None:
        stage.say(READY)
        await stage.is_asked.wait()
        stage.rows = [] if present is None else [present]
        stage.answer.set_result([raw(WRITTEN)])

    stage, end, error = play(script, timeout=0.01)
    assert (end.reason, end.exit_code, stage.shown) == ("timeout", 1, ROW)
    assert error is not None
    assert error.message == "committed, but its change did not come back over realtime in 0.01 s"
    assert hint in (error.hint or "")


@pytest.mark.parametrize(
    ("present", "unless", "words"),
    [
        (ROW, None, "0 rows were changed: a row level security policy lets this identity read the row, not"),
        (
            ROW | {"status": "blocked"},
            {"status": Raw(b'"todo"')},
            "somebody else has changed it: status is blocked",
        ),
        (None, None, "the row is gone, or no longer visible"),
    ],
)
def test_a_write_that_changed_no_row_reports_why(present: Any, unless: Any, words: str) -> None:
    async def script(stage: Stage) -> None:
        stage.say(READY)
        await stage.is_asked.wait()
        stage.rows = [] if present is None else [present]
        stage.answer.set_result([])

    stage, end, error = play(script, unless=unless)
    assert (end.exit_code, stage.shown) == (1, ROW)
    assert error is not None
    assert words in error.message
    if unless:
        assert ("status", "eq.todo") in stage.conditions


@pytest.mark.parametrize(
    ("rows", "words"), [([], "no row 7 in tasks that"), ([ROW, ROW], "7 names more than one row")]
)
def test_nothing_is_written_where_the_key_names_no_row_or_several(rows: Any, words: str) -> None:
    async def script(stage: Stage) -> None:
        stage.say(READY)

    stage, end, error = play(script, rows=rows)
    assert (end.exit_code, stage.is_asked.is_set()) == (1, False)
    assert words in str(error)


def test_nothing_is_written_before_ready_and_a_refused_subscription_is_its_own_error() -> None:
    async def script(stage: Stage) -> None:
        stage.say(Status(at=1, status="SUBSCRIBED"))
        await stage.until(lambda: "Status" in stage.reported)
        stage.queue.close(UnreachableError("not in the publication"))

    stage, end, error = play(script)
    assert (end.reason, end.exit_code, str(error)) == ("error", 4, "not in the publication")
    assert not stage.is_asked.is_set()


def test_changes_of_other_rows_are_left_out() -> None:
    async def script(stage: Stage) -> None:
        stage.say(READY, change("UPDATE", "tasks", new=ROW | {"id": 8}, old={"id": 8}))
        await stage.is_asked.wait()
        stage.answer.set_result([raw(WRITTEN)])
        stage.say(ECHO)

    stage, end, _ = play(script)
    assert end.events == 1
    assert [event for event in stage.written if isinstance(event, Change)] == [ECHO]
