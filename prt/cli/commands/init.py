"""`prt init`: a new profile, from answers or from the files of a Supabase project's folder."""

# ruff: noqa: PLC0415 - modules are loaded when they are used; Typer makes options of parameters

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from msgspec import Struct

from prt import quoting
from prt.cli.options import shared as options

if TYPE_CHECKING:
    from prt.config.sources import SettingsSource

PROFILE: Final = "The profile"


class Answers(Struct, frozen=True, kw_only=True):
    """The values of a new profile.

    Attributes:
        name: The name of the profile.
        url: The URL of the project.
        tables: The tables to watch.
        is_own: Whether the profile is written to the user's own configuration.
        has_keys_here: Whether the folder's `.env` has the client key.
        is_stack: Whether the URL is that of the folder's local project, whose keys are public.
    """

    name: str
    url: str
    tables: tuple[str, ...]
    is_own: bool
    has_keys_here: bool
    is_stack: bool = False


def init(
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Name of the new profile.", rich_help_panel=PROFILE)
    ] = "default",
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            "-y",
            help="Ask nothing, and take the URL that is found in --url, .env or supabase/config.toml.",
            rich_help_panel=PROFILE,
        ),
    ] = False,
    own: Annotated[
        bool,
        typer.Option(
            "--own",
            help=(
                "Write to your own prt.toml, in the configuration folder of your system, instead of "
                "the one in this folder."
            ),
            rich_help_panel=PROFILE,
        ),
    ] = False,
    url: options.Url = None,
    debug: options.Debug = False,
) -> int:
    """Write a profile into prt.toml, by asking or from the files of a folder.

    With --yes the profile is made from --url, .env or supabase/config.toml, without questions. No secret is
    written: a profile says where each secret is read from. A local project of Supabase's CLI needs no secret,
    because its keys are the same on every machine. Nothing is sent over the network.

    prt init

    prt init --yes

    prt init --yes --own --name staging --url https://abcdefghij.supabase.co
    """
    import sys

    from prt.config import local_stack
    from prt.config.environment import environment
    from prt.config.project import CLIENT_KEY, URL, parse_url
    from prt.config.sources import all_sources, find, own_configuration
    from prt.config.terminal import is_terminal
    from prt.errors import UsageError
    from prt.views.sinks.stderr import notice

    folder = own_configuration() if own else Path.cwd()
    path = folder / "prt.toml"
    text = _present(path, name)
    # The folder of the own configuration counts as empty, so that old profiles don't affect the new one.
    sources, _ = all_sources(url, None, environment(), Path.cwd(), folder)
    sources = [source for source in sources if not source.is_profile]
    found = find(sources, URL)
    suggested = None if found is None else parse_url(found.value, found.origin)
    tables: Sequence[str] = ()
    stack = None if own else local_stack.of_folder(Path.cwd())
    if yes:
        if suggested is None:
            raise UsageError(
                "no URL found to make a profile of",
                "say --url, or run it where supabase/config.toml or .env is",
            )
        chosen = suggested
        if stack is not None and stack[1].serves(chosen):
            # The schema is the user's own, while the group `all` has the seed's tables.
            tables = ("*",)
    else:
        if not is_terminal(sys.stdin):
            raise UsageError("nobody can be asked here", "say --yes to take what is found")
        chosen = parse_url(typer.prompt("URL of the project", default=suggested, err=True), "the prompt")
        words = typer.prompt("Tables to watch (a group, names)", default="all", err=True)
        tables = () if words.strip() == "all" else words.replace(",", " ").split()
    answers = Answers(
        name=name,
        url=chosen,
        tables=tuple(tables),
        is_own=own,
        has_keys_here=not own and find(_files_of_folder(sources), CLIENT_KEY) is not None,
        is_stack=stack is not None and stack[1].serves(chosen),
    )
    _write(path, text + written(answers))
    notice(f"profile {name} written to {path}; `prt config{_option(name)}` shows what is in force")
    return 0


def written(answers: Answers) -> str:
    """Return the profile as TOML."""
    import json

    lines = [f"[profiles.{answers.name}]", f"url = {json.dumps(answers.url)}"]
    if answers.is_stack and not answers.has_keys_here:
        lines.append("# The keys are those that Supabase's CLI gives every local project.")
    elif answers.has_keys_here:
        lines.append("# The client key comes from .env, beside this file.")
    elif answers.is_own:
        lines.append('anon_key = { env = "SUPABASE_ANON_KEY" }')
    else:
        lines.append("# A publishable (or anon) key is public by design and may stand here:")
        lines.append('# publishable_key = "sb_publishable_…"')
    if answers.is_own:
        lines.append('# secret_key = { env = "SUPABASE_SECRET_KEY" }')
        lines.append('# password = { command = "pass show supabase" }')
    tables = ", ".join(json.dumps(table) for table in answers.tables)
    lines.append(f"tables = [{tables}]" if tables else '# tables = ["productions", "project_tasks"]')
    return "\n".join(lines) + "\n"


def _present(path: Path, name: str) -> str:
    """Return the current text of the file; empty if it doesn't exist.

    Raises:
        UsageError: The file has a profile of that name or can't be read, or the name is not valid.
    """
    import re

    from prt.config.files import read_text
    from prt.config.profiles import tables_of_profiles
    from prt.errors import UsageError

    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise UsageError(f"{name!r} is not a valid name for a profile", "use letters, digits, - and _")
    try:
        text = read_text(path)
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
        raise UsageError(f"{path} can't be read: {why}", "mend it or move it away") from exc
    if name in tables_of_profiles(text, path):
        raise UsageError(f"{path} has a profile {name} already", "choose another --name, or edit the file")
    return text if not text or text.endswith("\n\n") else f"{text.rstrip()}\n\n"


def _write(path: Path, text: str) -> None:
    """Write the file completely or not at all, with the permissions of any file that is to be shared."""
    from prt.config.files import write_whole
    from prt.errors import UsageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode(), mode=0o666)
    except OSError as exc:
        raise UsageError(
            f"{path} can't be written: {exc.strerror}", "choose another folder, or --own"
        ) from exc


def _files_of_folder(sources: Sequence[SettingsSource]) -> list[SettingsSource]:
    """Return the sources in this folder that hold the user's own keys."""
    from prt.config.sources import WORKING_DIRECTORY

    return [source for source in sources if source.trust == WORKING_DIRECTORY and not source.is_stack]


def _option(name: str) -> str:
    return "" if name == "default" else f" --profile {quoting.word(name)}"
