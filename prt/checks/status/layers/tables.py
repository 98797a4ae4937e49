"""Findings about a table: whether it can stream to this identity, by the catalog or else by REST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prt import quoting
from prt.checks.database import PUBLICATION
from prt.checks.delivery import partition_cause
from prt.checks.status.layers import inference
from prt.checks.status.layers.catalog import Relation
from prt.checks.status.layers.evidence import (
    SIGN_IN,
    TableFacts,
    columns_of,
    finding,
    many,
    missing,
    policies_sql,
    policy_sql,
    ungranted,
    unpublished,
)
from prt.errors import UsageError
from prt.events import Status
from prt.inputs import filled
from prt.postgres.kinds import UNPUBLISHABLE
from prt.results import Cause, Finding
from prt.stream.rest.column_types import Unfilterable
from prt.suggestions import nearest

IDENTITIES: Final = {"d": "default", "f": "full", "n": "nothing", "i": "an index"}
ANONYMOUS: Final = "anon"
NAMED = 3


_OPTIONS = {"filter_column": "filter", "select_column": "select"}
"""The kind of option that names the column of a refused binding, by the code of the refusal."""


def judge(facts: TableFacts) -> list[Finding]:
    """Return the findings about a table in a fixed order.

    If the table is missing, its other checks are left out.
    """
    found = _by_catalog(facts) if facts.is_catalog_read else inference.findings(facts)
    return [*found, _ready(facts, found)]


def judge_unfilterable(found: Unfilterable) -> Finding:
    """Return the finding about a filter that can't be sent to the server."""
    cause = Cause(found.reason, "filter by another column, or pick the lines here, behind the stream")
    return Finding(
        layer="table",
        table=found.binding.name,
        check="filter",
        state="failed",
        figure=f"filter on the {found.kind} column {found.column}",
        causes=(cause,),
        exit_code=UsageError.exit_code,
    )


def is_missing(found: Sequence[Finding]) -> bool:
    """Return whether one table's findings include that the table does not exist."""
    return any(one.check == "exists" and one.state == "failed" for one in found)


def judge_default(count: int, known: Sequence[str]) -> Finding:
    """Return the finding that `count` of the default tables, which the user did not name, do not exist."""
    named = " ".join(map(quoting.table, known[:NAMED])) or "TABLE"
    tables = f"{count} of the default tables {'is' if count == 1 else 'are'}"
    cause = Cause(f"{tables} not in this project; name yours", f"prt status {named}")
    return Finding(layer="table", state="warning", figure=f"{count} not here", causes=(cause,))


def _by_catalog(facts: TableFacts) -> list[Finding]:
    relation = facts.relation
    if relation is None:
        return [missing(facts)]
    if relation.kind in UNPUBLISHABLE:
        why = f"{facts.name} is {UNPUBLISHABLE[relation.kind]}, and changes are those of tables"
        return [
            finding(
                facts,
                "exists",
                "failed",
                UNPUBLISHABLE[relation.kind],
                Cause(why, "watch its tables instead"),
            )
        ]
    return [
        finding(facts, "exists", "ok"),
        _published(facts, relation),
        _identity(facts, relation),
        _key(facts, relation),
        _row_security(facts, relation),
        _policies(facts, relation),
        _grants(facts, relation),
        *_cut_columns(facts, relation),
    ]


def _published(facts: TableFacts, relation: Relation) -> Finding:
    if facts.partitioned is not None:
        return finding(facts, "published", "failed", "partitioned", partition_cause(facts.partitioned))
    if relation.is_published:
        return finding(facts, "published", "ok")
    return finding(facts, "published", "failed", "not published", unpublished(facts))


def _identity(facts: TableFacts, relation: Relation) -> Finding:
    figure = IDENTITIES.get(relation.identity, relation.identity)
    full = f"alter table {facts.target} replica identity full;"
    if relation.identity == "n" and relation.is_published:
        why = (
            "the replica identity is nothing: PostgreSQL refuses every UPDATE and DELETE of a published table"
        )
        default = f"alter table {facts.target} replica identity default;"
        return finding(facts, "replica identity", "failed", figure, Cause(why, default))
    held = relation.key if relation.identity == "d" else relation.identity_columns
    if relation.identity != "f" and facts.is_deleting:
        lost = [column for column in facts.filtered if column not in held and column in relation.columns]
        if lost:
            why = (
                f"a DELETE carries only {', '.join(held) or 'nothing'}, so the filter on {', '.join(lost)} "
                "matches no DELETE"
            )
            return finding(facts, "replica identity", "warning", figure, Cause(why, full))
    return finding(facts, "replica identity", "ok", figure)


def _key(facts: TableFacts, relation: Relation) -> Finding:
    if relation.key:
        return finding(facts, "primary key", "ok", ", ".join(relation.key))
    why = 'there is no primary key: changes come empty ("Error 400: Bad Request, no primary key")'
    if relation.is_published and relation.identity == "d":
        why += (
            ", and PostgreSQL refuses every UPDATE and DELETE of a published table without a replica identity"
        )
    column = "id" if "id" in relation.columns else None
    sql = (
        f"alter table {facts.target} add primary key ({quoting.identifier(column)});"
        if column
        else f"alter table {facts.target} add column id bigint generated always as identity primary key;"
    )
    return finding(facts, "primary key", "failed", "none", Cause(why, sql))


def _row_security(facts: TableFacts, relation: Relation) -> Finding:
    if relation.has_row_security:
        return finding(facts, "row security", "ok", "on")
    if not relation.is_open_to_anon:
        return finding(facts, "row security", "ok", "off, closed to anon")
    why = "row level security is off: whoever holds the public key receives every row"
    sql = f"alter table {facts.target} enable row level security; -- then add policies"
    return finding(facts, "row security", "warning", "off", Cause(why, sql))


def _policies(facts: TableFacts, relation: Relation) -> Finding:
    if not relation.has_row_security:
        return finding(facts, "policies", "ok", "not needed")
    if facts.passes_row_security:
        return finding(facts, "policies", "ok", f"{facts.role} passes over them")
    permissive = [policy.name for policy in relation.policies if policy.is_permissive]
    if not permissive:
        others = " (only restrictive ones)" if relation.policies else ""
        why = (
            f"row level security is on and no policy lets {facts.role} read{others}: INSERT and UPDATE never "
            "arrive, DELETE does"
        )
        closed = [Cause(why, policy_sql(facts))]
        if facts.role == ANONYMOUS:
            closed.append(Cause("its rows are for those who are signed in, and you are not", filled(SIGN_IN)))
        return finding(facts, "policies", "failed", f"none for {facts.role}", *closed)
    figure = f"{len(permissive)} polic{'y' if len(permissive) == 1 else 'ies'}"
    if relation.trouble is not None:
        why = f"reading as {facts.role} fails: {relation.trouble}"
        return finding(facts, "policies", "failed", figure, Cause(why, policies_sql(facts)))
    if relation.rows and relation.visible == 0:
        why = f"the policies show {facts.role} none of the {many(relation.rows)} there, nor their changes"
        return finding(
            facts,
            "policies",
            "warning",
            f"{figure}, sees 0 of {many(relation.rows)}",
            Cause(why, policies_sql(facts)),
            Cause("you are another user than you mean", filled(SIGN_IN)),
        )
    if relation.rows is not None and relation.visible is not None:
        figure += f", sees {relation.visible:,} of {many(relation.rows)}"
    return finding(facts, "policies", "ok", figure)


def _grants(facts: TableFacts, relation: Relation) -> Finding:
    if not relation.may_use_schema:
        why = f"{facts.role} may not use the schema {facts.schema}"
        sql = f"grant usage on schema {quoting.identifier(facts.schema)} to {quoting.identifier(facts.role)};"
        return finding(facts, "grants", "failed", "no usage of the schema", Cause(why, sql))
    if not relation.readable:
        return finding(facts, "grants", "failed", "no SELECT", ungranted(facts))
    hidden = [column for column in relation.columns if column not in relation.readable]
    if not hidden:
        return finding(facts, "grants", "ok", "SELECT")
    listed = ", ".join(quoting.identifier(column) for column in hidden)
    sql = f"grant select ({listed}) on {facts.target} to {quoting.identifier(facts.role)};"
    figure = f"{len(relation.readable)} of {len(relation.columns)} columns"
    wanted = {
        *facts.filtered,
        *(column for binding in facts.bindings for column in binding.select or ()),
    }
    needed = [column for column in hidden if column in wanted or column in relation.key]
    if needed:
        why = f"{facts.role} may not read {', '.join(needed)}, which key, filter or selection need"
        return finding(facts, "grants", "failed", figure, Cause(why, sql))
    return finding(
        facts,
        "grants",
        "warning",
        figure,
        Cause(f"{facts.role} gets changes without {', '.join(hidden)}", sql),
    )


def _cut_columns(facts: TableFacts, relation: Relation) -> list[Finding]:
    """Return the finding that the server cuts the values of some columns; none if it cuts none.

    It is not a warning, because every server does so with these types.
    """
    if not relation.cut_columns:
        return []
    figure = f"only the first character of {', '.join(relation.cut_columns)} is sent"
    why = "Realtime sends one character of values of char(n) and bit(n)"
    sql = f"alter table {facts.target} alter column {quoting.identifier(relation.cut_columns[0])} type text;"
    return [finding(facts, "cut values", "ok", figure, Cause(why, sql))]


def _ready(facts: TableFacts, found: Sequence[Finding]) -> Finding:
    if facts.is_ready and not facts.refused:
        return finding(facts, "READY", "ok", "READY")
    if not facts.refused:
        return finding(facts, "READY", "failed", "not READY", Cause("the server said nothing of this table"))
    refused = facts.refused[0]
    figure = (refused.reason or "refused").removeprefix(f"{facts.name}: ")
    if any(one.state == "failed" for one in found):
        first = next(one for one in found if one.state == "failed")
        return finding(facts, "READY", "failed", "refused", Cause(f"follows from: {first.check}"))
    if refused.code == "unpublished":
        return finding(facts, "READY", "failed", "refused", *_unpublished_or_missing(facts, found))
    return finding(facts, "READY", "failed", figure, *_parameters(facts, refused, figure))


def _unpublished_or_missing(facts: TableFacts, found: Sequence[Finding]) -> list[Cause]:
    causes = [unpublished(facts)]
    near = nearest(facts.table, facts.known)
    if not any(one.check == "exists" for one in found):
        name = f"; did you mean {near}?" if near and near != facts.table else ""
        missing = Cause(
            f"there is no table {facts.name}{name}",
            f"prt status {quoting.table(near)}" if near and name else None,
        )
        causes = [missing, *causes] if name and facts.table not in facts.known else [*causes, missing]
    if facts.read is not None and facts.read.status == 200:
        causes.append(
            Cause(
                f"{facts.name} is a view or a partitioned table: changes come under the names of its tables",
                "watch these; set SUPABASE_DB_URL to have them named",
            )
        )
    absent = f"create publication {PUBLICATION} for table {facts.target};"
    return [*causes, Cause(f"the publication {PUBLICATION} itself is gone", absent)]


def _parameters(facts: TableFacts, refused: Status, words: str) -> list[Cause]:
    """Return why a filter or a selection was refused."""
    if refused.code == "value":
        return [Cause(f"the filter's value is none of the column's type ({refused.subject})", refused.hint)]
    kind, column = _OPTIONS.get(refused.code or ""), refused.subject
    if kind is None or column is None:
        return [Cause(words, refused.hint)]
    columns = facts.relation.columns if facts.relation is not None else columns_of(facts.read)
    sql = (
        f"grant select ({quoting.identifier(column)}) on {facts.target} to {quoting.identifier(facts.role)};"
    )
    if column in columns:
        return [Cause(f"{facts.role} may not read {column}, which --{kind} names", sql)]
    near = nearest(column, columns)
    listed = f"did you mean {near}?" if near else f"columns: {', '.join(columns)}" if columns else ""
    causes = [Cause(f"{facts.name} has no column {column}, which --{kind} names", listed or None)]
    return causes if columns else [*causes, Cause(f"{facts.role} may not read {column}", sql)]
