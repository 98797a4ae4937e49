from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection, sql

from prt.config.constants.seed_tables import TABLES
from prt.local.auth.passwords import password_matches
from prt.local.postgres.server import Postgres
from prt.local.seed import schema
from prt.local.seed.people import MEMBER, STRANGER
from prt.local.seed.tables import seeded
from tests.local.databases import acting_as, bootstrapped, values

OTHER_PRODUCTION = seeded("productions", 13)


@pytest.fixture(scope="module")
def seeded_project(postgres: Postgres) -> Iterator[Connection[Any]]:
    with bootstrapped(postgres, "schema_seeded") as connection:
        schema.seed(connection)
        yield connection


def count(connection: Connection[Any], table: str) -> int:
    query = sql.SQL("select count(*) from public.{}").format(sql.Identifier(table))
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


# -- the 30 tables


def test_tables_are_those_that_watch_groups(seeded_project: Connection[Any]) -> None:
    assert len(TABLES) == 30
    query = "select tablename from pg_tables where schemaname = 'public'"
    assert sorted(values(seeded_project, query)) == sorted(TABLES)


def test_every_table_is_published(seeded_project: Connection[Any]) -> None:
    query = (
        "select schemaname || '.' || tablename from pg_publication_tables where pubname = 'supabase_realtime'"
    )
    assert sorted(values(seeded_project, query)) == sorted(f"public.{table}" for table in TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_key_rls_rows_and_its_time_kept(seeded_project: Connection[Any], table: str) -> None:
    assert count(seeded_project, table) > 0
    relation = f"public.{table}"
    assert values(
        seeded_project, "select relrowsecurity from pg_class where oid = %s::regclass", relation
    ) == [True]
    assert values(
        seeded_project,
        "select attname from pg_index join pg_attribute on attrelid = indrelid and attnum = any (indkey) "
        "where indrelid = %s::regclass and indisprimary",
        relation,
    ) == ["id"]
    # The trigger wins over a time in the past that a client sends.
    stale = sql.SQL("update public.{} set updated_at = 'epoch' returning updated_at = now()").format(
        sql.Identifier(table)
    )
    with seeded_project.transaction(force_rollback=True):
        assert set(seeded_project.execute(stale).fetchall()) == {(True,)}


def test_seeded_ids_are_those_that_python_computes(seeded_project: Connection[Any]) -> None:
    for table in TABLES:
        query = sql.SQL("select id::text from public.{} order by id limit 1").format(sql.Identifier(table))
        assert seeded_project.execute(query).fetchone() == (seeded(table, 1),)


def test_generated_columns_are_absent(seeded_project: Connection[Any]) -> None:
    # Logical replication leaves them out, so that a subscriber would miss what REST shows.
    query = (
        "select attname from pg_attribute where attgenerated <> '' and attrelid in "
        "(select format('public.%%I', tablename)::regclass from pg_tables where schemaname = %s)"
    )
    assert values(seeded_project, query, "public") == []


# -- who sees what


def test_member_sees_the_workspace_and_no_other(seeded_project: Connection[Any]) -> None:
    with acting_as(seeded_project, "authenticated", MEMBER.id) as member:
        seen = {table: count(member, table) for table in TABLES}
        assert values(member, "select name from workspaces") == ["Spring Season"]
        assert OTHER_PRODUCTION not in values(member, "select id::text from productions")
    assert all(seen.values())
    assert seen["productions"] >= 10
    assert seen["project_tasks"] >= 10
    assert seen["organizations"] == seen["workspaces"] == 1


@pytest.mark.parametrize(
    ("role", "user"), [("authenticated", STRANGER.id), ("authenticated", None), ("anon", None)]
)
def test_others_see_nothing(seeded_project: Connection[Any], role: str, user: str | None) -> None:
    with acting_as(seeded_project, role, user) as other:
        assert [table for table in TABLES if count(other, table)] == []


def test_service_role_sees_everything(seeded_project: Connection[Any]) -> None:
    with acting_as(seeded_project, "service_role") as service:
        assert count(service, "workspaces") == 2


def test_the_seeds_notification_works_as_it_stands(seeded_project: Connection[Any]) -> None:
    insert = (
        b"insert into notifications (user_id, type, title, message) "
        b"values (%s, 'test', 'Test', 'Testing realtime') returning user_id::text, workspace_id::text"
    )
    with acting_as(seeded_project, "authenticated", MEMBER.id) as member:
        assert member.execute(insert, [MEMBER.id]).fetchone() == (MEMBER.id, seeded("workspaces", 1))
    with acting_as(seeded_project, "authenticated", STRANGER.id) as stranger:
        assert stranger.execute(insert, [STRANGER.id]).fetchone() == (STRANGER.id, None)
    with acting_as(seeded_project, "service_role") as service:
        assert service.execute(insert, [MEMBER.id]).fetchone() == (MEMBER.id, seeded("workspaces", 1))


@pytest.mark.parametrize("role", ["authenticated", "service_role"])
def test_a_task_needs_a_production_and_a_title_only(seeded_project: Connection[Any], role: str) -> None:
    with acting_as(seeded_project, role, MEMBER.id) as writer:
        row = writer.execute(
            "insert into project_tasks (production_id, title) values (%s, 'x') "
            "returning workspace_id::text, status::text, created_at = updated_at",
            [seeded("productions", 4)],
        ).fetchone()
    assert row == (seeded("workspaces", 1), "todo", True)


def test_member_changes_and_removes_rows(seeded_project: Connection[Any]) -> None:
    with acting_as(seeded_project, "authenticated", MEMBER.id) as member:
        assert member.execute("update project_tasks set status = 'done' where status = 'todo'").rowcount == 12
        assert member.execute("delete from bookings").rowcount == 14


@pytest.mark.parametrize(
    "statement",
    [
        "insert into project_tasks (production_id, title) values ('{inside}', 'x')",
        "insert into project_tasks (title) values ('x')",
        "insert into notifications (user_id, title, workspace_id) values ('{member}', 'x', '{workspace}')",
        "insert into user_roles (user_id, workspace_id, role) values ('{stranger}', '{workspace}', 'owner')",
        "insert into user_presence (user_id, workspace_id, device) values ('{stranger}', '{workspace}', '')",
    ],
)
def test_stranger_cannot_write_into_the_workspace(seeded_project: Connection[Any], statement: str) -> None:
    text = statement.format(
        inside=seeded("productions", 1),
        member=MEMBER.id,
        stranger=STRANGER.id,
        workspace=seeded("workspaces", 1),
    )
    with (
        acting_as(seeded_project, "authenticated", STRANGER.id) as stranger,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        stranger.transaction(),
    ):
        stranger.execute(text.encode())


def test_member_cannot_write_elsewhere_or_as_another(seeded_project: Connection[Any]) -> None:
    for statement, parameters in (
        ("insert into project_tasks (production_id, title) values (%s, 'x')", [OTHER_PRODUCTION]),
        ("update project_tasks set workspace_id = %s", [seeded("workspaces", 2)]),
        ("update user_presence set user_id = %s", [STRANGER.id]),
    ):
        with (
            acting_as(seeded_project, "authenticated", MEMBER.id) as member,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            member.transaction(),
        ):
            member.execute(statement.encode(), parameters)


def test_membership_is_asked_once_a_query(seeded_project: Connection[Any]) -> None:
    with acting_as(seeded_project, "authenticated", MEMBER.id) as member:
        plan = "\n".join(values(member, "explain select * from project_tasks"))
    assert "InitPlan" in plan
    assert "workspace_id = ANY ((InitPlan" in plan or "workspace_id = ANY ($" in plan


# -- money


def spent(connection: Connection[Any], number: int) -> Any:
    return values(connection, "select spent from budgets where id = %s", seeded("budgets", number))[0]


@pytest.mark.parametrize(
    ("kind", "status", "difference"),
    [
        ("expense", "posted", 100),
        ("refund", "posted", -100),
        ("income", "posted", 0),
        ("expense", "planned", 0),
    ],
)
def test_transactions_are_booked_on_their_budget(
    seeded_project: Connection[Any], kind: str, status: str, difference: int
) -> None:
    with acting_as(seeded_project, "authenticated", MEMBER.id) as member:
        before = spent(member, 1)
        member.execute(
            "insert into financial_transactions (budget_id, amount, type, status) values (%s, 100, %s, %s)",
            [seeded("budgets", 1), kind, status],
        )
        assert spent(member, 1) - before == difference


def test_money_of_a_production_finds_its_budget_and_back(seeded_project: Connection[Any]) -> None:
    insert = b"insert into financial_transactions (%b, category, amount) values (%%s, %%s, 5) returning "
    with acting_as(seeded_project, "authenticated", MEMBER.id) as member:
        # The festival has two budgets: its category decides.
        of_production = insert % b"production_id" + b"budget_id::text"
        for category, number in (("site", 13), ("technical", 1)):
            row = member.execute(of_production, [seeded("productions", 1), category]).fetchone()
            assert row == (seeded("budgets", number),)
        of_budget = insert % b"budget_id" + b"production_id::text"
        row = member.execute(of_budget, [seeded("budgets", 13), "site"]).fetchone()
        assert row == (seeded("productions", 1),)


# -- people


def test_people_can_sign_in(seeded_project: Connection[Any]) -> None:
    rows = seeded_project.execute("select id::text, email, encrypted_password from auth.users").fetchall()
    assert {(id_, email) for id_, email, _ in rows} == {(p.id, p.email) for p in (MEMBER, STRANGER)}
    assert all(password_matches(MEMBER.password, hashed) for _, _, hashed in rows)


def test_removing_a_user_is_not_blocked_by_what_they_wrote(seeded_project: Connection[Any]) -> None:
    with seeded_project.transaction(force_rollback=True):
        seeded_project.execute("delete from auth.users where id = %s", [MEMBER.id])
        assert count(seeded_project, "notifications") == 0
        assert count(seeded_project, "comments") == 12
