from __future__ import annotations

from typing import Any

import pytest

from prt.local.realtime.changes.filters.grammar import Filter
from prt.local.realtime.protocol import bindings
from prt.local.realtime.protocol.bindings import BindingRefusedError, Parameters
from prt.local.realtime.protocol.join_config import configured

PARSED: list[tuple[dict[str, Any], Parameters]] = [
    ({"schema": "public"}, Parameters(event="*", schema="public", table="*")),
    ({"table": "todos"}, Parameters(event="*", schema="public", table="todos")),
    (
        {"event": "insert", "schema": "s", "table": "t"},
        Parameters(event="INSERT", schema="s", table="t"),
    ),
    ({"event": "FOO", "schema": "s", "table": "t"}, Parameters(event="*", schema="s", table="t")),
    (
        {"schema": "s", "table": "t", "filter": "id=eq.1"},
        Parameters(event="*", schema="s", table="t", filters=(Filter("id", "eq", "1"),)),
    ),
    (
        {"schema": "s", "table": "t", "select": ["b", 1, "a"]},
        Parameters(event="*", schema="s", table="t", select=("a", "b")),
    ),
    ({"schema": "s", "table": "t", "select": []}, Parameters(event="*", schema="s", table="t")),
]

MISSING = "No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: "

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, MISSING + "%{}"),
    ({"event": "*", "table": None}, MISSING + '%{"event" => "*", "table" => nil}'),
    ({"schema": "s", "filter": "id=eq.1"}, MISSING + '%{"filter" => "id=eq.1", "schema" => "s"}'),
    ({"schema": "s", "table": "t", "filter": [1, True]}, MISSING
     + '%{"filter" => [1, true], "schema" => "s", "table" => "t"}'),
    (
        {"schema": "s", "table": "t", "select": "a"},
        "Error parsing `select` params: expected a list of column name strings, "
        'e.g. select: ["col1", "col2"]',
    ),
    (
        {"schema": "s", "select": ["a"]},
        "Column selection is not supported for wildcard subscriptions. "
        "Provide an explicit schema and table name.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("binding", "parameters"), PARSED, ids=repr)
def test_parses(binding: dict[str, Any], parameters: Parameters) -> None:
    assert bindings.parse(binding) == parameters


@pytest.mark.parametrize(("binding", "words"), REFUSED, ids=repr)
def test_refuses_in_the_servers_words(binding: dict[str, Any], words: str) -> None:
    with pytest.raises(BindingRefusedError) as refused:
        bindings.parse(binding)
    assert str(refused.value) == words


def test_refuses_what_would_cost_every_change_too_much() -> None:
    todos = {"schema": "public", "table": "todos"}
    assert len(bindings.parse_all([todos] * 1000)) == 1000
    config = {"config": {"postgres_changes": [todos] * 1001}}
    assert (
        configured("room", config).crash
        == "UnknownErrorOnChannel: A channel takes 1000 bindings at most, not 1001"
    )
    filter_ = "id=eq." + "1" * (16_384 - len("id=eq."))
    bindings.parse({**todos, "filter": filter_})
    with pytest.raises(BindingRefusedError, match="16384 characters at most, not 16385"):
        bindings.parse({**todos, "filter": filter_ + "1"})


def test_equal_bindings_have_equal_ids() -> None:
    one, same = {"event": "*", "table": "t"}, {"table": "t", "event": "*"}
    assert bindings.identity(one) == bindings.identity(same) < 2**27
    assert bindings.identity(one) != bindings.identity({**one, "filter": ""})


def test_describes_as_the_server_does() -> None:
    parameters = bindings.parse(
        {"event": "UPDATE", "schema": "s", "table": "t", "filter": 'a=not.eq.x"y', "select": ["b"]}
    )
    assert parameters.described() == (
        r'event: UPDATE, schema: s, table: t, filters: [{"a", "eq", "x\"y", true}], select: ["b"]'
    )


def test_reads_the_topic_of_the_old_interface() -> None:
    assert bindings.of_topic("public:todos:id=eq.1") == [
        {"schema": "public", "table": "todos", "filter": "id=eq.1"}
    ]
    assert bindings.of_topic("*") == [{"schema": "*"}]
