"""An embedded project during a `with` block: the running one, or one of our own in a child process."""

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
from prt.inputs import Input
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
    """Yield the variables of `prt local env` for the project that runs, or for an ephemeral one if none runs.

    Args:
        seed: Whether an ephemeral project has the built-in tables and rows.
        migrations: SQL files and folders for an ephemeral project, in place of the seed.
        traffic: Whether an ephemeral project has users who change rows.
        rate: How many rows they change a second.
        environ: The environment in which the running project is looked for; None takes that of the process.

    Raises:
        UsageError: Several projects run, or an ephemeral one can't start as asked.
        UnreachableError: An ephemeral project did not start, or the project of the `prt local run` in which
            this is called has ended.
    """
    environ = variables.environment() if environ is None else environ
    hint = (
        f'first `eval "$(prt local env {Input.PORT} N)"` with the port N of one of them, '
        f"then the same command without {Input.LOCAL}"
    )
    entry = registry.the_one(environ, hint=hint)
    if entry is not None:
        yield renewed(entry)
        return
    if environ.get(registry.RUN):
        raise registry.nothing_runs(environ)
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
    """Run a project of our own on a free port, and yield its variables.

    Neither a process nor a file of it stays, however this process ends.

    Args:
        seed: Whether it has the built-in tables and rows.
        migrations: SQL files and folders, in place of the seed.
        traffic: Whether users change its rows.
        rate: How many rows they change a second.
        traffic_seed: The number that makes their changes repeatable; None makes other ones each time.
        plan: The plan whose limits it keeps; None keeps those of the server.
        poll_seconds: The pause between polls of changes; None streams them.
        realtime: Settings of Realtime by their names.

    Raises:
        UsageError: It can't start as asked.
        UnreachableError: It did not start.
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
            # Its warnings would appear in the middle of a live view.
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
    """Return why the child has ended, None while it runs."""
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
        # Its watchdog ends PostgreSQL and removes the files.
        child.kill()
        child.wait()
    stdout.close()
