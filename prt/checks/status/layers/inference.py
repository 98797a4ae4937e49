"""Findings about a table that are inferred from REST's answers, if the database is not asked."""

from __future__ import annotations

from typing import Final

from prt import quoting
from prt.checks.status.layers.evidence import (
    TableFacts,
    finding,
    many,
    missing,
    policies_sql,
    policy_sql,
    ungranted,
)
from prt.checks.status.layers.gateway import Answer
from prt.results import Cause, Finding

NEED_DATABASE: Final = "set SUPABASE_DB_URL, or SUPABASE_SECRET_KEY to count what is there"


def findings(facts: TableFacts) -> list[Finding]:
    """Return the findings from REST's answer when this identity reads one row."""
    answer = facts.read
    if answer is None or answer.error is not None or answer.status >= 500:
        return []
    if answer.status == 404 and answer.code in ("PGRST205", "42P01"):
        hint = answer.hint.rpartition("'public.")[2].rstrip("'?") if "Perhaps" in answer.hint else ""
        return [missing(facts, hint)]
    if answer.status == 406:
        return []  # the API doesn't expose the schema: Realtime may stream it all the same
    if answer.code == "42501" and "for schema" in answer.words:
        sql = f"grant usage on schema {quoting.identifier(facts.schema)} to {quoting.identifier(facts.role)};"
        cause = Cause(f"{facts.role} may not use the schema {facts.schema}", sql)
        return [finding(facts, "exists", "ok"), finding(facts, "grants", "failed", answer.words, cause)]
    if answer.code == "42501":
        # PostgreSQL gives the same error for a single column.
        columns = Cause(
            f"{facts.role} may not read some of its columns",
            f"grant select (COLUMN) on {facts.target} to {quoting.identifier(facts.role)};",
        )
        causes = (ungranted(facts), columns)
        return [
            finding(facts, "exists", "ok"),
            finding(facts, "grants", "failed", answer.words, *causes),
        ]
    if answer.status != 200:
        return [
            finding(
                facts,
                "policies",
                "failed",
                f"REST: {answer.status} {answer.words}".strip(),
                Cause(f"reading as {facts.role} fails", policies_sql(facts)),
            )
        ]
    found = [finding(facts, "exists", "ok"), *_unknown_identity(facts)]
    if answer.json():
        return [
            *found,
            finding(facts, "policies", "ok", "rows visible"),
            finding(facts, "grants", "ok", "SELECT"),
        ]
    return [*found, _hidden_or_empty(facts)]


def _unknown_identity(facts: TableFacts) -> list[Finding]:
    """Return the finding that the replica identity is unknown, if a filter on DELETE depends on it.

    Only the database shows the replica identity.
    """
    columns = [column for column in facts.filtered if column != "id"]
    if not columns or not facts.is_deleting:
        return []
    why = f"the filter on {', '.join(columns)} matches no DELETE unless the replica identity is full"
    sql = f"alter table {facts.target} replica identity full;"
    return [finding(facts, "replica identity", "unknown", "not known", Cause(why, sql))]


def _hidden_or_empty(facts: TableFacts) -> Finding:
    total = _total(facts.counted)
    if total == 0:
        return finding(
            facts,
            "policies",
            "unknown",
            "no row yet",
            Cause("the table is empty, so nothing tells which rows we would see", "set SUPABASE_DB_URL"),
        )
    nothing = Cause(f"row level security is on and no policy lets {facts.role} read", policy_sql(facts))
    hiding = Cause(f"the policies show {facts.role} none of the rows", policies_sql(facts))
    if total is not None:
        figure = f"sees 0 of {many(total)}, counted with the server key"
        return finding(facts, "policies", "warning", figure, nothing, hiding)
    empty = Cause("the table is empty, or its policies hide every row from us", NEED_DATABASE)
    return finding(facts, "policies", "unknown", "REST shows no row", empty)


def _total(counted: Answer | None) -> int | None:
    """Return the total in Content-Range, which follows the slash (RFC 9110, 14.4), or None."""
    text = counted.headers.get("content-range", "").rpartition("/")[2] if counted is not None else ""
    return int(text) if text.isdigit() else None
