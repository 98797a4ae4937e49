"""Which project, as whom, with which keys: the only module that reads the environment.

Order, first found wins: flag, environment, `.env`, profile of `prt.toml` (working directory, then the
user's own), `supabase/config.toml`. A key goes only to a URL that comes from a place as trusted or more.
"""

from __future__ import annotations

import os
import sys
import time
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from prt import dotenv
from prt.errors import UsageError
from prt.secret import KeyFacts, Secret, facts_of

Identity = Literal["anon", "service", "user", "token"]
Need = Literal["server_key", "database_url"]

URL = ("SUPABASE_URL",)
CLIENT_KEY = ("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY", "SUPABASE_KEY")
SERVER_KEY = ("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY")
DATABASE_URL = ("SUPABASE_DB_URL",)
TOKEN = ("PRT_TOKEN",)
PASSWORD = ("PRT_PASSWORD",)

PROFILE_KEYS: Final = {
    "url": "SUPABASE_URL",
    "publishable_key": "SUPABASE_PUBLISHABLE_KEY",
    "anon_key": "SUPABASE_ANON_KEY",
    "secret_key": "SUPABASE_SECRET_KEY",
    "service_role_key": "SUPABASE_SERVICE_ROLE_KEY",
    "db_url": "SUPABASE_DB_URL",
}
"""The keys of a profile and the variables that they stand for."""

COMMAND_LINE, USER_CONFIG, WORKING_DIRECTORY = 3, 2, 1
"""How far a place is trusted; the environment ranks with the command line."""

API_PATHS = ("/rest/v1", "/auth/v1", "/realtime/v1", "/storage/v1", "/functions/v1", "/graphql/v1")
HOSTED = (".supabase.co", ".supabase.in", ".supabase.red")
LOCAL_API_PORT = 54321


@dataclass(frozen=True, slots=True)
class Project:
    """One Supabase project and who we are in it. Keys that the place of its URL may not have are None."""

    url: str
    identity: Identity
    client_key: Secret | None = None
    server_key: Secret | None = None
    token: Secret | None = None
    email: str | None = None
    password: Secret | None = None
    database_url: Secret | None = None
    tables: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    @property
    def api_key(self) -> Secret:
        """What goes into `apikey`: the server key only for the identity "service"."""
        key = self.server_key if self.identity == "service" else self.client_key
        if key is None:
            raise UsageError("this project has no key", _KEY_HINT[self.identity == "service"])
        return key

    @property
    def host(self) -> str:
        """Host and port, for people."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class _Place:
    """Somewhere that values come from. `names` tells what a variable is called there."""

    name: str
    trust: int
    values: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)
    is_profile: bool = False

    def origin_of(self, variable: str) -> str:
        return f"{self.names.get(variable, variable)} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class _Found:
    value: str
    variable: str
    place: _Place

    @property
    def origin(self) -> str:
        return self.place.origin_of(self.variable)


_NO_PROJECT_HINT = (
    "try `prt demo`, add --local for an embedded project, or set SUPABASE_URL and SUPABASE_ANON_KEY "
    "(or SUPABASE_PUBLISHABLE_KEY)"
)
_KEY_HINT = {
    False: "set SUPABASE_PUBLISHABLE_KEY or SUPABASE_ANON_KEY next to the URL (Project Settings, API Keys)",
    True: "set SUPABASE_SECRET_KEY or SUPABASE_SERVICE_ROLE_KEY next to the URL (Project Settings, API Keys)",
}


def environment() -> dict[str, str]:
    """A copy of the environment, for those who start processes."""
    return dict(os.environ)


def resolve(
    *,
    url: str | None = None,
    as_: str | None = None,
    profile: str | None = None,
    local: Mapping[str, str] | None = None,
    needs: Collection[Need] = (),
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
    now: float | None = None,
) -> Project:
    """The project of this command; `local`, the environment of an embedded one, comes instead of all places.

    Raises UsageError: nothing configured, a key or password missing, of the wrong kind, of another
    project, or on its way to a URL from a less trusted place.
    """
    environ = os.environ if environ is None else environ
    directory = Path.cwd() if directory is None else directory
    if local is not None:
        places = [_Place("of the embedded project", COMMAND_LINE, local)]
        tables: tuple[str, ...] = ()
    else:
        places, tables = _places(url, profile, environ, directory)
    found_url = _find(places, URL)
    if found_url is None:
        raise UsageError("no project configured", _NO_PROJECT_HINT)
    address = parse_url(found_url.value, found_url.origin)
    identity, email = _identity(as_, has_token=_find(places, TOKEN) is not None)
    return _Resolution(places, found_url, address, needs, time.time() if now is None else now).project(
        identity, email, tables, profile
    )


class _Resolution:
    """Takes the keys that an identity needs, each checked against the URL; collects origins and notices."""

    def __init__(
        self, places: list[_Place], url: _Found, address: str, needs: Collection[Need], now: float
    ) -> None:
        self._places = places
        self._url = url
        self._address = address
        self._needs = needs
        self._now = now
        self._origins = {"url": url.origin}
        self._notices: list[str] = []

    def project(
        self, identity: Identity, email: str | None, tables: tuple[str, ...], profile: str | None
    ) -> Project:
        is_service = identity == "service"
        client_key = self._key("client_key", CLIENT_KEY, is_needed=not is_service)
        server_key = self._key("server_key", SERVER_KEY, is_needed=is_service or "server_key" in self._needs)
        token = self._take("token", TOKEN, is_needed=True) if identity == "token" else None
        password = self._take("password", PASSWORD, is_needed=True) if identity == "user" else None
        database_url = _find(self._places, DATABASE_URL)
        if database_url is not None:
            self._origins["database_url"] = database_url.origin
        elif "database_url" in self._needs:
            raise UsageError("this needs a direct connection to the database", "set SUPABASE_DB_URL")
        if token is not None:
            self._judge(facts_of(token), self._origins["token"])
        if is_service:
            self._notices.append(
                f"acting as service_role at {urlsplit(self._address).netloc}: "
                "row level security does not apply"
            )
        if profile is not None and not self._url.place.is_profile:
            self._notices.append(f"the URL is {self._url.origin}, not that of profile {profile}")
        parts = urlsplit(self._address)
        if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            self._notices.append(f"{parts.netloc} is reached without TLS: keys and rows travel in the clear")
        return Project(
            url=self._address,
            identity=identity,
            client_key=client_key,
            server_key=server_key,
            token=token,
            email=email,
            password=password,
            database_url=Secret(database_url.value) if database_url else None,
            tables=tables,
            origins=self._origins,
            notices=tuple(self._notices),
        )

    def _take(self, what: str, variables: tuple[str, ...], *, is_needed: bool) -> Secret | None:
        found = _find(self._places, variables)
        if found is None:
            return None
        if found.place.trust > self._url.place.trust:
            if is_needed:
                raise UsageError(
                    f"{found.origin} is not sent to the URL from {self._url.origin}",
                    f"a folder could collect your keys that way: set SUPABASE_URL where {found.variable} is, "
                    f"or keep both in one place",
                )
            return None
        secret = Secret(found.value)
        if any(character.isspace() or not character.isprintable() for character in found.value) and (
            what != "password"
        ):
            raise UsageError(
                f"{found.origin} holds spaces or control characters", "copy the key again, whole"
            )
        self._origins[what] = found.origin
        return secret

    def _key(self, what: str, variables: tuple[str, ...], *, is_needed: bool) -> Secret | None:
        key = self._take(what, variables, is_needed=is_needed)
        is_server = what == "server_key"
        if key is None:
            if is_needed:
                kind = "server" if is_server else "client"
                raise UsageError(f"no {kind} key for {urlsplit(self._address).netloc}", _KEY_HINT[is_server])
            return None
        if not is_needed:
            return key
        facts, origin = facts_of(key), self._origins[what]
        if not is_server and facts.is_server_key:
            raise UsageError(
                f"{origin} holds a server key ({facts.role}), which passes over row level security",
                "put it into SUPABASE_SECRET_KEY or SUPABASE_SERVICE_ROLE_KEY and say --as service, "
                "or use the client key",
            )
        if is_server and (facts.kind == "publishable" or facts.role in ("anon", "authenticated")):
            raise UsageError(f"{origin} holds a client key, not a server key", _KEY_HINT[True])
        self._judge(facts, origin)
        return key

    def _judge(self, facts: KeyFacts, origin: str) -> None:
        host = urlsplit(self._address).hostname or ""
        ref = next((host.removesuffix(domain) for domain in HOSTED if host.endswith(domain)), None)
        if ref is not None and facts.ref is not None and facts.ref != ref:
            raise UsageError(
                f"{origin} belongs to project {facts.ref}, the URL to {ref}",
                f"take the key of {ref}, or set SUPABASE_URL=https://{facts.ref}.supabase.co",
            )
        if facts.expires_at is not None and facts.expires_at <= self._now:
            self._notices.append(f"{origin} has expired")


def parse_url(text: str, origin: str = "--url") -> str:
    """The project's base URL, without a trailing API path. The text itself is never in an error."""
    hint = "it looks like https://PROJECT_REF.supabase.co or http://127.0.0.1:54321"
    text = text.strip()
    if "://" not in text:
        text = f"{'http' if _is_loopback(text.partition('/')[0].partition(':')[0]) else 'https'}://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise UsageError(f"the URL from {origin} is none", hint) from exc
    if parts.scheme in ("postgres", "postgresql"):
        raise UsageError(f"the URL from {origin} is the database's", "put it into SUPABASE_DB_URL; " + hint)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    if scheme not in ("http", "https") or not host or not text.isprintable() or " " in text:
        raise UsageError(f"the URL from {origin} is not a project's", hint)
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            f"the URL from {origin} holds a user or a password", "leave out what stands before @"
        )
    if parts.query or parts.fragment:
        raise UsageError(
            f"the URL from {origin} holds a query or a fragment", "leave out what follows ? or #"
        )
    segments = parts.path.strip("/").split("/")
    if host in ("supabase.com", "app.supabase.com") and "project" in segments[:-1]:
        ref = segments[segments.index("project") + 1]
        raise UsageError(f"the URL from {origin} is the dashboard's", f"use https://{ref}.supabase.co")
    path = parts.path
    for api_path in API_PATHS:
        before, found, after = path.partition(api_path)
        if found and (not after or after.startswith("/")):
            path = before
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}{f':{port}' if port else ''}{path.rstrip('/')}"


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _identity(as_: str | None, *, has_token: bool) -> tuple[Identity, str | None]:
    if as_ is None:
        return ("token" if has_token else "anon"), None
    if as_ == "anon":
        return "anon", None
    if as_ == "service":
        return "service", None
    if as_.count("@") == 1 and not as_.startswith("@") and not as_.endswith("@"):
        return "user", as_
    close = get_close_matches(as_, ("anon", "service"), n=1)
    hint = f"did you mean {close[0]}?" if close else "use anon, service or the email address of a user"
    raise UsageError("--as takes anon, service or an email address", hint)


def _find(places: list[_Place], variables: tuple[str, ...]) -> _Found | None:
    for place in places:
        for variable in variables:
            value = place.values.get(variable, "").strip()
            if value:
                return _Found(value, variable, place)
    return None


def _places(
    url: str | None, profile: str | None, environ: Mapping[str, str], directory: Path
) -> tuple[list[_Place], tuple[str, ...]]:
    places = []
    if url is not None:
        places.append(_Place("", COMMAND_LINE, {"SUPABASE_URL": url}, {"SUPABASE_URL": "--url"}))
    places.append(_Place("in the environment", COMMAND_LINE, environ))
    dotenv_text = _read(directory / ".env")
    if dotenv_text is not None:
        places.append(_Place("in .env", WORKING_DIRECTORY, dotenv.parse(dotenv_text)))
    tables: tuple[str, ...] = ()
    known: set[str] = set()
    is_found = False
    for path, trust in _profile_files(environ, directory):
        text = _read(path)
        if text is None:
            continue
        profiles = _profiles(text, path)
        known |= profiles.keys()
        chosen = profiles.get(profile or "default")
        if chosen is None:
            continue
        is_found = True
        place, its_tables = _profile_place(chosen, profile or "default", path, trust)
        places.append(place)
        tables = tables or its_tables
    if profile is not None and not is_found:
        names = ", ".join(sorted(known)) or "there is no prt.toml with one"
        raise UsageError(f"no profile {profile}", f"profiles: {names}")
    places.extend(_supabase_folder(directory))
    return places, tables


def _profile_files(environ: Mapping[str, str], directory: Path) -> Iterator[tuple[Path, int]]:
    yield directory / "prt.toml", WORKING_DIRECTORY
    own = user_config_directory(environ)
    if own is not None:
        yield own / "prt.toml", USER_CONFIG


def user_config_directory(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """Where the user's own `prt.toml` is: XDG, Application Support or APPDATA; None without a home."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if environ.get("XDG_CONFIG_HOME", "").startswith("/"):
        return Path(environ["XDG_CONFIG_HOME"], "prt")
    if platform == "win32":
        return Path(environ["APPDATA"], "prt") if environ.get("APPDATA") else None
    if not home:
        return None
    return Path(home, *(("Library", "Application Support") if platform == "darwin" else (".config",)), "prt")


def _profiles(text: str, path: Path) -> dict[str, Any]:
    profiles = _toml(text, path).get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(one, dict) for one in profiles.values()):
        raise UsageError(f"{path}: `profiles` is no table of tables", "write [profiles.NAME]")
    return profiles


def _profile_place(
    chosen: Mapping[str, Any], name: str, path: Path, trust: int
) -> tuple[_Place, tuple[str, ...]]:
    tables = chosen.get("tables", [])
    if not isinstance(tables, list) or not all(isinstance(table, str) for table in tables):
        raise UsageError(f"{path}: `tables` of profile {name} is no list of names")
    values = {}
    for key, value in chosen.items():
        if key == "tables":
            continue
        if key not in PROFILE_KEYS:
            close = get_close_matches(key, [*PROFILE_KEYS, "tables"], n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join([*PROFILE_KEYS, 'tables'])}"
            raise UsageError(f"{path}: profile {name} has no setting {key}", hint)
        if not isinstance(value, str):
            raise UsageError(f"{path}: `{key}` of profile {name} is no text", "put it in quotes")
        values[PROFILE_KEYS[key]] = value
    names = {variable: key for key, variable in PROFILE_KEYS.items()}
    return _Place(f"of profile {name} in {path}", trust, values, names, is_profile=True), tuple(tables)


def _supabase_folder(directory: Path) -> Iterator[_Place]:
    for folder in (directory, *directory.parents):
        path = folder / "supabase" / "config.toml"
        text = _read(path)
        if text is None:
            continue
        api = _toml(text, path).get("api", {})
        port = api.get("port", LOCAL_API_PORT) if isinstance(api, dict) else LOCAL_API_PORT
        if not isinstance(port, int) or not 0 < port < 65536:
            raise UsageError(f"{path}: `api.port` is no port", "it is a number, 54321 by default")
        tls = api.get("tls", {}) if isinstance(api, dict) else {}
        scheme = "https" if isinstance(tls, dict) and tls.get("enabled") is True else "http"
        yield _Place(
            f"in {path}",
            WORKING_DIRECTORY,
            {"SUPABASE_URL": f"{scheme}://127.0.0.1:{port}"},
            {"SUPABASE_URL": "api.port"},
        )
        return


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
