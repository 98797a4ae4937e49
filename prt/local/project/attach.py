"""An embedded project for the life of a `with` block: the running one, or our own in a child process."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from prt.config import environment as variables
from prt.config.hosts import lifeline
from prt.errors import PrtError, RefusedError, UnreachableError, UsageError
from prt.local.project import extra, registry
from prt.local.project.options import DEFAULT_RATE, Options, encode
from prt.local.project.variables import renewed
from prt.processes import own_python

STOP_SECONDS = 30.0
ERRORS: tuple[type[PrtError], ...] = (UsageError, RefusedError, UnreachableError)


@contextmanager
def attached(
    *,
    seed: bool = True,
    migrations: Sequence[Path] = (),
    traffic: bool = False,
    rate: float = DEFAULT_RATE,
    environ: Mapping[str, str] | None = None,
) -> Iterator[dict[str, str]]:
    """The variables of `prt local env`: of the one project that runs, else of an ephemeral one.

    Raises UsageError where several run, and what `ephemeral` raises.
    """
    entry = registry.the_one(variables.environment() if environ is None else environ)
    if entry is not None:
        yield renewed(entry)
        return
    with ephemeral(seed=seed, migrations=migrations, traffic=traffic, rate=rate) as environment:
        yield environment


@contextmanager
def ephemeral(
    *,
    seed: bool = True,
    migrations: Sequence[Path] = (),
    traffic: bool = False,
    rate: float = DEFAULT_RATE,
    traffic_seed: int | None = None,
    plan: str | None = None,
    poll_seconds: float | None = None,
    realtime: Mapping[str, float | tuple[float, ...]] | None = None,
) -> Iterator[dict[str, str]]:
    """A project of our own on a free port; neither process nor file is left, however we end.

    The arguments are those of `Options`. Raises UsageError and UnreachableError with the child's words.
    """
    extra.require()
    options = Options(
        port=0,
        seed=seed,
        migrations=tuple(migrations),
        traffic=traffic,
        rate=rate,
        traffic_seed=traffic_seed,
        plan=plan,
        poll_seconds=poll_seconds,
        realtime=dict(realtime or {}),
    )
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(  # noqa: S603 - ourselves
            own_python("-m", "prt.local.project.child"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Its warnings would land in the middle of a live view.
            stderr=complaints,
            # Ctrl-C is for us: the project stays until our clients have left.
            start_new_session=True,
        )
        try:
            environment = _environment(child, options, complaints)
            with lifeline(environment["SUPABASE_URL"], partial(_end_of, child)):
                yield environment
        finally:
            _end(child)


def _end_of(child: subprocess.Popen[bytes]) -> str | None:
    """Why the child has ended, None while it runs."""
    code = child.poll()
    if code is None:
        return None
    stdout = cast("IO[bytes]", child.stdout)
    with suppress(msgspec.DecodeError, KeyError, TypeError):
        message: str = msgspec.json.decode(stdout.readline())["message"]
        return message
    return f"it was ended by signal {-code}" if code < 0 else f"it ended with {code}"


def _environment(child: subprocess.Popen[bytes], options: Options, complaints: IO[bytes]) -> dict[str, str]:
    stdin, stdout = cast("IO[bytes]", child.stdin), cast("IO[bytes]", child.stdout)
    with suppress(BrokenPipeError):
        stdin.write(encode(options) + b"\n")
        stdin.flush()
    line = stdout.readline()
    if not line:
        child.wait()
        complaints.seek(0)
        last = complaints.read().decode(errors="replace").strip().rsplit("\n", 1)[-1]
        raise UnreachableError(f"the embedded project did not start: {last}", "try `prt local up`")
    answer: dict[str, Any] = msgspec.json.decode(line)
    if "environment" in answer:
        environment: dict[str, str] = answer["environment"]
        return environment
    kinds = {kind.exit_code: kind for kind in ERRORS}
    raise kinds.get(answer["exit_code"], PrtError)(answer["message"], answer["hint"])


def _end(child: subprocess.Popen[bytes]) -> None:
    stdin, stdout = cast("IO[bytes]", child.stdin), cast("IO[bytes]", child.stdout)
    with suppress(BrokenPipeError):
        stdin.close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # PostgreSQL and the files are its watchdog's to end.
        child.kill()
        child.wait()
    stdout.close()
