"""Refusals and failures: PostgREST's statuses and bodies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.rest.conftest import Ask

BOOK = {"id": 1, "author_id": 1, "title": "Tehanu"}


@pytest.mark.parametrize(
    ("request_line", "body", "status", "expected"),
    [
        (
            "GET /book",
            None,
            404,
            {
                "code": "PGRST205",
                "details": None,
                "hint": "Perhaps you meant the table 'public.books'",
                "message": "Could not find the table 'public.book' in the schema cache",
            },
        ),
        ("POST /nothing", {}, 404, {"code": "PGRST205", "hint": None}),
        (
            "GET /books?select=nope",
            None,
            400,
            {
                "code": "42703",
                "details": None,
                "hint": None,
                "message": "column books.nope does not exist",
            },
        ),
        ("GET /books?nope=eq.1", None, 400, {"code": "42703"}),
        (
            "GET /books?id=eq.one",
            None,
            400,
            {"code": "22P02", "message": 'invalid input syntax for type integer: "one"'},
        ),
        ("GET /books?id=like.1", None, 404, {"code": "42883"}),
        (
            "GET /books?id=is.1",
            None,
            400,
            {"code": "PGRST100", "message": '"failed to parse filter (is.1)" (line 1, column 4)'},
        ),
        (
            "GET /books?id=1",
            None,
            400,
            {
                "code": "PGRST100",
                "details": 'unexpected "1" expecting "not" or operator (eq, gt, ...)',
                "hint": None,
                "message": '"failed to parse filter (1)" (line 1, column 1)',
            },
        ),
        ("GET /books?id=almost.1", None, 400, {"code": "PGRST100"}),
        ("GET /books?id=cs(any).{1}", None, 400, {"code": "PGRST100"}),
        ("GET /books?id=in.(1", None, 400, {"code": "PGRST100"}),
        ("GET /books?or=(id.eq.1", None, 400, {"code": "PGRST100"}),
        ("GET /books?or=()", None, 400, {"code": "PGRST100"}),
        ("GET /books?select=id,", None, 400, {"code": "PGRST100"}),
        ("GET /books?select=id)", None, 400, {"code": "PGRST100"}),
        ("GET /books?select=authors(id", None, 400, {"code": "PGRST100"}),
        ("GET /books?select=id::int);drop", None, 400, {"code": "PGRST100"}),
        ("GET /books?order=id.sideways", None, 400, {"code": "PGRST100"}),
        ("GET /books?columns=", None, 400, {"code": "PGRST100"}),
        ("GET /books?select=id.count()", None, 400, {"code": "PGRST123"}),
        ("GET /books?select=id::nonsense", None, 400, {"code": "42704"}),
        ("GET /books?limit=-1", None, 416, {"code": "PGRST103"}),
        (
            "GET /books?select=prizes(id)",
            None,
            400,
            {
                "code": "PGRST200",
                "details": "Searched for a foreign key relationship between 'books' and 'prizes'"
                " in the schema 'public', but no matches were found.",
                "hint": None,
                "message": "Could not find a relationship between 'books' and 'prizes' in the schema cache",
            },
        ),
        (
            "GET /books?select=shelf(id)",
            None,
            400,
            {"code": "PGRST200", "hint": "Perhaps you meant 'shelves' instead of 'shelf'."},
        ),
        (
            "GET /books?select=authors(id)",
            None,
            300,
            {
                "code": "PGRST201",
                "details": [
                    {
                        "cardinality": "many-to-one",
                        "embedding": "books with authors",
                        "relationship": "books_author_id_fkey using books(author_id) and authors(id)",
                    },
                    {
                        "cardinality": "many-to-one",
                        "embedding": "books with authors",
                        "relationship": "books_editor_fkey using books(editor_id) and authors(id)",
                    },
                ],
                "hint": "Try changing 'authors' to one of the following: 'authors!books_author_id_fkey',"
                " 'authors!books_editor_fkey'. Find the desired relationship in the 'details' key.",
                "message": "Could not embed because more than one relationship was found"
                " for 'books' and 'authors'",
            },
        ),
        (
            "GET /books?shelves.id=eq.1",
            None,
            400,
            {
                "code": "PGRST108",
                "hint": "Verify that 'shelves' is included in the 'select' query parameter.",
                "message": "'shelves' is not an embedded resource in this request",
            },
        ),
        ("GET /books?order=shelves(id)", None, 400, {"code": "PGRST108"}),
        ("GET /books?select=shelves()&order=shelves(id)", None, 400, {"code": "PGRST118"}),
        ("GET /books?select=...shelves(id)", None, 400, {"code": "PGRST119"}),
        ("POST /books", BOOK, 409, {"code": "23505", "details": "Key (id)=(1) already exists."}),
        ("POST /books", {**BOOK, "id": 9, "author_id": 99}, 409, {"code": "23503"}),
        ("POST /books", {"id": 9}, 400, {"code": "23502"}),
        ("POST /books", {"id": "x"}, 400, {"code": "22P02"}),
        (
            "POST /books",
            {"nope": 1},
            400,
            {
                "code": "PGRST204",
                "details": None,
                "hint": None,
                "message": "Could not find the 'nope' column of 'books' in the schema cache",
            },
        ),
        ("PATCH /books?id=eq.1", {"nope": 1}, 400, {"code": "PGRST204"}),
        (
            "POST /books",
            [BOOK, {"id": 2}],
            400,
            {"code": "PGRST102", "message": "All object keys must match"},
        ),
        ("POST /books", b"{", 400, {"code": "PGRST102"}),
        ("POST /books", b"", 400, {"code": "PGRST102"}),
        ("POST /books", b'{"title":"\xff"}', 400, {"code": "PGRST102"}),
        ("POST /books", b'{"title":' + b"[" * 100_000, 400, {"code": "PGRST100"}),
        ("POST /rpc/add", b'{"a":' + b"[" * 100_000, 400, {"code": "PGRST100"}),
        ("GET /books?select=" + "shelves(" * 5_000, None, 400, {"code": "PGRST100"}),
        ("GET /books?title=eq.%00", None, 400, {"code": "22021"}),
        ("GET /books?profile->>%00=eq.1", None, 400, {"code": "22021"}),
        ("GET /%00", None, 400, {"code": "42602"}),
        ("GET /books?title=%FF", None, 400, {"code": "PGRST100"}),
        ("POST /books", 7, 400, {"code": "PGRST102"}),
        ("POST /books", b'{"title":"\\u0000"}', 400, {"code": "22P05"}),
        ("POST /books?on_conflict=price", BOOK, 400, {"code": "42P10"}),
        ("PUT /books?id=eq.1", BOOK, 405, {"code": "PGRST117"}),
        ("PATCH /rpc/add", {}, 405, {"code": "PGRST101"}),
    ],
)
def test_errors(ask: Ask, request_line: str, body: Any, status: int, expected: dict[str, Any]) -> None:
    method, path = request_line.split(" ", 1)
    prefer = "resolution=merge-duplicates" if "on_conflict" in path else None
    answer = ask(method, path, body, prefer=prefer)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"code", "details", "hint", "message"}
    assert {name: answer.json()[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"accept": "text/csv"}, 406, "PGRST107"),
        ({"accept-profile": "auth"}, 406, "PGRST106"),
        ({"range": "3-1"}, 416, "PGRST103"),
        ({"range": "9-", "prefer": "count=exact"}, 416, "PGRST103"),
        ({"accept": "application/vnd.pgrst.object+json"}, 406, "PGRST116"),
        ({"prefer": "handling=strict, colour=blue"}, 400, "PGRST122"),
    ],
)
def test_errors_of_headers(ask: Ask, headers: dict[str, str], status: int, code: str) -> None:
    answer = ask("GET", "/books", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_body_of_another_kind_is_refused(ask: Ask) -> None:
    answer = ask("POST", "/books", b"id,title", headers={"content-type": "text/csv"})
    assert (answer.status_code, answer.json()["code"]) == (415, "PGRST102")


def test_a_range_beyond_the_end_reports_the_number_of_rows(ask: Ask) -> None:
    answer = ask("GET", "/books?offset=9", prefer="count=exact")
    assert answer.json()["details"] == "An offset of 9 was requested, but there are only 4 rows."


def test_a_function_may_choose_its_status(ask: Ask) -> None:
    answer = ask("POST", "/rpc/teapot", {})
    assert answer.status_code == 418
    assert answer.json() == {
        "code": "PT418",
        "details": None,
        "hint": "tip me over",
        "message": "short and stout",
    }
