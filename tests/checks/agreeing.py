"""Contracts written and held in this process, against an embedded project."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from prt.app.test_contract import Agreement, agreed, planned
from prt.checks.test.context import Context
from prt.checks.test.contract import file
from prt.checks.test.contract.observations import Observation
from prt.checks.test.identities import identities_of
from prt.checks.test.plan import gate_of, steps_of
from prt.checks.test.rows import this_run
from prt.checks.test.runner import Engine
from prt.checks.test.settings import Settings
from prt.checks.test.suites.registry import SUITES
from prt.config.project import resolve
from prt.results import Result
from tests.checks.checking import SOON, Nobody


class Held(Struct, frozen=True):
    """The results of a run with a contract: those of the suites, and those of the contract."""

    suites: list[Result]
    contract: list[Result]

    @property
    def sentences(self) -> list[str]:
        return [one.failure.sentence or "" for one in self.contract if one.failure is not None]


def _observed(
    environment: Mapping[str, str], agreement: Agreement
) -> tuple[list[Result], dict[int, list[Observation]]]:
    project = resolve(local=environment)

    async def main() -> tuple[list[Result], dict[int, list[Observation]]]:
        async with identities_of(project, None) as identities:
            context = Context(project, identities, Settings(wait_seconds=SOON), this_run(), is_loopback=True)
            engine = Engine(context, Nobody())
            suites = [*gate_of(SUITES), *agreement.suites]
            await engine.run(steps_of(suites, may_write=True, host="far.example", rounds=1))
            assert await context.sweep() is None
            return engine.results, engine.observed

    return asyncio.run(main())


def write(
    environment: Mapping[str, str], path: Path, *tables: str, topics: tuple[str, ...] = ()
) -> list[str]:
    """Write the contract of some tables of the schema public. Return what is reported about it."""
    names = [("public", table) for table in tables]
    plan = planned(resolve(local=environment), path, tables=names, topics=topics, marker=None)
    results, observed = _observed(environment, plan)
    assert {result.outcome for result in results} <= {"pass", "skip"}, results
    draft = plan.draft(observed)
    path.write_text(file.text(draft.contract))
    return [*plan.notices, *draft.notices]


def hold(environment: Mapping[str, str], path: Path) -> Held:
    """Hold the project to a contract."""
    agreement = agreed(path)
    results, observed = _observed(environment, agreement)
    return Held(results, list(agreement.judged(observed, results)))
