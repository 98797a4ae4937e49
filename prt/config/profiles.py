"""The profiles of `prt.toml`. A profile names the source of a secret, but never holds the secret itself.

    [profiles.staging]
    url = "https://abcdefghijklmnopqrst.supabase.co"
    publishable_key = "sb_publishable_…"                # public by design; { env = "NAME" } works too
    secret_key = { env = "STAGING_SECRET_KEY" }
    password = { command = "pass show staging/maya" }   # only in the user's own configuration
    tables = ["productions", "project_tasks:INSERT,UPDATE"]
    filters = ["project_tasks:production_id=eq.42"]
    views = ["board", "feed"]
    alerts = ["budgets: spent/amount>=0.9:critical"]
    max_lag = ["p95=500ms"]
    min_delivery = 99.9

    [profiles.staging.feed]
    project_tasks = "task {new[title]} is {new[status]}"

The profile "default" needs no `--profile`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from prt.config.secret import Secret, facts_of
from prt.errors import ConfigError
from prt.redaction import register, register_url
from prt.suggestions import did_you_mean

PUBLIC_KEYS: Final = {
    "url": "SUPABASE_URL",
    "publishable_key": "SUPABASE_PUBLISHABLE_KEY",
    "anon_key": "SUPABASE_ANON_KEY",
}
SECRET_KEYS: Final = {
    "secret_key": "SUPABASE_SECRET_KEY",
    "service_role_key": "SUPABASE_SERVICE_ROLE_KEY",
    "db_url": "SUPABASE_DB_URL",
    "token": "PRT_TOKEN",
    "password": "PRT_PASSWORD",
}
VARIABLES: Final = PUBLIC_KEYS | SECRET_KEYS
"""The settings that replace a variable, with the variable's name."""
LISTS: Final = ("tables", "filters", "views", "alerts", "max_lag")
SETTINGS: Final = (*VARIABLES, *LISTS, "min_delivery", "feed")

SourceKind = Literal["text", "env", "command"]


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a value: `text` is the value, the name of a variable, or a command that prints it."""

    kind: SourceKind
    text: str


@dataclass(frozen=True, slots=True)
class Defaults:
    """A profile's values for options that are not given. `feed` has templates by `TABLE` or `TABLE:EVENT`."""

    tables: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    max_lag: tuple[str, ...] = ()
    min_delivery: float | None = None
    feed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of `prt.toml`; `sources` are by the name of the setting."""

    name: str
    sources: Mapping[str, Source]
    defaults: Defaults


def tables_of_profiles(text: str, path: Path) -> dict[str, dict[str, Any]]:
    """Return the profiles of a file by name, unchecked.

    Raises:
        ConfigError: The file is not TOML, or has other sections than profiles.
    """
    try:
        read = tomllib.loads(text)
    except RecursionError as exc:
        raise ConfigError(f"{path} can't be read: it is nested too deep", "mend it or move it away") from exc
    except tomllib.TOMLDecodeError as exc:
        # The parser's message has the line and column, but never the value.
        raise ConfigError(f"{path} can't be read: {exc}", "mend it or move it away") from exc
    for name in read:
        if name != "profiles":
            _unknown(f"{path} has no section {name}", name, ("profiles",), "write [profiles.NAME]")
    profiles = read.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(one, dict) for one in profiles.values()):
        raise ConfigError(f"{path}: `profiles` is not a table of tables", "write [profiles.NAME]")
    return profiles


def parse(chosen: Mapping[str, Any], name: str, path: Path, *, is_own: bool) -> Profile:
    """Check a profile and return it.

    Args:
        chosen: The settings of the profile.
        name: The name of the profile.
        path: The file, for errors.
        is_own: Whether the file is the user's own configuration, which may have commands.

    Raises:
        ConfigError: A setting is unknown or invalid.
    """
    where = f"{path}: profile {name}"
    for key in chosen:
        if key not in SETTINGS:
            _unknown(f"{where} has no setting {key}", key, SETTINGS, f"known: {', '.join(SETTINGS)}")
    sources = {
        key: _source(chosen[key], key, name, path, is_own=is_own) for key in VARIABLES if key in chosen
    }
    lists = {key: _texts(chosen.get(key, []), key, name, path) for key in LISTS}
    delivery = chosen.get("min_delivery")
    if delivery is not None and (
        isinstance(delivery, bool) or not isinstance(delivery, int | float) or not 0 <= delivery <= 100
    ):
        raise ConfigError(f"{path}: `min_delivery` of profile {name} is not a percentage", "write 99.9")
    feed = chosen.get("feed", {})
    if not isinstance(feed, dict) or not all(isinstance(one, str) for one in feed.values()):
        raise ConfigError(f"{path}: `feed` of profile {name} is not a table of texts", 'write TABLE = "text"')
    return Profile(
        name,
        sources,
        Defaults(**lists, min_delivery=None if delivery is None else float(delivery), feed=feed),
    )


def _source(value: Any, key: str, name: str, path: Path, *, is_own: bool) -> Source:
    which = f"{path}: `{key}` of profile {name}"
    reference = f'write {key} = {{ env = "{VARIABLES[key]}" }}'
    if isinstance(value, str):
        if key in SECRET_KEYS or (key != "url" and facts_of(Secret(value)).is_server_key):
            register(value)
            register_url(value)
            raise ConfigError(
                f"{which} holds a secret itself",
                f"{reference}, and renew the key: the file may have been seen",
            )
        return Source("text", value)
    if key == "url":
        raise ConfigError(f"{which} is not a text", "put it in quotes")
    if (
        not isinstance(value, dict)
        or len(value) != 1
        or not all(isinstance(one, str) for one in value.values())
    ):
        raise ConfigError(f"{which} does not say where it comes from", reference)
    ((kind, text),) = value.items()
    if kind == "command":
        if not is_own:
            raise ConfigError(
                f"{which} is a command, which is run only from your own configuration",
                f"{reference}, or move the profile there (`prt config` shows where)",
            )
        return Source("command", text)
    if kind != "env":
        _unknown(f"{which} has an unknown source {kind}", kind, ("env", "command"), reference)
    if not re.fullmatch(r"[\w.-]+", text):
        # The name of a variable is shown in messages; this is rather the secret itself.
        register(text)
        register_url(text)
        raise ConfigError(f"{which} does not name a variable", reference)
    return Source("env", text)


def _texts(value: Any, key: str, name: str, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ConfigError(f"{path}: `{key}` of profile {name} is not a list of texts", 'write ["a", "b"]')
    return tuple(value)


def _unknown(message: str, word: str, known: tuple[str, ...], otherwise: str) -> None:
    raise ConfigError(message, did_you_mean(word, known, otherwise))
