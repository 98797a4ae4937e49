"""Golden files: exact output. PRT_REWRITE_GOLDEN=1 writes them anew, to be read before they are committed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares a text with tests/golden/NAME."""

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if os.environ.get("PRT_REWRITE_GOLDEN"):
            file.write_bytes(text.encode())
        assert text == file.read_bytes().decode()

    return compare
