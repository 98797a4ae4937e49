"""The address of the project behind the proxy, and connections to it."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

from prt.tap.proxy.heads import LARGEST_HEAD

CONNECT_SECONDS = 15.0


class Upstream:
    """The address of a project. Over TLS its certificate is verified, and ALPN requests HTTP/1.1."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "127.0.0.1"
        self._tls = _tls() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self.prefix = parts.path.rstrip("/")
        name = f"[{self._host}]" if ":" in self._host else self._host
        self.host = f"{name}:{parts.port}" if parts.port else name
        """The value of the field `Host`."""

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a new connection to the project.

        Raises:
            OSError: The connection failed; ssl.SSLError and TimeoutError are OSErrors too.
        """
        async with asyncio.timeout(CONNECT_SECONDS):
            return await asyncio.open_connection(
                self._host,
                self._port,
                ssl=self._tls,
                server_hostname=self._host if self._tls else None,
                limit=LARGEST_HEAD,
            )


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
