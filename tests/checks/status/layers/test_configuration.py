from __future__ import annotations

import base64
import json

import pytest

from prt.checks.status.layers.configuration import is_hosted, judge, role_of
from prt.config.project import Project
from prt.config.secret import Secret
from prt.results import Finding

NOW = 1_800_000_000.0
HOUR, DAY = 3600, 86_400


def token(**claims: object) -> Secret:
    parts = ({"alg": "HS256"}, claims)
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return Secret(f"{head}.{body}.signature")


def project(**changed: object) -> Project:
    given: dict[str, object] = {
        "url": "https://abc.supabase.co",
        "identity": "anon",
        "client_key": token(role="anon", exp=NOW + 300 * DAY, ref="abc"),
        "origins": {"url": "--url", "client_key": "SUPABASE_ANON_KEY in .env", "token": "PRT_TOKEN"},
    }
    return Project(**{**given, **changed})  # type: ignore[arg-type]


def found(check: str, **changed: object) -> Finding:
    return next(one for one in judge(project(**changed), NOW) if one.check == check)


def test_where_each_value_came_from() -> None:
    url, key = judge(project(), NOW)
    assert (url.state, url.figure) == ("ok", "https://abc.supabase.co · --url")
    assert key.state == "ok"
    assert key.figure == "anon JWT, of project abc, until 2027-11-11 · SUPABASE_ANON_KEY in .env"


@pytest.mark.parametrize(
    ("left", "state", "words"),
    [
        (-90 * DAY, "failed", "expired 90 d ago"),
        (-90, "failed", "expired 90 s ago"),
        (0, "failed", "expired 0 s ago"),
        (90 * 60, "warning", "ends in 90 min"),
        (30 * HOUR, "warning", "ends in 30 h"),
        (8 * DAY, "ok", None),
        (10**18, "ok", None),
    ],
)
def test_a_key_and_its_end(left: int, state: str, words: str | None) -> None:
    key = found("key", client_key=token(role="anon", exp=NOW + left))
    assert key.state == state
    assert (key.causes[0].why if key.causes else None) == (words and f"SUPABASE_ANON_KEY in .env {words}")
    assert key.exit_code == 3


@pytest.mark.parametrize(
    ("key", "state", "figure"),
    [
        (Secret("sb_publishable_abcdefgh"), "ok", "publishable key"),
        (Secret("nonsense-from-the-clipboard"), "warning", "unknown kind"),
        (token(iss="somebody"), "failed", "JWT"),
    ],
)
def test_kinds_of_keys(key: Secret, state: str, figure: str) -> None:
    finding = found("key", client_key=key)
    assert (finding.state, finding.figure.partition(" · ")[0]) == (state, figure)
    assert key.reveal() not in repr(finding)


def test_a_server_key_passes_over_policies() -> None:
    key = Secret("sb_secret_abcdefgh")
    assert found("key", identity="service", server_key=key).figure.startswith(
        "secret key, passes over row level security"
    )
    assert role_of(project(identity="service", server_key=key)) == "service_role"


def test_a_session_is_judged_by_itself() -> None:
    good = token(role="authenticated", exp=NOW + HOUR)
    assert found("token", token=good).state == "ok"
    assert found("token", token=token(role="authenticated", exp=NOW + 60)).state == "warning"
    server = found("token", token=token(role="service_role", exp=NOW + HOUR))
    assert (server.state, "passes over row level security" in server.causes[0].why) == ("warning", True)
    nothing = found("token", token=token(sub="x"))
    assert "has no `role` and no `exp`" in nothing.causes[0].why
    assert role_of(project(token=good)) == "authenticated"
    assert role_of(project(token=good), good.reveal()) == "authenticated"


@pytest.mark.parametrize(
    ("url", "state", "figure"),
    [
        ("postgresql://postgres:geheim@db.abc.supabase.co:5432/postgres", "ok", "db.abc.supabase.co"),
        ("geheim", "warning", "no URL"),
        ("postgresql://[geheim", "warning", "no URL"),
    ],
)
def test_the_database_by_its_host_alone(url: str, state: str, figure: str) -> None:
    finding = found("database", database_url=Secret(url))
    assert (finding.state, finding.figure) == (state, figure)
    assert "geheim" not in repr(finding)


def test_what_the_server_key_is_for() -> None:
    key = Secret("sb_secret_abcdefgh")
    assert found("server key", server_key=key).state == "ok"
    assert "server key" not in [one.check for one in judge(project(identity="service", server_key=key), NOW)]


def test_who_signs_in() -> None:
    finding = found("session", identity="user", email="maya@example.com")
    assert (finding.state, finding.figure) == ("ok", "maya@example.com signs in")


@pytest.mark.parametrize(
    ("url", "state"),
    [("http://example.com", "warning"), ("http://127.0.0.1:54321", "ok"), ("https://example.com", "ok")],
)
def test_in_the_clear(url: str, state: str) -> None:
    assert found("url", url=url).state == state


def test_hosted_or_not() -> None:
    assert is_hosted("https://abc.supabase.co")
    assert not is_hosted("https://supabase.co.example.com")
