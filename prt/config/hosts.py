"""Hosts that are this machine, and the embedded projects that this process has started."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

_owned: Final[dict[str, Callable[[], str | None]]] = {}
"""The embedded projects of this process, by host and port.

Another process's project can be restarted at the same address, but one of ours can't.
"""


def is_loopback(host: str) -> bool:
    """Return whether a host, as a name or an address in any form, is this machine."""
    name = host.lower().rstrip(".").removeprefix("[").removesuffix("]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    # A connection to the unspecified address goes to this machine.
    return address.is_loopback or address.is_unspecified or (mapped is not None and mapped.is_loopback)


def is_listened_to_here_alone(host: str) -> bool:
    """Return whether a server that listens at this host can only be reached from this machine."""
    try:
        return not ipaddress.ip_address(host).is_unspecified and is_loopback(host)
    except ValueError:
        return is_loopback(host)


@contextmanager
def lifeline(url: str, end_of: Callable[[], str | None]) -> Iterator[None]:
    """Register an embedded project during the block.

    Args:
        url: The URL of the project.
        end_of: Returns why the project has ended; None while it runs.
    """
    netloc = urlsplit(url).netloc
    _owned[netloc] = end_of
    try:
        yield
    finally:
        del _owned[netloc]


def end_of(netloc: str) -> str | None:
    """Return why our project at this host and port has ended; None if it runs or isn't ours."""
    ask = _owned.get(netloc)
    return None if ask is None else ask()
