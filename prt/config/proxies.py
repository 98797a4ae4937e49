"""The proxy that the environment names for a URL. Loopback never has a proxy.

The libraries read these variables differently: httpx supports ALL_PROXY, `websockets` doesn't, and each
accepts other forms. So they are read here, and all clients get the result.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from prt.config.hosts import is_loopback
from prt.errors import UsageError
from prt.redaction import register, register_url

_SECURE: Final = ("https", "wss")
_PORTS: Final = {"http": 80, "https": 443}
_SETTINGS: Final = "the system's settings"
"""Used in place of a variable's name if macOS or Windows defines the proxy."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy and the variable that names it. `login` is user and password, unescaped."""

    variable: str
    scheme: str
    host: str
    port: int
    login: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The URL of the proxy without a login."""
        return f"{self.scheme}://{self.host_port}"

    @property
    def raw_url(self) -> str:
        """The URL with the unescaped login: `websockets` would use URL escapes as a part of the password."""
        return f"{self.scheme}://{':'.join(self.login)}@{self.host_port}" if self.login else self.url

    @property
    def host_port(self) -> str:
        """Host and port, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def hint_for(self, host: str) -> str:
        """Return a hint about a proxy that doesn't work for `host`."""
        if self.variable == _SETTINGS:
            return f"check the proxy in {_SETTINGS}"
        return f"check {self.variable}, or add {host} to NO_PROXY"


def proxy_of(url: str, environ: Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy for a URL; None for a direct connection.

    Args:
        url: An http, https, ws or wss URL.
        environ: The environment; None is this process's, followed by the system's settings on macOS and
            Windows.

    Raises:
        UsageError: A variable names something that can't be used as a proxy.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None  # the client reports the error
    is_secure = parts.scheme in _SECURE
    if not host or is_loopback(host):
        return None
    variables = os.environ if environ is None else environ
    if _is_excepted(host, port or (443 if is_secure else 80), _first(variables, "no_proxy")[1]):
        return None
    kind = "https" if is_secure else "http"
    for name in (f"{kind}_proxy", "all_proxy"):
        variable, value = _first(variables, name)
        if value:
            return _read(value, variable)
    if environ is None and sys.platform in ("darwin", "win32") and not proxy_bypass(host):
        value = getproxies().get(kind, "")
        return _read(value, _SETTINGS) if value else None
    return None


def _first(variables: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the name and value of a variable in lower case, otherwise in upper case, as curl does."""
    for one in (name, name.upper()):
        if value := variables.get(one, "").strip():
            return one, value
    return name.upper(), ""


def _read(value: str, variable: str) -> Proxy:
    register_url(value if "://" in value else f"http://{value}")
    scheme, separator, rest = value.partition("://")
    scheme, rest = (scheme.lower(), rest) if separator else ("http", value)
    hint = "write http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT"
    if scheme.startswith("socks"):
        raise UsageError(f"{variable} names a SOCKS proxy, which is not supported", hint)
    if scheme not in _PORTS:
        raise UsageError(f"{variable} does not name an HTTP proxy", hint)
    # A password may have unescaped @ signs, so it ends at the last one.
    credentials, _, address = rest.rpartition("@")
    try:
        parts = urlsplit(f"{scheme}://{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not re.fullmatch(r"[\w.:%-]+", host) or port == 0 or not _has_whole_port(address):
        raise UsageError(f"{variable} does not name a host and a port", hint) from None
    port = port or _PORTS[scheme]
    user, _, password = map(unquote, credentials.partition(":"))
    register(password)
    register(credentials and f"{user}:{password}")  # the form that the header encodes
    if not re.fullmatch(r"[!-~]*", user + password) or any(one in user + password for one in "/?#[]"):
        raise UsageError(
            f"the user or the password of {variable} can't be used", "take ASCII without spaces and / ? # [ ]"
        )
    return Proxy(variable, scheme, host, port, (user, password) if credentials else None)


def _has_whole_port(address: str) -> bool:
    """Return whether a host is followed by a port or by nothing, but not by a colon alone as in `proxy:`."""
    return re.fullmatch(r"(\[[^\]]*\]|[^:/]*)(:\d+)?/*", address) is not None


def _is_excepted(host: str, port: int, listed: str) -> bool:
    """Return whether NO_PROXY lists a host.

    Entries are a name, which includes its subdomains, an address or a range, each with an optional port.
    """
    for entry in re.split(r"[,\s]+", listed.lower()):
        if entry == "*":
            return True
        name, its_port = _split(entry.partition("://")[2] or entry)
        if its_port not in (None, port):
            continue
        name = name.removeprefix("*").removeprefix(".")
        if name and (host == name or host.endswith(f".{name}") or _is_in(host, name)):
            return True
    return False


def _split(entry: str) -> tuple[str, int | None]:
    """Return an entry's host and port; an IPv6 address has colons of its own."""
    match = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:]+)(?::(\d+))?", entry)
    if match is None:
        return entry, None
    port = match[2] or match[4]
    return match[1] or match[3], int(port) if port else None


def _is_in(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
