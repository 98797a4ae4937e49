from __future__ import annotations

import pytest

from prt.stream.recovery.verification.visibility import Row, was_visible

ME = "11111111-1111-4111-8111-111111111111"
ANNA = "22222222-2222-4222-8222-222222222222"
OURS = "33333333-3333-4333-8333-333333333333"
THEIRS = "44444444-4444-4444-8444-444444444444"

SEEN: list[Row] = [
    {"id": 1, "team_id": 7, "space": OURS, "author": ANNA, "team": 7, "title": "a", "open": True},
    {"id": 2, "team_id": 7, "space": OURS, "author": ANNA, "team": 7, "title": "b", "open": False},
    {"id": 3, "team_id": 8, "space": OURS, "author": ANNA, "team": 7, "title": "c", "open": None},
    {"id": 4, "team_id": 8, "space": OURS, "author": ANNA, "team": 8, "title": "d", "open": True},
]


@pytest.mark.parametrize(
    ("row", "seen", "expected"),
    [
        ({"id": 9, "team_id": 7, "title": "z"}, SEEN, True),
        ({"id": 9, "team_id": 9, "title": "z"}, SEEN, False),
        ({"id": 9, "team_id": 9, "owner": ME}, SEEN, True),
        ({"id": 9, "team_id": None, "open": False}, SEEN, True),
        ({"id": 9, "space": OURS, "author": ANNA}, SEEN, True),
        ({"id": 9, "space": THEIRS, "author": ANNA}, SEEN, False),
        ({"id": 9, "team": 8}, SEEN, True),
        ({"id": 9, "team": 9}, SEEN, False),
        ({"id": 9, "title": "of nobody"}, SEEN, True),
        ({"id": 9, "team_id": 7}, [], False),
        ({"id": 9, "title": "of nobody"}, [], True),
        ({"id": OURS, "title": "a key refers to nothing"}, [], True),
    ],
)
def test_a_row_was_visible_if_it_names_the_user_or_refers_to_what_was_seen(
    row: Row, seen: list[Row], expected: bool
) -> None:
    assert was_visible(row, seen, user=ME, key=("id",)) is expected
