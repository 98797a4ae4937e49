"""Messages on standard error."""

from __future__ import annotations

import pytest

from prt.views.sinks.stderr import wrapped_message


def test_a_long_message_is_broken_at_words_but_not_inside_of_a_command() -> None:
    line = "hint: name yours, such as `prt watch orders`, or '*' for every published table"
    assert wrapped_message(line, 40) == [
        "hint: name yours, such as",
        "`prt watch orders`, or '*' for every",
        "published table",
    ]
    assert wrapped_message(line, 100) == [line]


@pytest.mark.parametrize(
    "line",
    [
        "hint: alter publication supabase_realtime add table public.invoices;",
        "hint: create policy p on realtime.messages for select to anon; -- who may only send uses --http",
        "hint: prt watch orders invoices productions",
        "hint: allow it: grant select on public.orders to anon;",
        f"hint: see {'x' * 41} there",
    ],
)
def test_what_is_copied_stays_one_line(line: str) -> None:
    assert wrapped_message(line, 40) == [line]
