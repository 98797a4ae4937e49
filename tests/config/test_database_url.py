"""Addresses of databases as ORMs write them."""

from __future__ import annotations

import pytest

from prt.checks.database import _check
from prt.config.database_url import libpq_url
from prt.errors import UsageError

PLAIN = "postgresql://me:pw@db.example:6543/postgres"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"{PLAIN}?pgbouncer=true",
        f"{PLAIN}?pgbouncer=true&connection_limit=1&schema=public",
        PLAIN.replace("postgresql:", "postgresql+psycopg2:"),
        PLAIN.replace("postgresql:", "postgresql+asyncpg:") + "?prepared_statement_cache_size=0",
        PLAIN.replace("postgresql:", "postgres:"),
        f"jdbc:{PLAIN}?prepareThreshold=0",
        f"  {PLAIN}\n",
    ],
)
def test_what_only_an_orm_understands_is_left_out(text: str) -> None:
    assert libpq_url(text) == PLAIN
    _check(libpq_url(text))


def test_what_libpq_understands_stays() -> None:
    assert libpq_url(f"{PLAIN}?sslmode=require&pgbouncer=true") == f"{PLAIN}?sslmode=require"
    assert libpq_url("host=db.example password=a?b") == "host=db.example password=a?b"


def test_an_unknown_parameter_is_named_instead_of_the_password() -> None:
    with pytest.raises(UsageError, match=r"does not know: sslmod$"):
        _check(libpq_url(f"{PLAIN}?sslmod=require"))
