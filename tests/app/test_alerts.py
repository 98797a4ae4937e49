from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from prt.app.alerts import AlertOutput
from prt.events import Alert, Event
from prt.state.conditions.alerts import Alerts, parse_rule
from prt.views.sinks.output import LineOutput
from tests.views import story


class Kept(LineOutput):
    """Keeps the events that it would write."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd, lambda _: b"")
        self.events: list[Event] = []

    def write(self, event: Event) -> None:
        self.events.append(event)


@pytest.fixture
def output() -> Iterator[Kept]:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    yield Kept(nowhere)
    os.close(nowhere)


def alerting_of(output: Kept, least: str | None = None) -> AlertOutput:
    return AlertOutput(output, Alerts([parse_rule("spent>80:warn")]), least=least)


def test_an_alert_follows_the_change_that_raised_it(output: Kept) -> None:
    alerting = alerting_of(output)
    change = story.change("INSERT", "budgets", new={"id": 1, "spent": 90})
    alerting.write(change)
    alerting.write(change)
    assert [type(event) for event in output.events] == [type(change), Alert, type(change)]


@pytest.mark.parametrize(
    ("least", "ended_with", "code"),
    [(None, 0, 0), ("info", 0, 1), ("warn", 0, 1), ("critical", 0, 0), ("warn", 124, 124)],
)
def test_the_exit_code_is_that_of_the_last_line(
    output: Kept, least: str | None, ended_with: int, code: int
) -> None:
    alerting = alerting_of(output, least)
    alerting.write(story.change("INSERT", "budgets", new={"id": 1, "spent": 90}))
    alerting.close(replace(story.ending(), exit_code=ended_with))
    assert alerting.exit_code(ended_with) == code
    assert output.events[-1] == replace(story.ending(), exit_code=code)


def test_without_an_alert_nothing_fails(output: Kept) -> None:
    assert alerting_of(output, "info").exit_code(0) == 0
