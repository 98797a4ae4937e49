"""What keeps changes from clients, inferred from the answers of the database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from prt.checks import delivery
from prt.checks.delivery import Delivery
from prt.checks.status.layers import undelivered
from prt.checks.status.layers.source_listener import SourceListener
from prt.events import EMPTY, Change
from prt.results import Finding


def delivery_of(**changed: Any) -> Delivery:
    given: dict[str, Any] = {"slot": True, "plugins": None, "subscribers": 1, "filters": (), "roots": ()}
    return Delivery(**{**given, "changed": 0, **changed})


def change() -> Change:
    return Change(
        at=1,
        topic="t",
        event_type="INSERT",
        schema="public",
        table="todos",
        commit_timestamp=None,
        new=EMPTY,
        old=EMPTY,
    )


def examined(*answers: Delivery, listener: SourceListener | None = None, **more: Any) -> Finding | None:
    """The first answer is from before the subscription."""
    before, *others = answers
    left: Iterator[Delivery] = iter(others)

    async def read() -> Delivery | None:
        return next(left)

    options = {"passes_row_security": False, "is_filtered": False, **more}
    return asyncio.run(undelivered.examine(listener or SourceListener(), read, before, **options))


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undelivered, "SLOT_PAUSE_SECONDS", 0)
    monkeypatch.setattr(undelivered, "COUNT_SECONDS", 0)
    monkeypatch.setattr(undelivered, "TRAFFIC_SECONDS", 0.01)


def test_a_slot_that_comes_with_the_first_subscription() -> None:
    assert (
        examined(
            delivery_of(slot=None, subscribers=0),
            delivery_of(slot=None),
            delivery_of(slot=None),
            delivery_of(),
            delivery_of(),
        )
        is None
    )


def test_nobody_subscribed_needs_no_slot() -> None:
    assert examined(delivery_of(), *[delivery_of(slot=None, subscribers=0)] * 2) is None
    assert examined(delivery_of(), delivery_of(slot=None, subscribers=None)) is None


@pytest.mark.parametrize(
    ("plugins", "why"),
    [
        ("pgoutput, test_decoding", "output_plugin_libraries leaves out wal2json"),
        ("", "output_plugin_libraries leaves out wal2json"),
        ("pgoutput, wal2json", "there is no slot"),
        (None, "there is no slot"),
    ],
)
def test_no_slot(plugins: str | None, why: str) -> None:
    found = examined(delivery_of(), *[delivery_of(slot=None, plugins=plugins)] * 10)
    assert found is not None
    assert (found.state, found.figure) == ("failed", "no replication slot is read")
    assert why in found.causes[0].why
    idle = delivery.slot_causes(delivery_of(slot=False))
    assert idle[0].why.startswith("nobody reads the replication slot")


def test_rows_that_change_and_do_not_come_are_the_rate() -> None:
    found = examined(delivery_of(changed=5), delivery_of(changed=8), delivery_of(changed=20))
    assert found is not None
    assert (found.state, found.figure) == ("warning", "12 rows changed and nothing came")
    assert "limit of messages a second" in found.causes[0].why
    assert "policies hide" in found.causes[1].why
    assert examined(delivery_of(), delivery_of(), delivery_of(changed=3), delivery_of(changed=4)) is not None
    (only,) = examined(
        delivery_of(), delivery_of(changed=1), delivery_of(changed=2), passes_row_security=True
    ).causes  # type: ignore[union-attr]
    assert only == delivery.LIMIT


def test_a_quiet_database_and_one_whose_changes_come_are_no_sign() -> None:
    assert examined(delivery_of(changed=5), delivery_of(changed=5), delivery_of(changed=5)) is None
    assert examined(delivery_of(changed=5), delivery_of(changed=8), delivery_of(changed=8)) is None
    assert examined(delivery_of(changed=5), delivery_of(changed=8), is_filtered=True) is None

    class ReceivingListener(SourceListener):
        async def until(self, *_: Any) -> bool:
            self.received.apply(change())
            return True

    assert examined(delivery_of(changed=5), delivery_of(changed=8), listener=ReceivingListener()) is None
