from __future__ import annotations

import pytest

from prt.state.rows.ages import dated, is_newer
from tests.views.story import raw

COMMIT = "2026-11-22T16:45:14.933Z"


def row(updated_at: str | None = None, **columns: str | None) -> bytes:
    return bytes(raw({"id": 1, "updated_at": updated_at} | columns))


@pytest.mark.parametrize(
    ("columns", "moment"),
    [
        ({"updated_at": "1970-01-01T00:00:01Z"}, 1_000_000),
        ({"updated_at": "1970-01-01 00:00:01+00"}, 1_000_000),
        ({"updated_at": None, "created_at": "1970-01-01T00:00:02.5+00:00"}, 2_500_000),
        ({"created_at": "1970-01-01T02:00:00"}, 7_200_000_000),
        ({"updated_at": "infinity"}, None),
        ({"updated_at": 7}, None),
        ({"id": 1}, None),
    ],
)
def test_the_descriptive_column_dates_a_row(columns: dict[str, object], moment: int | None) -> None:
    assert dated(raw(columns)) == moment


def test_a_row_that_cannot_be_read_has_no_date() -> None:
    assert dated(b'{"updated_at": "\\ud800"}') is None
    assert dated(b"[") is None


@pytest.mark.parametrize(
    ("read", "streamed", "expected"),
    [
        ("2026-11-22T16:45:14.934Z", "2026-11-22T16:45:14.9Z", True),
        ("2026-11-22T16:45:14.934Z", None, True),
        ("2026-11-22T16:45:14.933999Z", "2026-11-22T16:45:14.9Z", False),  # the commit was cut
        ("2026-11-22T16:45:14.9Z", "2026-11-22T16:45:14.8Z", False),  # they may have waited for each other
        ("2026-11-22T18:45:14Z", "2026-11-22T18:45:14Z", False),  # dated in the future, both
        (None, "2026-11-22T16:45:14.9Z", False),
    ],
)
def test_a_row_that_was_read_is_newer_only_if_it_began_after_the_commit(
    read: str | None, streamed: str | None, expected: bool
) -> None:
    assert is_newer(row(read), COMMIT, None if streamed is None else row(streamed)) is expected


def test_without_a_commit_nothing_is_newer() -> None:
    assert not is_newer(row("2026-11-22T16:45:15Z"), None, None)
