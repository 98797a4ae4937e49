from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from prt.checks.status.layers.catalog import Policy, Relation
from prt.checks.status.layers.evidence import TableFacts
from prt.checks.status.layers.gateway import Answer
from prt.checks.status.layers.tables import is_missing, judge, judge_default
from prt.events import Status
from prt.results import Cause, Finding
from prt.stream.binding import Binding
from prt.stream.socket import refusals

GOOD = Relation(
    schema="public",
    name="Orders",
    kind="r",
    identity="d",
    has_row_security=True,
    is_published=True,
    key=("id",),
    identity_columns=(),
    columns=("id", "owner", "note"),
    readable=("id", "owner", "note"),
    may_use_schema=True,
    policies=(Policy("own", True),),
    rows=3,
    visible=2,
)


def facts_of(relation: Relation | None = GOOD, **changed: Any) -> TableFacts:
    given: dict[str, Any] = {
        "schema": "public",
        "table": "Orders",
        "bindings": (Binding(table="Orders"),),
        "role": "authenticated",
        "is_catalog_read": True,
        "relation": relation,
        "is_ready": True,
    }
    return TableFacts(**{**given, **changed})


def by_rest(status: int, body: Any, **changed: Any) -> dict[str, Finding]:
    answer = Answer(status=status, body=json.dumps(body).encode())
    return judged(facts_of(None, is_catalog_read=False, read=answer, **changed))


def judged(one: TableFacts) -> dict[str, Finding]:
    return {finding.check or "": finding for finding in judge(one)}


def refused(message: str, **of: Any) -> tuple[Status, ...]:
    binding = Binding(table="Orders", **of)
    found = refusals.of_binding(binding, message)
    return (
        Status(
            at=1,
            status="CHANNEL_ERROR",
            tables=["public.Orders"],
            reason=found.reason,
            hint=found.hint,
            code=found.code,
            subject=found.subject,
        ),
    )


def raised(words: str) -> str:
    return (
        "Unable to subscribe to changes with given parameters. An exception happened so please check your "
        "connect parameters: [event: *, schema: public, table: Orders, filters: [], select: nil]. "
        f"Exception: {words}"
    )


UNPUBLISHED = (
    "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given "
    "connect parameters: [event: *, schema: public, table: Orders, filters: [], select: nil]"
)


def test_a_good_table_is_green_throughout() -> None:
    found = judged(facts_of())
    assert {one.state for one in found.values()} == {"ok"}
    assert found["policies"].figure == "1 policy, sees 2 of 3 rows"
    assert list(found) == [
        "exists",
        "published",
        "replica identity",
        "primary key",
        "row security",
        "policies",
        "grants",
        "READY",
    ]


@pytest.mark.parametrize(
    ("changed", "check", "state", "why", "remedy"),
    [
        (
            {"is_published": False},
            "published",
            "failed",
            "not in the publication",
            'add table public."Orders";',
        ),
        ({"key": ()}, "primary key", "failed", "no primary key", "add primary key (id)"),
        (
            {"key": (), "columns": ("a",), "readable": ("a",)},
            "primary key",
            "failed",
            "no primary key",
            "generated always as identity",
        ),
        (
            {"policies": ()},
            "policies",
            "failed",
            "no policy lets authenticated",
            "using (owner = (select auth.uid()));",
        ),
        (
            {"policies": (Policy("r", False),)},
            "policies",
            "failed",
            "(only restrictive ones)",
            "create policy",
        ),
        ({"visible": 0}, "policies", "warning", "none of the 3 rows", "from pg_policies"),
        (
            {"trouble": "boom"},
            "policies",
            "failed",
            "reading as authenticated fails: boom",
            "from pg_policies",
        ),
        (
            {"may_use_schema": False},
            "grants",
            "failed",
            "may not use the schema public",
            "grant usage on schema public",
        ),
        (
            {"readable": ()},
            "grants",
            "failed",
            "may not SELECT",
            'grant select on public."Orders" to authenticated;',
        ),
        ({"readable": ("owner",)}, "grants", "failed", "may not read id", "grant select (id, note)"),
        ({"readable": ("id",)}, "grants", "warning", "without owner, note", "grant select (owner, note)"),
        (
            {"has_row_security": False, "is_open_to_anon": True},
            "row security",
            "warning",
            "is off",
            "enable row",
        ),
    ],
)
def test_one_thing_wrong(changed: dict[str, Any], check: str, state: str, why: str, remedy: str) -> None:
    found = judged(facts_of(replace(GOOD, **changed)))
    assert found[check].state == state
    assert why in found[check].causes[0].why
    assert remedy in (found[check].causes[0].remedy or "")
    others = {one.state for name, one in found.items() if name not in (check, "policies")}
    assert others == {"ok"}


def test_what_needs_no_policy() -> None:
    off = judged(facts_of(replace(GOOD, has_row_security=False, policies=())))
    assert (off["row security"].state, off["policies"].state) == ("ok", "ok")
    service = judged(
        facts_of(replace(GOOD, policies=(), visible=3), role="service_role", passes_row_security=True)
    )
    assert service["policies"].figure == "service_role passes over them"


@pytest.mark.parametrize(
    ("identity", "event", "filter_", "state"),
    [
        ("d", "*", "note=eq.x", "warning"),
        ("d", "DELETE", "id=eq.1,note=eq.x", "warning"),
        ("d", "INSERT", "note=eq.x", "ok"),
        ("d", "*", "id=eq.1", "ok"),
        ("f", "*", "note=eq.x", "ok"),
        ("i", "*", "note=eq.x", "ok"),
        ("i", "*", "owner=eq.x", "warning"),
    ],
)
def test_filters_and_deletes(identity: str, event: Any, filter_: str, state: str) -> None:
    relation = replace(GOOD, identity=identity, identity_columns=("note",))
    bindings = (Binding(table="Orders", event=event, filter=filter_),)
    assert judged(facts_of(relation, bindings=bindings))["replica identity"].state == state


def test_after_a_missing_table_nothing_is_asked() -> None:
    found = judged(facts_of(None, is_ready=False, refused=refused(UNPUBLISHED), known=("zebras", "teams")))
    assert list(found) == ["exists", "READY"]
    assert found["exists"].causes[0].remedy == "name a table that exists, or run the missing migration"
    assert found["READY"].causes[0].why == "follows from: exists"


@pytest.mark.parametrize(
    ("words", "why", "remedy"),
    [
        ("invalid column for filter ownr", "no column ownr, which --filter", "did you mean owner?"),
        ("invalid column for select zzz", "no column zzz, which --select", "columns: id, owner, note"),
        ("invalid column for filter note", "may not read note, which --filter", "grant select (note)"),
        (
            "ERROR 22P02 (invalid_text_representation) invalid input syntax for type uuid",
            "type (invalid input syntax for type uuid)",
            "check the filter",
        ),
        ("something of tomorrow", "something of tomorrow", "check the filter owner=eq.1"),
    ],
)
def test_refused_parameters(words: str, why: str, remedy: str) -> None:
    reported = refused(raised(words), filter="owner=eq.1")
    found = judged(facts_of(is_ready=False, refused=reported))["READY"]
    assert found.state == "failed"
    assert why in found.causes[0].why
    assert remedy in (found.causes[0].remedy or "")


def test_a_column_that_nobody_knows_may_be_missing_or_hidden() -> None:
    reported = refused(raised("invalid column for filter zzz"), filter="zzz=eq.1")
    found = by_rest(200, [], is_ready=False, refused=reported)["READY"]
    assert [cause.why.partition(" zzz")[0] for cause in found.causes] == [
        "public.Orders has no column",
        "authenticated may not read",
    ]


# --- without the database


def test_visible_rows_prove_that_all_is_well() -> None:
    found = by_rest(200, [{"id": 1}])
    assert [(name, one.state) for name, one in found.items()] == [
        ("exists", "ok"),
        ("policies", "ok"),
        ("grants", "ok"),
        ("READY", "ok"),
    ]


@pytest.mark.parametrize(
    ("total", "state", "figure"),
    [
        ("*/0", "unknown", "no row yet"),
        ("*/12", "warning", "sees 0 of 12 rows, counted with the server key"),
        (None, "unknown", "REST shows no row"),
    ],
)
def test_no_row_is_hidden_or_not_there(total: str | None, state: str, figure: str) -> None:
    counted = Answer(status=206, headers={"content-range": total}) if total else None
    found = by_rest(200, [], counted=counted)["policies"]
    assert (found.state, found.figure) == (state, figure)


@pytest.mark.parametrize(
    ("status", "body", "check", "why"),
    [
        (
            404,
            {"code": "PGRST205", "message": "m", "hint": "Perhaps you meant the table 'public.orders'"},
            "exists",
            "did you mean orders?",
        ),
        (
            404,
            {"code": "PGRST205", "message": "m", "hint": None},
            "exists",
            "there is no table public.Orders",
        ),
        (403, {"code": "42501", "message": "permission denied for table Orders"}, "grants", "may not SELECT"),
        (
            403,
            {"code": "42501", "message": "permission denied for schema public"},
            "grants",
            "may not use the schema",
        ),
        (400, {"code": "22012", "message": "division by zero"}, "policies", "reading as authenticated fails"),
    ],
)
def test_errors_of_rest(status: int, body: Any, check: str, why: str) -> None:
    found = by_rest(status, body)[check]
    assert found.state == "failed"
    assert why in found.causes[0].why


@pytest.mark.parametrize("status", [406, 503])
def test_what_rest_does_not_know_is_left_to_the_wire(status: int) -> None:
    assert list(by_rest(status, {})) == ["READY"]
    found = by_rest(status, {}, is_ready=False, refused=refused(UNPUBLISHED))["READY"]
    whys = [cause.why for cause in found.causes]
    assert "not in the publication" in whys[0]
    assert whys[1] == "there is no table public.Orders"
    assert "itself is gone" in whys[2]


def test_a_table_that_rest_shows_may_be_a_view_to_which_no_sql_applies() -> None:
    found = by_rest(200, [{"id": 1}], is_ready=False, refused=refused(UNPUBLISHED))["READY"]
    whys = [cause.why for cause in found.causes]
    assert "not in the publication" in whys[0]
    assert whys[1].startswith("public.Orders is a view or a partitioned table")
    assert "itself is gone" in whys[2]


@pytest.mark.parametrize(("identity", "is_refused"), [("d", True), ("f", False)])
def test_a_table_without_a_key_takes_no_update_if_nothing_else_identifies_its_rows(
    identity: str, is_refused: bool
) -> None:
    found = judged(facts_of(replace(GOOD, key=(), identity=identity)))["primary key"]
    assert ("refuses every UPDATE and DELETE" in found.causes[0].why) is is_refused


def test_a_near_name_is_likelier_than_a_missing_publication() -> None:
    reported = refused(UNPUBLISHED)
    found = by_rest(503, {}, is_ready=False, refused=reported, known=("Order", "teams"))["READY"]
    assert found.causes[0].why == "there is no table public.Orders; did you mean Order?"
    assert found.causes[0].remedy == "prt status Order"


def test_a_filter_asks_for_an_identity_that_only_the_database_knows() -> None:
    bindings = (Binding(table="Orders", filter="note=eq.x"),)
    found = by_rest(200, [{"id": 1}], bindings=bindings)["replica identity"]
    assert (found.state, found.causes[0].remedy) == (
        "unknown",
        'alter table public."Orders" replica identity full;',
    )


def test_a_table_without_any_message_from_the_server() -> None:
    assert judged(facts_of(is_ready=False))["READY"].state == "failed"


def test_default_tables_that_are_not_here_are_no_failure() -> None:
    assert is_missing(judge(facts_of(None)))
    assert not is_missing(judge(facts_of()))
    found = judge_default(30, ("a", "b", "c", "d"))
    assert (found.state, found.causes[0].remedy) == ("warning", "prt status a b c")
    assert judge_default(1, ()).causes[0] == Cause(
        "1 of the default tables is not in this project; name yours", "prt status TABLE"
    )


def test_the_columns_of_a_filter_are_those_that_the_server_reads() -> None:
    bindings = (
        Binding(table="Orders", filter='status=in.("a=b","c=d,e"),Col A=eq.1'),
        Binding(table="Orders", filter="status=eq.x"),
    )
    assert facts_of(bindings=bindings).filtered == ("status", "Col A")
