"""The test run from a request to an exit code, with its output, its reports and the removal of test rows."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from prt import __version__
from prt.app.test_contract import Agreement
from prt.app.test_report import RunOutput, opened, suites_text
from prt.checks.test.check import Suite
from prt.checks.test.context import Context
from prt.checks.test.contract import file as contract_file
from prt.checks.test.identities import identities_of
from prt.checks.test.outcomes import SkippedError
from prt.checks.test.plan import littered, steps_of, unmet, untested, use_of_server_key
from prt.checks.test.reports import github
from prt.checks.test.reports.files import ReportFile, report_file
from prt.checks.test.reports.html import html
from prt.checks.test.reports.junit import junit
from prt.checks.test.rows import this_run
from prt.checks.test.runner import Engine, Step
from prt.checks.test.service_levels import Limit, judged, slis_of
from prt.checks.test.settings import Settings
from prt.clock import wall_clock
from prt.config.environment import environment
from prt.config.hosts import is_loopback
from prt.config.project import Project
from prt.errors import PrtError, UsageError
from prt.inputs import Input
from prt.results import Result, Run
from prt.signals import SIGNALLED, stopping
from prt.views.drawing.figures import counted
from prt.views.sinks.form import Form
from prt.views.sinks.stderr import complain, notice


class RunRequest(Struct, frozen=True, kw_only=True):
    """The request for a test run. `named` are the suites that the user named."""

    suites: Sequence[Suite]
    settings: Settings
    named: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    min_delivery: float | None = None
    repeat: int = 1
    stranger: str | None = None
    allows_writes: bool = False
    junit: Path | None = None
    report: Path | None = None
    agreement: Agreement | None = None


class Ended(Struct, frozen=True, kw_only=True):
    """The end of a run, with the signal that stopped it, if any."""

    run: Run
    engine: Engine
    stopped_by: int | None

    @property
    def error(self) -> PrtError | None:
        """The reason that nothing could be reached; None if something could."""
        return self.engine.gate_error


def listed(suites: Sequence[Suite], *, is_json: bool) -> None:
    """Print the suites and what each needs."""
    sys.stdout.write(suites_text(suites, is_json=is_json))


def run_suites(project: Project, request: RunRequest, form: Form, *, is_quiet: bool = False) -> int:
    """Run the suites, and return the exit code.

    Args:
        project: The project to test.
        request: The suites and their options.
        form: The form of the output.
        is_quiet: Whether notices are dropped.

    Raises:
        PrtError: Nothing can be tested, or a report can't be written.
    """
    agreement = request.agreement
    suites = [*request.suites, *(agreement.suites if agreement is not None else ())]
    host = urlsplit(project.url).hostname or ""
    may_write = request.allows_writes or is_loopback(host)
    writes = may_write and any(suite.writes for suite in suites)
    if writes and project.server_key is not None and project.identity != "service" and not is_quiet:
        notice(use_of_server_key([suite.name for suite in suites]))
    steps = steps_of(suites, may_write=may_write, host=project.host, rounds=request.repeat)
    with ExitStack() as stack:
        files = [
            (stack.enter_context(report_file(path, what)), text)
            for path, what, text in (
                (request.junit, Input.JUNIT, junit),
                (request.report, Input.REPORT, html),
            )
            if path is not None
        ]
        written = None
        if agreement is not None and agreement.is_written:
            written = stack.enter_context(report_file(agreement.path, Input.WRITE_CONTRACT))
        with opened(form, project.host, len(steps)) as output:
            ended = asyncio.run(_run(project, request, steps, output))
            output.close(ended.run)
        _report(ended.run, files, environment())
        if agreement is not None and written is not None:
            _write_contract(agreement, written, ended, is_quiet=is_quiet)
    if ended.stopped_by is not None:
        if not is_quiet and not form.is_table:
            notice(ended.run.interruption or "")
        return SIGNALLED + ended.stopped_by
    if ended.error is not None and not form.is_table:
        complain(ended.error.message, ended.error.hint)
    if not is_quiet and not form.is_table:
        for suite, reason in ended.run.untested.items():
            notice(f"nothing was tested of the suite {suite}: {reason}")
    return ended.run.exit_code


def _write_contract(agreement: Agreement, file: ReportFile, ended: Ended, *, is_quiet: bool) -> None:
    """Write the contract, unless a test failed, because a contract must not describe faults.

    Raises:
        PrtError: The file can't be written.
    """
    if ended.stopped_by is not None or ended.run.exit_code:
        notice(f"{agreement.path} is not written: {counted(ended.run.slis.failed, 'test')} failed")
        return
    draft = agreement.draft(ended.engine.observed)
    for words in draft.notices:
        notice(words)
    file.write(contract_file.text(draft.contract))
    if not is_quiet:
        tables, topics = len(draft.contract.tables), len(draft.contract.topics)
        notice(f"wrote {agreement.path}: {counted(tables, 'table')}, {counted(topics, 'topic')}")


def cleaned(project: Project, request: RunRequest, *, is_quiet: bool = False) -> int:
    """Remove the rows of all test runs from the table, and return the exit code.

    Raises:
        PrtError: The rows can't be removed.
    """

    async def clean() -> tuple[int, int]:
        async with identities_of(project, request.stranger) as identities:
            is_near = is_loopback(urlsplit(project.url).hostname or "")
            context = Context(project, identities, request.settings, this_run(), is_loopback=is_near)
            try:
                swept = await (await context.sweeper()).sweep_all()
            except SkippedError as exc:
                raise UsageError(f"nothing to clean: {exc.reason}") from exc
            return swept.gone, swept.left

    gone, left = asyncio.run(clean())
    if left:
        raise PrtError(
            f"{counted(left, 'row')} of {request.settings.table_name} may not be deleted by this identity",
            f"set the server key, or take the {Input.IDENTITY} that made them",
        )
    if not is_quiet:
        notice(f"{counted(gone, 'row')} of test runs removed from {request.settings.table_name}")
    return 0


async def _run(project: Project, request: RunRequest, steps: list[Step], output: RunOutput) -> Ended:
    started, clock = wall_clock(), time.perf_counter()
    stopped_by, interruption = None, None
    is_near = is_loopback(urlsplit(project.url).hostname or "")
    async with identities_of(project, request.stranger) as identities:
        context = Context(project, identities, request.settings, this_run(), is_loopback=is_near)
        engine = Engine(context, output)
        try:
            with stopping() as caught:
                await engine.run(steps)
        except asyncio.CancelledError:
            if not caught:
                raise
            stopped_by = caught[0]
            interruption = f"the run was interrupted after {len(engine.results)} of {len(steps)} checks"
            engine.skip_rest(steps, "interrupted")
        finally:
            left = await context.sweep()
    results = [*engine.results]
    seconds = time.perf_counter() - clock
    judgements = [] if left is None else [littered(context.table, left)]
    if stopped_by is None:
        judgements += unmet(request.required, results)
        if request.agreement is not None and engine.gate_error is None:
            judgements += request.agreement.judged(engine.observed, results)
        judgements += judged(slis_of(results, seconds), request.limits, request.min_delivery, results)
    for result in judgements:
        results.append(result)
        output.finished(result)
    code = _exit_code(results, engine.gate_error)
    run = Run(
        version=__version__,
        host=project.host,
        identity=project.email or project.identity,
        table=request.settings.table_name,
        started=started,
        results=tuple(results),
        slis=slis_of(results, seconds),
        exit_code=code if stopped_by is None else SIGNALLED + stopped_by,
        interruption=interruption,
        untested={} if interruption or engine.gate_error else untested(request.named, results),
    )
    return Ended(run=run, engine=engine, stopped_by=stopped_by)


def _exit_code(results: Sequence[Result], gate_error: PrtError | None) -> int:
    if gate_error is not None:
        return gate_error.exit_code
    return int(any(result.outcome == "fail" for result in results))


def _report(
    run: Run, files: Sequence[tuple[ReportFile, Callable[[Run], str]]], environ: dict[str, str]
) -> None:
    """Write the reports.

    Raises:
        PrtError: A report can't be written; the others are written before it's raised.
    """
    if environ.get("GITHUB_ACTIONS"):
        _report_to_github(run, environ.get("GITHUB_STEP_SUMMARY"))
    failed: list[PrtError] = []
    for file, text in files:
        try:
            file.write(text(run))
        except PrtError as exc:
            failed.append(exc)
    if failed:
        raise failed[0]


def _report_to_github(run: Run, summary: str | None) -> None:
    """Write annotations and the summary for GitHub. A summary that can't be written doesn't fail the run."""
    for result in run.results:
        if result.failure is not None:
            sys.stderr.write(github.annotation(result) + "\n")
    sys.stderr.write(github.interruption(run))
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(github.summary(run))
        except OSError as exc:
            complain(f"GITHUB_STEP_SUMMARY can't be written: {exc.strerror}", None)
