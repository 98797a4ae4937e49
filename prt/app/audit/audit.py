"""The audit from a request to an exit code. It accounts for every committed change."""

# ruff: noqa: PLC0415 - psycopg is an optional extra

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from prt.clock import wall_clock
from prt.config.hosts import is_loopback
from prt.errors import PrtError, UsageError
from prt.events import Account, End, EndReason
from prt.inputs import Input
from prt.signals import SIGNALLED, stopping
from prt.views.drawing.figures import counted, duration
from prt.views.sinks.form import opened
from prt.views.sinks.ndjson import report_of
from prt.views.sinks.stderr import notice

if TYPE_CHECKING:
    from prt.app.audit.request import AuditRequest
    from prt.app.audit.run import AuditRun
    from prt.config.secret import Secret
    from prt.stream.database.preflight import Address, Database
    from prt.stream.database.session import DatabaseSession
    from prt.stream.rest.session import Session

MEGABYTE = 1_000_000


class ChangesLostError(PrtError):
    """An audit found lost changes, or too few changes that arrived in time."""

    id = "E-CHANGES-LOST"


class _Ending(Struct, frozen=True):
    reason: EndReason
    exit_code: int
    error: PrtError | None = None


def audit(request: AuditRequest) -> int:
    """Run an audit and return the exit code.

    Raises:
        PrtError: The audit couldn't start, ended early, or found losses or too low a delivery.
    """
    if request.project.database_url is None:
        raise UsageError(
            "an audit reads the database's own log, over a direct connection",
            "set SUPABASE_DB_URL to the database's direct connection (dashboard: Connect)",
        )
    if find_spec("psycopg") is None:
        raise UsageError("an audit needs psycopg", "pip install 'prt-realtime[audit]'")
    ending = asyncio.run(_audited(request, request.project.database_url))
    if ending.error is not None:
        raise ending.error
    return ending.exit_code


async def _audited(request: AuditRequest, database_url: Secret) -> _Ending:
    from prt.stream.database import preflight
    from prt.stream.database.session import DatabaseSession
    from prt.stream.rest.session import session_of

    url = database_url.reveal()
    address = preflight.address_of(url, request.project.url)
    is_near = address.is_loopback and is_loopback(urlsplit(request.project.url).hostname or "")
    if not (request.allows_slot or is_near):
        raise UsageError(
            f"an audit opens a replication slot on {address.host or request.project.host}, "
            "which makes the server keep its log until the audit has read it",
            f"{Input.ALLOW_SLOT} allows that; the slot is temporary, and {Input.MAX_WAL} bounds what is kept",
        )
    questions = DatabaseSession(url, "prt_audit_judge")
    try:
        async with session_of(request.project) as session:
            return await _measured(request, session, address, questions)
    finally:
        await questions.close()


async def _measured(
    request: AuditRequest, session: Session, address: Address, questions: DatabaseSession
) -> _Ending:
    from prt.app.audit.run import AuditRun
    from prt.stream.database import preflight
    from prt.stream.database.judging import Identity, role_and_claims
    from prt.views.panels.audit import AuditView

    role, claims = role_and_claims(session.endpoint)
    names = [(binding.schema, binding.table) for binding in request.bindings]
    database = await preflight.read(questions, names, role=role)
    preflight.check(database, names, role)
    identity = Identity(role=role, claims=claims, is_unrestricted=database.role_is_unrestricted)
    run = AuditRun(request, session, questions, database=database, identity=identity)
    if not request.is_quiet:
        _announce(request, run, database, address)
    view = AuditView(run.audit, role=role, duration=request.duration)
    with opened(request.form, request.project.host, views_of=lambda _: [view]) as output:
        with stopping() as caught:
            failure = await run.measure(output, view, caught)
        now = wall_clock()
        for loss in run.audit.losses(now):
            output.write(loss)
        accounts = run.audit.accounts(now)
        for account in accounts:
            output.write(account)
        ending = _ending(request, accounts, caught, failure)
        output.close(
            End(
                at=now,
                reason=ending.reason,
                exit_code=ending.exit_code,
                events=run.audit.arrivals,
                gaps=run.audit.gaps,
                lag_ms=run.audit.lag.summary(),
                error=None if ending.error is None else report_of(ending.error),
            )
        )
        if ending.error is not None:
            ending.error.is_in_lines = True
    return ending


def _announce(request: AuditRequest, run: AuditRun, database: Database, address: Address) -> None:
    """Report what the audit will do before it begins."""
    kept = "unlimited" if database.keep_size is None else f"{database.keep_size // MEGABYTE:,} MB"
    notice(
        f"audit: a temporary replication slot on {address.host or 'a local socket'} "
        f"(PostgreSQL {database.version}, as {database.user}) reads the log of "
        f"{counted(len(database.tables), 'table')} for {duration(round(request.duration * 1_000_000))}; "
        f"{request.project.host} is watched as {run.identity.role}"
    )
    notice(
        f"audit: it stops if the slot holds back more than {request.max_wal / MEGABYTE:,.0f} MB of WAL "
        f"(max_slot_wal_keep_size is {kept}); nothing is written, and the slot ends with the connection"
    )


def _ending(
    request: AuditRequest, accounts: list[Account], caught: list[int], failure: PrtError | None
) -> _Ending:
    if failure is not None:
        return _Ending("error", failure.exit_code, failure)
    if caught:
        return _Ending("signal", SIGNALLED + caught[0])
    lost = sum(account.lost for account in accounts)
    in_time = sum(account.arrived - account.late for account in accounts)
    expected = sum(account.arrived + account.cut + account.lost for account in accounts)
    percent = 100 * in_time / expected if expected else 100.0
    if lost:
        committed = sum(account.committed for account in accounts)
        error = ChangesLostError(
            f"{lost:,} of {counted(committed, 'committed change')} were lost",
            "each has a line `loss` with its likeliest cause",
        )
        return _Ending("duration", error.exit_code, error)
    if request.min_delivery is not None and percent < request.min_delivery:
        error = ChangesLostError(
            f"{percent:.4g} % arrived whole and in time, less than {request.min_delivery:g} %",
            f"see `cut` and `late`; {Input.LATE_AFTER} says what is late",
        )
        return _Ending("duration", error.exit_code, error)
    return _Ending("duration", 0)
