"""`/admin/users`, for the service role alone."""

from __future__ import annotations

from typing import Any

import pytest

from prt.local.serving.keys import Keys
from tests.local.auth.conftest import Ask
from tests.local.auth.test_seeded_users import BCRYPT, PASSWORD
from tests.local.auth.test_sessions import ADA, EMAIL, PASSWORD_GRANT, refusal

NOBODY = "99999999-9999-4999-8999-999999999999"


def test_a_user_is_made_found_changed_and_removed(ask: Ask, keys: Keys, database: Any) -> None:
    admin = keys.secret
    made = ask(
        "POST",
        "/admin/users",
        {**ADA, "email_confirm": True, "user_metadata": {"a": 1}, "app_metadata": {"plan": "pro"}},
        token=admin,
    ).json()
    assert made["app_metadata"] == {"provider": "email", "providers": ["email"], "plan": "pro"}
    assert ask("GET", f"/admin/users/{made['id']}", token=admin).json() == made
    assert ask("POST", PASSWORD_GRANT, ADA).status_code == 200
    changes = {"password": "another horse", "role": "editor", "user_metadata": {"b": 2}}
    changed = ask("PUT", f"/admin/users/{made['id']}", changes, token=admin).json()
    assert (changed["role"], changed["user_metadata"]) == ("editor", {"a": 1, "b": 2})
    assert refusal(ask("POST", PASSWORD_GRANT, ADA)) == (400, "invalid_credentials")
    removed = ask("DELETE", f"/admin/users/{made['id']}", token=admin)
    assert (removed.status_code, removed.json()) == (200, {})
    for table in ("users", "identities", "sessions", "refresh_tokens"):
        assert database.execute(f"select count(*) from auth.{table}").fetchone() == (0,)


def test_a_user_is_unconfirmed_by_default(ask: Ask, keys: Keys) -> None:
    made = ask("POST", "/admin/users", ADA, token=keys.service_role).json()
    assert "email_confirmed_at" not in made
    assert refusal(ask("POST", PASSWORD_GRANT, ADA)) == (400, "email_not_confirmed")
    ask("PUT", f"/admin/users/{made['id']}", {"email_confirm": True}, token=keys.service_role)
    assert ask("POST", PASSWORD_GRANT, ADA).status_code == 200


def test_a_user_may_bring_a_bcrypt_hash_along(ask: Ask, keys: Keys) -> None:
    moved = {"email": EMAIL, "password_hash": BCRYPT, "email_confirm": True}
    assert ask("POST", "/admin/users", moved, token=keys.secret).status_code == 200
    assert ask("POST", PASSWORD_GRANT, {"email": EMAIL, "password": PASSWORD}).status_code == 200
    assert refusal(ask("POST", PASSWORD_GRANT, {"email": EMAIL, "password": BCRYPT})) == (
        400,
        "invalid_credentials",
    )


@pytest.mark.parametrize(
    "body",
    [
        {"password_hash": BCRYPT, "password": PASSWORD},
        {"password_hash": "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$a2V5"},
        {"password_hash": BCRYPT[:-1]},
    ],
)
def test_a_hash_that_can_not_be_verified_is_refused(ask: Ask, keys: Keys, body: dict[str, str]) -> None:
    answer = ask("POST", "/admin/users", {"email": EMAIL, **body}, token=keys.secret)
    assert refusal(answer) == (400, "validation_failed")


def test_users_come_in_pages(ask: Ask, keys: Keys) -> None:
    for name in "abc":
        ask("POST", "/admin/users", {"email": f"{name}@example.com"}, token=keys.secret)
    first = ask("GET", "/admin/users?page=1&per_page=2", token=keys.secret)
    second = ask("GET", "/admin/users?page=2&per_page=2", token=keys.secret)
    assert [user["email"][0] for user in first.json()["users"]] == ["c", "b"]
    assert [user["email"][0] for user in second.json()["users"]] == ["a"]
    assert first.headers["x-total-count"] == "3"
    beyond = ask("GET", "/admin/users?page=9&per_page=2", token=keys.secret)
    assert (beyond.json()["users"], beyond.headers["x-total-count"]) == ([], "3")
    assert first.headers["link"] == (
        '</auth/v1/admin/users?page=2&per_page=2>; rel="next", '
        '</auth/v1/admin/users?page=2&per_page=2>; rel="last"'
    )


@pytest.mark.parametrize(
    ("request_line", "body", "expected"),
    [
        ("POST /admin/users", {"email": EMAIL}, (422, "email_exists")),
        ("POST /admin/users", {"password": "long enough"}, (400, "validation_failed")),
        ("POST /admin/users", {"email": "b@b.co", "id": "b"}, (400, "validation_failed")),
        (f"GET /admin/users/{NOBODY}", None, (404, "user_not_found")),
        (f"PUT /admin/users/{NOBODY}", {}, (404, "user_not_found")),
        (f"DELETE /admin/users/{NOBODY}", None, (404, "user_not_found")),
        ("GET /admin/users/nobody", None, (404, "validation_failed")),
    ],
)
def test_what_is_refused(
    ask: Ask, keys: Keys, request_line: str, body: Any, expected: tuple[int, str]
) -> None:
    method, path = request_line.split(" ")
    ask("POST", "/admin/users", ADA, token=keys.secret)
    assert refusal(ask(method, path, body, token=keys.secret)) == expected


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/users"),
        ("POST", "/admin/users"),
        ("GET", f"/admin/users/{NOBODY}"),
        ("PUT", f"/admin/users/{NOBODY}"),
        ("DELETE", f"/admin/users/{NOBODY}"),
    ],
)
def test_only_the_service_role_may(ask: Ask, keys: Keys, method: str, path: str) -> None:
    session = ask("POST", "/signup", ADA).json()
    assert refusal(ask(method, path, token=session["access_token"])) == (403, "not_admin")
    assert refusal(ask(method, path, token=keys.publishable)) == (403, "not_admin")
    assert refusal(ask(method, path)) == (401, "no_authorization")
