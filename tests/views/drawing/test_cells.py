from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from prt.views.drawing.cells import cut, cut_middle, safe, wrapped

ANY_TEXT = st.text(st.characters(), max_size=60)  # lone surrogates too


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]8;;https://evil.example\x07click\x1b]8;;\x07", "␛]8;;https://evil.example␇click␛]8;;␇"),
        ("a\nb\r\nc\td\x00", "a␊b␍␊c␉d␀"),
        ("\x7f", "␡"),
        ("\x9b31m\x85", "\\x9b31m\\x85"),
        ("\u202egnp.exe\u2066\u200f\u061c", "\\u202egnp.exe\\u2066\\u200f\\u061c"),
        ("zero\u200bwidth\ufeff\u2060\u00ad", "zero\\u200bwidth\\ufeff\\u2060\\xad"),
        ("\ud800 half", "\\ud800 half"),
        ("\ue000\U000e0041", "\\ue000\\U000e0041"),
        ("\u2028\u2029\u00a0\u3000", "\\u2028\\u2029  "),
        ("[bold]x[/bold] [link=x]", "[bold]x[/bold] [link=x]"),
        ("日本語", "日本語"),
        ("مرحبا", "مرحبا"),
        ("e\u0301", "é"),
        ("\u0301x", "◌\u0301x"),
        ("Z\u0300\u0301\u0302\u0303\u0304\u0305a", "Z\u0300\u0301\u0302a"),
        ("👨\u200d👩\u200d👧", "👨👩👧"),
        ("👍🏽 ❤\ufe0f", "👍 ❤"),
        ("🇩🇪", "🇩🇪"),
        ("می\u200cخواهم", "میخواهم"),
        ("\u3164\u115f", "\\u3164\\u115f"),
        ("", ""),
    ],
)
def test_safe(text: str, shown: str) -> None:
    assert safe(text) == shown


@given(ANY_TEXT)
def test_safe_text_holds_nothing_that_steers(text: str) -> None:
    shown = safe(text)

    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    shown.encode()
    assert not any(unicodedata.combining(character) for character in shown[:1])


@given(ANY_TEXT)
def test_the_width_of_safe_text_is_that_of_its_characters(text: str) -> None:
    """No sequence changes it: what terminals and versions of Rich disagree on is not in it."""
    shown = safe(text)

    assert cell_len(shown) == sum(map(cell_len, shown))


@given(ANY_TEXT, st.integers(0, 30))
def test_cut_fits_and_begins_as_the_text_does(text: str, width: int) -> None:
    shown = safe(text)
    result = cut(shown, width)

    assert cell_len(result) <= width
    assert result == shown if cell_len(shown) <= width else shown.startswith(result[:-1])
    assert cell_len(result) >= min(cell_len(shown), width) - 1  # a wide character may not fit


@given(ANY_TEXT, st.integers(0, 30))
def test_cut_middle_fits_and_keeps_both_ends(text: str, width: int) -> None:
    shown = safe(text)
    result = cut_middle(shown, width)

    assert cell_len(result) <= width
    if cell_len(shown) <= width:
        assert result == shown
    elif width >= 3:
        head, tail = result.split("…", 1) if "…" not in shown else ("", "")
        assert shown.startswith(head)
        assert shown.endswith(tail)


@given(ANY_TEXT, st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_no_word(text: str, width: int) -> None:
    shown = safe(text)
    lines = wrapped(shown, width)

    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == shown.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("日本語テキスト", 7, "日本語…"),
        ("日本語テキスト", 6, "日本…"),
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("abcd", 1, "…"),
        ("abcd", 0, ""),
        ("e\u0323\u0302xyz", 2, "ệ…"),
    ],
)
def test_cut_by_width(text: str, width: int, expected: str) -> None:
    assert cut(safe(text), width) == expected


def test_a_uuid_keeps_both_its_ends() -> None:
    assert cut_middle("5eed0000-0000-4000-8000-0000000000a1", 9) == "5eed…00a1"


def test_a_mark_does_not_go_on_without_its_letter() -> None:
    assert cut_middle("abcdefg" + "x\u0323\u0307" + "yz", 5) == "ab…yz"


def test_safe_text_is_no_markup() -> None:
    assert Text(safe("[red]x[/red]")).plain == "[red]x[/red]"
