"""The project, the identity and the keys of a command, resolved from the sources of settings.

Order, first found wins: flag, environment, `.env`, profile of `prt.toml` (working directory, then the user's
own), `supabase/config.toml`. A key is only sent to a URL from an equally or more trusted source.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from prt import quoting
from prt.config.database_url import libpq_url
from prt.config.environment import LIBPQ, withdraw
from prt.config.hosts import is_loopback
from prt.config.profiles import Defaults
from prt.config.secret import KeyFacts, Secret, facts_of
from prt.config.sources import (
    COMMAND_LINE,
    Found,
    SettingsSource,
    Surroundings,
    all_sources,
    find,
    own_configuration,
    register_secrets,
)
from prt.errors import ConfigError, NoProjectError, UsageError, WrongKeyError
from prt.inputs import Input
from prt.suggestions import did_you_mean

Identity = Literal["anon", "service", "user", "token"]
Need = Literal["server_key", "database_url"]

URL = ("SUPABASE_URL",)
CLIENT_KEY = ("SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY", "SUPABASE_KEY")
SERVER_KEY = ("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY")
DATABASE_URL = ("SUPABASE_DB_URL",)
TOKEN = ("PRT_TOKEN",)
PASSWORD = ("PRT_PASSWORD",)
JWT_SECRET = ("SUPABASE_JWT_SECRET",)
STRANGER_PASSWORD = ("PRT_STRANGER_PASSWORD",)

API_PATHS = ("/rest/v1", "/auth/v1", "/realtime/v1", "/storage/v1", "/functions/v1", "/graphql/v1")
HOSTED = (".supabase.co", ".supabase.in", ".supabase.red")


@dataclass(frozen=True, slots=True)
class Project:
    """A Supabase project and our identity in it. Keys that its URL isn't trusted with are None."""

    url: str
    identity: Identity
    client_key: Secret | None = None
    server_key: Secret | None = None
    token: Secret | None = None
    email: str | None = None
    password: Secret | None = None
    database_url: Secret | None = None
    jwt_secret: Secret | None = None
    stranger_password: Secret | None = None
    defaults: Defaults = field(default_factory=Defaults)
    origins: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    @property
    def api_key(self) -> Secret:
        """The value of the header `apikey`: the server key only for the identity "service"."""
        key = self.server_key if self.identity == "service" else self.client_key
        if key is None:
            raise WrongKeyError("this project has no key", _KEY_HINT[self.identity == "service"])
        return key

    @property
    def host(self) -> str:
        """Host and port, for people."""
        return urlsplit(self.url).netloc


_KEY_HINT = {
    False: "set SUPABASE_PUBLISHABLE_KEY or SUPABASE_ANON_KEY next to the URL (Project Settings, API Keys)",
    True: "set SUPABASE_SECRET_KEY or SUPABASE_SERVICE_ROLE_KEY next to the URL (Project Settings, API Keys)",
}


def resolve(
    *,
    url: str | None = None,
    as_: str | None = None,
    profile: str | None = None,
    local: Mapping[str, str] | None = None,
    needs: Collection[Need] = (),
    surroundings: Surroundings | None = None,
    has_keys: bool = True,
) -> Project:
    """Return the project of this command.

    Args:
        url: The project's URL, if the command line gives one.
        as_: "anon", "service" or a user's email address; None is the token's user, else "anon".
        profile: The name of a profile; None is "default".
        local: The environment of an embedded project, which replaces all sources.
        needs: Secrets that the command requires.
        surroundings: The other sources.
        has_keys: Whether to look for keys; a command that only forwards must not have any.

    Raises:
        UsageError: Nothing is configured, or a key or a password is missing, of the wrong kind, of another
            project, or on its way to a URL from a less trusted source.
    """
    surroundings = surroundings or Surroundings()
    environ = os.environ if surroundings.environ is None else surroundings.environ
    if local is not None:
        withdraw(LIBPQ)
        register_secrets(local)
        sources, defaults = [SettingsSource("of the embedded project", COMMAND_LINE, local)], Defaults()
    else:
        directory, own = surroundings.directory, surroundings.own
        sources, defaults = all_sources(
            url,
            profile,
            environ,
            _working_directory() if directory is None else directory,
            own_configuration() if own is None else own,
        )
    found_url = find(sources, URL, is_needed=True)
    if found_url is None:
        raise NoProjectError(
            "no project configured",
            f"try `prt demo`, add {Input.LOCAL} for an embedded project, or set SUPABASE_URL and "
            "SUPABASE_ANON_KEY (or SUPABASE_PUBLISHABLE_KEY)",
        )
    address = parse_url(found_url.value, found_url.origin)
    if not has_keys:
        origins, notices = {"url": found_url.origin}, _clear_text_notices(address)
        return Project(url=address, identity="anon", defaults=defaults, origins=origins, notices=notices)
    identity, email = _identity(as_, has_token=find(sources, TOKEN) is not None)
    now = time.time() if surroundings.now is None else surroundings.now
    return _Resolution(sources, found_url, address, needs, now).project(identity, email, defaults, profile)


class _Resolution:
    """Finds the keys that an identity needs and checks them against the URL; collects origins and notices."""

    def __init__(
        self, sources: list[SettingsSource], url: Found, address: str, needs: Collection[Need], now: float
    ) -> None:
        self._sources = sources
        self._url = url
        self._address = address
        self._needs = needs
        self._now = now
        self._origins = {"url": url.origin}
        self._notices: list[str] = []

    def project(
        self, identity: Identity, email: str | None, defaults: Defaults, profile: str | None
    ) -> Project:
        is_service = identity == "service"
        client_key = self._key("client_key", CLIENT_KEY, is_needed=not is_service)
        server_key = self._key("server_key", SERVER_KEY, is_needed=is_service or "server_key" in self._needs)
        token = self._secret("token", TOKEN, is_needed=True) if identity == "token" else None
        password = self._secret("password", PASSWORD, is_needed=True) if identity == "user" else None
        database_url = find(self._sources, DATABASE_URL, is_needed="database_url" in self._needs)
        if database_url is not None:
            self._origins["database_url"] = database_url.origin
        elif "database_url" in self._needs:
            raise ConfigError("this needs a direct connection to the database", "set SUPABASE_DB_URL")
        if token is not None:
            self._judge(facts_of(token), self._origins["token"])
        if is_service:
            self._notices.append(
                f"acting as service_role at {urlsplit(self._address).netloc}: "
                "row level security does not apply"
            )
        if profile is not None and not self._url.source.is_profile:
            self._notices.append(f"the URL is {self._url.origin}, not that of profile {profile}")
        self._notices.extend(_clear_text_notices(self._address))
        return Project(
            url=self._address,
            identity=identity,
            client_key=client_key,
            server_key=server_key,
            token=token,
            email=email,
            password=password,
            database_url=Secret(libpq_url(database_url.value)) if database_url else None,
            jwt_secret=self._secret("jwt_secret", JWT_SECRET, is_needed=False),
            stranger_password=self._secret("stranger_password", STRANGER_PASSWORD, is_needed=False),
            defaults=defaults,
            origins=self._origins,
            notices=tuple(self._notices),
        )

    def _secret(self, what: str, variables: tuple[str, ...], *, is_needed: bool) -> Secret | None:
        found = find(self._sources, variables, is_needed=is_needed)
        if found is None:
            return None
        trust = self._url.source.trust
        if found.source.trust > trust:
            # A profile that names the variable is trusted with its value.
            vouched = find([source for source in self._sources if source.trust <= trust], variables)
            found = vouched if vouched is not None and vouched.value == found.value else found
        if found.source.trust > trust:
            if is_needed:
                raise WrongKeyError(
                    f"{found.origin} is not sent to the URL from {self._url.origin}",
                    f"a folder could collect your keys that way: set SUPABASE_URL where {found.variable} is, "
                    f"or keep both in one place",
                )
            return None
        secret = Secret(found.value)
        if not is_utf8(found.value):
            raise UsageError(f"{found.origin} is not UTF-8", "set it again, in UTF-8")
        if what not in ("password", "stranger_password", "jwt_secret") and _is_quoted(found.value):
            raise UsageError(
                f"{found.origin} has quotes around it",
                "leave them out: docker, systemd and CI take them for a part of the value",
            )
        if any(character.isspace() or not character.isprintable() for character in found.value) and (
            what not in ("password", "stranger_password", "jwt_secret")
        ):
            raise WrongKeyError(
                f"{found.origin} holds spaces or control characters", "copy the key again, whole"
            )
        self._origins[what] = found.origin
        return secret

    def _key(self, what: str, variables: tuple[str, ...], *, is_needed: bool) -> Secret | None:
        key = self._secret(what, variables, is_needed=is_needed)
        is_server = what == "server_key"
        if key is None:
            if is_needed:
                kind = "server" if is_server else "client"
                hint = _KEY_HINT[is_server]
                if not is_server and find(self._sources, SERVER_KEY) is not None:
                    hint += f", or say {Input.IDENTITY} service to use the server key"
                raise WrongKeyError(f"no {kind} key for {urlsplit(self._address).netloc}", hint)
            return None
        if not is_needed:
            return key
        facts, origin = facts_of(key), self._origins[what]
        if not is_server and facts.is_server_key:
            raise WrongKeyError(
                f"{origin} holds a server key ({facts.role}), which passes over row level security",
                "put it into SUPABASE_SECRET_KEY or SUPABASE_SERVICE_ROLE_KEY and say "
                f"{Input.IDENTITY} service, or use the client key",
            )
        if is_server and (facts.kind == "publishable" or facts.role in ("anon", "authenticated")):
            raise WrongKeyError(f"{origin} holds a client key, not a server key", _KEY_HINT[True])
        self._judge(facts, origin)
        return key

    def _judge(self, facts: KeyFacts, origin: str) -> None:
        host = urlsplit(self._address).hostname or ""
        ref = next((host.removesuffix(domain) for domain in HOSTED if host.endswith(domain)), None)
        if ref is not None and facts.ref is not None and facts.ref != ref:
            raise WrongKeyError(
                f"{origin} belongs to project {facts.ref}, the URL to {ref}",
                f"take the key of {ref}, or set SUPABASE_URL={quoting.word(f'https://{facts.ref}.supabase.co')}",
            )
        if facts.expires_at is not None and facts.expires_at <= self._now:
            self._notices.append(f"{origin} has expired")


def _clear_text_notices(address: str) -> tuple[str, ...]:
    parts = urlsplit(address)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return (f"{parts.netloc} is reached without TLS: keys and rows travel in the clear",)
    return ()


def parse_url(text: str, origin: str) -> str:
    """Return the project's base URL, without a trailing API path. Errors never contain the text."""
    hint = "it looks like https://PROJECT_REF.supabase.co or http://127.0.0.1:54321"
    if _is_quoted(text.strip()):
        raise UsageError(
            f"the URL from {origin} has quotes around it",
            "leave them out: docker, systemd and CI take them for a part of the value",
        )
    text = text.strip()
    if "://" not in text:
        text = f"{'http' if is_loopback(text.partition('/')[0].partition(':')[0]) else 'https'}://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise ConfigError(f"the URL from {origin} is none", hint) from exc
    if parts.scheme in ("postgres", "postgresql"):
        raise ConfigError(f"the URL from {origin} is the database's", "put it into SUPABASE_DB_URL; " + hint)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    if scheme not in ("http", "https") or not host or not text.isprintable() or " " in text:
        raise ConfigError(f"the URL from {origin} is not a project's", hint)
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"the URL from {origin} holds a user or a password", "leave out what stands before @"
        )
    if parts.query or parts.fragment:
        raise ConfigError(
            f"the URL from {origin} holds a query or a fragment", "leave out what follows ? or #"
        )
    segments = parts.path.strip("/").split("/")
    if host in ("supabase.com", "app.supabase.com") and "project" in segments[:-1]:
        ref = segments[segments.index("project") + 1]
        raise ConfigError(
            f"the URL from {origin} is the dashboard's", f"use {quoting.word(f'https://{ref}.supabase.co')}"
        )
    path = parts.path
    for api_path in API_PATHS:
        before, found, after = path.partition(api_path)
        if found and (not after or after.startswith("/")):
            path = before
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}{f':{port}' if port else ''}{path.rstrip('/')}"


def is_utf8(text: str) -> bool:
    """Return whether a text of the command line or the environment was valid UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] and text[0] in "'\"`"


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as exc:
        raise ConfigError("the working directory is gone", "change to one that exists") from exc


def _identity(as_: str | None, *, has_token: bool) -> tuple[Identity, str | None]:
    if as_ is None:
        return ("token" if has_token else "anon"), None
    if as_ == "anon":
        return "anon", None
    if as_ == "service":
        return "service", None
    if as_.count("@") == 1 and not as_.startswith("@") and not as_.endswith("@"):
        return "user", as_
    hint = did_you_mean(as_, ("anon", "service"), "use anon, service or the email address of a user")
    raise UsageError(f"{Input.IDENTITY} takes anon, service or an email address", hint)
