"""Findings about the database as a whole, and about what stays unknown if it can't be asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prt import quoting
from prt.checks.database import PUBLICATION
from prt.checks.status.layers.catalog import Database, Server
from prt.errors import RefusedError, UnreachableError, UsageError
from prt.inputs import Input
from prt.results import Cause, Finding, State

SLOTS_SQL = "select slot_name, active, restart_lsn from pg_replication_slots order by active, slot_name;"


def judge_absence(*, is_configured: bool) -> Finding:
    """Return the finding that the database is not asked, so that its state can only be inferred."""
    if is_configured:
        cause = Cause(
            "psycopg is not installed here, so the database is not asked", "pip install 'prt-realtime[local]'"
        )
    else:
        cause = Cause(
            "SUPABASE_DB_URL is not set: publication, keys, policies and grants are inferred from the wire",
            "export SUPABASE_DB_URL=postgresql://… (dashboard: Connect, Session pooler)",
        )
    return Finding(layer="database", state="skipped", figure="not asked", causes=(cause,))


def judge_failure(error: UsageError | UnreachableError | RefusedError, origin: str) -> Finding:
    """Return the finding that the database can't be read.

    It is only a warning, because Realtime has its own connection to the database and may work all the same.
    """
    if isinstance(error, UsageError):
        cause = Cause(f"{origin} can't be used: {error.message}", error.hint)
        return Finding(layer="database", state="warning", figure="not asked", causes=(cause,))
    if isinstance(error, RefusedError):
        cause = Cause(f"the user of {origin} may not read the catalog", error.hint)
        return Finding(layer="database", state="warning", figure=error.message, causes=(cause,))
    causes = (
        Cause(
            f"{origin} leads to no database from here, or its password is wrong",
            "psql \"$SUPABASE_DB_URL\" -c 'select 1'",
        ),
        Cause(
            "the direct host is reachable over IPv6 only", "use the Session pooler's URL (dashboard: Connect)"
        ),
    )
    return Finding(layer="database", state="warning", figure=error.message, causes=causes)


def judge(database: Database, role: str) -> list[Finding]:
    """Return the faults that keep Realtime from following the database, or one finding that all is well."""
    server = database.server
    figure = (
        f"PostgreSQL {server.version} · {server.slots} of {server.max_slots} replication slots · "
        f"{server.connections} of {server.max_connections} connections"
    )
    found = [
        Finding(
            layer="database",
            state=state,
            figure=figure,
            causes=(cause,),
            check=check,
            milliseconds=database.milliseconds,
        )
        for check, state, question in _QUESTIONS
        if (cause := question(server, role)) is not None
    ]
    return found or [
        Finding(
            layer="database", state="ok", figure=figure, check="server", milliseconds=database.milliseconds
        )
    ]


def _wal_level(server: Server, _: str) -> Cause | None:
    if server.wal_level == "logical":
        return None
    return Cause(
        f"wal_level is {server.wal_level}: nobody can follow changes",
        "alter system set wal_level = logical; -- then restart PostgreSQL",
    )


def _slots(server: Server, _: str) -> Cause | None:
    if server.slots < server.max_slots:
        return None
    name = server.idle_slots[0] if server.idle_slots else None
    drop = f"select pg_drop_replication_slot({quoting.literal(name)});" if name else SLOTS_SQL
    idle = f", {len(server.idle_slots)} of them idle" if server.idle_slots else ""
    return Cause(f"every replication slot is taken{idle}: once Realtime loses its own it finds none", drop)


def _connections(server: Server, _: str) -> Cause | None:
    if server.connections < server.max_connections * 0.9:
        return None
    return Cause(
        "nearly every connection is taken: Realtime may find none when it restarts",
        "select usename, state, count(*) from pg_stat_activity group by 1, 2 order by 3 desc;",
    )


def _publication(server: Server, _: str) -> Cause | None:
    if server.publication is not None:
        return None
    return Cause(
        f"there is no publication {PUBLICATION}, so no table is streamed",
        f"create publication {PUBLICATION};",
    )


def _published_events(server: Server, _: str) -> Cause | None:
    if server.publication is None or not server.publication.missing:
        return None
    return Cause(
        f"the publication {PUBLICATION} leaves {' and '.join(server.publication.missing)} out",
        f"alter publication {PUBLICATION} set (publish = 'insert, update, delete');",
    )


def _role(server: Server, role: str) -> Cause | None:
    if server.has_role:
        return None
    return Cause(
        f"the token's role {role} does not exist in the database",
        f"sign in with {Input.IDENTITY} EMAIL, or sign the token with role=authenticated",
    )


_QUESTIONS: Final[tuple[tuple[str, State, Callable[[Server, str], Cause | None]], ...]] = (
    ("wal_level", "failed", _wal_level),
    ("slots", "warning", _slots),
    ("connections", "warning", _connections),
    ("publication", "failed", _publication),
    ("publication", "warning", _published_events),
    ("role", "failed", _role),
)
"""The checks, each with the state of its finding and the function that returns a cause if the check fails."""


def is_unusable(database: Database) -> bool:
    """Return whether no table of the database can stream to this role."""
    server = database.server
    return server.wal_level != "logical" or server.publication is None or not server.has_role
