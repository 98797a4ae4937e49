"""The facts about one table for one identity, and the causes and SQL that are derived from them."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from prt import quoting
from prt.checks.database import PUBLICATION
from prt.checks.delivery import Partitioned
from prt.checks.status.layers.catalog import ROWS_LOOKED_AT, Relation
from prt.checks.status.layers.gateway import Answer
from prt.events import Status
from prt.results import Cause, Finding, State
from prt.stream.binding import Binding
from prt.stream.filters import grammar
from prt.suggestions import nearest

OWNERS: Final = ("user_id", "owner_id", "owner", "created_by")
SIGN_IN: Final = "prt status {IDENTITY} EMAIL"


class TableFacts(Struct, frozen=True, kw_only=True):
    """The observed facts about one table for one identity.

    Attributes:
        is_catalog_read: Whether the catalog was read, so that `relation` None means that there is no such
            table.
        relation: The catalog's description of the table.
        read: REST's answer when this identity reads one row.
        counted: REST's answer when the rows are counted with the server key.
        is_ready: Whether at least one of its bindings became READY.
        refused: The server's refusals of its bindings.
    """

    schema: str
    table: str
    bindings: tuple[Binding, ...]
    role: str
    passes_row_security: bool = False
    is_catalog_read: bool = False
    relation: Relation | None = None
    read: Answer | None = None
    counted: Answer | None = None
    is_ready: bool = False
    refused: tuple[Status, ...] = ()
    partitioned: Partitioned | None = None
    """The partitioned table, if this table is the root of one."""
    known: tuple[str, ...] = ()
    """The names of tables from which a similar name is suggested."""

    @property
    def name(self) -> str:
        """Return `schema.table`."""
        return f"{self.schema}.{self.table}"

    @property
    def target(self) -> str:
        """Return the table's name for SQL."""
        return f"{quoting.identifier(self.schema)}.{quoting.identifier(self.table)}"

    @property
    def is_deleting(self) -> bool:
        """Return whether a binding asks for deletes."""
        return any(binding.event in ("*", "DELETE") for binding in self.bindings)

    @property
    def filtered(self) -> tuple[str, ...]:
        """Return the columns that filters use."""
        columns = [column for binding in self.bindings for column in grammar.columns_of(binding.filter)]
        return tuple(dict.fromkeys(columns))


def missing(facts: TableFacts, hint: str = "") -> Finding:
    """Return the finding that the table does not exist, with the most similar name.

    `hint` is a name that the server suggested.
    """
    near = hint or nearest(facts.table, facts.known)
    if near:
        cause = Cause(
            f"there is no table {facts.name}; did you mean {near}?", f"prt status {quoting.table(near)}"
        )
    else:
        cause = Cause(
            f"there is no table {facts.name}", "name a table that exists, or run the missing migration"
        )
    return finding(facts, "exists", "failed", "no such table", cause)


def unpublished(facts: TableFacts) -> Cause:
    """Return the cause that a table is not in the publication."""
    return Cause(
        f"{facts.name} is not in the publication {PUBLICATION}",
        f"alter publication {PUBLICATION} add table {facts.target};",
    )


def ungranted(facts: TableFacts) -> Cause:
    """Return the cause that the role may not read a table."""
    return Cause(
        f'{facts.role} may not SELECT: changes come empty ("Error 401: Unauthorized")',
        f"grant select on {facts.target} to {quoting.identifier(facts.role)};",
    )


def policy_sql(facts: TableFacts) -> str:
    """Return the SQL of a policy that lets the role read.

    The policy shows a user's own rows if a column names the owner. Otherwise it shows all rows, and the user
    has to narrow it.
    """
    columns = facts.relation.columns if facts.relation is not None else ()
    owner = next((column for column in OWNERS if column in columns), None)
    condition = f"{owner} = (select auth.uid())" if owner and facts.role == "authenticated" else "true"
    role, name = quoting.identifier(facts.role), quoting.identifier(f"{facts.role} reads")
    warning = " -- every row: narrow it" if condition == "true" else ""
    return f"create policy {name} on {facts.target} for select to {role} using ({condition});{warning}"


def policies_sql(facts: TableFacts) -> str:
    """Return the query that lists a table's policies."""
    schema, table = quoting.literal(facts.schema), quoting.literal(facts.table)
    where = f"schemaname = {schema} and tablename = {table}"
    return f"select policyname, roles, cmd, qual from pg_policies where {where};"  # noqa: S608 - for people


def many(count: int) -> str:
    """Return a number of rows in words, with `+` if there may be more."""
    return f"{count:,}{'+' if count >= ROWS_LOOKED_AT else ''} row{'' if count == 1 else 's'}"


def finding(facts: TableFacts, check: str, state: State, figure: str = "", *causes: Cause) -> Finding:
    """Return a finding about a table.

    Args:
        facts: The facts about the table.
        check: The property of the table that was checked.
        state: The state of the finding.
        figure: What was measured; `check` by default.
        causes: Possible causes, the likeliest first.
    """
    return Finding(
        layer="table", table=facts.name, check=check, state=state, figure=figure or check, causes=causes
    )


def columns_of(answer: Answer | None) -> tuple[str, ...]:
    """Return the columns of the first row in an answer; none if the answer has no row."""
    rows = answer.json() if answer is not None and answer.status == 200 else None
    return tuple(rows[0]) if isinstance(rows, list) and rows and isinstance(rows[0], dict) else ()
