"""The client's grammar of filters, held against the embedded server's."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prt.local.realtime.changes.filters import grammar as server
from prt.stream.filters.grammar import Condition, FilterError, columns_of, equals, read

PIECES = (
    *('"', "\\", "(", ")", ",", ".", "=", " ", "{", "}", "O'B", "é", "\n"),
    *("a", "b", "Col A", "id=eq.1", "=eq.", "=not.", "=in.(", "=not.in.(", "=is.null", "not.", "nonsense."),
)
texts = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def of_the_server(text: str) -> list[tuple[str, str, str, bool]] | None:
    found = server.parse(text)
    if isinstance(found, str):
        return None
    return [(one.column, one.operator, one.value, one.is_negated) for one in found]


@given(texts)
@example(r'a=in.("p\"q,r",s),b=eq.1')
@example('a=eq.O"Brien,b=nonsense.1')
@example('status=in.("a=b","c=d,e")')
@example('q"c=eq.x,dot.c=eq.1,Col A=eq.x')
def test_a_filter_is_read_as_the_server_reads_it(text: str) -> None:
    theirs = of_the_server(text)
    try:
        ours = read(text)
    except FilterError as error:
        # The server refuses these later, when its database looks at the conditions.
        is_late = error.fault in {"is", "length"} or error.segment.startswith("=")
        assert theirs is None or is_late
        return
    assert theirs == [
        (one.column, one.operator, f"{{{one.value}}}" if one.operator == "in" else one.value, one.is_negated)
        for one in ours
    ]


@given(st.text(max_size=8) | texts, st.text(max_size=8) | texts)
def test_a_written_condition_means_what_was_written(column: str, value: str) -> None:
    text = equals(column, value)
    if text is not None:
        assert of_the_server(f"{text},id=eq.1") == [(column, "eq", value, False), ("id", "eq", "1", False)]


@given(st.text(max_size=12))
def test_every_value_of_a_plain_column_can_be_written(value: str) -> None:
    assert equals("to", value) is not None


@pytest.mark.parametrize("column", ["a,b", "", "a(b", " a", "a=b"])
def test_a_column_that_the_grammar_has_no_words_for(column: str) -> None:
    assert equals(column, "1") is None


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ('status=in.("a=b","c=d,e")', ("status",)),
        (r'a=in.("p\"q,r",s),b=eq.1,a=neq.2', ("a", "b")),
        ('a=eq.O"Brien,b=nonsense.1', ()),
        ("Col A=eq.x,dot.c=eq.1", ("Col A", "dot.c")),
        (None, ()),
    ],
)
def test_the_columns_of_a_filter(text: str | None, columns: tuple[str, ...]) -> None:
    assert columns_of(text) == columns


@pytest.mark.parametrize(
    ("inside", "elements"),
    [
        ("", ()),
        ("1, 2", ("1", "2")),
        (r'"x,\"y",z', ('x,"y', "z")),
        ('null,"null"', (None, "null")),
        (' "a b" , c d ,"', ("a b", "c d")),
        ('a"b",c', ("c",)),
    ],
)
def test_the_values_of_a_list(inside: str, elements: tuple[str | None, ...]) -> None:
    assert read(f"a=in.({inside})") == (Condition("a", "in", inside),)
    assert read(f"a=in.({inside})")[0].elements() == elements
