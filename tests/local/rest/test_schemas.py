"""Which schemas REST exposes, and what a request in one of them sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.local.rest.conftest import Ask

SHOP = {"accept-profile": "shop", "content-profile": "shop"}


@pytest.fixture
def set_schemas(rows: Any) -> Iterator[Callable[[str], None]]:
    """Set `pgrst.db_schemas`, of this database alone."""

    def set_to(names: str) -> None:
        rows.execute(f"alter role authenticator in database library set pgrst.db_schemas = '{names}'")

    yield set_to
    rows.execute("alter role authenticator in database library reset pgrst.db_schemas")


def test_a_schema_of_the_users_own_whose_use_is_granted_is_exposed(ask: Ask) -> None:
    read = ask("GET", "/books?select=label,sales(id)", headers=SHOP, role="anon")
    assert (read.status_code, read.json()) == (200, [{"label": "Second hand", "sales": [{"id": 7}]}])
    assert read.headers["content-profile"] == "shop"
    assert ask("GET", "/books?select=label").json()["code"] == "42703"  # public.books has no such column


def test_writes_and_functions_are_in_the_schema_of_the_request(ask: Ask) -> None:
    body = {"id": 2, "label": "New"}
    answer = ask("POST", "/books?select=label", body, headers=SHOP, prefer="return=representation")
    assert (answer.status_code, answer.json()) == (201, [{"label": "New"}])
    assert ask("DELETE", "/books?id=eq.2", headers=SHOP).status_code == 204
    assert ask("POST", "/rpc/labels", {}, headers=SHOP).json() == ["Second hand"]
    assert ask("POST", "/rpc/searched", {}, headers=SHOP).json() == '"shop", "public", "extensions"'
    assert ask("POST", "/rpc/labels", {}).json()["code"] == "PGRST202"


@pytest.mark.parametrize("schema", ["storeroom", "auth", "extensions", "pg_catalog", "nope"])
@pytest.mark.parametrize("request_line", ["GET /books", "POST /rpc/add", "GET /"])
def test_no_other_is(ask: Ask, schema: str, request_line: str) -> None:
    method, path = request_line.split(" ")
    answer = ask(method, path, {}, headers={"accept-profile": schema, "content-profile": schema})
    assert (answer.status_code, answer.json()) == (
        406,
        {
            "code": "PGRST106",
            "details": None,
            "hint": "Only the following schemas are exposed: public, shop",
            "message": f"Invalid schema: {schema}",
        },
    )


def test_the_setting_of_the_project_decides(ask: Ask, set_schemas: Callable[[str], None]) -> None:
    set_schemas("shop, storeroom")
    assert ask("GET", "/books?select=label").json() == [{"label": "Second hand"}]  # the first is the default
    storeroom = ask("GET", "/boxes", headers={"accept-profile": "storeroom"})
    assert (storeroom.status_code, storeroom.json()["code"]) == (403, "42501")
    public = ask("GET", "/books", headers={"accept-profile": "public"})
    assert public.json()["hint"] == "Only the following schemas are exposed: shop, storeroom"


def test_a_setting_without_a_name_exposes_the_default(ask: Ask, set_schemas: Callable[[str], None]) -> None:
    set_schemas(" , ")
    assert ask("GET", "/books?select=title&id=eq.3").json() == [{"title": "Solaris"}]
