from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import pytest

from prt.events import Event
from prt.local.project.attach import ephemeral
from tests.conftest import UNCHECKED
from tests.faults.judge import Verdict, Write, judge
from tests.faults.staging import Account
from tests.faults.story import story
from tests.faults.table import FAULTS

MODES = ("embedded", "hosted")


@pytest.fixture(scope="session")
def hosted() -> Iterator[dict[str, str]]:
    """A project with the conditions of `prt local up --like-hosted`."""
    with ephemeral(plan="free", poll_seconds=0.1, realtime=UNCHECKED) as environment:
        yield environment


@pytest.fixture(params=MODES)
def either(request: pytest.FixtureRequest, project: dict[str, str]) -> dict[str, str]:
    """The embedded project as it is, then one like a hosted project."""
    found: dict[str, str] = project if request.param == "embedded" else request.getfixturevalue("hosted")
    return found


@pytest.fixture
def account(record_property: Callable[[str, object], None]) -> Account:
    """Judges a watch and puts the verdict into the fault's row of the matrix."""

    def accounted(fault: str, writes: Sequence[Write], events: Sequence[Event], **more: Any) -> Verdict:
        assert fault in FAULTS
        verdict = judge(writes, events, **more)
        record_property("fault", fault)
        record_property("verdict", msgspec.to_builtins(verdict))
        if verdict.violations:
            print(story(events, writes))
        assert verdict.violations == (), verdict
        return verdict

    return accounted
