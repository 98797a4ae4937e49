"""The steps of a run that make the observations for a contract."""

from __future__ import annotations

from functools import partial

from prt.checks.test.check import Check, Suite
from prt.checks.test.context import Context
from prt.checks.test.contract import catalog
from prt.checks.test.contract.observations import Declared, Published
from prt.checks.test.contract.terms import Contract, short
from prt.checks.test.outcomes import Found
from prt.checks.test.suites import broadcast, rls


def suites_of(contract: Contract, *, asks_database: bool) -> list[Suite]:
    """Return suites that have one check for each table and each topic, and one for the catalog if asked."""
    found = []
    if asks_database:
        check = Check(suite="rls", name="catalog", run=partial(_declared, contract=contract))
        found.append(Suite(name="rls", line=rls.SUITE.line, needs="SUPABASE_DB_URL", checks=(check,)))
    tables = tuple(
        Check(suite="rls", name=short(one.name), run=partial(rls.observe, agreed=one))
        for one in contract.tables
    )
    topics = tuple(
        Check(suite="broadcast", name=one.name, run=partial(broadcast.rights, topic=one))
        for one in contract.topics
    )
    for suite, checks in ((rls.SUITE, tables), (broadcast.SUITE, topics)):
        if checks:
            found.append(
                Suite(name=suite.name, line=suite.line, needs=suite.needs, checks=checks, writes=suite.writes)
            )
    return found


async def _declared(context: Context, contract: Contract) -> Found:
    """Observe what the database's catalog declares about the contract's tables."""
    tables = [(one.schema, one.table) for one in contract.tables]
    observed = await catalog.read(context.project, tables)
    published = next(one for one in observed if isinstance(one, Published))
    count = sum(isinstance(one, Declared) for one in observed)
    return Found(
        note=f"the catalog has {count} of {len(tables)} tables; {len(published.tables)} are published",
        figures={"tables": count},
        observed=tuple(observed),
    )
