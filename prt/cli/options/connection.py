"""The project that a command's connection options select."""

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
    """Yield the project for the duration of a command.

    With `local`, it's a running embedded project, or a temporary one that ends with the block.

    Args:
        url: The project's URL.
        as_: "anon", "service" or a user's email address.
        profile: The name of a profile.
        local: Whether to use an embedded project.

    Raises:
        UsageError: The options contradict each other, the project can't be resolved, or a password is missing
            and nobody can be asked.
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
    """Yield the project of a command that only forwards, and the variables of an embedded project.

    Raises:
        UsageError: The options contradict each other, or the project can't be resolved.
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
    """Return the project with the password of its user, which is asked for if no variable has it.

    Raises:
        UsageError: Nobody can be asked.
    """
    if project.identity != "user" or project.password is not None:
        return project
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise UsageError(f"no password for {project.email}", "set PRT_PASSWORD")
    from getpass import getpass  # noqa: PLC0415 - only needed for the prompt

    try:
        password = getpass(f"Password of {project.email} at {project.host}: ", stream=sys.stderr)
    except EOFError as exc:
        raise UsageError(f"no password for {project.email}", "set PRT_PASSWORD") from exc
    register(password)
    return replace(project, password=Secret(password), origins={**project.origins, "password": "the prompt"})


def check_edit(project: Project, *, is_drawn: bool) -> None:
    """Report the identity with which keys write, and ask for confirmation if the project is not on loopback.

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
    """Check that rows may be written to the project.

    Raises:
        UsageError: The project is not on loopback, and writes are not allowed.
    """
    if not is_allowed and not is_loopback(urlsplit(project.url).hostname or ""):
        raise UsageError(
            f"--canary writes rows to {project.host}, which is not this machine",
            "allow it with --allow-writes",
        )
