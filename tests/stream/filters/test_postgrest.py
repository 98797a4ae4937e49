"""Filters and pages in PostgREST's grammar; that they mean the same is tested against a project."""

from __future__ import annotations

import pytest

from prt.stream.filters import postgrest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, []),
        ("a=eq.1", [("a", "eq.1")]),
        ("a=eq.1, b=not.lt.x", [("a", "eq.1"), ("b", "not.lt.x")]),
        ('a=eq."x,y"', [("a", "eq.x,y")]),
        (r'a=eq."x\"y"', [("a", 'eq.x"y')]),
        ('a=eq."x"y', [("a", 'eq."x"y')]),
        ("a=in.(1, 2)", [("a", 'in.("1","2")')]),
        (r'a=in.("x,\"y",z)', [("a", r'in.("x,\"y","z")')]),
        ("a=in.()", [("a", "in.()")]),
        ("a=in.(1,null)", [("a", 'in.("1")')]),
        ('a=in.("null")', [("a", 'in.("null")')]),
        ("a=not.in.(1,null)", [("and", "(a.is.null,a.not.is.null)")]),
        ("a=is.UNKNOWN", [("a", "is.null")]),
        ("a=not.is.TRUE", [("a", "not.is.true")]),
        ("a=like.x%y_", [("a", "like.x%y_")]),
        (r"a=like.x*\%_%", [("a", r"match.^x\*\%..*$")]),
        ("a=not.ilike.x*", [("a", r"not.imatch.^x\*$")]),
        ("order=eq.1", [("and", '("order".eq."1")')]),
        ("odd name=not.eq.a b", [("and", '("odd name".not.eq."a b")')]),
        ("odd name=in.(1)", [("and", '("odd name".in.("1"))')]),
        ("select=is.null", [("and", '("select".is.null)')]),
    ],
)
def test_filters(text: str | None, expected: list[tuple[str, str]]) -> None:
    assert postgrest.parameters_of(text) == expected


def test_the_rows_behind_one() -> None:
    assert postgrest.after(["id"], ["7"]) == ("or", '(id.gt."7")')
    assert postgrest.after(["at", "a b", "c"], ["1", 'x"', "\\"]) == (
        "or",
        '(at.gt."1",and(at.eq."1","a b".gt."x\\""),and(at.eq."1","a b".eq."x\\"",c.gt."\\\\"))',
    )


def test_rows_by_key() -> None:
    assert postgrest.one_of(["id"], [["1"], ["2,3"]]) == ("id", 'in.("1","2,3")')
    assert postgrest.one_of(["a", "b c"], [["1", "x"]]) == ("or", '(and(a.eq."1","b c".eq."x"))')
