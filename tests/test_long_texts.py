"""What a stranger wrote is read in a time that grows with its length, and not with its square.

At these lengths the square would take hours, so that such a test would not end.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from prt.app.bundle.scrubbing import Scrubber
from prt.redaction import redact
from prt.stream.filters.grammar import Condition
from prt.views.drawing.cells import wrapped
from prt.views.panels.inspection import json_lines

LENGTH = 2_000_000
TOKENS, SCHEMES, WORDS, SPACES = "-eyJ", "a.", "a", " "


def elements(text: str) -> object:
    return Condition("column", "in", text).elements()


def in_lines(text: str) -> object:
    return wrapped(text, 80)


def in_details(text: str) -> object:
    return json_lines(json.dumps(text, ensure_ascii=False).encode(), 80, 1)


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
        (in_lines, "word "),
        (in_lines, "日本"),
        (in_details, WORDS),
        (in_details, "日本"),
    ],
    ids=[
        "token",
        "address",
        "email",
        "spaces",
        "escapes",
        "quotes",
        "lists",
        "words",
        "wide",
        "value",
        "wide-value",
    ],
)
def test_a_long_text_is_read_to_its_end(read: Callable[[str], object], piece: str) -> None:
    read(piece * (LENGTH // len(piece)) + '"x')
