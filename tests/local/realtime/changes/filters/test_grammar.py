from __future__ import annotations

import pytest

from prt.local.realtime.changes.filters import grammar
from prt.local.realtime.changes.filters.grammar import Filter

PARSED = {
    "": (),
    "   ": (),
    "id=eq.1": (Filter("id", "eq", "1"),),
    " id=eq.1 ": (Filter("id", "eq", "1"),),
    "id=not.eq.1": (Filter("id", "eq", "1", True),),
    "id=gte.1,id=lt.3": (Filter("id", "gte", "1"), Filter("id", "lt", "3")),
    "task=eq.a.b=c": (Filter("task", "eq", "a.b=c"),),
    'task=eq."a,b"': (Filter("task", "eq", "a,b"),),
    r'task=eq."a\"b,c",id=eq.1': (Filter("task", "eq", 'a"b,c'), Filter("id", "eq", "1")),
    'task=eq."a"b': (Filter("task", "eq", '"a"b'),),
    'task=eq."a': (Filter("task", "eq", '"a'),),
    'task=eq.a"b,id=eq.1': (Filter("task", "eq", 'a"b'), Filter("id", "eq", "1")),
    "id=in.(1,2)": (Filter("id", "in", "{1,2}"),),
    "id=in.()": (Filter("id", "in", "{}"),),
    'task=in.(alpha,"be,ta"),id=not.in.(3)': (
        Filter("task", "in", '{alpha,"be,ta"}'),
        Filter("id", "in", "{3}", True),
    ),
    "task=eq.(a,b)": (Filter("task", "eq", "(a,b)"),),
    "task=eq.": (Filter("task", "eq", ""),),
    "task=isdistinct.x": (Filter("task", "isdistinct", "x"),),
}

REFUSED = {
    "garbage": '["garbage"]',
    "undefined": '["undefined"]',
    "id=eq": '["eq"]',
    "id=foo.1": '["foo", "1"]',
    "id=not.foo.1": '["foo", "1"]',
    "id=eq.1,": "filter must not contain empty segments (check for extra commas)",
    "id=eq.1,,id=eq.2": "filter must not contain empty segments (check for extra commas)",
    "id=in.1,2": "`in` filter value must be wrapped by parentheses",
    "id=in.(": "`in` filter value must be wrapped by parentheses",
}


@pytest.mark.parametrize(("text", "parsed"), PARSED.items(), ids=repr)
def test_parses(text: str, parsed: tuple[Filter, ...]) -> None:
    assert grammar.parse(text) == parsed


@pytest.mark.parametrize(("text", "words"), REFUSED.items(), ids=repr)
def test_refuses_in_the_servers_words(text: str, words: str) -> None:
    assert grammar.parse(text) == words
