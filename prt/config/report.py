"""A report of the settings in force and their sources, without secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from prt.config.environment import environment
from prt.config.profiles import LISTS, Defaults
from prt.config.project import CLIENT_KEY, DATABASE_URL, PASSWORD, SERVER_KEY, TOKEN, URL, parse_url
from prt.config.secret import Secret, facts_of
from prt.config.sources import SettingsSource, all_sources, find, own_configuration
from prt.errors import UsageError

_SECRETS: Final = {
    "client key": CLIENT_KEY,
    "server key": SERVER_KEY,
    "token": TOKEN,
    "password": PASSWORD,
    "database": DATABASE_URL,
}


class Setting(Struct, frozen=True, kw_only=True):
    """A setting: `value` is a text for people or None, `origin` its source, and `remark` a peculiarity."""

    name: str
    value: str | None
    origin: str | None = None
    remark: str | None = None


def present_settings(url: str | None, profile: str | None) -> list[Setting]:
    """Return the settings in force in this process, and the path of the user's own configuration.

    Raises:
        ConfigError: The profile doesn't exist.
    """
    own = own_configuration()
    sources, defaults = all_sources(url, profile, environment(), Path.cwd(), own)
    file = own / "prt.toml"
    remark = None if file.exists() else "not there"
    return [*in_force(sources, defaults), Setting(name="own prt.toml", value=str(file), remark=remark)]


def in_force(sources: Sequence[SettingsSource], defaults: Defaults) -> list[Setting]:
    """Return the URL, a description of each secret, and a profile's defaults.

    No command of a profile is run.
    """
    url = find(sources, URL)
    settings = [_url(sources)]
    for name, variables in _SECRETS.items():
        found = find(sources, variables)
        if found is not None:
            is_withheld = url is not None and found.source.trust > url.source.trust
            remark = f"not sent to the URL {url.origin}: it comes from a less trusted place" if url else None
            described = "set" if name in ("password", "database") else _described(Secret(found.value))
            setting = Setting(
                name=name, value=described, origin=found.origin, remark=remark if is_withheld else None
            )
        else:
            setting = _to_come(name, variables, sources)
        settings.append(setting)
    lists = {name: getattr(defaults, name) for name in LISTS}
    shown = {name.replace("_", " "): ", ".join(texts) for name, texts in lists.items() if texts}
    if defaults.min_delivery is not None:
        shown["min delivery"] = f"{defaults.min_delivery:g} %"
    if defaults.feed:
        shown["feed"] = ", ".join(defaults.feed)
    return settings + [
        Setting(name=name, value=text, origin="of the profile") for name, text in shown.items()
    ]


def _url(sources: Sequence[SettingsSource]) -> Setting:
    found = find(sources, URL)
    if found is None:
        return Setting(name="url", value=None)
    try:
        return Setting(name="url", value=parse_url(found.value, found.origin), origin=found.origin)
    except UsageError as exc:
        return Setting(name="url", value="unusable", origin=found.origin, remark=exc.message)


def _to_come(name: str, variables: tuple[str, ...], sources: Sequence[SettingsSource]) -> Setting:
    """Return a setting for a secret that isn't known: from a command, from a missing variable, or not set."""
    for source in sources:
        for variable in variables:
            if variable in source.commands:
                origin = f"{source.names[variable]} {source.name}"
                return Setting(name=name, value="from a command, when it is needed", origin=origin)
            if variable in source.missing:
                return Setting(name=name, value=None, remark=source.missing[variable].message)
    return Setting(name=name, value=None)


def _described(key: Secret) -> str:
    """Return kind, role, project and expiry of a key, without any of its text."""
    facts = facts_of(key)
    parts = [{"jwt": "JWT", "publishable": "publishable", "secret": "secret"}.get(facts.kind, "unknown kind")]
    if facts.role:
        parts.append(f"role {facts.role}")
    if facts.ref:
        parts.append(f"project {facts.ref}")
    if facts.expires_at is not None:
        parts.append(f"until {datetime.fromtimestamp(facts.expires_at, UTC):%Y-%m-%d %H:%M} UTC")
    return ", ".join(parts)
