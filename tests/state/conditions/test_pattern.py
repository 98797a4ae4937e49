from __future__ import annotations

from collections.abc import Callable

import pytest

from prt.errors import UsageError
from prt.inputs import Input
from prt.state.conditions import pattern as pattern_module
from prt.state.conditions.pattern import Pattern

AMBIGUOUS = "(a|aa)+$"
"""It can divide a row of fifty times `a` in more ways than anybody can wait for."""


def test_matches_are_found_anywhere_and_in_order() -> None:
    pattern = Pattern(r"\d+", Input.HIGHLIGHT)
    assert pattern.matches("ab 12") is True
    assert pattern.matches("ab") is False
    assert list(pattern.spans("1 and 23")) == [(0, 1), (6, 8)]


@pytest.mark.parametrize(
    "search", [Pattern.matches, lambda pattern, text: list(pattern.spans(text))], ids=["matches", "spans"]
)
def test_a_search_without_end_becomes_an_error_that_names_the_pattern(
    search: Callable[[Pattern, str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pattern_module, "SEARCH_SECONDS", 0.05)
    with pytest.raises(UsageError, match=r"--exclude \(a\|aa\)\+\$ takes more than 0.05 s"):
        search(Pattern(AMBIGUOUS, Input.EXCLUDE), "a" * 50 + "!")
