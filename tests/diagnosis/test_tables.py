"""Faults of the database, each made for real on a table of its own."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from prt.checks.status.layers import undelivered
from tests.diagnosis.conftest import Named
from tests.diagnosis.stage import Stage

Command = Callable[..., tuple[int, str, str]]


def wire_only(stage: Stage, **more: str | None) -> dict[str, str]:
    return stage.environment(SUPABASE_DB_URL=None, **more)


def test_all_is_well(command: Command, stage: Stage) -> None:
    with stage.table("d_well"):
        code, out, _ = command("status", "d_well", "--strict", "--no-color", env=stage.environment())
        assert code == 0, out
        assert "✓ ok      d_well READY · key id · 1 policy" in out
        code, out, _ = command("status", "d_well", "--strict", "--no-color", env=wire_only(stage))
        assert code == 0, out
        assert "– skipped database   not asked" in out


def test_columns_that_the_server_cuts_are_named(command: Command, stage: Stage) -> None:
    columns = (
        "id int primary key, code char(3), codes char(3)[], bits bit(3), letter char(1), own public.d_own"
    )
    domain = "create domain public.d_own as char(5);", "drop domain public.d_own;"
    with stage.changed(*domain), stage.table("d_cut", columns):
        code, out, _ = command("status", "d_cut", "--strict", "--no-color", env=stage.environment())
    assert code == 0, out
    assert "only the first character of code, codes, bits, own is sent" in " ".join(out.split())


def test_every_table_of_the_schema(command: Command, stage: Stage) -> None:
    with stage.table("d_one"), stage.table("d_two"):
        code, out, _ = command("status", "*", "--strict", "--no-color", env=stage.environment())
        assert code == 0, out
        assert "✓ ok      d_one" in out
        assert "✓ ok      d_two" in out


def test_without_a_table_the_default_ones_need_not_be_there(command: Command, stage: Stage) -> None:
    with stage.table("d_mine"):
        code, out, _ = command("status", "--no-color", env=stage.environment())
    assert code == 0, out
    assert "30 of the default tables are not in this project; name yours" in out
    assert "→ prt status d_mine" in out


def test_the_server_key_is_announced(command: Command, stage: Stage) -> None:
    secret = {"SUPABASE_SECRET_KEY": stage.project.keys.secret}
    with stage.table("d_served"):
        code, out, err = command("status", "d_served", "--as", "service", env=stage.environment(**secret))
    assert code == 0, out
    assert err.startswith("prt: acting as service_role at 127.0.0.1:")
    assert secret["SUPABASE_SECRET_KEY"] not in out + err


# --- the database as a whole


def test_wrong_database_url(named: Named, stage: Stage) -> None:
    wrong = stage.project.postgres.url.replace(f":{stage.project.postgres.port}", ":1")
    with stage.table("d_url"):
        named("wrong-password", "d_url", env=stage.environment(SUPABASE_DB_URL=wrong))


@pytest.mark.parametrize("debug", [[], ["--debug"], ["--json"]], ids=["plain", "debug", "json"])
@pytest.mark.parametrize(
    "password",
    [
        "Zq7w%xx9",
        "Zq7w/xx9y",
        "Zq7w@xx9y",
        "Zq7w:xx9y@",
        "Zq7w?xx9y",
        "Zq7w#xx9y",
        "[Zq7w]xx9y",
        "Zq 7w'xx9y",
    ],
)
def test_no_part_of_a_password_that_is_not_escaped_is_printed(
    command: Command, stage: Stage, password: str, debug: list[str]
) -> None:
    """libpq and urllib take such an address apart wrongly, and put the parts into their errors."""
    url = f"postgresql://postgres:{password}@127.0.0.1:1/postgres"
    _, out, err = command("status", *debug, env=stage.environment(SUPABASE_DB_URL=url))
    for part in (password, quote(password, safe=""), "Zq7w", "xx9y"):
        assert part not in out + err
    assert "SUPABASE_DB_URL" in out


def test_a_password_that_is_not_escaped_is_named_as_the_cause(command: Command, stage: Stage) -> None:
    url = "postgresql://postgres:Zq7w%xx9@127.0.0.1:1/postgres"
    _, out, _ = command("status", env=stage.environment(SUPABASE_DB_URL=url))
    words = " ".join(out.split())
    assert "can't be used: it is not a database's address, or its password is not escaped" in words
    assert "@ as %40" in words


def test_every_replication_slot_is_taken(named: Named, stage: Stage) -> None:
    with (
        stage.table("d_slots"),
        stage.changed(
            "do $$ declare free int := current_setting('max_replication_slots')::int"
            " - (select count(*) from pg_replication_slots); begin"
            " perform pg_create_physical_replication_slot('h' || n) from generate_series(1, free) n; end $$",
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name like 'h%'",
        ),
    ):
        named("no-slots", "d_slots", env=stage.environment())


def test_publication_absent(named: Named, stage: Stage) -> None:
    with (
        stage.table("d_publication"),
        stage.changed(
            "alter publication supabase_realtime rename to elsewhere",
            "alter publication elsewhere rename to supabase_realtime",
        ),
    ):
        named("no-publication", "d_publication", env=stage.environment())


def test_publication_without_deletes(named: Named, stage: Stage) -> None:
    with (
        stage.table("d_deletes"),
        stage.changed(
            "alter publication supabase_realtime set (publish = 'insert, update')",
            "alter publication supabase_realtime set (publish = 'insert, update, delete, truncate')",
        ),
    ):
        named("no-deletes", "d_deletes", env=stage.environment())


def test_token_of_an_unknown_role(named: Named, stage: Stage) -> None:
    named("unknown-role", "d_any", env=stage.environment(PRT_TOKEN=stage.token("nobody_there")))


# --- tables


def test_table_missing(named: Named, stage: Stage) -> None:
    named("missing", "d_missing", env=stage.environment())


def test_table_misspelt(named: Named, stage: Stage) -> None:
    with stage.table("d_spelt"):
        named("misspelt", "d_spellt", env=stage.environment())
        named("misspelt-rest", "d_spellt", env=wire_only(stage))


def test_a_view(named: Named, stage: Stage) -> None:
    with stage.changed("create view public.d_view as select 1 as id", "drop view public.d_view"):
        named("a-view", "d_view", env=stage.environment())


def test_table_not_published(named: Named, stage: Stage) -> None:
    with stage.table(
        "d_unpublished", rules="alter publication supabase_realtime drop table public.d_unpublished"
    ):
        named("unpublished", "d_unpublished", env=stage.environment())
        named("unpublished-wire", "d_unpublished", env=wire_only(stage))


def test_no_primary_key(named: Named, stage: Stage) -> None:
    with stage.table("d_keyless", "id bigint, title text"):
        named("no-key", "d_keyless", env=stage.environment())


def test_a_filter_that_no_delete_can_match(named: Named, command: Command, stage: Stage) -> None:
    with stage.table("d_identity"):
        arguments = ("d_identity", "--filter", "title=eq.x")
        findings = named("identity", *arguments, env=stage.environment())
        stage.sql.execute(
            next(one["remedy"] for one in findings if one["remedy"] and "identity" in one["remedy"])
        )
        assert command("status", *arguments, "--strict", env=stage.environment())[0] == 0


def test_replica_identity_nothing(named: Named, stage: Stage) -> None:
    with stage.table("d_nothing", rules="alter table public.d_nothing replica identity nothing"):
        named("identity-nothing", "d_nothing", env=stage.environment())


def test_row_security_off(named: Named, stage: Stage) -> None:
    with stage.table("d_open", rules="alter table public.d_open disable row level security"):
        named("rls-off", "d_open", env=stage.environment())


def test_row_security_without_a_policy(named: Named, command: Command, stage: Stage) -> None:
    with stage.table("d_closed", rules="drop policy everybody on public.d_closed"):
        findings = named("no-policy", "d_closed", env=stage.environment())
        assert [one["figure"] for one in findings if one["check"] == "READY"] == ["READY"]
        stage.sql.execute(next(one["remedy"] for one in findings if one["check"] == "policies"))
        assert command("status", "d_closed", "--strict", env=stage.environment())[0] == 0


def test_a_policy_that_hides_the_row(named: Named, stage: Stage) -> None:
    rules = (
        "insert into public.d_hidden values (1, 'x'); "
        "alter policy everybody on public.d_hidden using (id > 1)"
    )
    with stage.table("d_hidden", rules=rules):
        named("hidden", "d_hidden", env=stage.environment())
        secret = stage.project.keys.secret
        named("hidden-rest", "d_hidden", env=wire_only(stage, SUPABASE_SECRET_KEY=secret))


def test_a_policy_that_fails(named: Named, stage: Stage) -> None:
    rules = (
        "insert into public.d_failing values (0, 'x'); "
        "alter policy everybody on public.d_failing using (1 / id > 0)"
    )
    with stage.table("d_failing", rules=rules):
        named("policy-fails", "d_failing", env=stage.environment())


def test_grant_missing(named: Named, command: Command, stage: Stage) -> None:
    with stage.table("d_ungranted", rules="revoke all on public.d_ungranted from anon"):
        named("no-grant-rest", "d_ungranted", env=wire_only(stage))
        findings = named("no-grant", "d_ungranted", env=stage.environment())
        stage.sql.execute(next(one["remedy"] for one in findings if one["check"] == "grants"))
        assert command("status", "d_ungranted", "--strict", env=stage.environment())[0] == 0


def test_column_grant_missing(named: Named, stage: Stage) -> None:
    rules = "revoke all on public.d_columns from anon; grant select (id, title) on public.d_columns to anon"
    with stage.table("d_columns", "id bigint primary key, title text, secret text", rules=rules):
        named("column-grant", "d_columns", env=stage.environment())
        named("column-filter", "d_columns", "--filter", "secret=eq.x", env=stage.environment())


PARTITIONED = "id int, k int, primary key (id, k)) partition by range (k"


def test_partitioned_tables(named: Named, stage: Stage) -> None:
    part = "create table public.{0}_a partition of public.{0} for values from (0) to (10);"
    with stage.table("d_parts", PARTITIONED, rules=part.format("d_parts")):
        named("partitioned", "d_parts", env=stage.environment())
    via_root = "alter publication supabase_realtime set (publish_via_partition_root = {})"
    with (
        stage.changed(via_root.format("true"), via_root.format("false")),
        stage.table("d_root", PARTITIONED, rules=part.format("d_root")),
    ):
        named("partition-root", "d_root", env=stage.environment())


SUBSCRIPTIONS = """
create type realtime.user_defined_filter as (column_name text, op text, value text, negate boolean);
create table realtime.subscription (entity regclass, filters realtime.user_defined_filter[]);
"""
NO_SUBSCRIPTIONS = "drop table realtime.subscription; drop type realtime.user_defined_filter;"


def test_nobody_reads_the_changes(named: Named, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undelivered, "SLOT_PAUSE_SECONDS", 0)
    with stage.table("d_slotless"), stage.changed(SUBSCRIPTIONS, NO_SUBSCRIPTIONS):
        stage.sql.execute("insert into realtime.subscription values ('d_slotless', '{}')")
        named("no-slot", "d_slotless", env=stage.environment())


def test_a_filter_of_another_client_blocks_everybody(named: Named, stage: Stage) -> None:
    slot = "supabase_realtime_replication_slot_test"
    with (
        stage.table("d_blocked", "id bigint primary key, tags text[], title text, place point"),
        stage.changed(SUBSCRIPTIONS, NO_SUBSCRIPTIONS),
        stage.changed(
            # The session that makes a temporary slot holds it.
            f"select pg_create_logical_replication_slot('{slot}', 'pgoutput', true)",
            f"select pg_drop_replication_slot('{slot}')",
        ),
    ):
        stage.sql.execute(
            "insert into realtime.subscription values "
            "('d_blocked', array[row('title', 'eq', 'a', false)::realtime.user_defined_filter]), "
            "('d_blocked', array[row('tags', 'eq', '{a}', false)::realtime.user_defined_filter])"
        )
        named("blocking-filter", "d_blocked", env=stage.environment())


def test_a_filter_that_would_block_everybody(named: Named, stage: Stage) -> None:
    with stage.table("d_tagged", "id bigint primary key, tags text[]"):
        findings = named("array-filter", "d_tagged", "--filter", "tags=eq.{a}", env=stage.environment())
    assert not any(one["check"] == "READY" for one in findings)


def test_bad_filters(named: Named, stage: Stage) -> None:
    with stage.table("d_filters"):
        named("bad-column", "d_filters", "--filter", "titel=eq.x", env=stage.environment())
        named("bad-value", "d_filters", "--filter", "id=eq.abc", env=stage.environment())


@pytest.mark.parametrize(
    ("fault", "arguments"),
    [
        ("bad-operator", ("todos", "--filter", "id=equals.1")),
        ("wildcard-select", ("*", "--select", "id")),
    ],
)
def test_what_is_refused_before_anything_is_asked(
    named: Named, fault: str, arguments: tuple[str, ...]
) -> None:
    named(fault, *arguments, env={})
