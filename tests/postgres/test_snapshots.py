from __future__ import annotations

import pytest

from prt.postgres.snapshots import are_visible

TWO_TO_32 = 2**32

CASES = [
    ("100:100:", 99, True),
    ("100:100:", 100, False),
    ("100:105:102,103", 101, True),
    ("100:105:102,103", 102, False),
    ("100:105:102,103", 104, True),
    ("100:105:102,103", 105, False),
    (f"{TWO_TO_32 + 5}:{TWO_TO_32 + 5}:", 4, True),
    (f"{TWO_TO_32 + 5}:{TWO_TO_32 + 5}:", 5, False),
    (f"{TWO_TO_32 + 5}:{TWO_TO_32 + 5}:", TWO_TO_32 - 1, True),
    (f"{TWO_TO_32 - 1}:{TWO_TO_32 - 1}:", 3, False),
]


@pytest.mark.parametrize(("snapshot", "transaction", "is_visible"), CASES)
def test_a_snapshot_decides_which_transactions_are_visible(
    snapshot: str, transaction: int, is_visible: bool
) -> None:
    assert are_visible(snapshot, [transaction]) is is_visible


def test_all_must_be_visible() -> None:
    assert are_visible("100:100:", [98, 99])
    assert not are_visible("100:100:", [99, 100])
    assert are_visible("100:100:", [])
