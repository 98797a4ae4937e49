"""supabase-js from npm, unchanged, against the embedded project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.node import reported


@pytest.fixture
def node(scripts: Path, node_environment: dict[str, str]) -> Any:
    """Runs a script and gives what it reports."""

    def run(script: str) -> dict[str, Any]:
        observations: dict[str, Any] = reported(scripts / script, environment=node_environment)
        return observations

    return run


def test_tables_are_read_and_written(node: Any) -> None:
    seen = node("tables.mjs")

    assert seen["productions"]["status"] == 206
    assert seen["productions"]["count"] >= 10
    assert len(seen["productions"]["data"]) == 2
    name = seen["productions"]["data"][0]["name"]
    assert seen["inserted"]["status"] == 201
    assert seen["inserted"]["data"] == [
        {"title": "js one", "priority": "medium", "productions": {"name": name}},
        {"title": "js two", "priority": "high", "productions": {"name": name}},
    ]
    assert seen["upserted"]["status"] == 200
    assert seen["upserted"]["data"] == {"title": 'js, "three"'}
    assert seen["found"]["data"] == [{"title": 'js, "three"'}, {"title": "js two"}]
    assert seen["updated"]["data"] == [{"title": "js two", "status": "done"}]
    assert (seen["many"]["status"], seen["many"]["error"]["code"]) == (406, "PGRST116")
    assert (seen["none"]["data"], seen["none"]["error"]) == (None, None)
    assert (seen["missing"]["status"], seen["missing"]["error"]["code"]) == (404, "PGRST205")
    assert (seen["column"]["status"], seen["column"]["error"]["code"]) == (400, "PGRST204")
    assert (seen["head"]["count"], seen["head"]["data"]) == (2, None)
    assert (seen["removed"]["status"], seen["removed"]["count"]) == (204, 2)


def test_accounts_sign_up_in_and_out(node: Any) -> None:
    seen = node("accounts.mjs")

    assert seen["signedUp"]["data"]["session"]["token_type"] == "bearer"
    assert seen["signedUp"]["data"]["user"]["user_metadata"] == {"name": "Js"}
    assert seen["again"]["error"] == {
        "status": 422,
        "code": "user_already_exists",
        "message": "User already registered",
    }
    assert seen["wrong"]["error"] == {
        "status": 400,
        "code": "invalid_credentials",
        "message": "Invalid login credentials",
    }
    first, second = seen["signedIn"]["data"]["session"], seen["refreshed"]["data"]["session"]
    assert first["refresh_token"] != second["refresh_token"]
    assert first["expires_in"] == 3600
    assert seen["changed"]["data"]["user"]["user_metadata"] == {"name": "Js the second"}
    assert seen["user"]["data"]["user"]["email"] == "js@example.com"
    assert seen["claims"]["data"]["claims"]["role"] == "authenticated"
    assert seen["own"] == {"data": [], "error": None}
    assert seen["signedOut"]["error"] is None
    assert seen["after"]["error"]["message"] == "Auth session missing!"
    assert seen["gone"]["error"]["code"] == "refresh_token_not_found"
    assert seen["created"]["data"]["user"]["email"] == "made@example.com"
    assert len(seen["listed"]["data"]["users"]) == 2
    assert seen["listed"]["data"]["total"] == 4
    assert seen["listed"]["data"]["nextPage"] == 2
    assert seen["removed"]["error"] is None
    assert seen["refusedAdmin"]["error"]["code"] in {"not_admin", "no_authorization"}


def test_changes_arrive_filtered(node: Any) -> None:
    seen = node("changes.mjs")

    here, elsewhere = seen["here"]["id"], seen["elsewhere"]["id"]
    filtered = [(change["eventType"], change["new"]["id"]) for change in seen["changes"]["filtered"]]
    assert seen["status"] == "SUBSCRIBED"
    assert filtered == [("INSERT", here), ("UPDATE", here)]
    inserted, updated = seen["changes"]["filtered"]
    assert inserted["new"]["title"] == "js here"
    assert updated["new"]["status"] == "in_progress"
    deleted = {change["old"]["id"] for change in seen["changes"]["deleted"]}
    assert deleted == {here, elsewhere}
    (notified,) = seen["changes"]["notified"]
    assert notified["new"]["message"] == "Testing realtime"
    assert all(change["errors"] is None for changes in seen["changes"].values() for change in changes)
