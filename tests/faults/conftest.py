from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from prt.events import Event
from tests.faults.judge import Verdict, Write, judge
from tests.faults.staging import Account
from tests.faults.story import story
from tests.faults.table import FAULTS


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
