"""The head of a live view."""

from __future__ import annotations

from datetime import UTC

from prt.events import Status, Verified
from prt.state.screen import Screen
from prt.views.panels.head import head
from tests.views.story import NOW


def drawn(*events: Status | Verified) -> str:
    screen = Screen()
    for event in events:
        screen.apply(event)
    return "\n".join(line.plain for line in head(screen, "h", NOW, 100, UTC))


def test_no_gaps_are_claimed_for_a_table_that_can_not_be_verified() -> None:
    ready = Status(at=NOW, status="READY", topic="t", tables=["public.a"])
    assert "no gaps" in drawn(ready)
    assert "no gaps seen" not in drawn(ready)
    undated = Verified(
        at=NOW, table="public.a", verified_at=None, scope="none", reason="no column dates its rows"
    )
    assert "no gaps seen · not verified: no column dates its rows" in drawn(ready, undated)
    dated = Verified(at=NOW, table="public.b", verified_at=NOW, scope="all")
    assert "no gaps seen · 1 of 2 tables verified" in drawn(ready, undated, dated)
