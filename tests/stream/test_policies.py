"""The SQL that opens a private topic."""

from __future__ import annotations

import base64
import json

import pytest

from prt.stream.policies import receives_sql, role_of, sends_sql


def test_policies_quote_what_they_name() -> None:
    assert receives_sql("anon", "o'hara\"s") == (
        'create policy "anon hears o\'hara""s" on realtime.messages for select to anon '
        "using (realtime.topic() = 'o''hara\"s');"
    )
    assert sends_sql("my role", "t").endswith(
        "for insert to \"my role\" with check (realtime.topic() = 't');"
    )


def test_names_of_policies_differ_only_within_the_bytes_that_postgresql_keeps() -> None:
    """It would cut a longer name by itself, with a notice, in the middle of a letter or not."""
    name = receives_sql("anon", "é" * 60).split('"')[1]
    assert name == "anon hears " + 26 * "é"


@pytest.mark.parametrize(
    ("claims", "role"), [({"role": "authenticated"}, "authenticated"), ({}, "anon"), ({"role": 7}, "anon")]
)
def test_the_role_is_what_the_token_claims(claims: dict[str, object], role: str) -> None:
    assert role_of(f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()}.s") == role


def test_a_publishable_key_is_anons() -> None:
    assert role_of("sb_publishable_abc") == "anon"
