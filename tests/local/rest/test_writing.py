"""POST, PATCH and DELETE of tables, as PostgREST answers them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.rest.conftest import Ask

OBJECT = {"accept": "application/vnd.pgrst.object+json"}
BOOK = {"id": 9, "author_id": 1, "title": "Tehanu"}


def in_database(rows: Any, query: str) -> list[Any]:
    return [row[0] if len(row) == 1 else row for row in rows.execute(query).fetchall()]


def test_an_insert_answers_nothing_unless_asked(ask: Ask, rows: Any) -> None:
    answer = ask("POST", "/books", BOOK)
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["content-range"] == "*/*"
    assert in_database(rows, "select title, price::text from books where id = 9") == [("Tehanu", "9.99")]


def test_inserted_rows_come_back_with_what_they_refer_to(ask: Ask) -> None:
    body = [BOOK, {**BOOK, "id": 10, "title": "Malafrena"}]
    answer = ask(
        "POST",
        "/books?select=title,author_id(name)&order=title",
        body,
        prefer="return=representation,count=exact",
    )
    assert answer.status_code == 201
    assert answer.headers["content-range"] == "*/2"
    assert answer.headers["preference-applied"] == "return=representation, count=exact"
    assert answer.json() == [
        {"title": "Malafrena", "author_id": {"name": "Ursula"}},
        {"title": "Tehanu", "author_id": {"name": "Ursula"}},
    ]


def test_values_of_every_kind_survive(ask: Ask) -> None:
    author = {
        "name": 'José "Pepe" O\'Neil \\ 100% $1 {}',
        "born": "0044-03-15 BC",
        "tags": ["a,b", '"quoted"', "", None, "back\\slash"],
        "profile": {"deep": [1, {"x": None}], "big": 12345678901234567890, "ünï": "🙂"},
    }
    answer = ask(
        "POST",
        "/authors?select=name,born,tags,profile",
        author,
        prefer="return=representation",
        headers=OBJECT,
    )
    assert answer.json() == author


def test_headers_only_reports_the_location_of_the_row(ask: Ask) -> None:
    book = ask("POST", "/books", BOOK, prefer="return=headers-only")
    link = ask("POST", "/books_shelves", {"book_id": 1, "shelf_id": 2}, prefer="return=headers-only")
    assert (book.status_code, book.headers["location"], book.content) == (201, "/books?id=eq.9", b"")
    assert link.headers["location"] == "/books_shelves?book_id=eq.1&shelf_id=eq.2"


def test_missing_members_are_null_or_the_default(ask: Ask, rows: Any) -> None:
    path = "/books?columns=id,author_id,title,price"
    assert ask("POST", path, [BOOK]).status_code == 201
    assert ask("POST", path, {**BOOK, "id": 10, "title": "x"}, prefer="missing=default").status_code == 201
    assert in_database(rows, "select price::text from books where id in (9, 10) order by id") == [
        None,
        "9.99",
    ]
    # An identity column counts on.
    authors = ask(
        "POST",
        "/authors?columns=id,name&select=id",
        [{"name": "a"}, {"name": "b"}],
        prefer="missing=default,return=representation",
    )
    assert authors.json() == [{"id": 4}, {"id": 5}]


def test_only_named_columns_are_written(ask: Ask, rows: Any) -> None:
    body = {**BOOK, "price": 1, "unknown": 2}
    assert ask("POST", "/books?columns=id,author_id,title", body).status_code == 201
    assert in_database(rows, "select price from books where id = 9 and price <> 1") != []


def test_an_empty_object_is_a_row_of_defaults_and_an_empty_list_none(ask: Ask, rows: Any) -> None:
    rows.execute("alter table shelves alter id set default 7, alter name set default 'new'")
    try:
        assert ask("POST", "/shelves", {}, prefer="return=representation").json() == [
            {"id": 7, "name": "new"}
        ]
        empty = ask("POST", "/shelves", [], prefer="return=representation")
        assert (empty.status_code, empty.json()) == (201, [])
    finally:
        rows.execute("alter table shelves alter id drop default, alter name drop default")


@pytest.mark.parametrize(
    ("resolution", "body", "answered"),
    [
        ("merge-duplicates", [{**BOOK, "id": 3}, {**BOOK, "title": "x"}], (201, ["Tehanu", "x"])),
        ("merge-duplicates", [{**BOOK, "id": 3}], (200, ["Tehanu"])),
        ("ignore-duplicates", [{**BOOK, "id": 3}, BOOK], (201, ["Solaris", "Tehanu"])),
        ("ignore-duplicates", [{**BOOK, "id": 3}], (201, ["Solaris"])),
        ("ignore-duplicates", [], (201, ["Solaris"])),
    ],
)
def test_upserts(
    ask: Ask, rows: Any, resolution: str, body: list[dict[str, Any]], answered: tuple[int, list[str]]
) -> None:
    answer = ask("POST", "/books", body, prefer=f"resolution={resolution}")
    assert answer.headers["preference-applied"] == f"resolution={resolution}"
    titles = in_database(rows, "select title from books where id in (3, 9) order by id")
    assert (answer.status_code, titles) == answered


def test_an_upsert_may_name_what_decides(ask: Ask, rows: Any) -> None:
    body = {"id": 3, "author_id": 1, "title": "Solaris"}
    answer = ask("POST", "/books?on_conflict=title", body, prefer="resolution=merge-duplicates")
    assert answer.status_code == 200
    assert in_database(rows, "select id, author_id from books where title = 'Solaris'") == [(3, 1)]


def test_an_update_changes_what_its_filters_find(ask: Ask, rows: Any) -> None:
    quiet = ask("PATCH", "/books?author_id=eq.1&id=gt.1", {"price": 1.5, "in_print": None})
    assert (quiet.status_code, quiet.content, quiet.headers["content-range"]) == (204, b"", "0-0/*")
    assert "content-length" not in quiet.headers
    assert in_database(rows, "select id from books where price = 1.5 and in_print is null") == [2]
    loud = ask(
        "PATCH",
        "/books?or=(id.eq.1,id.eq.2)&select=id,covers(colour)&order=id.desc",
        {"price": 2},
        prefer="return=representation,count=exact",
    )
    assert (loud.status_code, loud.headers["content-range"]) == (200, "0-1/2")
    assert loud.json() == [{"id": 2, "covers": None}, {"id": 1, "covers": {"colour": "red"}}]


@pytest.mark.parametrize("body", [{}, []])
def test_an_update_of_nothing_is_no_error(ask: Ask, body: Any) -> None:
    answer = ask("PATCH", "/books?id=eq.1", body, prefer="return=representation")
    assert (answer.status_code, answer.json(), answer.headers["content-range"]) == (200, [], "*/*")


def test_a_delete_removes_what_its_filters_find(ask: Ask, rows: Any) -> None:
    answer = ask(
        "DELETE", "/books_shelves?shelf_id=eq.2&select=book_id", prefer="return=representation,count=exact"
    )
    assert (answer.status_code, answer.headers["content-range"]) == (200, "*/2")
    assert sorted(row["book_id"] for row in answer.json()) == [2, 4]
    quiet = ask("DELETE", "/books_shelves?shelf_id=eq.1")
    assert (quiet.status_code, quiet.content, quiet.headers["content-range"]) == (204, b"", "*/*")
    assert in_database(rows, "select count(*) from books_shelves") == [0]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_forgotten_filter_changes_nothing(ask: Ask, rows: Any, method: str) -> None:
    answer = ask(method, "/covers?limit=1", {"colour": "blue"} if method == "PATCH" else None)
    verb = "UPDATE" if method == "PATCH" else "DELETE"
    assert answer.status_code == 400
    assert answer.json()["message"] == f"{verb} requires a WHERE clause"
    assert in_database(rows, "select colour from covers") == ["red"]


def test_one_object_is_asked_and_several_changed_so_nothing_is(ask: Ask, rows: Any) -> None:
    answer = ask("PATCH", "/books?id=gt.0", {"price": 0}, prefer="return=representation", headers=OBJECT)
    assert (answer.status_code, answer.json()["code"]) == (406, "PGRST116")
    assert answer.json()["details"] == "The result contains 4 rows"
    assert in_database(rows, "select id from books where price = 0") == []


def test_an_ignored_duplicate_is_not_returned(ask: Ask) -> None:
    prefer = "resolution=ignore-duplicates,return=representation"
    answer = ask("POST", "/books?select=id", [{**BOOK, "id": 3}, BOOK], prefer=prefer)
    assert (answer.status_code, answer.json()) == (201, [{"id": 9}])


def test_an_upsert_into_a_table_without_a_key_is_an_insert(ask: Ask, rows: Any) -> None:
    rows.execute("create table lines (line text); grant all on lines to service_role")
    try:
        answer = ask("POST", "/lines", [{"line": "a"}], prefer="resolution=merge-duplicates")
        assert (answer.status_code, in_database(rows, "select line from lines")) == (201, ["a"])
    finally:
        rows.execute("drop table lines")


@pytest.mark.parametrize(
    ("request_line", "body", "prefer"),
    [
        ("PATCH /books?id=gt.0", {"price": 77}, ""),
        ("PATCH /books?id=gt.0&select=id", {"price": 77}, ",return=representation,count=exact"),
        ("DELETE /books_shelves?book_id=gt.0", None, ""),
        ("POST /rpc/sell", {"price": 77}, ""),
    ],
)
def test_more_rows_than_allowed_are_changed_so_none_is(
    ask: Ask, rows: Any, request_line: str, body: Any, prefer: str
) -> None:
    method, path = request_line.split(" ")
    answer = ask(method, path, body, prefer=f"handling=strict,max-affected=3{prefer}")
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST124")
    assert answer.json()["details"] in {"The query affects 4 rows", "The query affects 5 rows"}
    assert in_database(rows, "select count(*) from books where price = 77") == [0]
    assert in_database(rows, "select count(*) from books_shelves") == [5]


def test_as_many_rows_as_allowed_may_be_changed(ask: Ask, rows: Any) -> None:
    prefer = "handling=strict, max-affected=4"
    answer = ask("PATCH", "/books?id=gt.0", {"price": 77}, prefer=prefer)
    assert (answer.status_code, answer.headers["preference-applied"]) == (204, prefer)
    called = ask("POST", "/rpc/sell", {"price": 78}, prefer=prefer)
    assert (called.status_code, len(called.json())) == (200, 4)
    assert in_database(rows, "select count(*) from books where price = 78") == [4]


def test_a_limit_counts_under_strict_handling_alone(ask: Ask, rows: Any) -> None:
    answer = ask("PATCH", "/books?id=gt.0", {"price": 77}, prefer="max-affected=1")
    assert answer.status_code == 204
    assert "preference-applied" not in answer.headers
    assert in_database(rows, "select count(*) from books where price = 77") == [4]


def test_a_limit_is_for_functions_that_return_rows(ask: Ask) -> None:
    answer = ask("POST", "/rpc/add", {"a": 1}, prefer="handling=strict,max-affected=1")
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST128")
