"""The plan of a run: which checks run, which are skipped and why, and what makes the run as a whole fail."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from prt import quoting
from prt.checks.test.check import Suite
from prt.checks.test.runner import Step
from prt.clock import wall_clock
from prt.errors import UsageError
from prt.inputs import Input
from prt.results import Failure, Result
from prt.suggestions import did_you_mean

GATE = "connect"
COMPARING = ("rls", "contract")
"""The suites that subscribe as several identities, one of which is `service_role`."""


def chosen(suites: Sequence[Suite], names: Sequence[str], required: Sequence[str]) -> list[Suite]:
    """Return the suites to run: the named ones, or all that need not be named, and the required ones.

    The handshake is always included, because nothing else can be tested if it fails.

    Raises:
        UsageError: A name is not the name of a suite.
    """
    for name in (*names, *required):
        if all(suite.name != name for suite in suites):
            known = [suite.name for suite in suites]
            hint = did_you_mean(name, known, f"suites: {', '.join(known)}")
            raise UsageError(f"no suite {name}", hint)
    wanted = {*names, *required}
    return [
        structs.replace(suite, checks=suite.checks[:1])
        if suite.name == GATE and names and GATE not in wanted
        else suite
        for suite in suites
        if suite.name == GATE or suite.name in wanted or (not names and not suite.is_named_only)
    ]


def gate_of(suites: Sequence[Suite]) -> list[Suite]:
    """Return the suite that connects, reduced to its check of the handshake, which comes before all others.

    The list is empty if the suite is not among those that run."""
    return [structs.replace(one, checks=one.checks[:1]) for one in suites if one.name == GATE]


def steps_of(suites: Sequence[Suite], *, may_write: bool, host: str, rounds: int) -> list[Step]:
    """Return the checks of a run in order; those that write are skipped if the run may not write.

    Args:
        suites: The suites to run.
        may_write: Whether the run may write rows.
        host: The project's host, for the reason of a skipped check.
        rounds: How often to run all suites.
    """
    reason = f"writes rows to {host}, which is not this machine: allow it with {Input.ALLOW_WRITES}"
    return [
        Step(suite, check, number, None if may_write or not suite.writes else reason)
        for number in range(1, rounds + 1)
        for suite in suites
        for check in suite.checks
    ]


def use_of_server_key(suites: Sequence[str]) -> str:
    """Return what these suites use the server key for, as one sentence for people."""
    words = "the tests use the server key (service_role) to delete the rows that they write"
    comparing = next((name for name in suites if name in COMPARING), None)
    if comparing is None:
        return words
    return f"{words}, and in the suite {comparing} to compare what service_role and other identities receive"


def unmet(required: Sequence[str], results: Sequence[Result]) -> list[Result]:
    """Return a failure for each required suite of which a check was skipped."""
    found = []
    for name in required:
        skipped = [result for result in results if result.suite == name and result.outcome == "skip"]
        if skipped:
            reasons = dict.fromkeys(result.reason or "" for result in skipped)
            failure = Failure(
                expected=f"every check of {name} to run ({Input.REQUIRE} {name})",
                came=f"{len(skipped)} skipped",
                cause="; ".join(reasons),
                remedy=f"give it what it needs (prt test {Input.LIST}), or run without "
                f"{Input.REQUIRE} {quoting.word(name)}",
            )
            found.append(
                Result(
                    suite=name, name="required", outcome="fail", at=skipped[-1].at, ms=0.0, failure=failure
                )
            )
    return found


def untested(named: Sequence[str], results: Sequence[Result]) -> dict[str, str]:
    """Return the named suites of which every check was skipped, each with the reason of its first check."""
    found = {}
    for name in named:
        of_suite = [result for result in results if result.suite == name]
        if of_suite and all(result.outcome == "skip" for result in of_suite):
            found[name] = of_suite[0].reason or ""
    return found


def littered(table: str, why: str) -> Result:
    """Return the failure that rows of the run could not be removed; `why` is the reason."""
    failure = Failure(
        expected=f"every row of this run removed from {table}",
        came=why,
        cause="the server went away before they were removed, or it refuses to: no policy lets this identity "
        "DELETE them, or rows of another table refer to them",
        remedy=f"prt test {Input.CLEAN}, with the server key where this identity may not",
    )
    return Result(suite="rows", name="removed", outcome="fail", at=wall_clock(), ms=0.0, failure=failure)
