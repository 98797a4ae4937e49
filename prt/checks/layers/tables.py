"""Whether a table can stream to us: what the database says, else what REST and the wire give away."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from msgspec import Struct

from prt.checks.layers.catalog import PUBLICATION, ROWS_LOOKED_AT, Relation
from prt.checks.layers.gateway import Answer
from prt.events import Status
from prt.state.finding import Cause, Finding, State
from prt.stream.binding import Binding
from prt.stream.refusal import quoted

IDENTITIES: Final = {"d": "default", "f": "full", "n": "nothing", "i": "an index"}
KINDS: Final = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}
UNPUBLISHED: Final = "is not in the publication"
OWNERS: Final = ("user_id", "owner_id", "owner", "created_by")
ANONYMOUS: Final = "anon"
_SIGN_IN: Final = "prt status --as EMAIL"
NEED_DATABASE: Final = "SUPABASE_DB_URL would tell"


class Seen(Struct, frozen=True, kw_only=True):
    """All that was observed of one table, for one identity.

    `relation` is the catalog's word, None where there is no such table; `is_catalog_read` tells that from
    a database that was not asked. `read` is what REST answered to our own read of one row, `counted` to a
    count with the server key. `refused` are the server's refusals of its bindings.
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
    known: tuple[str, ...] = ()
    """Names of tables, of which the nearest is offered."""

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def target(self) -> str:
        """For SQL."""
        return f"{quoted(self.schema)}.{quoted(self.table)}"

    @property
    def is_deleting(self) -> bool:
        return any(binding.event in ("*", "DELETE") for binding in self.bindings)

    @property
    def filtered(self) -> tuple[str, ...]:
        """Columns that a filter looks at."""
        texts = [condition for binding in self.bindings for condition in (binding.filter or "").split(",")]
        columns = [text.partition("=")[0].strip() for text in texts if "=" in text]
        return tuple(dict.fromkeys(columns))


def judge(seen: Seen) -> list[Finding]:
    """Findings in the order of the questions; those after a missing table are left out."""
    found = _by_catalog(seen) if seen.is_catalog_read else _by_rest(seen)
    return [*found, _ready(seen, found)]


def _by_catalog(seen: Seen) -> list[Finding]:
    relation = seen.relation
    if relation is None:
        return [_missing(seen)]
    if relation.kind in KINDS:
        why = f"{seen.name} is {KINDS[relation.kind]}, and changes are those of tables"
        return [
            _finding(seen, "exists", "failed", KINDS[relation.kind], Cause(why, "watch its tables instead"))
        ]
    return [
        _finding(seen, "exists", "ok"),
        _published(seen, relation),
        _identity(seen, relation),
        _key(seen, relation),
        _row_security(seen, relation),
        _policies(seen, relation),
        _grants(seen, relation),
    ]


def _missing(seen: Seen, hint: str = "") -> Finding:
    near = hint or next(iter(get_close_matches(seen.table, seen.known, n=1)), None)
    if near:
        cause = Cause(f"there is no table {seen.name}; did you mean {near}?", f"prt status {near}")
    else:
        cause = Cause(
            f"there is no table {seen.name}", "name a table that exists, or run the missing migration"
        )
    return _finding(seen, "exists", "failed", "no such table", cause)


def _published(seen: Seen, relation: Relation) -> Finding:
    if relation.is_published:
        return _finding(seen, "published", "ok")
    return _finding(seen, "published", "failed", "not published", _unpublished(seen))


def _unpublished(seen: Seen) -> Cause:
    return Cause(
        f"{seen.name} {UNPUBLISHED} {PUBLICATION}",
        f"alter publication {PUBLICATION} add table {seen.target};",
    )


def _identity(seen: Seen, relation: Relation) -> Finding:
    figure = IDENTITIES.get(relation.identity, relation.identity)
    full = f"alter table {seen.target} replica identity full;"
    if relation.identity == "n" and relation.is_published:
        why = (
            "the replica identity is nothing: PostgreSQL refuses every UPDATE and DELETE of a published table"
        )
        default = f"alter table {seen.target} replica identity default;"
        return _finding(seen, "replica identity", "failed", figure, Cause(why, default))
    held = relation.key if relation.identity == "d" else relation.identity_columns
    if relation.identity != "f" and seen.is_deleting:
        lost = [column for column in seen.filtered if column not in held and column in relation.columns]
        if lost:
            why = (
                f"a DELETE carries only {', '.join(held) or 'nothing'}, so the filter on {', '.join(lost)} "
                "matches no DELETE"
            )
            return _finding(seen, "replica identity", "warning", figure, Cause(why, full))
    return _finding(seen, "replica identity", "ok", figure)


def _key(seen: Seen, relation: Relation) -> Finding:
    if relation.key:
        return _finding(seen, "primary key", "ok", ", ".join(relation.key))
    why = 'there is no primary key: changes come empty ("Error 400: Bad Request, no primary key")'
    column = "id" if "id" in relation.columns else None
    sql = (
        f"alter table {seen.target} add primary key ({quoted(column)});"
        if column
        else f"alter table {seen.target} add column id bigint generated always as identity primary key;"
    )
    return _finding(seen, "primary key", "failed", "none", Cause(why, sql))


def _row_security(seen: Seen, relation: Relation) -> Finding:
    if relation.has_row_security:
        return _finding(seen, "row security", "ok", "on")
    if not relation.is_open_to_anon:
        return _finding(seen, "row security", "ok", "off, closed to anon")
    why = "row level security is off: whoever holds the public key receives every row"
    sql = f"alter table {seen.target} enable row level security; -- then add policies"
    return _finding(seen, "row security", "warning", "off", Cause(why, sql))


def _policies(seen: Seen, relation: Relation) -> Finding:
    if not relation.has_row_security:
        return _finding(seen, "policies", "ok", "not needed")
    if seen.passes_row_security:
        return _finding(seen, "policies", "ok", f"{seen.role} passes over them")
    permissive = [policy.name for policy in relation.policies if policy.is_permissive]
    if not permissive:
        others = " (only restrictive ones)" if relation.policies else ""
        why = (
            f"row level security is on and no policy lets {seen.role} read{others}: INSERT and UPDATE never "
            "arrive, DELETE does"
        )
        closed = [Cause(why, _policy_sql(seen))]
        if seen.role == ANONYMOUS:
            closed.append(Cause("its rows are for those who are signed in, and you are not", _SIGN_IN))
        return _finding(seen, "policies", "failed", f"none for {seen.role}", *closed)
    figure = f"{len(permissive)} polic{'y' if len(permissive) == 1 else 'ies'}"
    if relation.trouble is not None:
        why = f"reading as {seen.role} fails: {relation.trouble}"
        return _finding(seen, "policies", "failed", figure, Cause(why, _policies_sql(seen)))
    if relation.rows and relation.visible == 0:
        why = f"the policies show {seen.role} none of the {_many(relation.rows)} there, nor their changes"
        return _finding(
            seen,
            "policies",
            "warning",
            f"{figure}, sees 0 of {_many(relation.rows)}",
            Cause(why, _policies_sql(seen)),
            Cause("you are another user than you mean", _SIGN_IN),
        )
    if relation.rows is not None and relation.visible is not None:
        figure += f", sees {relation.visible:,} of {_many(relation.rows)}"
    return _finding(seen, "policies", "ok", figure)


def _grants(seen: Seen, relation: Relation) -> Finding:
    if not relation.may_use_schema:
        why = f"{seen.role} may not use the schema {seen.schema}"
        sql = f"grant usage on schema {quoted(seen.schema)} to {quoted(seen.role)};"
        return _finding(seen, "grants", "failed", "no usage of the schema", Cause(why, sql))
    if not relation.readable:
        return _finding(seen, "grants", "failed", "no SELECT", _ungranted(seen))
    hidden = [column for column in relation.columns if column not in relation.readable]
    if not hidden:
        return _finding(seen, "grants", "ok", "SELECT")
    listed = ", ".join(quoted(column) for column in hidden)
    sql = f"grant select ({listed}) on {seen.target} to {quoted(seen.role)};"
    figure = f"{len(relation.readable)} of {len(relation.columns)} columns"
    wanted = {*seen.filtered, *(column for binding in seen.bindings for column in binding.select or ())}
    needed = [column for column in hidden if column in wanted or column in relation.key]
    if needed:
        why = f"{seen.role} may not read {', '.join(needed)}, which key, filter or selection need"
        return _finding(seen, "grants", "failed", figure, Cause(why, sql))
    return _finding(
        seen, "grants", "warning", figure, Cause(f"{seen.role} gets changes without {', '.join(hidden)}", sql)
    )


def _ungranted(seen: Seen) -> Cause:
    return Cause(
        f'{seen.role} may not SELECT: changes come empty ("Error 401: Unauthorized")',
        f"grant select on {seen.target} to {quoted(seen.role)};",
    )


def _by_rest(seen: Seen) -> list[Finding]:
    """What the answer to our own read of one row gives away."""
    answer = seen.read
    if answer is None or answer.error is not None or answer.status >= 500:
        return []
    if answer.status == 404 and answer.code in ("PGRST205", "42P01"):
        hint = answer.hint.rpartition("'public.")[2].rstrip("'?") if "Perhaps" in answer.hint else ""
        return [_missing(seen, hint)]
    if answer.status == 406:
        return []  # the API doesn't expose the schema: Realtime may stream it all the same
    if answer.code == "42501" and "for schema" in answer.words:
        sql = f"grant usage on schema {quoted(seen.schema)} to {quoted(seen.role)};"
        cause = Cause(f"{seen.role} may not use the schema {seen.schema}", sql)
        return [_finding(seen, "exists", "ok"), _finding(seen, "grants", "failed", answer.words, cause)]
    if answer.code == "42501":
        # PostgreSQL says so of a single column too.
        columns = Cause(
            f"{seen.role} may not read some of its columns",
            f"grant select (COLUMN) on {seen.target} to {quoted(seen.role)};",
        )
        causes = (_ungranted(seen), columns)
        return [_finding(seen, "exists", "ok"), _finding(seen, "grants", "failed", answer.words, *causes)]
    if answer.status != 200:
        return [
            _finding(
                seen,
                "policies",
                "failed",
                f"REST: {answer.status} {answer.words}".strip(),
                Cause(f"reading as {seen.role} fails", _policies_sql(seen)),
            )
        ]
    found = [_finding(seen, "exists", "ok")]
    if answer.json():
        return [
            *found,
            _finding(seen, "policies", "ok", "rows visible"),
            _finding(seen, "grants", "ok", "SELECT"),
        ]
    return [*found, _hidden_or_empty(seen)]


def _hidden_or_empty(seen: Seen) -> Finding:
    total = _total(seen.counted)
    if total == 0:
        return _finding(
            seen,
            "policies",
            "unknown",
            "no row yet",
            Cause("the table is empty, so nothing tells which rows we would see", NEED_DATABASE),
        )
    nothing = Cause(f"row level security is on and no policy lets {seen.role} read", _policy_sql(seen))
    hiding = Cause(f"the policies show {seen.role} none of the rows", _policies_sql(seen))
    if total is not None:
        figure = f"sees 0 of {_many(total)}"
        return _finding(seen, "policies", "warning", figure, nothing, hiding)
    empty = Cause("the table is empty, or its policies hide every row from us", NEED_DATABASE)
    return _finding(seen, "policies", "unknown", "REST shows no row", empty)


def _total(counted: Answer | None) -> int | None:
    """RFC 9110, 14.4: what stands behind the slash of Content-Range."""
    text = counted.headers.get("content-range", "").rpartition("/")[2] if counted is not None else ""
    return int(text) if text.isdigit() else None


def _ready(seen: Seen, found: Sequence[Finding]) -> Finding:
    if seen.is_ready and not seen.refused:
        return _finding(seen, "READY", "ok", "READY")
    if not seen.refused:
        return _finding(seen, "READY", "failed", "not READY", Cause("the server said nothing of this table"))
    words = [status.reason or "refused" for status in seen.refused]
    figure = words[0].removeprefix(f"{seen.name}: ")
    if any(finding.state == "failed" for finding in found):
        first = next(finding for finding in found if finding.state == "failed")
        return _finding(seen, "READY", "failed", "refused", Cause(f"follows from: {first.check}"))
    if UNPUBLISHED in words[0]:
        return _finding(seen, "READY", "failed", "refused", *_unpublished_or_missing(seen, found))
    return _finding(seen, "READY", "failed", figure, *_parameters(seen, words[0], seen.refused[0].hint))


def _unpublished_or_missing(seen: Seen, found: Sequence[Finding]) -> list[Cause]:
    causes = [_unpublished(seen)]
    near = next(iter(get_close_matches(seen.table, seen.known, n=1)), None)
    if not any(finding.check == "exists" for finding in found):
        name = f"; did you mean {near}?" if near and near != seen.table else ""
        missing = Cause(f"there is no table {seen.name}{name}", f"prt status {near}" if name else None)
        causes = [missing, *causes] if name and seen.table not in seen.known else [*causes, missing]
    absent = f"create publication {PUBLICATION} for table {seen.target};"
    return [*causes, Cause(f"the publication {PUBLICATION} itself is gone", absent)]


def _parameters(seen: Seen, words: str, hint: str | None) -> list[Cause]:
    """Why a filter or a selection was refused."""
    columns = seen.relation.columns if seen.relation is not None else _columns(seen.read)
    for kind in ("filter", "select"):
        _, found, column = words.partition(f"invalid column for {kind} ")
        if not found:
            continue
        column = column.strip()
        if column in columns:
            sql = f"grant select ({quoted(column)}) on {seen.target} to {quoted(seen.role)};"
            return [Cause(f"{seen.role} may not read {column}, which --{kind} names", sql)]
        near = next(iter(get_close_matches(column, columns, n=1)), None)
        listed = f"did you mean {near}?" if near else f"columns: {', '.join(columns)}" if columns else ""
        causes = [Cause(f"{seen.name} has no column {column}, which --{kind} names", listed or None)]
        if not columns:
            sql = f"grant select ({quoted(column)}) on {seen.target} to {quoted(seen.role)};"
            causes.append(Cause(f"{seen.role} may not read {column}", sql))
        return causes
    if "22P02" in words or "invalid input syntax" in words:
        return [Cause(f"the filter's value is none of the column's type ({_quoted_words(words)})", hint)]
    return [Cause(words.removeprefix(f"{seen.name}: "), hint)]


def _quoted_words(words: str) -> str:
    return words.rpartition(") ")[2] or words


def _columns(answer: Answer | None) -> tuple[str, ...]:
    rows = answer.json() if answer is not None and answer.status == 200 else None
    return tuple(rows[0]) if isinstance(rows, list) and rows and isinstance(rows[0], dict) else ()


def _policy_sql(seen: Seen) -> str:
    """The owner's rows where a column names one, else all: to be narrowed by who knows the table."""
    columns = seen.relation.columns if seen.relation is not None else ()
    owner = next((column for column in OWNERS if column in columns), None)
    condition = f"{owner} = (select auth.uid())" if owner and seen.role == "authenticated" else "true"
    role = quoted(seen.role)
    warning = " -- every row: narrow it" if condition == "true" else ""
    return f'create policy "{role} reads" on {seen.target} for select to {role} using ({condition});{warning}'


def _policies_sql(seen: Seen) -> str:
    schema, table = (text.replace("'", "''") for text in (seen.schema, seen.table))
    where = f"schemaname = '{schema}' and tablename = '{table}'"
    return f"select policyname, roles, cmd, qual from pg_policies where {where};"  # noqa: S608 - for people


def _many(count: int) -> str:
    return f"{count:,}{'+' if count >= ROWS_LOOKED_AT else ''} row{'' if count == 1 else 's'}"


def _finding(seen: Seen, check: str, state: State, figure: str = "", *causes: Cause) -> Finding:
    return Finding(
        layer="table", table=seen.name, check=check, state=state, figure=figure or check, causes=causes
    )
