"""The project that the connection options of a command mean: attached if embedded, with its password."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import typer

from prt.config.environment import environment
from prt.config.hosts import is_loopback
from prt.config.project import Project, resolve
from prt.config.secret import Secret
from prt.config.terminal import is_terminal
from prt.errors import UsageError
from prt.redaction import register
from prt.views.sinks.stderr import notice


@contextmanager
def connected_project(
    *, url: str | None = None, as_: str | None = None, profile: str | None = None, local: bool = False
) -> Iterator[Project]:
    """The project for the life of a command; an ephemeral one of `--local` ends with it.

    Raises UsageError as `resolve` does, and where a password is missing and nobody can be asked.
    """
    if not local:
        yield with_password(resolve(url=url, as_=as_, profile=profile))
        return
    if url is not None or profile is not None:
        other = "--url" if url is not None else "--profile"
        raise UsageError(f"--local and {other} name two projects", "leave one of them out")
    from prt.local.project.attach import attached  # noqa: PLC0415 - brings a server along
    from prt.local.seed.people import PASSWORD  # noqa: PLC0415

    with attached() as its_environment:
        password = environment().get("PRT_PASSWORD") or PASSWORD
        yield resolve(as_=as_, local={**its_environment, "PRT_PASSWORD": password})


@contextmanager
def project_without_keys(
    *, url: str | None = None, profile: str | None = None, local: bool = False
) -> Iterator[tuple[Project, dict[str, str]]]:
    """Yield the project of a command that only forwards, and the variables of an embedded one.

    Raises UsageError as `resolve` does.
    """
    if not local:
        yield resolve(url=url, profile=profile, has_keys=False), {}
        return
    if url is not None or profile is not None:
        other = "--url" if url is not None else "--profile"
        raise UsageError(f"--local and {other} name two projects", "leave one of them out")
    from prt.local.project.attach import attached  # noqa: PLC0415 - brings a server along

    with attached() as its_environment:
        yield resolve(local=its_environment, has_keys=False), its_environment


def with_password(project: Project) -> Project:
    """The project, with the password of its user asked for where no variable holds it."""
    if project.identity != "user" or project.password is not None:
        return project
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise UsageError(f"no password for {project.email}", "set PRT_PASSWORD")
    from getpass import getpass  # noqa: PLC0415 - only where somebody is asked

    try:
        password = getpass(f"Password of {project.email} at {project.host}: ", stream=sys.stderr)
    except EOFError as exc:
        raise UsageError(f"no password for {project.email}", "set PRT_PASSWORD") from exc
    register(password)
    return replace(project, password=Secret(password), origins={**project.origins, "password": "the prompt"})


def check_edit(project: Project, *, is_drawn: bool) -> None:
    """Report as whom the keys write, and ask once if the project is not on loopback.

    Raises:
        UsageError: There is no terminal, or the answer was no.
    """
    if not (is_drawn and is_terminal(sys.stdin)):
        raise UsageError(
            "--edit is for a view on a terminal", "prt update TABLE KEY COL=VALUE writes without one"
        )
    who = project.email or {"service": "the service role, past row-level security"}.get(
        project.identity, project.identity
    )
    notice(f"--edit writes to {project.host} as {who}")
    if not is_loopback(urlsplit(project.url).hostname or "") and not typer.confirm(
        "May keys write to this project?", err=True
    ):
        raise UsageError("nothing was started: --edit was not confirmed", "leave --edit out to look only")


def check_canary(project: Project, *, is_allowed: bool) -> None:
    """Raise UsageError if rows may not be written to the project."""
    if not is_allowed and not is_loopback(urlsplit(project.url).hostname or ""):
        raise UsageError(
            f"--canary writes rows to {project.host}, which is not this machine",
            "allow it with --allow-writes",
        )
