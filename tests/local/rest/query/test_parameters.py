from __future__ import annotations

from prt.local.rest.query.parameters import parse_query


def test_many_conditions_are_read() -> None:
    """Without an end, if the time grew with the square of their number."""
    conditions = parse_query([("a", "eq.1"), ("or", "(b.eq.1,c.eq.2)")] * 150_000).conditions
    assert len(conditions[()]) == 300_000
