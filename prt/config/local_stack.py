"""The local project of Supabase's CLI: its address after `supabase start`, and its keys.

Ports, keys and passwords are the same on every machine unless `supabase/config.toml` changes them. They are
public and not treated as secrets, and are only used for addresses of this machine.
https://supabase.com/docs/guides/local-development/cli/config
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from prt.config.files import read_settings
from prt.config.hosts import is_loopback
from prt.errors import ConfigError

API_PORT: Final = 54321
DATABASE_PORT: Final = 54322
PASSWORD: Final = "postgres"  # noqa: S105 - public
JWT_SECRET: Final = "super-secret-jwt-token-with-at-least-32-characters-long"  # noqa: S105 - public
PUBLISHABLE_KEY: Final = "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH"
SECRET_KEY: Final = "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz"  # noqa: S105 - public

ISSUER: Final = "supabase-demo"
EXPIRES: Final = 1983812996
"""When the keys expire, in seconds since the epoch."""

FILE: Final = Path("supabase", "config.toml")
_TEXTS: Final = ("jwt_secret", "anon_key", "service_role_key", "publishable_key", "secret_key")
_VARIABLE: Final = "env("
"""The beginning of a setting that the CLI reads from the environment."""


class Stack(Struct, frozen=True, kw_only=True):
    """A local project of the CLI; the defaults are the CLI's."""

    api_port: int = API_PORT
    database_port: int = DATABASE_PORT
    is_encrypted: bool = False
    jwt_secret: str = JWT_SECRET
    anon_key: str | None = None
    service_role_key: str | None = None
    publishable_key: str = PUBLISHABLE_KEY
    secret_key: str = SECRET_KEY
    has_anonymous_sign_ins: bool = False
    variables: tuple[str, ...] = ()
    """The settings of `auth` that the file takes from the environment.

    They are not read, because the file may come from anybody, and the environment's value is secret.
    """

    @property
    def url(self) -> str:
        """The URL of the local project."""
        return f"http{'s' if self.is_encrypted else ''}://127.0.0.1:{self.api_port}"

    @property
    def database_url(self) -> str:
        """The URL of its database."""
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.database_port}/postgres"

    def serves(self, url: str) -> bool:
        """Return whether a URL belongs to this project: a host of this machine, and the port of the API."""
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            return is_loopback(parts.hostname or "") and parts.port == self.api_port
        except ValueError:
            return False

    @property
    def anon(self) -> str | None:
        """The API key of the role `anon`, a JWT; None if only the environment has it."""
        return self._key("anon", self.anon_key)

    @property
    def service_role(self) -> str | None:
        """The API key of the role `service_role`, a JWT; None if only the environment has it."""
        return self._key("service_role", self.service_role_key)

    @property
    def signing_secret(self) -> str | None:
        """The JWT secret; None if only the environment has it."""
        return None if "jwt_secret" in self.variables else self.jwt_secret

    def _key(self, role: str, given: str | None) -> str | None:
        if given is not None or f"{role}_key" in self.variables or self.signing_secret is None:
            return given
        import jwt  # noqa: PLC0415 - slow, and only needed for a local project

        return jwt.encode({"iss": ISSUER, "role": role, "exp": EXPIRES}, self.signing_secret, "HS256")


def of_folder(directory: Path) -> tuple[Path, Stack] | None:
    """Return the nearest `supabase/config.toml` in a folder or its parents, and its content, if there is any.

    Raises:
        ConfigError: The file can't be read, is not TOML, or has an invalid port or key.
    """
    for folder in (directory, *directory.parents):
        path = folder / FILE
        text = read_settings(path)
        if text is not None:
            return path, _parsed(text, path)
    return None


def _parsed(text: str, path: Path) -> Stack:
    found = _toml(text, path)
    api, auth, database = (_table(found, name) for name in ("api", "auth", "db"))
    texts = {name: value for name in _TEXTS if isinstance(value := auth.get(name), str) and value}
    given = {name: value for name, value in texts.items() if not value.startswith(_VARIABLE)}
    for name, value in given.items():
        _require_plain(name, value, path)
    return Stack(
        api_port=_port(api, "api", API_PORT, path),
        database_port=_port(database, "db", DATABASE_PORT, path),
        is_encrypted=_table(api, "tls").get("enabled") is True,
        variables=tuple(name for name in texts if name not in given),
        **given,
        has_anonymous_sign_ins=auth.get("enable_anonymous_sign_ins") is True,
    )


def _require_plain(name: str, value: str, path: Path) -> None:
    """Raise ConfigError for a value that would begin another line, and so another variable, in a file."""
    is_secret = name == "jwt_secret"
    if not value.isprintable() or (" " in value and not is_secret):
        what = "control characters" if is_secret else "spaces or control characters"
        raise ConfigError(f"{path}: `auth.{name}` holds {what}", "copy the value again, whole")


def _table(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = found.get(name, {})
    return table if isinstance(table, dict) else {}


def _port(table: Mapping[str, Any], name: str, default: int, path: Path) -> int:
    port = table.get("port", default)
    if not isinstance(port, int) or not 0 < port < 65536:
        raise ConfigError(f"{path}: `{name}.port` is not a port", f"it is a number, {default} by default")
    return port


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as exc:
        raise ConfigError(f"{path} can't be read: it is nested too deep", "mend it or move it away") from exc
    except tomllib.TOMLDecodeError as exc:
        # The parser's message has the line and column, but never the value.
        raise ConfigError(f"{path} can't be read: {exc}", "mend it or move it away") from exc
