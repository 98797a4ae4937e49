from __future__ import annotations

import pytest

from prt.cli.options.filters import Filter, parse_filter
from prt.errors import UsageError
from prt.stream.filters.grammar import OPERATORS


@pytest.mark.parametrize("operator", [one for one in OPERATORS if one not in ("in", "is")])
def test_every_operator(operator: str) -> None:
    assert parse_filter(f"a={operator}.1") == Filter(None, f"a={operator}.1", ("a",))
    assert parse_filter(f"a=not.{operator}.1") == Filter(None, f"a=not.{operator}.1", ("a",))


@pytest.mark.parametrize(
    ("text", "table", "condition", "columns"),
    [
        ("a=eq.1", None, "a=eq.1", ("a",)),
        ("t:a=eq.1", "t", "a=eq.1", ("a",)),
        ("s.t:a=eq.1", "s.t", "a=eq.1", ("a",)),
        ("a=eq.x:y", None, "a=eq.x:y", ("a",)),
        ("t:a=eq.x:y", "t", "a=eq.x:y", ("a",)),
        ("a=eq.", None, "a=eq.", ("a",)),
        ("a=eq.1.5", None, "a=eq.1.5", ("a",)),
        ("a=eq.b=c", None, "a=eq.b=c", ("a",)),
        ("a=in.(1,2)", None, "a=in.(1,2)", ("a",)),
        ("a=not.in.(1,2)", None, "a=not.in.(1,2)", ("a",)),
        ('a=in.(x,"y,z")', None, 'a=in.(x,"y,z")', ("a",)),
        ('a=eq."x,y"', None, 'a=eq."x,y"', ("a",)),
        ("a=in.()", None, "a=in.()", ("a",)),
        ("a=is.null", None, "a=is.null", ("a",)),
        ("a=not.is.null", None, "a=not.is.null", ("a",)),
        ("a=gte.1,b=lt.3", None, "a=gte.1,b=lt.3", ("a", "b")),
        ("a=in.(1,2),b=eq.3", None, "a=in.(1,2),b=eq.3", ("a", "b")),
        ("a=match.^(x,y)", None, "a=match.^(x,y)", ("a",)),
        (r'a=in.("p\"q,r",s),b=eq.1', None, r'a=in.("p\"q,r",s),b=eq.1', ("a", "b")),
        ('status=in.("a=b","c=d,e")', None, 'status=in.("a=b","c=d,e")', ("status",)),
        ("Some Col=eq.1", None, "Some Col=eq.1", ("Some Col",)),
        (" a=eq.1 ", None, "a=eq.1", ("a",)),
    ],
)
def test_filters_that_are_understood(
    text: str, table: str | None, condition: str, columns: tuple[str, ...]
) -> None:
    assert parse_filter(text) == Filter(table, condition, columns)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("garbage", "can't read garbage", "production_id=eq.42"),
        ("a=1", "can't read a=1", "production_id=eq.42"),
        ("=eq.1", "can't read =eq.1", "production_id=eq.42"),
        ("a=foo.1", "unknown operator foo", "operators: eq"),
        ("a=EQ.1", "unknown operator EQ", "did you mean eq?"),
        ("a=ilik.x", "unknown operator ilik", "did you mean ilike?"),
        ("a=not.foo.1", "unknown operator foo", "operators: eq"),
        ("a=in.1,2", "in parentheses", "status=in."),
        ('a=eq.O"Brien,b=nonsense.1', "unknown operator nonsense", "operators: eq"),
        ("a=is.foo", "`is` takes null", "eq"),
        ("a=eq.1,", "an empty condition", "extra commas"),
        ("", "an empty condition", "extra commas"),
        ("t:", "an empty condition", "extra commas"),
        (":a=eq.1", "no table before the colon", "production_id"),
        ("title=eq.F-a,b", "can't read b", """double quotes: 'title=eq."F-a,b"'"""),
        ('a=not.like."x,y",z', "can't read z", """double quotes: 'a=not.like."x,y,z"'"""),
        (r'a=eq.1,b=eq.a"\,c', "can't read c", r"""'b=eq."a'\\'"'\\\\',c"'"""),
        ("a=eq.1&b=eq.2,c", "can't read c", "double quotes"),
        ("a=in.(1,2),c", "can't read c", "production_id"),
        ("a=in.(" + ",".join("1" * 101) + ")", "at most 100 values", "--include"),
    ],
)
def test_filters_that_are_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_filter(text)
    assert hint in (caught.value.hint or "")
