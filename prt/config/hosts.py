"""Which hosts are this machine."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether a host's name, or its address in any form, is this machine's own."""
    name = host.lower().rstrip(".").removeprefix("[").removesuffix("]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    # Nobody listens elsewhere at the unspecified address: a connection to it goes to this machine.
    return address.is_loopback or address.is_unspecified or (mapped is not None and mapped.is_loopback)
