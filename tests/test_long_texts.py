"""What a stranger wrote is read in a time that grows with its length, and not with its square.

At these lengths the square would take hours, so that such a test would not end.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from prt.app.bundle.scrubbing import Scrubber
from prt.redaction import redact
from prt.stream.filters.grammar import Condition

LENGTH = 2_000_000
TOKENS, SCHEMES, WORDS, SPACES = "-eyJ", "a.", "a", " "


def elements(text: str) -> object:
    return Condition("column", "in", text).elements()


@pytest.mark.parametrize(
    ("read", "piece"),
    [
        (redact, TOKENS),
        (redact, SCHEMES),
        (Scrubber(None).text, WORDS),
        (elements, SPACES),
        (elements, "\\ "),
        (elements, '"'),
        (elements, ',"'),
    ],
    ids=["token", "address", "email", "spaces", "escapes", "quotes", "lists"],
)
def test_a_long_text_is_read_to_its_end(read: Callable[[str], object], piece: str) -> None:
    read(piece * (LENGTH // len(piece)) + '"x')
