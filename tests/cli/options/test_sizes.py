from __future__ import annotations

import pytest

from prt.cli.options.sizes import parse_size
from prt.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64MB", 64_000_000),
        ("64m", 64_000_000),
        ("1GiB", 1 << 30),
        ("512 kB", 512_000),
        ("1.5M", 1_500_000),
        ("100", 100),
        ("100B", 100),
    ],
)
def test_a_size(text: str, size: int) -> None:
    assert parse_size(text, "--max-wal") == size


@pytest.mark.parametrize("text", ["", "0", "MB", "-1MB", "64 apples", "1e9", "64MBB"])
def test_what_is_not_a_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--max-wal expects a size"):
        parse_size(text, "--max-wal")
