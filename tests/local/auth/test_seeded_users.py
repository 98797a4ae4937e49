"""Users that a seed file wrote into `auth.users` sign in, whoever made the hash."""

from __future__ import annotations

import time
from typing import Any

import pytest

from prt.local.auth.endpoint import REFUSAL_SECONDS
from tests.local.auth.conftest import Ask

PASSWORD = "correct horse"
EMAIL = "ada@example.com"
GRANT = "/token?grant_type=password"
BCRYPT = "$2a$04$zozDBmAC2H3dO/OFEmXnUujQx9cP98ZaxXI8Xs/w2rCJxXeH73bX2"
SEARCH_PATH = 'set search_path to "$user", public, extensions'
"""That of every connection to a project."""

SEED = """
insert into auth.users (
  instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data,
  raw_user_meta_data, created_at, updated_at, confirmation_token, recovery_token, email_change,
  email_change_token_new
) values (
  '00000000-0000-0000-0000-000000000000', uuid_generate_v4(), 'authenticated', 'authenticated', %s, {hashed},
  now(), '{{"provider": "email", "providers": ["email"]}}', '{{}}', now(), now(), '', '', '', ''
)
"""


@pytest.mark.parametrize(
    "hashed",
    [
        f"'{BCRYPT}'",
        f"crypt('{PASSWORD}', gen_salt('bf'))",
        f"extensions.crypt('{PASSWORD}', extensions.gen_salt('bf', 10))",
        f"crypt('{PASSWORD}', gen_salt('md5'))",
    ],
)
def test_they_sign_in(ask: Ask, database: Any, hashed: str) -> None:
    database.execute(SEARCH_PATH)
    database.execute(SEED.format(hashed=hashed), [EMAIL])
    answer = ask("POST", GRANT, {"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["email"] == EMAIL
    refused = ask("POST", GRANT, {"email": EMAIL, "password": "wrong horse"})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "invalid_credentials")


@pytest.mark.parametrize("email", ["ada@example.com", "grace@example.com", "nobody@example.com"])
def test_a_refusal_does_not_show_by_its_time_who_is_known(ask: Ask, database: Any, email: str) -> None:
    """Of these Ada has a bcrypt hash and Grace one of ours, which take different times to compare."""
    database.execute(SEARCH_PATH)
    database.execute(SEED.format(hashed=f"'{BCRYPT}'"), ["ada@example.com"])
    database.execute(SEED.format(hashed="crypt('another', gen_salt('bf'))"), ["grace@example.com"])
    started = time.monotonic()
    refused = ask("POST", GRANT, {"email": email, "password": "wrong horse"})
    assert refused.status_code == 400
    assert time.monotonic() - started >= REFUSAL_SECONDS


def test_a_function_compares_the_password_of_whoever_signed_up(ask: Ask, database: Any) -> None:
    """As users write it to ask for the present password before a change."""
    assert ask("POST", "/signup", {"email": EMAIL, "password": PASSWORD}).status_code == 200
    database.execute(SEARCH_PATH)
    compared = "select encrypted_password = crypt(%s, encrypted_password) from auth.users"
    assert database.execute(compared, [PASSWORD]).fetchone() == (True,)
    assert database.execute(compared, ["wrong horse"]).fetchone() == (False,)
