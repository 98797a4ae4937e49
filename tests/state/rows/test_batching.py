from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prt.events import Change
from prt.state.rows import batching
from prt.state.rows.batching import Batch
from tests.views.story import change

ROW = {"id": 1, "v": 0}


def of(event_type: str, v: int = 0, **more: Any) -> Change:
    new = None if event_type == "DELETE" else ROW | {"v": v}
    old = None if event_type == "INSERT" else {"id": 1}
    return change(event_type, "t", new=new, old=old, **more)


def net(*changes: Change) -> list[tuple[str, Any, Any, int]]:
    batch = Batch()
    for one in changes:
        batch.add(one)
    return [described(one) for one in batch.take()]


def described(one: Change) -> tuple[str, Any, Any, int]:
    return one.event_type, one.new_row(), one.old_row(), one.merged


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["INSERT", "UPDATE"], [("INSERT", ROW | {"v": 1}, {}, 2)]),
        (["INSERT", "UPDATE", "UPDATE"], [("INSERT", ROW | {"v": 2}, {}, 3)]),
        (["INSERT", "DELETE"], []),
        (["INSERT", "DELETE", "INSERT"], [("INSERT", ROW | {"v": 2}, {}, 3)]),
        (["UPDATE", "UPDATE"], [("UPDATE", ROW | {"v": 1}, {"id": 1}, 2)]),
        (["UPDATE", "DELETE"], [("DELETE", {}, {"id": 1}, 2)]),
        (["DELETE", "INSERT"], [("UPDATE", ROW | {"v": 1}, {"id": 1}, 2)]),
        (["UPDATE", "DELETE", "INSERT"], [("UPDATE", ROW | {"v": 2}, {"id": 1}, 3)]),
        (["DELETE", "INSERT", "DELETE"], [("DELETE", {}, {"id": 1}, 3)]),
        (["UPDATE"], [("UPDATE", ROW, {"id": 1}, 1)]),
    ],
    ids=str,
)
def test_the_changes_of_a_row_become_their_net_effect(steps: list[str], expected: Any) -> None:
    assert net(*(of(step, number) for number, step in enumerate(steps))) == expected


@pytest.mark.parametrize(
    "steps",
    [["INSERT", "INSERT"], ["UPDATE", "INSERT"], ["DELETE", "UPDATE"], ["DELETE", "DELETE"]],
    ids=str,
)
def test_changes_that_can_not_be_merged_are_emitted_one_by_one(steps: list[str]) -> None:
    """Something between them was missed."""
    assert [event_type for event_type, *_ in net(*map(of, steps))] == steps


def test_the_previous_row_is_that_of_the_first_change() -> None:
    first = change("UPDATE", "t", new=ROW | {"v": 1}, old=ROW)
    last = change("UPDATE", "t", new=ROW | {"v": 2}, old=ROW | {"v": 1})
    assert net(first, last) == [("UPDATE", ROW | {"v": 2}, ROW, 2)]
    assert net(first, change("DELETE", "t", old=ROW | {"v": 1})) == [("DELETE", {}, ROW, 2)]


def test_a_change_of_the_key_stands_by_itself() -> None:
    """Somebody else may get the former key, and that order counts."""
    moved = change("UPDATE", "t", new={"id": 2, "v": 1}, old={"id": 1})
    later = change("UPDATE", "t", new={"id": 2, "v": 2}, old={"id": 2})
    found = net(of("UPDATE"), of("UPDATE"), moved, later, later)
    assert [(new["id"], old["id"], count) for _, new, old, count in found] == [
        (1, 1, 2),
        (2, 1, 1),
        (2, 2, 2),
    ]


@pytest.mark.parametrize("more", [{"source": "backfill"}, {"errors": ["Error 413: Payload Too Large"]}])
def test_what_was_read_or_cut_stands_by_itself(more: dict[str, Any]) -> None:
    found = net(of("UPDATE", 1), of("UPDATE", 2, **more), of("UPDATE", 3), of("UPDATE", 4))
    assert [(row["v"], count) for _, row, _, count in found] == [(1, 1), (2, 1), (4, 2)]


def test_rows_without_a_key_and_other_rows_are_not_merged() -> None:
    keyless = change("INSERT", "t", new={"a": 1})
    assert len(net(keyless, keyless)) == 2
    others = [of("UPDATE"), change("UPDATE", "u", new=ROW, old={"id": 1}), of("UPDATE", schema="s")]
    assert [count for *_, count in net(*others)] == [1, 1, 1]


def test_they_come_in_the_order_of_their_last_changes_and_with_its_times() -> None:
    batch = Batch()
    other = change("UPDATE", "t", new={"id": 2}, old={"id": 2}, at=2, lag=2.0)
    for one in (of("UPDATE", 1, at=1), other, of("UPDATE", 2, at=3, lag=7.0)):
        batch.add(one)
    assert len(batch) == 2
    assert [(one.at, one.lag_ms) for one in batch.take()] == [(2, 2.0), (3, 7.0)]
    assert (len(batch), batch.take()) == (0, [])


def test_large_values_that_an_update_left_out_stay() -> None:
    whole = change("INSERT", "t", new={"id": 1, "body": "x" * 3000, "v": 0})
    assert net(whole, of("UPDATE", 1))[0][1] == {"id": 1, "body": "x" * 3000, "v": 1}


def test_a_window_with_too_many_rows_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "MOST", 2)
    batch = Batch()
    for number in (1, 2):
        assert not batch.is_full
        batch.add(change("INSERT", "t", new={"id": number}))
    assert batch.is_full


WRITES = st.lists(
    st.tuples(st.sampled_from([1, 2, -1, -2]), st.sampled_from(["write", "delete", "move", "take"])),
    max_size=30,
)


@example(writes=[(1, "write"), (1, "take"), (1, "move"), (1, "write"), (-1, "write")])
@given(writes=WRITES)
def test_what_is_emitted_makes_the_same_rows_as_all_that_came(writes: list[tuple[int, str]]) -> None:
    rows: dict[int, int] = {}
    batch, emitted, count = Batch(), [], 0
    for number, (key, what) in enumerate(writes):
        if what == "take":
            emitted += batch.take()
            continue
        target = key
        if what == "delete":
            if rows.pop(key, None) is None:
                continue
            one = change("DELETE", "t", old={"id": key})
        else:
            target = -key if what == "move" and key in rows and -key not in rows else key
            kind = "UPDATE" if key in rows else "INSERT"
            rows.pop(key, None)
            rows[target] = number
            old = {"id": key} if kind == "UPDATE" else None
            one = change(kind, "t", new={"id": target, "v": number}, old=old)
        batch.add(one)
        count += 1
    emitted += batch.take()
    shown: dict[int, int] = {}
    for one in emitted:
        if one.event_type != "INSERT":
            assert json.loads(bytes(one.old))["id"] in shown
            del shown[one.old_row()["id"]]
        if one.event_type != "DELETE":
            assert one.new_row()["id"] not in shown
            shown[one.new_row()["id"]] = one.new_row()["v"]
    assert shown == rows
    assert sum(one.merged for one in emitted) <= count
