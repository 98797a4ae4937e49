from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw
from rich.cells import cell_len

from prt.state.update import Update
from prt.views.drawing.outcome import outcome
from prt.views.panels.update import UpdateView
from tests.views import story
from tests.views.story import change, raw

BASE = {"id": 7, "status": "todo", "note": None, "updated_at": "2026-11-22T16:45:00Z"}
WRITTEN = BASE | {"status": "done", "note": "日本 " * 30, "updated_at": "2026-11-22T16:45:10Z"}


def applied() -> Update:
    values = {"status": Raw(b'"done"'), "note": Raw(json.dumps(WRITTEN["note"]).encode())}
    update = Update("public", "tasks", {"id": Raw(b"7")}, values)
    update.found(raw(BASE), story.BEGIN)
    update.apply_locally(story.BEGIN)
    return update


def shown(update: Update, width: int = 60) -> list[str]:
    lines = UpdateView(update).lines(width, 20, story.NOW)
    assert all(cell_len(line.plain) <= width for line in lines)
    return [line.plain.rstrip() for line in lines]


def echo(**columns: Any) -> Any:
    return change("UPDATE", "tasks", new=WRITTEN | columns, old={"id": 7}, at=story.BEGIN + 15_000)


def test_it_shows_the_row_as_it_will_be_and_how_far_that_has_come() -> None:
    update = applied()
    assert shown(update)[:3] == ["tasks 7", "", "… status  todo → done"]
    assert shown(update)[-1] == "applied"
    update.commit(raw(WRITTEN), story.BEGIN + 12_000)
    update.apply(echo())
    assert shown(update)[2] == "✓ status  todo → done"
    assert shown(update)[-1] == "applied → committed 12 ms → confirmed 15 ms"
    assert outcome(update)[0].startswith("tasks 7: status todo → done, note null → ")


def test_rolled_back_it_shows_the_row_as_it_is() -> None:
    update = applied()
    update.roll_back("refused", story.BEGIN + 9_000)
    assert shown(update)[2:4] == ["✗ status  todo → todo", "✗ note    null → null"]
    assert outcome(update) == ["tasks 7", "applied → rolled back 9.0 ms"]


def test_a_conflict_stands_below() -> None:
    update = applied()
    update.commit(raw(WRITTEN), story.BEGIN + 12_000)
    update.apply(echo(status="blocked", updated_at="2026-11-22T16:45:11Z"))
    assert shown(update, 80)[2] == "… status  todo → blocked"
    assert shown(update, 80)[-1] == "! public.tasks 7: two writers of one row, the remote one is kept"


@pytest.mark.parametrize("width", [1, 7, 40, 200])
def test_it_fits(width: int) -> None:
    assert len(shown(applied(), width)) == 6
    assert len(UpdateView(applied()).lines(width, 3, story.NOW)) == 3
