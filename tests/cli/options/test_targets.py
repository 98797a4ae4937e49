from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prt.cli.options.targets import parse_targets
from prt.config.constants.seed_tables import CORE, GROUPS, MODULE
from prt.errors import UsageError
from prt.stream.binding import Binding


def bindings(*words: str, **options: Any) -> list[Binding]:
    return parse_targets(words, **options).bindings


def shown(*words: str, **options: Any) -> list[str]:
    return [f"{one.name}:{one.event}" for one in bindings(*words, **options)]


def test_the_groups_are_the_seeds() -> None:
    assert (len(CORE), len(MODULE), len(GROUPS["all"])) == (7, 23, 30)
    assert len(set(GROUPS["all"])) == 30


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], [f"public.{table}:*" for table in GROUPS["all"]]),
        (["core"], [f"public.{table}:*" for table in CORE]),
        (["module"], [f"public.{table}:*" for table in MODULE]),
        (["all"], [f"public.{table}:*" for table in GROUPS["all"]]),
        (["a", "b"], ["public.a:*", "public.b:*"]),
        (["app.a"], ["app.a:*"]),
        (["*"], ["public.*:*"]),
        (["app.*"], ["app.*:*"]),
        (["*:INSERT"], ["public.*:INSERT"]),
        (["a:INSERT,UPDATE"], ["public.a:INSERT", "public.a:UPDATE"]),
        (["a:update,insert"], ["public.a:INSERT", "public.a:UPDATE"]),
        (["a: delete , insert "], ["public.a:INSERT", "public.a:DELETE"]),
        (["a:*"], ["public.a:*"]),
        (["a:all"], ["public.a:*"]),
        (["a:INSERT,UPDATE,DELETE"], ["public.a:*"]),
        (["core:DELETE"], [f"public.{table}:DELETE" for table in CORE]),
        (["a", "a"], ["public.a:*"]),
        (["a", "public.a"], ["public.a:*"]),
        (["a:INSERT", "a"], ["public.a:*"]),
        (["a:INSERT", "a:INSERT,DELETE"], ["public.a:INSERT", "public.a:DELETE"]),
        (["core", "notifications:INSERT"], [f"public.{table}:*" for table in CORE]),
        (["public.core"], ["public.core:*"]),
        (['"core"'], ["public.core:*"]),
        (['"Mixed Case"'], ["public.Mixed Case:*"]),
        (["Mixed Case"], ["public.Mixed Case:*"]),
        (['"My Schema"."odd.name:x":INSERT'], ["My Schema.odd.name:x:INSERT"]),
        (['"say ""hi"""'], ['public.say "hi":*']),
        (['"a*"'], ["public.a*:*"]),
    ],
)
def test_words_become_bindings(words: list[str], expected: list[str]) -> None:
    assert shown(*words) == expected


def test_schema_and_events_of_the_options() -> None:
    assert shown("a", "other.b", schema="app", events=["insert", "DELETE"]) == [
        "app.a:INSERT",
        "app.a:DELETE",
        "other.b:INSERT",
        "other.b:DELETE",
    ]
    assert shown("a:UPDATE", "b", events=["INSERT"]) == ["public.a:UPDATE", "public.b:INSERT"]
    assert shown("a", events=["INSERT,UPDATE"]) == ["public.a:INSERT", "public.a:UPDATE"]
    assert shown("core", schema="app")[0] == "app.organizations:*"


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ([""], "not the name of a table", "TABLE"),
        (["a.b.c"], "not the name of a table", "odd names"),
        (["a:b:c"], "not the name of a table", "odd names"),
        ([":INSERT"], "not the name of a table", "TABLE"),
        ([".a"], "not the name of a table", "TABLE"),
        (['"a'], "not the name of a table", "odd names"),
        (["a:"], "names no event", "TABLE:INSERT"),
        (["a:INSRT"], "no event INSRT", "did you mean INSERT?"),
        (["a:TRUNCATE"], "no event TRUNCATE", "INSERT, UPDATE and DELETE"),
        (["project_*"], "a pattern", "whole schema"),
    ],
)
def test_words_that_can_not_be_read(words: list[str], message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_targets(words)
    assert hint in (caught.value.hint or "")


def test_an_unknown_event_option_is_reported() -> None:
    with pytest.raises(UsageError, match="--event: there is no event DELTE") as caught:
        parse_targets(["a"], events=["DELTE"])
    assert caught.value.hint == "did you mean DELETE?"


# --- filters


def filters(*words: str, texts: list[str], **options: Any) -> dict[str, str | None]:
    return {f"{one.table}:{one.event}": one.filter for one in bindings(*words, filters=texts, **options)}


@pytest.mark.parametrize(
    ("words", "texts", "expected"),
    [
        (["a", "b"], ["x=eq.1"], {"a:*": "x=eq.1", "b:*": "x=eq.1"}),
        (["a", "b"], ["a:x=eq.1"], {"a:*": "x=eq.1", "b:*": None}),
        (["a"], ["x=eq.1", "y=gt.2"], {"a:*": "x=eq.1,y=gt.2"}),
        (["a", "b"], ["x=eq.1", "b:y=gt.2"], {"a:*": "x=eq.1", "b:*": "x=eq.1,y=gt.2"}),
        (["a"], ["x=eq.1", "a:x=eq.1"], {"a:*": "x=eq.1,x=eq.1"}),
        (["a"], ["x=eq.1", "x=eq.1"], {"a:*": "x=eq.1"}),
        (["a"], ["at=gt.2020-01-01T10:00:00"], {"a:*": "at=gt.2020-01-01T10:00:00"}),
        (["a"], ["public.a:x=eq.b:c"], {"a:*": "x=eq.b:c"}),
        (["a", "*"], ["a:x=eq.1"], {"a:*": "x=eq.1", "*:*": None}),
        (["a:INSERT,UPDATE"], ["x=eq.1"], {"a:INSERT": "x=eq.1", "a:UPDATE": "x=eq.1"}),
    ],
)
def test_filters_of_tables(words: list[str], texts: list[str], expected: dict[str, str | None]) -> None:
    assert filters(*words, texts=texts) == expected


def test_a_filter_names_a_table_in_the_schema_of_the_option() -> None:
    assert filters("t", texts=["t:x=eq.1"], schema="app") == {"t:*": "x=eq.1"}


def test_a_filter_of_a_group() -> None:
    found = filters("core", "productions", texts=["core:workspace_id=eq.1"])
    assert found["productions:*"] is None
    assert found["comments:*"] == "workspace_id=eq.1"


def test_a_filter_on_the_whole_schema_is_refused() -> None:
    with pytest.raises(UsageError, match="can't be used with"):
        parse_targets(["*"], filters=["x=eq.1"])
    with pytest.raises(UsageError, match="can't be used with"):
        parse_targets(["a", "*"], filters=["x=eq.1"])


def test_a_filter_on_a_table_that_is_not_watched_is_refused() -> None:
    with pytest.raises(UsageError, match="names tasks, which is not watched") as caught:
        parse_targets(["task"], filters=["tasks:x=eq.1"])
    assert caught.value.hint == "did you mean task?"
    with pytest.raises(UsageError) as caught:
        parse_targets(["task"], filters=["zzz:x=eq.1"])
    assert caught.value.hint == "add zzz to the tables"


@pytest.mark.parametrize(
    ("words", "texts", "is_reported"),
    [
        (["a"], ["status=eq.open"], True),
        (["a:DELETE"], ["status=eq.open"], True),
        (["a:INSERT,UPDATE"], ["status=eq.open"], False),
        (["a"], ["id=eq.1"], False),
        (["a"], ["id=eq.1,status=eq.open"], True),
        (["a"], [], False),
        (["a:INSERT", "b"], ["a:status=eq.open"], False),
    ],
)
def test_a_filter_that_deletes_can_not_match_is_reported(
    words: list[str], texts: list[str], is_reported: bool
) -> None:
    notices = parse_targets(words, filters=texts).notices
    assert len(notices) == is_reported
    assert all("DELETE" in notice and "a" in notice for notice in notices)


def test_one_notice_for_many_tables() -> None:
    (notice,) = parse_targets([], filters=["status=eq.open"]).notices
    assert "organizations and 29 more" in notice


# --- select


def test_selected_columns() -> None:
    assert bindings("a", select="id, title,id")[0].select == ("id", "title")
    assert bindings("a", select="*")[0].select is None
    assert bindings("a")[0].select is None


def test_selections_that_are_refused() -> None:
    with pytest.raises(UsageError, match="can't be used with"):
        parse_targets(["*"], select="id")
    with pytest.raises(UsageError, match="empty column"):
        parse_targets(["a"], select="id,,title")


def test_bindings_go_over_the_wire_as_the_server_wants_them() -> None:
    (binding,) = bindings("Mixed Case:insert", filters=["x=eq.1"], select="id")
    assert binding.to_wire() == {
        "event": "INSERT",
        "schema": "public",
        "table": "Mixed Case",
        "filter": "x=eq.1",
        "select": ["id"],
    }


def test_the_groups_are_those_of_the_embedded_schema() -> None:
    """The server's side keeps its own list; the two meet only on the wire, and here."""
    folder = Path(__file__).parents[3] / "prt" / "local" / "seed" / "sql"
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.sql")).lower()
    missing = [
        table for table in GROUPS["all"] if f"table {table}" not in text and f"public.{table}" not in text
    ]
    assert missing == []
