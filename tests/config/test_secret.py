from __future__ import annotations

import copy
import pickle

import jwt
import pytest

from prt.config.secret import Secret, claims_of, facts_of
from prt.redaction import redact, register


def token(**claims: object) -> str:
    return jwt.encode(claims, "a-secret-of-thirty-two-characters", "HS256")


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("hunter2-hunter2")
    assert secret.reveal() == "hunter2-hunter2"
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r}", f"{[secret]}"):
        assert "hunter2" not in shown


def test_secrets_compare_by_value() -> None:
    assert Secret("abcdefgh") == Secret("abcdefgh")
    assert Secret("abcdefgh") != Secret("abcdefgi")
    assert len({Secret("abcdefgh"), Secret("abcdefgh")}) == 1


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_secret_is_not_written_anywhere(write: object) -> None:
    with pytest.raises(TypeError, match="not written"):
        write(Secret("abcdefgh"))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("key", "kind", "role", "is_server_key"),
    [
        (token(role="anon"), "jwt", "anon", False),
        (token(role="authenticated"), "jwt", "authenticated", False),
        (token(role="service_role"), "jwt", "service_role", True),
        (token(role="supabase_admin"), "jwt", "supabase_admin", True),
        (token(role=["anon"]), "jwt", None, False),
        ("sb_publishable_abc", "publishable", "anon", False),
        ("sb_secret_abc", "secret", "service_role", True),
        ("whatever", "unknown", None, False),
        ("a.b.c", "unknown", None, False),
        ("a.WzFd.c", "unknown", None, False),
    ],
)
def test_kind_and_role_of_a_key(key: str, kind: str, role: str | None, is_server_key: bool) -> None:
    facts = facts_of(Secret(key))
    assert (facts.kind, facts.role, facts.is_server_key) == (kind, role, is_server_key)


def test_facts_of_a_hosted_key() -> None:
    facts = facts_of(Secret(token(role="anon", ref="abcdefghijklmnopqrst", exp=2_000_000_000)))
    assert (facts.ref, facts.expires_at) == ("abcdefghijklmnopqrst", 2_000_000_000.0)
    assert facts_of(Secret(token(role="anon", exp=True))).expires_at is None


def test_claims_are_read_without_verification() -> None:
    assert claims_of(token(sub="x")) == {"sub": "x"}
    assert claims_of("no.jwt") is None


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("wss://h/socket?apikey=abc&vsn=2.0.0", "wss://h/socket?apikey=<hidden>&vsn=2.0.0"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer <hidden>"),
        ("{'password': 'pa ss', 'a': 1}", "{'password': <hidden>, 'a': 1}"),
        ("host=x password=abc dbname=y", "host=x password=<hidden> dbname=y"),
        ("postgresql://postgres:p@ss@host/db", "postgresql://postgres:<hidden>@host/db"),
        ('{"access_token":"a b"}', '{"access_token":<hidden>}'),
        ("Token: it has expired", "Token: it has expired"),
        ('password = { env = "PRT_PASSWORD" }', 'password = { env = "PRT_PASSWORD" }'),
        ("key sb_secret_Abc-1_2 refused", "key sb_secret_<key> refused"),
        ("nothing to hide: https://host:80/path", "nothing to hide: https://host:80/path"),
    ],
)
def test_what_looks_like_a_secret_is_cleared(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_tokens_are_cleared() -> None:
    assert redact(f"got {token(role='anon', seen='never')}!") == "got <token>!"


def test_whatever_was_a_secret_is_cleared() -> None:
    register("correct horse battery")
    assert redact("login with correct horse battery failed") == "login with <hidden> failed"


def test_short_secrets_do_not_blot_out_words() -> None:
    register("id")
    assert redact("the id column") == "the id column"
