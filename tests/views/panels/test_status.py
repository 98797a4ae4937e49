from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from prt.config.constants.plans import PLANS
from prt.events import End, Event, Status, Vitals
from prt.results import Finding
from prt.state.figures.usage import SECOND, Usage
from prt.views.panels.status import FiguresOutput, StatusView
from tests.state.figures.test_usage import START, change
from tests.views.panels.test_layers import story


def viewed(*events: Event, findings: list[Finding] | None = None, plan: str = "free") -> StatusView:
    view = StatusView(list(story()) if findings is None else findings, Usage(PLANS[plan]), plan=plan)
    for event in events:
        view.apply(event)
    return view


@pytest.mark.parametrize("width", [80, 120])
def test_limits_layers_and_what_is_not_green(width: int, golden: Callable[[str, str], None]) -> None:
    up = Vitals(at=START, phase="ready", since=START)
    view = viewed(up, *[change(START + n * 1000) for n in range(85)])
    lines = view.lines(width, 60, START + SECOND)
    assert all(line.cell_len <= width for line in lines)
    golden(f"status_{width}.txt", "".join(f"{line.plain}\n" for line in lines))


@pytest.mark.parametrize(("width", "height"), [(80, 3), (20, 12), (1, 1)])
def test_it_stays_in_its_place(width: int, height: int) -> None:
    lines = viewed().lines(width, height, START)
    assert len(lines) <= height
    assert all(line.cell_len <= width for line in lines)


def test_a_limit_that_is_near_is_marked() -> None:
    def marks(count: int) -> list[str]:
        view = viewed(*[change(START + n) for n in range(count)], findings=[])
        return [line.plain[0] for line in view.lines(80, 60, START)[1:6]]

    assert marks(79) == ["✓"] * 5
    assert marks(80) == ["✓", "✓", "!", "✓", "✓"]


def test_the_summary_at_the_end() -> None:
    assert viewed(*[change(START + n) for n in range(25)], plan="pro").summary() == [
        "messages: at most 25 in a second, 5% of the limit"
    ]


@pytest.mark.parametrize("is_json", [True, False])
def test_figures_every_second_in_a_pipe(is_json: bool) -> None:
    reading, writing = os.pipe()
    times = [START]
    output = FiguresOutput(writing, Usage(PLANS["free"]), is_json=is_json, clock=lambda: times[-1])
    output.drain()  # nothing is known yet
    output.write(Vitals(at=START, phase="ready", since=START, reconnects=2, round_trip_ms=1.5))
    output.write(Status(at=START, status="SUBSCRIBED", topic="t"))
    output.write(Status(at=START, status="READY", topic="t"))
    output.write(change(START))
    output.drain()
    for later in (SECOND // 2, SECOND):
        times.append(START + later)
        output.drain()
    output.close(End(at=times[-1], reason="duration", exit_code=0, events=1))
    os.close(writing)
    with os.fdopen(reading) as file:
        lines = file.read().splitlines()
    if not is_json:
        figures = [line for line in lines if "rtt" in line]
        assert len(figures) == 2
        assert figures[0].endswith(
            "connected · READY · rtt 1.5 ms · 1 event · 1.0/s · no gaps · 2 reconnects"
        )
        return
    found = [json.loads(line) for line in lines]
    assert [line["type"] for line in found] == ["status", "status", "figures", "figures", "end"]
    assert found[2] == found[2] | {
        "connection": "connected",
        "status": "READY",
        "phase": "ready",
        "round_trip_ms": 1.5,
        "reconnects": 2,
        "events": 1,
        "gaps": 0,
        "lag_ms": None,
    }
    assert found[2]["limits"]["messages"] == {"now": 1.0, "most": 1, "limit": 100}
