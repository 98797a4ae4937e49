"""Calls of functions, as PostgREST answers them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.rest.conftest import ME, Ask


@pytest.mark.parametrize(
    ("request_line", "body", "expected"),
    [
        ("POST /rpc/add", {"a": 1, "b": 2}, 3),
        ("POST /rpc/add", {"a": 1}, 11),
        ("GET /rpc/add?a=1&b=5", None, 6),
        ("POST /rpc/numbers", {"n": 3}, [1, 2, 3]),
        ("GET /rpc/numbers?n=3&limit=1&offset=1", None, [2]),
        ("POST /rpc/pairs", {}, [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
        ("GET /rpc/pairs?a=eq.2&select=b", None, [{"b": "y"}]),
        ("POST /rpc/echo", {"any": [1, None]}, {"any": [1, None]}),
        ("POST /rpc/total", {"numbers": [1, 2, 3]}, 6),
        ("GET /rpc/total?numbers={4,5}", None, 9),
        (
            "POST /rpc/books_by?select=id,shelves(name)",
            {"author": 2},
            [{"id": 3, "shelves": [{"name": "space"}]}],
        ),
        ("GET /rpc/books_by?author=1&id=gt.1&select=title", None, [{"title": "A Wizard, of Earthsea"}]),
        ("GET /rpc/first_book?select=id,author_id(name)", None, {"id": 1, "author_id": {"name": "Ursula"}}),
    ],
)
def test_results(ask: Ask, request_line: str, body: Any, expected: Any) -> None:
    method, path = request_line.split(" ")
    answer = ask(method, path, body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == expected


def test_nothing_comes_of_void(ask: Ask) -> None:
    answer = ask("POST", "/rpc/greet")
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_set_has_a_range_and_may_be_one_object(ask: Ask) -> None:
    answer = ask("GET", "/rpc/books_by?author=1&limit=1", prefer="count=planned")
    assert (answer.status_code, answer.headers["content-range"]) == (206, "0-0/2")
    single = {"accept": "application/vnd.pgrst.object+json"}
    assert ask("GET", "/rpc/books_by?author=2&select=id", headers=single).json() == {"id": 3}
    assert ask("GET", "/rpc/books_by?author=1", headers=single).json()["code"] == "PGRST116"


def test_a_get_cannot_write(ask: Ask, rows: Any) -> None:
    answer = ask("GET", "/rpc/forget")
    assert (answer.status_code, answer.json()["code"]) == (405, "25006")
    assert ask("POST", "/rpc/forget").json() == 1
    assert rows.execute("select count(*) from covers").fetchone() == (0,)


def test_functions_know_who_asks_and_what(ask: Ask) -> None:
    answer = ask(
        "POST", "/rpc/whoami", {}, role="authenticated", claims={"sub": ME}, headers={"x-agent": "prt"}
    )
    assert answer.json() == {
        "role": "authenticated",
        "sub": ME,
        "path": "/rpc/whoami",
        "method": "POST",
        "agent": "prt",
    }


@pytest.mark.parametrize(
    ("path", "body", "status", "expected"),
    [
        (
            "/rpc/ad",
            {"a": 1},
            404,
            {
                "code": "PGRST202",
                "details": "Searched for the function public.ad with parameter a or with a single unnamed"
                " json/jsonb parameter, but no matches were found in the schema cache.",
                "hint": "Perhaps you meant to call the function public.add",
                "message": "Could not find the function public.ad(a) in the schema cache",
            },
        ),
        ("/rpc/add", {"a": 1, "c": 2}, 404, {"code": "PGRST202"}),
        (
            "/rpc/nothing_like_it",
            {},
            404,
            {
                "message": "Could not find the function public.nothing_like_it without parameters"
                " in the schema cache"
            },
        ),
        (
            "/rpc/overloaded",
            {"a": 1},
            300,
            {
                "code": "PGRST203",
                "details": None,
                "hint": "Try renaming the parameters or the function itself in the database"
                " so function overloading can be resolved",
                "message": "Could not choose the best candidate function between:"
                " public.overloaded(a => integer), public.overloaded(a => text)",
            },
        ),
        ("/rpc/optional", {"a": 1}, 300, {"code": "PGRST203"}),
        (
            "/rpc/either",
            {"a": 1},
            300,
            {
                "message": "Could not choose the best candidate function between:"
                " public.either( => json), public.either( => jsonb)"
            },
        ),
        (
            "/rpc/add",
            {"b": 2, "z": 3},
            404,
            {"hint": "Perhaps you meant to call the function public.add(a, b)"},
        ),
        ("/rpc/add", b"[1, 2]", 400, {"code": "PGRST102", "message": "All object keys must match"}),
        ("/rpc/echo", b"{", 400, {"code": "PGRST102", "message": "Empty or invalid json"}),
        ("/rpc/add", {"a": "x"}, 400, {"code": "22P02"}),
        ("/rpc/add", b"[", 400, {"code": "PGRST102"}),
    ],
)
def test_calls_that_find_no_function(
    ask: Ask, path: str, body: Any, status: int, expected: dict[str, Any]
) -> None:
    answer = ask("POST", path, body)
    assert answer.status_code == status
    assert {name: answer.json()[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("path", "content_type", "body", "expected"),
    [
        ("/rpc/echo", "application/json", b'[1, {"a": 2}]', [1, {"a": 2}]),
        ("/rpc/echo", "application/json", b'"text"', "text"),
        ("/rpc/echo", "application/json", b"null", None),
        ("/rpc/echo", "application/json", b"", {}),
        ("/rpc/mixed", "application/json", b'{"b":  1}', '{"b":  1}'),
        ("/rpc/mixed", "application/json", b"[1,2]", "[1,2]"),
        ("/rpc/mixed", "application/json; charset=utf-8", b'{"a": 1}', "a"),
        ("/rpc/mixed", "application/json", b"{}", "nothing"),
        ("/rpc/optional", "application/json", b'{"a": 1, "b": 2}', 2),
        ("/rpc/add", "application/json", b'[{"a": 1}]', 11),
        ("/rpc/raw_text", "text/plain", "hü {".encode(), "hü {"),
        ("/rpc/raw_bytes", "application/octet-stream", bytes([0, 255, 123]), 3),
        ("/rpc/add", "application/x-www-form-urlencoded", b"a=1&b=2", 3),
    ],
)
def test_an_argument_without_a_name_is_the_body(
    ask: Ask, path: str, content_type: str, body: bytes, expected: Any
) -> None:
    answer = ask("POST", path, body, headers={"content-type": content_type})
    assert answer.status_code == 200, answer.text
    assert answer.json() == expected


@pytest.mark.parametrize(
    ("request_line", "content_type", "body", "answered"),
    [
        ("POST /rpc/raw_bytes", "text/plain", b"x", (404, "with a single unnamed text parameter,")),
        ("GET /rpc/echo?a=1", "application/json", None, (404, "public.echo with parameter a, but")),
        ("POST /rpc/raw_text", "text/csv", b"x", (415, "")),
        ("POST /rpc/raw_text", "text/plain", bytes([255]), (400, "")),
    ],
)
def test_an_argument_without_a_name_takes_no_other_body(
    ask: Ask, request_line: str, content_type: str, body: bytes | None, answered: tuple[int, str]
) -> None:
    method, path = request_line.split(" ")
    answer = ask(method, path, body, headers={"content-type": content_type})
    status, details = answered
    assert answer.status_code == status
    assert details in (answer.json()["details"] or "")
