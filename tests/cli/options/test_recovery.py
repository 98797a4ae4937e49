"""The moments of `--since`."""

from __future__ import annotations

import pytest

from prt.cli.options.recovery import moment_of
from prt.errors import UsageError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yesterday", '--since expects a duration or a timestamp, not "yesterday"'),
        ("2026-11-22T16:48:47", "--since has no time zone: 2026-11-22T16:48:47"),
    ],
)
def test_a_text_that_is_not_a_moment_gets_both_forms_as_a_hint(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        moment_of(text, "--since")
    assert caught.value.message == message
    assert caught.value.hint == "write 5m, 2h, or a timestamp such as 2026-11-22T16:48:47Z"
