from __future__ import annotations

import pytest

from prt.app.update import equals, filter_of
from prt.cli.options.assignments import assignments_of, key_of
from prt.errors import UsageError


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("a=done", '"done"'),
        ("a=", '""'),
        ("a=null", "null"),
        ('a="null"', '"null"'),
        ("a=1.10", "1.10"),
        ("a=007", '"007"'),
        ("a=123456789012345678901234567890", "123456789012345678901234567890"),
        ("a=true", "true"),
        ('a={"by": "Maya"}', '{"by": "Maya"}'),
        ("a=[1,2]", "[1,2]"),
        ("a=x=y", '"x=y"'),
        ("a={broken", '"{broken"'),
        ("a=it's 日本", '"it\'s 日本"'),
    ],
)
def test_a_value_is_json_where_it_is_json_and_stays_as_it_was_typed(word: str, value: str) -> None:
    assert {name: bytes(raw).decode() for name, raw in assignments_of([word], "x").items()} == {"a": value}


@pytest.mark.parametrize(
    ("words", "what"), [(["a"], "can't read 'a'"), (["=1"], "can't read"), (["a=1", "a=2"], "twice")]
)
def test_what_is_no_assignment(words: list[str], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        assignments_of(words, "--if")


@pytest.mark.parametrize(
    ("text", "conditions", "wanted"),
    [
        ("7", [("id", "eq.7")], "id=eq.7"),
        ("5eed-01", [("id", "eq.5eed-01")], "id=eq.5eed-01"),
        ("org=1,nr=7", [("org", "eq.1"), ("nr", "eq.7")], "org=eq.1,nr=eq.7"),
        ("slug=a b", [("slug", "eq.a b")], None),
        ("123456789012345678901", [("id", "eq.123456789012345678901")], "id=eq.123456789012345678901"),
        ("odd name", [("id", "eq.odd name")], None),
    ],
)
def test_a_key(text: str, conditions: object, wanted: str | None) -> None:
    assert equals(key_of(text)) == conditions
    assert filter_of(key_of(text)) == wanted


def test_null_is_a_condition_of_its_own() -> None:
    assert equals(assignments_of(["done_at=null", "n=", "b=false"], "--if")) == [
        ("done_at", "is.null"),
        ("n", "eq."),
        ("b", "eq.false"),
    ]


def test_an_empty_key_is_none() -> None:
    with pytest.raises(UsageError, match="KEY is empty"):
        key_of("")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("name=a,b", {"name": '"a,b"'}),
        ("name=a,b,nr=7", {"name": '"a,b"', "nr": "7"}),
        ('name="a,nr=7"', {"name": '"a,nr=7"'}),
        ('name="a,nr=7",nr=8', {"name": '"a,nr=7"', "nr": "8"}),
        ('name="a \\" b",nr=8', {"name": '"a \\" b"', "nr": "8"}),
        ("org=1,nr=7", {"org": "1", "nr": "7"}),
        ('"odd, name"=x,y', {"odd, name": '"x,y"'}),
        ("a,b", {"id": '"a,b"'}),
    ],
)
def test_a_comma_in_a_value_of_a_key(text: str, key: dict[str, str]) -> None:
    assert {name: bytes(value).decode() for name, value in key_of(text).items()} == key
