"""Patterns hold exactly if PostgreSQL agrees, and take no longer for hostile ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prt.local.postgres.server import Postgres
from prt.local.realtime.changes.filters import patterns

PATTERNS = st.text("aAb%%%__\\éÉßİΣ", max_size=10)
TEXTS = st.text("aAb%_\\éÉßİıΣσςK😀\n", max_size=10)


@pytest.fixture(scope="module")
def connection(server: Postgres) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def folding(connection: psycopg.Connection[Any]) -> dict[int, str]:
    query = "select n, lower(chr(n)) from generate_series(1, 131071) n where n not between 55296 and 57343"
    return dict(connection.execute(query).fetchall())


@settings(
    max_examples=1500,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(pattern=PATTERNS, text=TEXTS)
def test_matches_as_postgresql_does(
    connection: psycopg.Connection[Any], folding: dict[int, str], pattern: str, text: str
) -> None:
    like, ilike = patterns.matcher(pattern), patterns.folded_matcher(pattern, folding)
    if like is None or ilike is None:
        return
    expected = connection.execute(
        "select %s::text like %s, %s::text ilike %s", [text, pattern, text, pattern]
    ).fetchone()
    assert (like(text), ilike(text)) == expected


@pytest.mark.parametrize("pattern", ["a\\", "%a\\", "%a_b%", "%_a_b_%"])
def test_leaves_to_postgresql_what_raises_or_is_not_linear(pattern: str) -> None:
    assert patterns.matcher(pattern) is None


@pytest.mark.parametrize("pattern", ["a%", "%a", "%a%b%", "a_b%c_d", "%_a%b__%", "%", "", "a\\%", "%\\_%"])
def test_decides_the_others(pattern: str) -> None:
    assert patterns.matcher(pattern) is not None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%e" * 30 + "x%", "e" * 100_000),
        ("%" + "e%" * 5_000 + "x%e", "e" * 100_000),
        ("%" + "e" * 5_000 + "x%", "e" * 100_000),
        ("_%" * 5_000 + "x%e", "e" * 100_000),
    ],
    ids=["many parts", "thousands of parts", "a long part", "thousands of any"],
)
def test_a_hostile_pattern_is_decided(pattern: str, text: str) -> None:
    """With backtracking this test would not come to an end."""
    like, ilike = patterns.matcher(pattern), patterns.folded_matcher(pattern, {})
    assert like is not None
    assert ilike is not None
    assert not like(text)
    assert not ilike(text)
