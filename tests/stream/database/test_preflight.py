"""What keeps an audit from opening a slot on a database where it would fail or do harm."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from prt.errors import PrtError, RefusedError, UsageError
from prt.stream.database.preflight import (
    Database,
    NotAuditableError,
    UnpublishedError,
    address_of,
    check,
    check_filter,
)
from prt.stream.database.values import AuditedTable, Column

LOCAL = "http://127.0.0.1:54321"
HOSTED = "https://abcdefghijklmnopqrst.supabase.co"

TABLE = AuditedTable(
    oid=1,
    schema="public",
    table="tasks",
    kind="r",
    has_row_security=True,
    is_published=True,
    key=("id",),
    columns=(Column("id", "bigint"), Column("labels", "text[]", True)),
)
DATABASE = Database(
    version="17.6",
    user="postgres",
    wal_level="logical",
    may_replicate=True,
    slots=3,
    max_slots=5,
    senders=8,
    max_senders=10,
    keep_size=None,
    has_publication=True,
    role_exists=True,
    role_is_unrestricted=False,
    tables=[TABLE],
)
WANTED = [("public", "tasks")]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres.ref:secretword@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
        "postgresql://postgres:secretword@db.abcdefghijklmnopqrst.supabase.co:6543/postgres",
        "host=AWS-0-EU.POOLER.SUPABASE.COM user=postgres password=secretword",
    ],
)
def test_a_pooler_is_refused_with_the_way_round_it(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        address_of(url, HOSTED)
    assert refused.value.exit_code == 2
    hint = refused.value.hint or ""
    assert all(words in hint for words in ("db.PROJECT_REF.supabase.co", "IPv6", "IPv4 add-on"))
    assert "secretword" not in f"{refused.value}{hint}"


def test_an_unreadable_url_is_refused_without_being_shown() -> None:
    with pytest.raises(UsageError) as refused:
        address_of("postgresql://postgres:secretword@[::1", LOCAL)
    assert "secretword" not in f"{refused.value}{refused.value.hint}"


def test_the_database_of_another_project_is_refused() -> None:
    with pytest.raises(UsageError, match="zyxwvutsrqponmlkjihg"):
        address_of("postgresql://postgres:x@db.zyxwvutsrqponmlkjihg.supabase.co/postgres", HOSTED)


@pytest.mark.parametrize(
    ("url", "is_loopback"),
    [
        ("postgresql://postgres:x@127.0.0.1:54322/postgres", True),
        ("postgresql:///postgres?host=/var/run/postgresql", True),
        ("postgresql://postgres:x@127.0.0.1,db.example.org/postgres", False),
        ("postgresql://postgres:x@db.abcdefghijklmnopqrst.supabase.co/postgres", False),
    ],
)
def test_only_this_machine_counts_as_loopback(url: str, is_loopback: bool) -> None:
    assert address_of(url, HOSTED).is_loopback is is_loopback


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"wal_level": "replica"}, NotAuditableError, "wal_level is replica"),
        ({"may_replicate": False}, RefusedError, "may not replicate"),
        ({"slots": 4}, NotAuditableError, "4 of 5 replication slots"),
        ({"senders": 9}, NotAuditableError, "9 of 10 WAL senders"),
        ({"role_exists": False}, NotAuditableError, "role anon does not exist"),
        ({"tables": []}, UnpublishedError, "no table public.tasks"),
        ({"tables": [replace(TABLE, kind="p")]}, UnpublishedError, "is partitioned"),
        ({"tables": [replace(TABLE, kind="v", is_published=False)]}, UnpublishedError, "is a view"),
        ({"tables": [replace(TABLE, is_published=False)]}, UnpublishedError, "not in the publication"),
    ],
)
def test_obstacles_are_reported_first(changed: dict[str, Any], error: type[PrtError], words: str) -> None:
    check(DATABASE, WANTED, "anon")
    with pytest.raises(error, match=words) as refused:
        check(replace(DATABASE, **changed), WANTED, "anon")
    assert refused.value.exit_code in (3, 4), "1 means that changes were lost"


def test_a_schema_without_published_tables_has_nothing_to_audit() -> None:
    with pytest.raises(UnpublishedError, match="holds no table"):
        check(replace(DATABASE, tables=[]), [("other", "*")], "anon")


@pytest.mark.parametrize(
    ("column", "words"), [("nothing", "has no column nothing"), ("labels", r"column of type text\[\]")]
)
def test_a_filter_that_would_harm_every_client_is_refused(column: str, words: str) -> None:
    check_filter(TABLE, ["id"])
    with pytest.raises(UsageError, match=words):
        check_filter(TABLE, [column])
