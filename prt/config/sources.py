"""The sources of settings in their order, and how far each is trusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prt.config import dotenv, local_stack, profiles
from prt.config.environment import environment
from prt.config.files import read_settings
from prt.config.local_stack import Stack
from prt.config.profiles import Defaults
from prt.errors import ConfigError
from prt.inputs import Input
from prt.redaction import register, register_database, register_url

COMMAND_LINE, USER_CONFIG, WORKING_DIRECTORY = 3, 2, 1
"""How far a source is trusted; the environment is trusted like the command line."""

SECRETS = (
    *("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY", "SUPABASE_KEY"),
    *("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_JWT_SECRET"),
    *("PRT_TOKEN", "PRT_PASSWORD", "PRT_STRANGER_PASSWORD"),
)
"""Variables whose whole value is a secret."""
SECRET_URLS = ("SUPABASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""Variables with a URL that may have a password; those of proxies are also written in lower case."""

_STACK_NAMES: Final = {
    "SUPABASE_ANON_KEY": "the anon key",
    "SUPABASE_SERVICE_ROLE_KEY": "the service_role key",
    "SUPABASE_DB_URL": "db.port",
    "SUPABASE_JWT_SECRET": "auth.jwt_secret",
}
"""Names for the values of a local project, most of which its file doesn't need to have."""
COMMAND_SECONDS = 60
"""How long a command of a profile may take; a password manager may ask the user."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The sources of a project's settings; None is that of this process."""

    environ: Mapping[str, str] | None = None
    directory: Path | None = None
    """The working directory."""
    own: Path | None = None
    """The folder of the user's own configuration."""
    now: float | None = None
    """The time in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class SettingsSource:
    """A source of values.

    Attributes:
        name: The source in words, such as "in the environment".
        trust: How far the source is trusted.
        values: Values by variable.
        names: Names of variables in this source, if they differ.
        commands: Commands that print the value of a variable, run only if it's needed.
        is_profile: Whether it's a profile of `prt.toml`.
        problem: Why the source can't be read; raised only if nothing is found before it.
        missing: Why a variable can't be read; raised only if nothing is found before it.
    """

    name: str
    trust: int
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    names: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    is_profile: bool = False
    is_stack: bool = False
    """Whether the source is a local project of Supabase's CLI, whose keys are public."""
    problem: ConfigError | None = None
    missing: Mapping[str, ConfigError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A value that isn't empty, and its source."""

    value: str = field(repr=False)
    variable: str
    source: SettingsSource

    @property
    def origin(self) -> str:
        """The source in words, as `SUPABASE_URL in .env`."""
        return f"{self.source.names.get(self.variable, self.variable)} {self.source.name}".strip()


def find(
    sources: Iterable[SettingsSource], variables: tuple[str, ...], *, is_needed: bool = False
) -> Found | None:
    """Return the value of the first source that has one of the variables; None if there is none.

    Args:
        sources: The sources in order.
        variables: The variables in order; empty values count as unset.
        is_needed: Whether the value is going to be used. If not, no command of a profile is run for it, and
            a source that can't be read is skipped instead of an error.

    Raises:
        ConfigError: The value is needed, and a source can't be read.
    """
    for source in sources:
        if source.problem is not None and is_needed:
            raise source.problem
        for variable in variables:
            value = source.values.get(variable, "").strip()
            if not value and is_needed and variable in source.commands:
                value = printed_by(source.commands[variable], f"{source.names[variable]} {source.name}")
                register_secrets({variable: value})
            if value:
                return Found(value, variable, source)
            if is_needed and variable in source.missing:
                raise source.missing[variable]
    return None


def all_sources(
    url: str | None, profile: str | None, environ: Mapping[str, str], directory: Path, own: Path
) -> tuple[list[SettingsSource], Defaults]:
    """Return all sources in order, and the profile's defaults.

    Args:
        url: The URL of the command line, or None.
        profile: The name of the profile; None is "default".
        environ: The environment.
        directory: The working directory.
        own: The folder of the user's own configuration.

    Raises:
        ConfigError: The named profile doesn't exist.
    """
    sources = []
    if url is not None:
        register_url(url)
        sources.append(
            SettingsSource("", COMMAND_LINE, {"SUPABASE_URL": url}, {"SUPABASE_URL": str(Input.URL)})
        )
    register_secrets(environ)
    sources.append(SettingsSource("in the environment", COMMAND_LINE, environ))
    sources.extend(_dotenv(directory / ".env"))
    of_profiles, defaults = _profile_sources(profile, environ, directory, own)
    sources += of_profiles
    return [*sources, *_supabase_folder(directory, find(sources, ("SUPABASE_URL",)))], defaults


def register_secrets(values: Mapping[str, str]) -> None:
    """Redact the secrets among these variables in all later output, whether they are used or not."""
    for variable in SECRETS:
        register(values.get(variable, "").strip())
    for variable in SECRET_URLS:
        for name in (variable, variable.lower()):
            register_url(values.get(name, ""))
    register_database(values.get("SUPABASE_DB_URL", "").strip())


def own_configuration() -> Path:
    """Return the folder of the user's own configuration, which depends on the system."""
    import platformdirs  # noqa: PLC0415 - only needed to read a profile

    return platformdirs.user_config_path("prt", appauthor=False, roaming=True)


def _dotenv(path: Path) -> Iterator[SettingsSource]:
    try:
        text = read_settings(path)
    except ConfigError as problem:
        yield SettingsSource("in .env", WORKING_DIRECTORY, problem=problem)
    else:
        if text is not None:
            values = dotenv.parse(text)
            register_secrets(values)
            yield SettingsSource("in .env", WORKING_DIRECTORY, values)


def _profile_sources(
    profile: str | None, environ: Mapping[str, str], directory: Path, own: Path
) -> tuple[list[SettingsSource], Defaults]:
    name = profile or "default"
    sources: list[SettingsSource] = []
    defaults: Defaults | None = None
    known: set[str] = set()
    for path, trust in ((directory / "prt.toml", WORKING_DIRECTORY), (own / "prt.toml", USER_CONFIG)):
        try:
            text = read_settings(path)
            found = {} if text is None else profiles.tables_of_profiles(text, path)
            known |= found.keys()
            if name in found:
                one = profiles.parse(found[name], name, path, is_own=trust == USER_CONFIG)
                sources += _sources_of(one, path, trust, environ)
                defaults = defaults or one.defaults
        except ConfigError as problem:
            if profile is not None:
                raise
            sources.append(SettingsSource(f"in {path}", trust, problem=problem))
    if profile is not None and not sources:
        listed = ", ".join(sorted(known)) or "there is none in prt.toml, here or in your own configuration"
        raise ConfigError(f"no profile {profile}", f"profiles: {listed}")
    return sources, defaults or Defaults()


def _sources_of(
    one: profiles.Profile, path: Path, trust: int, environ: Mapping[str, str]
) -> Iterator[SettingsSource]:
    """Yield the sources of a profile: its values, then those from the environment.

    A variable that a cloned folder names keeps the trust of the environment: it's not sent to a URL of that
    folder.
    """
    where = f"of profile {one.name} in {path}"
    by_kind: dict[str, dict[str, str]] = {"text": {}, "env": {}, "command": {}}
    names: dict[str, str] = {}
    for key, source in one.sources.items():
        variable = profiles.VARIABLES[key]
        by_kind[source.kind][variable] = source.text
        names[variable] = f"{key} (${source.text})" if source.kind == "env" else key
    register_secrets(by_kind["text"])
    yield SettingsSource(where, trust, by_kind["text"], names, by_kind["command"], is_profile=True)
    if by_kind["env"]:
        values = {variable: environ.get(name, "") for variable, name in by_kind["env"].items()}
        register_secrets(values)
        yield SettingsSource(
            where,
            trust if trust == USER_CONFIG else COMMAND_LINE,
            values,
            names,
            is_profile=True,
            missing={
                variable: ConfigError(f"{names[variable]} {where} is not set", f"set {name}")
                for variable, name in by_kind["env"].items()
            },
        )


def printed_by(command: str, origin: str) -> str:
    """Return the first line that a command of the user's own configuration prints; no shell is used.

    Raises:
        ConfigError: The command fails or prints nothing.
    """
    import shlex  # noqa: PLC0415 - only needed if there is a command
    import subprocess  # noqa: PLC0415

    try:
        done = subprocess.run(  # noqa: S603 - it's the user's own command
            shlex.split(command),
            stdout=subprocess.PIPE,
            env=environment(),
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as exc:
        reason = "is not done in time" if isinstance(exc, subprocess.TimeoutExpired) else "can't be run"
        raise ConfigError(f"the command for {origin} {reason}", "run it by hand to see why") from exc
    line = done.stdout.strip().partition("\n")[0]
    if done.returncode or not line:
        failed = f"ended with {done.returncode}" if done.returncode else "printed nothing"
        raise ConfigError(f"the command for {origin} {failed}", "run it by hand to see why")
    return line


def _supabase_folder(directory: Path, url: Found | None) -> Iterator[SettingsSource]:
    """Yield the source of the nearest `supabase/config.toml`: the URL of a local project, and its keys.

    `url` is the URL from an earlier source; the keys are only added if that URL belongs to this project.
    """
    try:
        found = local_stack.of_folder(directory)
    except ConfigError as problem:
        yield SettingsSource(f"in {local_stack.FILE}", WORKING_DIRECTORY, problem=problem)
        return
    if found is None:
        return
    path, stack = found
    values, names, missing = {"SUPABASE_URL": stack.url}, {"SUPABASE_URL": "api.port"}, {}
    if url is None or stack.serves(url.value):
        values |= variables_of(stack)
        register_secrets(values)
        names |= _STACK_NAMES
        missing = {name: _unread(stack, path) for name in _STACK_NAMES if not values.get(name)}
    yield SettingsSource(f"in {path}", WORKING_DIRECTORY, values, names, is_stack=True, missing=missing)


def variables_of(stack: Stack) -> dict[str, str]:
    """Return the variables of a local project, without values that only the environment has."""
    found = {
        "SUPABASE_URL": stack.url,
        "SUPABASE_ANON_KEY": stack.anon,
        "SUPABASE_SERVICE_ROLE_KEY": stack.service_role,
        "SUPABASE_DB_URL": stack.database_url,
        "SUPABASE_JWT_SECRET": stack.signing_secret,
    }
    return {name: value for name, value in found.items() if value is not None}


def _unread(stack: Stack, path: Path) -> ConfigError:
    settings = ", ".join(f"auth.{name}" for name in stack.variables)
    return ConfigError(
        f"{path} takes {settings} from the environment, which is not read for a folder's file",
        "set SUPABASE_URL and SUPABASE_ANON_KEY as `supabase status` shows them",
    )
