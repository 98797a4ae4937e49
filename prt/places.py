"""Where settings come from, in order, and how far each place is trusted.

`prt.toml`:

    [profiles.staging]
    url = "https://abcdefghijklmnopqrst.supabase.co"
    publishable_key = "sb_publishable_…"
    tables = ["productions", "project_tasks:INSERT,UPDATE"]

The profile "default" needs no `--profile`.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from prt import dotenv
from prt.errors import UsageError

COMMAND_LINE, USER_CONFIG, WORKING_DIRECTORY = 3, 2, 1
"""How far a place is trusted; the environment ranks with the command line."""

PROFILE_KEYS: Final = {
    "url": "SUPABASE_URL",
    "publishable_key": "SUPABASE_PUBLISHABLE_KEY",
    "anon_key": "SUPABASE_ANON_KEY",
    "secret_key": "SUPABASE_SECRET_KEY",
    "service_role_key": "SUPABASE_SERVICE_ROLE_KEY",
    "db_url": "SUPABASE_DB_URL",
}
"""The keys of a profile and the variables that they stand for."""

LOCAL_API_PORT = 54321


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere that values come from. `names` tells what a variable is called there.

    `problem` is why it can't be read: an error only for who finds nothing before it.
    """

    name: str
    trust: int
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    names: Mapping[str, str] = field(default_factory=dict)
    is_profile: bool = False
    problem: UsageError | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A value that is not empty, and where it was found."""

    value: str = field(repr=False)
    variable: str
    place: Place

    @property
    def origin(self) -> str:
        """For people: `SUPABASE_URL in .env`."""
        return f"{self.place.names.get(self.variable, self.variable)} {self.place.name}".strip()


def find(places: Iterable[Place], variables: tuple[str, ...], *, is_needed: bool = False) -> Found | None:
    """The first place that has any of the variables; empty ones count as unset."""
    for place in places:
        if place.problem is not None and is_needed:
            raise place.problem
        for variable in variables:
            value = place.values.get(variable, "").strip()
            if value:
                return Found(value, variable, place)
    return None


def all_places(
    url: str | None, profile: str | None, environ: Mapping[str, str], directory: Path
) -> tuple[list[Place], tuple[str, ...]]:
    """Every place, in order, and the tables of the profile. UsageError for a profile that isn't there."""
    places = []
    if url is not None:
        places.append(Place("", COMMAND_LINE, {"SUPABASE_URL": url}, {"SUPABASE_URL": "--url"}))
    places.append(Place("in the environment", COMMAND_LINE, environ))
    places.extend(_dotenv(directory / ".env"))
    profiles, tables = _profile_places(profile, environ, directory)
    return [*places, *profiles, *_supabase_folder(directory)], tables


def user_config_directory(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """Where the user's own `prt.toml` is: XDG, Application Support or APPDATA; None without a home."""
    if Path(environ.get("XDG_CONFIG_HOME", "")).is_absolute():
        return Path(environ["XDG_CONFIG_HOME"], "prt")
    if platform == "win32":
        return Path(environ["APPDATA"], "prt") if environ.get("APPDATA") else None
    if not environ.get("HOME"):
        return None
    return Path(
        environ["HOME"],
        *(("Library", "Application Support") if platform == "darwin" else (".config",)),
        "prt",
    )


def _dotenv(path: Path) -> Iterator[Place]:
    try:
        text = _read(path)
    except UsageError as problem:
        yield Place("in .env", WORKING_DIRECTORY, problem=problem)
    else:
        if text is not None:
            yield Place("in .env", WORKING_DIRECTORY, dotenv.parse(text))


def _profile_places(
    profile: str | None, environ: Mapping[str, str], directory: Path
) -> tuple[list[Place], tuple[str, ...]]:
    name = profile or "default"
    own = user_config_directory(environ)
    files = [(directory / "prt.toml", WORKING_DIRECTORY)]
    if own is not None:
        files.append((own / "prt.toml", USER_CONFIG))
    places: list[Place] = []
    tables: tuple[str, ...] = ()
    known: set[str] = set()
    for path, trust in files:
        try:
            text = _read(path)
            profiles = {} if text is None else _profiles(text, path)
            known |= profiles.keys()
            if name in profiles:
                values, its_tables = _settings(profiles[name], name, path)
                names = {variable: key for key, variable in PROFILE_KEYS.items()}
                places.append(Place(f"of profile {name} in {path}", trust, values, names, is_profile=True))
                tables = tables or its_tables
        except UsageError as problem:
            if profile is not None:
                raise
            places.append(Place(f"in {path}", trust, problem=problem))
    if profile is not None and not places:
        listed = ", ".join(sorted(known)) or "there is none in prt.toml, here or in your own configuration"
        raise UsageError(f"no profile {profile}", f"profiles: {listed}")
    return places, tables


def _profiles(text: str, path: Path) -> dict[str, dict[str, Any]]:
    profiles = _toml(text, path).get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(one, dict) for one in profiles.values()):
        raise UsageError(f"{path}: `profiles` is no table of tables", "write [profiles.NAME]")
    return profiles


def _settings(chosen: Mapping[str, Any], name: str, path: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    values: dict[str, str] = {}
    for key, value in chosen.items():
        if key == "tables":
            continue
        if key not in PROFILE_KEYS:
            known = [*PROFILE_KEYS, "tables"]
            close = get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
            raise UsageError(f"{path}: profile {name} has no setting {key}", hint)
        if not isinstance(value, str):
            raise UsageError(f"{path}: `{key}` of profile {name} is no text", "put it in quotes")
        values[PROFILE_KEYS[key]] = value
    tables = chosen.get("tables", [])
    if not isinstance(tables, list) or not all(isinstance(table, str) for table in tables):
        raise UsageError(f"{path}: `tables` of profile {name} is no list of names", 'write ["a", "b"]')
    return values, tuple(tables)


def _supabase_folder(directory: Path) -> Iterator[Place]:
    """The nearest `supabase/config.toml`: it has the port of the API, and no keys."""
    for folder in (directory, *directory.parents):
        path = folder / "supabase" / "config.toml"
        try:
            text = _read(path)
            if text is None:
                continue
            url = _local_url(text, path)
        except UsageError as problem:
            yield Place(f"in {path}", WORKING_DIRECTORY, problem=problem)
        else:
            yield Place(f"in {path}", WORKING_DIRECTORY, {"SUPABASE_URL": url}, {"SUPABASE_URL": "api.port"})
        return


def _local_url(text: str, path: Path) -> str:
    api = _toml(text, path).get("api", {})
    if not isinstance(api, dict):
        api = {}
    port = api.get("port", LOCAL_API_PORT)
    if not isinstance(port, int) or not 0 < port < 65536:
        raise UsageError(f"{path}: `api.port` is no port", f"it is a number, {LOCAL_API_PORT} by default")
    tls = api.get("tls", {})
    return f"{'https' if isinstance(tls, dict) and tls.get('enabled') is True else 'http'}://127.0.0.1:{port}"


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        # The parser's words name line and column, never the value.
        raise UsageError(f"{path} can't be read: {exc}", "mend it or move it away") from exc


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"{path} can't be read", "mend its rights or its encoding (UTF-8)") from exc
