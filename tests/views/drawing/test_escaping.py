"""What is escaped in lines and texts, and that nothing else changes."""

from __future__ import annotations

import json

import pytest

from prt.views.drawing.escaping import escaped_line, escaped_text

STEERING = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)])) + (
    "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


@pytest.mark.parametrize("character", STEERING)
def test_every_such_character_is_escaped_in_texts_and_lines(character: str) -> None:
    assert character not in escaped_text(f"a{character}b")
    line = json.dumps({"a": f"x{character}"}, ensure_ascii=False).encode()
    assert character not in escaped_line(line).decode()
    assert json.loads(escaped_line(line)) == json.loads(line)


def test_all_other_texts_stay_as_they_are() -> None:
    for text in (
        "plain",
        "žluťoučký",
        "👨\u200d👩\u200d👧",
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        'a "b" \\n',
    ):
        assert escaped_text(text) == text
    assert escaped_line('{"a":"ž\\n"}\n'.encode()) == '{"a":"ž\\n"}\n'.encode()
