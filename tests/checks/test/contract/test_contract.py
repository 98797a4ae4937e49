"""Contracts of an embedded project, and what is reported after one line of SQL has changed it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from prt.app.test_contract import planned
from prt.config.constants.seed_tables import GROUPS
from prt.config.project import resolve
from prt.local.project.variables import keys_of
from prt.local.seed.people import MEMBER
from tests.checks.agreeing import hold, write
from tests.checks.checking import made

TABLES = """
create table public.agreed (
  id int generated always as identity primary key, title text, user_id uuid default auth.uid()
);
alter table public.agreed enable row level security;
create policy own on public.agreed for all to authenticated using (user_id = auth.uid());
alter publication supabase_realtime add table public.agreed;
create policy agreed_listen on realtime.messages for select to authenticated
  using (realtime.topic() = 'agreed:1' and auth.uid() = '{member}');
create policy agreed_send on realtime.messages for insert to authenticated
  with check (realtime.topic() = 'agreed:1' and extension = 'broadcast' and auth.uid() = '{member}');
""".replace("{member}", MEMBER.id)
DROPPED = """
drop table public.agreed;
drop policy agreed_listen on realtime.messages; drop policy agreed_send on realtime.messages;
"""


@pytest.fixture(scope="module")
def contract(project: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The contract of a table and a topic, as they are before each test."""
    path = tmp_path_factory.mktemp("contract") / "realtime.toml"
    with made(project, TABLES, DROPPED):
        assert write(project, path, "agreed", topics=("agreed:1",)) == []
        yield path


def test_a_contract_records_what_holds(project: dict[str, str], contract: Path) -> None:
    text = re.sub("sha256:[0-9a-f]{64}", "sha256:…", contract.read_text())
    assert text == (
        "# What Realtime sends to whom in this project. `prt test --contract FILE` holds it to that;\n"
        "# `prt help contract` describes every key.\n"
        """version = 1
topic_policies = "sha256:…"

[publication]
events = ["DELETE", "INSERT", "UPDATE"]

[[table]]
name = "public.agreed"
published = true
replica_identity = "default"
policies = "sha256:…"
receives = [
  { identity = "anon", event = "DELETE", rows = "all" },
  { identity = "anon", event = "INSERT", rows = "none" },
  { identity = "anon", event = "UPDATE", rows = "none" },
  { identity = "member", event = "DELETE", rows = "all" },
  { identity = "member", event = "INSERT", rows = "some" },
  { identity = "member", event = "UPDATE", rows = "some" },
  { identity = "service", event = "DELETE", rows = "all" },
  { identity = "service", event = "INSERT", rows = "all" },
  { identity = "service", event = "UPDATE", rows = "all" },
  { identity = "stranger", event = "DELETE", rows = "all" },
  { identity = "stranger", event = "INSERT", rows = "some" },
  { identity = "stranger", event = "UPDATE", rows = "some" },
]

[[topic]]
name = "agreed:1"
private = true
rights = [
  { identity = "anon", listen = false, send = false, presence = false },
  { identity = "member", listen = true, send = true, presence = false },
  { identity = "service", listen = true, send = true, presence = true },
  { identity = "stranger", listen = false, send = false, presence = false },
]
"""
    )
    keys = keys_of(project)
    for secret in (keys.jwt_secret, project["SUPABASE_ANON_KEY"], "127.0.0.1", MEMBER.id):
        assert secret not in text
    held = hold(project, contract)
    assert held.sentences == []
    assert {one.name: one.note for one in held.contract} == {
        "publication": "as agreed in 1 point",
        "agreed": "as agreed in 15 points",
        "topic policies": "as agreed in 1 point",
        "agreed:1": "as agreed in 12 points",
    }


@pytest.mark.parametrize(
    ("change", "undo", "sentences"),
    [
        (
            "create policy leak on public.agreed for select to anon using (true);",
            "drop policy leak on public.agreed;",
            [
                "the policies of agreed have changed",
                "anon now receives INSERT of agreed",
                "anon now receives UPDATE of agreed",
            ],
        ),
        (
            "create policy leak on public.agreed for select to authenticated using (true);",
            "drop policy leak on public.agreed;",
            [
                "the policies of agreed have changed",
                "member now receives INSERT of agreed (all rows, not only some)",
                "member now receives UPDATE of agreed (all rows, not only some)",
                "stranger now receives INSERT of agreed (all rows, not only some)",
                "stranger now receives UPDATE of agreed (all rows, not only some)",
            ],
        ),
        (
            "alter policy own on public.agreed using (false);",
            "alter policy own on public.agreed using (user_id = auth.uid());",
            [
                "the policies of agreed have changed",
                "member no longer receives INSERT of agreed",
                "member no longer receives UPDATE of agreed",
                "stranger no longer receives INSERT of agreed",
                "stranger no longer receives UPDATE of agreed",
            ],
        ),
        (
            "alter publication supabase_realtime drop table public.agreed;",
            "alter publication supabase_realtime add table public.agreed;",
            ["agreed is no longer published: nobody receives its changes"],
        ),
        (
            "alter publication supabase_realtime set (publish = 'insert, delete');",
            "alter publication supabase_realtime set (publish = 'insert, update, delete, truncate');",
            [
                "the publication no longer sends UPDATE",
                "member no longer receives UPDATE of agreed",
                "service no longer receives UPDATE of agreed",
                "stranger no longer receives UPDATE of agreed",
            ],
        ),
        (
            "alter table public.agreed replica identity full;",
            "alter table public.agreed replica identity default;",
            ["the replica identity of agreed is now full, not default"],
        ),
        (
            "alter policy own on public.agreed using (user_id = (select auth.uid()));",
            "alter policy own on public.agreed using (user_id = auth.uid());",
            ["the policies of agreed have changed"],
        ),
        (
            "create policy agreed_ears on realtime.messages for select to anon using (true);",
            "drop policy agreed_ears on realtime.messages;",
            ["the policies of realtime.messages have changed", "anon may now listen to agreed:1"],
        ),
        (
            "alter policy agreed_send on realtime.messages with check (extension = 'presence');",
            "alter policy agreed_send on realtime.messages with check (realtime.topic() = 'agreed:1' and "
            f"extension = 'broadcast' and auth.uid() = '{MEMBER.id}');",
            [
                "the policies of realtime.messages have changed",
                "member may no longer send to agreed:1",
                "member may now be present on agreed:1",
            ],
        ),
    ],
    ids=[
        *("loosened", "loosened to users", "tightened", "not published", "no updates"),
        *("replica identity", "digest alone", "ears", "senders"),
    ],
)
def test_a_line_of_sql_fails_it_in_a_sentence(
    project: dict[str, str], contract: Path, change: str, undo: str, sentences: list[str]
) -> None:
    with made(project, change, undo):
        held = hold(project, contract)
    assert held.sentences == sentences, held.suites


WORKSPACES = """
create table public.shared (
  id int generated always as identity primary key, title text, workspace_id text not null
);
alter table public.shared enable row level security;
create policy own on public.shared for all to authenticated
  using (workspace_id = auth.jwt() ->> 'workspace_id');
alter publication supabase_realtime add table public.shared;
"""
TABLES_OF_SEED = [f"public.{table}" for table in GROUPS["all"]]
CONDITION = "workspace_id=eq.{jwt.workspace_id}"


@pytest.fixture(scope="module")
def member(project: dict[str, str]) -> dict[str, str]:
    """The variables of a project whose member's token has a workspace."""
    token = keys_of(project).sign(
        {"role": "authenticated", "sub": MEMBER.id, "workspace_id": "acme"}, seconds=3600
    )
    return {**project, "PRT_TOKEN": token}


def test_a_condition_describes_which_rows_arrive(member: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "realtime.toml"
    with made(member, WORKSPACES, "drop table public.shared;"):
        assert write(member, path, "shared") == []
        text = path.read_text()
        assert text.count('"some"') == 2
        path.write_text(text.replace('rows = "some"', f'rows = "{CONDITION}"'))
        assert hold(member, path).sentences == []

        assert write(member, path) == []
        assert path.read_text() == text.replace('rows = "some"', f'rows = "{CONDITION}"')

        with made(
            member,
            "create policy leak on public.shared for select to authenticated using (true);",
            "drop policy leak on public.shared;",
        ):
            assert hold(member, path).sentences == [
                "the policies of shared have changed",
                f"member now receives INSERT of shared (rows that do not match {CONDITION})",
                f"member now receives UPDATE of shared (rows that do not match {CONDITION})",
                "stranger now receives INSERT of shared",
                "stranger now receives UPDATE of shared",
            ]
            assert write(member, path) == [
                f'{event} of shared to member does not hold to {CONDITION}: written as "all"'
                for event in ("INSERT", "UPDATE")
            ]
            assert CONDITION not in path.read_text()

        path.write_text(text.replace('rows = "some"', 'rows = "workspace_id=eq.{jwt.team}"'))
        assert hold(member, path).sentences == [
            f"{event} of shared to member could not be held against workspace_id=eq.{{jwt.team}}: "
            "the token of member has no team"
            for event in ("INSERT", "UPDATE")
        ]


def test_all_published_tables_are_in_it_and_bounds_stay(project: dict[str, str], tmp_path: Path) -> None:
    """The seed's tables are asked of the catalog alone here: their rows take time."""
    path = tmp_path / "realtime.toml"
    plan = planned(resolve(local=project), path, tables=(), topics=(), marker=None)
    assert {one.name for one in plan.contract.tables} >= set(TABLES_OF_SEED)
    assert plan.names_all
    path.write_text(
        'version = 1\n[bounds]\nmin_delivery = 99.9\nmax_lag = { p95 = "2s" }\n'
        '[[table]]\nname = "notifications"\nmarker = "title"\n[[topic]]\nname = "hall"\nprivate = false\n'
    )
    plan = planned(
        resolve(local=project), path, tables=[("public", "invoices")], topics=["room:1"], marker="number"
    )
    assert plan.contract.bounds.min_delivery == 99.9
    assert [(one.name, one.marker) for one in plan.contract.tables] == [
        ("public.invoices", "number"),
        ("public.notifications", "title"),
    ]
    assert [(one.name, one.is_private) for one in plan.contract.topics] == [("hall", False), ("room:1", True)]
    assert not plan.names_all
    bare = {name: value for name, value in project.items() if name != "SUPABASE_DB_URL"}
    plan = planned(resolve(local=bare), tmp_path / "new.toml", tables=(), topics=(), marker=None)
    assert [one.name for one in plan.contract.tables] == ["public.notifications"]
    assert "notifications alone" in plan.notices[0]


def test_a_table_that_came_and_one_that_went(project: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "realtime.toml"
    listed = ", ".join(f'"{table}"' for table in ("public.gone", *TABLES_OF_SEED))
    path.write_text(
        f'version = 1\n[publication]\nevents = ["DELETE", "INSERT", "UPDATE"]\ntables = [{listed}]\n'
        '[[table]]\nname = "dropped"\npublished = true\n'
    )
    with (
        made(project, "create table public.came (id int primary key);", "drop table public.came;"),
        made(
            project,
            "alter publication supabase_realtime add table public.came;",
            "alter publication supabase_realtime drop table public.came;",
        ),
    ):
        held = hold(project, path)
    assert [one for one in held.sentences if not one.startswith("agreed")] == [
        "came is now published",
        "gone is no longer published",
        "there is no table dropped any more",
    ]


def test_what_can_not_be_observed_does_not_hold(
    project: dict[str, str], contract: Path, tmp_path: Path
) -> None:
    """A job whose variables are missing must fail, in sentences that name what is missing."""
    gone = ("SUPABASE_DB_URL", "SUPABASE_JWT_SECRET")
    held = hold({name: value for name, value in project.items() if name not in gone}, contract)
    assert held.sentences == [
        "the publication could not be observed",
        "the replica identity and policies of agreed could not be observed",
        "INSERT of agreed to member could not be held against some: only one row was written",
        "UPDATE of agreed to member could not be held against some: only one row was written",
        "DELETE, INSERT and UPDATE of agreed could not be observed as stranger",
        "the policies of realtime.messages could not be observed",
        "the rights on agreed:1 could not be observed as stranger",
    ]
    remedies = [one.failure.remedy for one in held.contract if one.failure is not None]
    assert "SUPABASE_DB_URL" in str(remedies[0])
    assert "SUPABASE_JWT_SECRET" in str(remedies[4])


def test_a_table_without_observations_has_a_reason(project: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "realtime.toml"
    receives = 'receives = [{ identity = "anon", event = "INSERT", rows = "none" }]'
    path.write_text(f'version = 1\n[[table]]\nname = "user_presence"\n{receives}\n')
    [failed] = hold(project, path).contract
    assert failed.failure is not None
    assert failed.failure.sentence == "who receives user_presence could not be observed"
    assert "has none of the columns title" in str(failed.failure.cause)


def test_a_table_that_is_not_there_is_not_taken_for_an_unpublished_one(
    project: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "realtime.toml"
    receives = 'receives = [{ identity = "anon", event = "INSERT", rows = "none" }]'
    path.write_text(f'version = 1\n[[table]]\nname = "nowhere"\n{receives}\n')
    [failed] = hold(project, path).contract
    assert failed.failure is not None
    assert "Could not find the table 'public.nowhere'" in str(failed.failure.cause)


def test_a_table_about_which_nothing_is_agreed_does_not_pass(project: dict[str, str], tmp_path: Path) -> None:
    """A table that could not be observed when the contract was written is in the file with its name alone."""
    path = tmp_path / "realtime.toml"
    path.write_text('version = 1\n[[table]]\nname = "user_presence"\n')
    [skipped] = hold(project, path).contract
    assert (skipped.outcome, skipped.note) == ("skip", "")
    assert str(skipped.reason).startswith("the contract agrees on nothing about it")


def test_a_publication_that_sends_less_may_be_agreed(project: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "realtime.toml"
    less = "alter publication supabase_realtime set (publish = 'insert, delete');"
    all_ = "alter publication supabase_realtime set (publish = 'insert, update, delete, truncate');"
    with made(project, less, all_):
        assert write(project, path, "notifications") == []
        assert path.read_text().count('event = "UPDATE", rows = "none"') == 4
        held = hold(project, path)
        assert held.sentences == []
        assert {result.outcome for result in held.suites} == {"pass"}
