"""GET and HEAD of tables, as PostgREST answers them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.local.rest.conftest import Ask

OBJECT = {"accept": "application/vnd.pgrst.object+json"}


def ids(answer: Any) -> list[int]:
    assert answer.status_code in {200, 206}, answer.text
    return [row["id"] for row in answer.json()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("title=eq.Solaris", [3]),
        ("title=neq.Solaris", [1, 2, 4]),
        ("price=gt.10", [1]),
        ("price=gte.10", [1, 3]),
        ("price=lt.10", [2]),
        ("price=lte.10", [2, 3]),
        ("title=like.The*", [1, 4]),
        ("title=like.The%25", [1, 4]),
        ("title=ilike.the*", [1, 4]),
        ("title=match.%5EThe", [1, 4]),
        ("title=imatch.%5Ethe", [1, 4]),
        ("price=is.null", [4]),
        ("price=is.not_null", [1, 2, 3]),
        ("price=not.is.null", [1, 2, 3]),
        ("in_print=is.true", [1, 2]),
        ("in_print=is.FALSE", [3]),
        ("in_print=is.unknown", [4]),
        ("id=in.(1,3)", [1, 3]),
        ("id=in.()", []),
        ("id=not.in.(1,3)", [2, 4]),
        ('title=in.("A Wizard, of Earthsea",Solaris)', [2, 3]),
        ("sold=isdistinct.5", [1, 2, 4]),
        ("sold=eq.9007199254740993", [1]),
        ("pages=ov.[300,400)", [1]),
        ("pages=cs.[300,301)", [1]),
        ("pages=cd.[1,204)", [3]),
        ("pages=adj.[204,210)", [3]),
        ("title=fts.season", [4]),
        ("title=plfts(english).Seasons", [4]),
        ("title=wfts.solaris or season", [3, 4]),
        ("id=eq(any).{1,2}", [1, 2]),
        ("title=like(all).{The*,*son}", [4]),
        ("id=gt(all).{1,2}", [3, 4]),
        ("id=gt.1&id=lt.4", [2, 3]),
        ("or=(id.eq.1,title.eq.Solaris)", [1, 3]),
        ('or=(title.eq."A Wizard, of Earthsea",and(id.gt.1,id.lt.4,not.or(id.eq.2)))', [2, 3]),
        ("not.or=(id.eq.1,id.eq.2)", [3, 4]),
        ("not.and=(id.gt.1,id.lt.4)", [1, 4]),
        ("and=(id.in.(1,2,3),id.not.in.(2))", [1, 3]),
        ("or=(pages.cs.[300,301),id.eq(any).{4})", [1, 4]),
        ("released=lt.1970-01-01T00:00:00+00:00".replace("+", "%2B"), [3]),
    ],
)
def test_filters(ask: Ask, query: str, expected: list[int]) -> None:
    assert ids(ask("GET", f"/books?select=id&order=id&{query}")) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("tags=cs.{sf}", [1, 2]),
        ("tags=cd.{sf,horror}", [2]),
        ("tags=ov.{fantasy}", [1, 3]),
        ("or=(tags.cs.{sf,fantasy},id.eq.3)", [1, 3]),
        ("profile->home->>city=eq.Kraków", [2]),
        ("profile->awards->0=eq.6", [1]),
        ("profile->awards->>-1=eq.8", [1]),
        ('profile=cs.{"alive":true}', [3]),
        ("profile->>alive=is.null", [2]),
        ("name=eq.N. K.", [3]),
    ],
)
def test_filters_on_arrays_and_json(ask: Ask, query: str, expected: list[int]) -> None:
    assert ids(ask("GET", f"/authors?select=id&order=id&{query}")) == expected


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("id,title", {"id": 1, "title": "The Dispossessed"}),
        ("name:title", {"name": "The Dispossessed"}),
        ("id::text,cost:price::int", {"id": "1", "cost": 13}),
        (" id , title ", {"id": 1, "title": "The Dispossessed"}),
        ("id,author:authors!author_id(name)", {"id": 1, "author": {"name": "Ursula"}}),
        ("id,author_id(name)", {"id": 1, "author_id": {"name": "Ursula"}}),
        ("id,books_editor_fkey(name)", {"id": 1, "books_editor_fkey": {"name": "N. K."}}),
        ("id,...author_id(writer:name)", {"id": 1, "writer": "Ursula"}),
        ("id,shelves(name)", {"id": 1, "shelves": [{"name": "space"}]}),
        ("id,shelves()", {"id": 1}),
        ("id,covers(colour)", {"id": 1, "covers": {"colour": "red"}}),
        ("id,shelf_links:books_shelves(shelf_id)", {"id": 1, "shelf_links": [{"shelf_id": 1}]}),
        (
            "id,author_id(home:profile->home,city:profile->home->>city,profile->awards->1)",
            {"id": 1, "author_id": {"home": {"city": "Portland"}, "city": "Portland", "awards": 8}},
        ),
    ],
)
def test_select(ask: Ask, select: str, expected: dict[str, Any]) -> None:
    answer = ask("GET", f"/books?select={quote(select)}&id=eq.1", headers=OBJECT)
    assert answer.json() == expected


def test_every_column_in_postgresqls_own_json(ask: Ask) -> None:
    answer = ask("GET", "/books?id=eq.1")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert '"sold":9007199254740993' in answer.text
    assert '"price":12.50' in answer.text
    assert '"pages":"[1,341)"' in answer.text
    assert '"released":"1974-05-01T12:00:00+00:00"' in answer.text


def test_rows_nest_to_any_depth_each_with_its_own_order_filter_and_window(ask: Ask) -> None:
    answer = ask(
        "GET",
        "/shelves?select=name,books(title,author:author_id(name))&order=id"
        "&books.order=id.desc&books.limit=1&books.offset=1&books.author.name=neq.Ursula",
    )
    assert answer.json() == [
        {"name": "space", "books": [{"title": "Solaris", "author": {"name": "Stanisław"}}]},
        {"name": "magic", "books": [{"title": "A Wizard, of Earthsea", "author": None}]},
    ]


def test_inner_embedding_drops_rows_and_counts_them(ask: Ask) -> None:
    answer = ask(
        "GET", "/books?select=id,author_id!inner(name)&author_id.name=eq.Ursula&limit=1", prefer="count=exact"
    )
    assert answer.json() == [{"id": 1, "author_id": {"name": "Ursula"}}]
    assert answer.headers["content-range"] == "0-0/2"


@pytest.mark.parametrize(("condition", "expected"), [("is.null", [2, 3, 4]), ("not.is.null", [1])])
def test_rows_by_whether_a_related_one_is_there(ask: Ask, condition: str, expected: list[int]) -> None:
    assert ids(ask("GET", f"/books?select=id,covers()&covers={condition}&order=id")) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("title", [2, 3, 1, 4]),
        ("price.desc", [4, 1, 3, 2]),
        ("price.desc.nullslast", [1, 3, 2, 4]),
        ("price.nullsfirst,id", [4, 2, 3, 1]),
        ("in_print.asc,id.desc", [3, 2, 1, 4]),
        ("author_id(name),id.desc", [4, 3, 2, 1]),
        ("author_id(profile->home->>city).desc.nullslast,id", [1, 2, 3, 4]),
    ],
)
def test_order(ask: Ask, order: str, expected: list[int]) -> None:
    assert ids(ask("GET", f"/books?select=id,author_id()&order={order}")) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/authors?select=mentor_id(name)&id=eq.3", {"mentor_id": {"name": "Ursula"}}),
        ("/authors?select=authors(name)&id=eq.1", {"authors": [{"name": "N. K."}]}),
        ("/authors?select=authors(name)&id=eq.3", {"authors": []}),
        ("/authors?select=name,authors!inner(id)", {"name": "Ursula", "authors": [{"id": 3}]}),
        ("/authors?select=pupils:authors!mentor_id(name)&id=eq.1", {"pupils": [{"name": "N. K."}]}),
        (
            "/authors?select=authors_mentor_id_fkey(name,authors(name))&id=eq.3",
            {"authors_mentor_id_fkey": {"name": "Ursula", "authors": [{"name": "N. K."}]}},
        ),
        (
            "/people?select=boss_id(name),mentor_id(name)&id=eq.3",
            {"boss_id": {"name": "Ada"}, "mentor_id": {"name": "Ben"}},
        ),
        ("/people?select=people!boss_id(name)&id=eq.1", {"people": [{"name": "Ben"}, {"name": "Cem"}]}),
        ("/people?select=people!people_mentor_fkey(name)&id=eq.2", {"people": [{"name": "Cem"}]}),
        ("/chapters?select=follows(id),chapters(id)&id=eq.1", {"follows": None, "chapters": {"id": 2}}),
        ("/chapters?select=follows(id),chapters(id)&id=eq.2", {"follows": {"id": 1}, "chapters": None}),
    ],
)
def test_references_within_a_table_go_both_ways(ask: Ask, path: str, expected: dict[str, Any]) -> None:
    """The table's name stands for the rows that refer to this one, the column's for the one referred to."""
    answer = ask("GET", path, headers=OBJECT)
    assert answer.json() == expected


def test_two_references_within_a_table_need_a_hint(ask: Ask) -> None:
    answer = ask("GET", "/people?select=people(name)")
    assert (answer.status_code, answer.json()["code"]) == (300, "PGRST201")
    assert [one["cardinality"] for one in answer.json()["details"]] == ["one-to-many", "one-to-many"]
    assert "'people!people_boss_fkey', 'people!people_mentor_fkey'" in answer.json()["hint"]


@pytest.mark.parametrize(
    ("query", "headers", "answered", "expected"),
    [
        ("", {}, (200, "0-3/*"), [1, 2, 3, 4]),
        ("limit=2", {}, (200, "0-1/*"), [1, 2]),
        ("limit=2&offset=1", {}, (200, "1-2/*"), [2, 3]),
        ("limit=2", {"prefer": "count=exact"}, (206, "0-1/4"), [1, 2]),
        ("limit=0", {"prefer": "count=exact"}, (206, "*/4"), []),
        ("id=eq.9", {"prefer": "count=exact"}, (200, "*/0"), []),
        ("id=eq.9", {}, (200, "*/*"), []),
        ("", {"prefer": "count=exact"}, (200, "0-3/4"), [1, 2, 3, 4]),
        ("", {"range": "1-2", "range-unit": "items"}, (200, "1-2/*"), [2, 3]),
        ("", {"range": "3-"}, (200, "3-3/*"), [4]),
        ("limit=2", {"range": "1-9"}, (200, "1-1/*"), [2]),
        ("offset=4", {"prefer": "count=exact"}, (206, "*/4"), []),
        ("limit=none", {}, (200, "0-3/*"), [1, 2, 3, 4]),
        ("limit=2", {"prefer": "count=estimated"}, (206, "0-1/4"), [1, 2]),
    ],
)
def test_windows(
    ask: Ask, query: str, headers: dict[str, str], answered: tuple[int, str], expected: list[int]
) -> None:
    answer = ask("GET", f"/books?select=id&order=id&{query}", headers=headers)
    assert (answer.status_code, answer.headers["content-range"]) == answered
    assert [row["id"] for row in answer.json()] == expected


def test_a_planned_count_is_the_planners(ask: Ask, rows: Any) -> None:
    rows.execute("analyze books")
    answer = ask("GET", "/books?limit=1", prefer="count=planned")
    assert answer.headers["content-range"] == "0-0/4"


def test_an_answer_holds_a_thousand_rows_and_no_more(ask: Ask, rows: Any) -> None:
    rows.execute("insert into shelves select n, 'shelf' from generate_series(3, 1500) n")
    answer = ask("GET", "/shelves?limit=1200", prefer="count=exact")
    assert answer.headers["content-range"] == "0-999/1500"
    assert len(answer.json()) == 1000


def test_head_has_the_headers_and_no_body(ask: Ask) -> None:
    answer = ask("HEAD", "/books?id=gt.1", prefer="count=exact")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-range"] == "0-2/3"
    assert ask("HEAD", "/nothing").content == b""


def test_one_object_and_nulls_left_out(ask: Ask) -> None:
    stripped = {"accept": "application/vnd.pgrst.object+json;nulls=stripped"}
    answer = ask("GET", "/books?select=id,price&id=eq.4", headers=stripped)
    assert answer.json() == {"id": 4}
    assert answer.headers["content-type"].startswith("application/vnd.pgrst.object+json; nulls=stripped")
    listed = {"accept": "application/vnd.pgrst.array+json;nulls=stripped"}
    assert ask("GET", "/books?select=id,price&id=eq.4", headers=listed).json() == [{"id": 4}]


def test_applied_preferences_are_reported(ask: Ask) -> None:
    answer = ask("GET", "/books", headers={"prefer": "count=exact, handling=lenient, colour=blue"})
    assert answer.headers["preference-applied"] == "count=exact, handling=lenient"


def test_a_table_made_or_changed_a_moment_ago_is_known(ask: Ask, rows: Any) -> None:
    assert ask("GET", "/fresh").status_code == 404
    rows.execute("create table fresh (id int primary key, book_id int references books (id))")
    try:
        assert ask("POST", "/fresh", {"id": 1, "book_id": 3}).status_code == 201
        assert ask("POST", "/fresh", {"id": 2, "more": "x"}).json()["code"] == "PGRST204"
        rows.execute("alter table fresh add more text")
        assert ask("POST", "/fresh", {"id": 2, "more": "x"}).status_code == 201
        assert ask("GET", "/fresh?select=books(title)&id=eq.1").json() == [{"books": {"title": "Solaris"}}]
    finally:
        rows.execute("drop table fresh")


def test_the_root_describes_what_the_role_may_read(ask: Ask) -> None:
    definitions = ask("GET", "/", role="anon").json()["definitions"]
    assert definitions["books"]["properties"]["sold"] == {"format": "bigint", "type": "integer"}
    assert definitions["books"]["properties"]["price"]["type"] == "number"
    assert "title" in definitions["books"]["required"]
    assert "hidden" not in definitions
