"""The network layers: name resolution, the TCP connection, and TLS with its certificate."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from msgspec import Struct

from prt import quoting
from prt.checks.status.layers.configuration import is_hosted
from prt.config.certificates import client_context
from prt.config.hosts import is_loopback
from prt.config.proxies import proxy_of
from prt.results import Cause, Finding
from prt.stream.reaching import words_of

CONNECT_SECONDS = 5.0
CERTIFICATE_SOON_SECONDS = 14 * 24 * 3600

_SELF_SIGNED = (18, 19)
_NOT_VALID_NOW = (9, 10)
_WRONG_NAME = (62, 64)
"""The three sets are OpenSSL's verification codes (x509_vfy.h)."""


class Address(Struct, frozen=True):
    """The address to connect to for a URL.

    `proxy` is the environment variable that names the proxy, if the address is that of a proxy.
    """

    scheme: str
    host: str
    port: int
    proxy: str | None = None

    @property
    def host_port(self) -> str:
        """Return `host:port`."""
        return f"{self.host}:{self.port}"


class Answered(Struct, frozen=True):
    """The result of an attempt to resolve a name or to connect.

    Attributes:
        figure: What was found, such as an IP address.
        error: The reason of a failure; None if the attempt succeeded.
        code: The number of the error, in errno or in OpenSSL; None if there is none.
    """

    milliseconds: float
    figure: str = ""
    error: str | None = None
    code: int | None = None
    ends: float | None = None
    """When the certificate expires, in seconds since the epoch."""


def address_of(url: str) -> Address:
    """Return the host and port of the project, or of the proxy through which it is reached."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if (proxy := proxy_of(url)) is not None:
        return Address(parts.scheme, proxy.host, proxy.port, proxy=proxy.variable)
    return Address(parts.scheme, host, parts.port or (443 if parts.scheme == "https" else 80))


async def resolved(address: Address) -> Answered:
    """Resolve the host of an address."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            infos = await asyncio.get_running_loop().getaddrinfo(
                address.host, address.port, type=socket.SOCK_STREAM
            )
    except TimeoutError:
        return Answered(_since(began), error=f"no answer in {CONNECT_SECONDS:g} s")
    except (OSError, UnicodeError) as exc:
        words = words_of(exc) if isinstance(exc, OSError) else "no name of a host"
        return Answered(_since(began), error=words)
    names = list(dict.fromkeys(str(info[4][0]) for info in infos))
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return Answered(_since(began), ", ".join(names[:2]) + more)


async def connected(address: Address) -> Answered:
    """Open a connection to an address and close it."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except TimeoutError:
        return Answered(_since(began), error=f"no answer in {CONNECT_SECONDS:g} s")
    except OSError as exc:
        return Answered(_since(began), error=words_of(exc), code=exc.errno)
    milliseconds = _since(began)
    await _closed(writer)
    return Answered(milliseconds, address.host_port)


async def encrypted(address: Address) -> Answered:
    """Perform a TLS handshake as our clients do, with the system's and SSL_CERT_FILE's certificates."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=client_context())
    except TimeoutError:
        return Answered(_since(began), error=f"no answer in {CONNECT_SECONDS:g} s")
    except ssl.SSLCertVerificationError as exc:
        return Answered(_since(began), error=words_of(exc), code=exc.verify_code)
    except ssl.SSLError as exc:
        return Answered(_since(began), error=words_of(exc))
    except OSError as exc:
        return Answered(_since(began), error=words_of(exc) if str(exc) else "closed without an answer")
    milliseconds = _since(began)
    session: ssl.SSLObject = writer.get_extra_info("ssl_object")
    certificate = session.getpeercert() or {}
    end = certificate.get("notAfter")
    ends = ssl.cert_time_to_seconds(end) if isinstance(end, str) else None
    await _closed(writer)
    return Answered(milliseconds, session.version() or "TLS", ends=ends)


async def speaks_tls(address: Address) -> bool:
    """Return whether the port speaks TLS: its handshake succeeds, or fails because of the certificate."""
    answer = await encrypted(address)
    return answer.error is None or answer.code is not None


async def speaks_http(address: Address) -> bool:
    """Return whether a plain HTTP request gets an answer."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(f"GET / HTTP/1.1\r\nHost: {address.host_port}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read(5)
    except (TimeoutError, OSError):
        return False
    await _closed(writer)
    return answer == b"HTTP/"


def judge_dns(url: str, address: Address, answer: Answered) -> Finding:
    """Return the finding about the resolution of the host."""
    if answer.error is None:
        figure = answer.figure if answer.figure != address.host else "an address, no name"
        through = f" · through the proxy {address.host_port} of {address.proxy}" if address.proxy else ""
        return Finding(layer="dns", state="ok", figure=figure + through, milliseconds=answer.milliseconds)
    figure = f"{address.host}: {answer.error}"
    if address.proxy:
        cause = Cause(f"the proxy {address.host} of {address.proxy} has no address", f"unset {address.proxy}")
        return Finding(layer="dns", state="failed", figure=figure, causes=(cause,))
    if is_hosted(url):
        causes: tuple[Cause, ...] = (
            Cause(
                f"no project {address.host.partition('.')[0]}: its ref is mistyped, or it was deleted",
                "copy the URL from the dashboard (Project Settings, Data API) into SUPABASE_URL",
            ),
            Cause("the project has been paused for long", "restore it in the dashboard"),
            Cause(
                "this machine can't look up names", f"getent hosts {quoting.host(address.host)} supabase.com"
            ),
        )
    else:
        causes = (
            Cause(f"there is no host {address.host}: the URL may be mistyped", "set SUPABASE_URL"),
            Cause(
                "this machine can't look up names", f"getent hosts {quoting.host(address.host)} supabase.com"
            ),
        )
    return Finding(layer="dns", state="failed", figure=figure, causes=causes)


def judge_tcp(address: Address, answer: Answered) -> Finding:
    """Return the finding about the TCP connection."""
    if answer.error is None:
        return Finding(layer="tcp", state="ok", figure=answer.figure, milliseconds=answer.milliseconds)
    figure = f"{address.host_port}: {answer.error}"
    up = (
        "prt local up" if is_loopback(address.host) else f"nc -vz {quoting.host(address.host)} {address.port}"
    )
    if address.proxy:
        causes = [
            Cause(
                f"the proxy {address.host_port} of {address.proxy} can't be reached", f"unset {address.proxy}"
            )
        ]
    elif answer.code is not None:
        causes = [
            Cause(
                f"nothing listens on port {address.port} of {address.host}: the port is another",
                "prt local status",
            )
            if is_loopback(address.host)
            else Cause(
                f"nothing listens on port {address.port} of {address.host}",
                "set SUPABASE_URL with the right port",
            ),
            Cause("the server is not up", up),
        ]
    else:
        causes = [
            Cause(
                f"a firewall drops connections to {address.host_port}",
                f"nc -vz {quoting.host(address.host)} {address.port}",
            ),
            Cause("the host is down", f"ping -c 3 {quoting.host(address.host)}"),
        ]
    return Finding(layer="tcp", state="failed", figure=figure, causes=tuple(causes))


def judge_tls(
    url: str, address: Address, answer: Answered, now: float, *, speaks_http: bool = False
) -> Finding:
    """Return the finding about the TLS handshake.

    Args:
        url: The project's URL.
        address: The address of the handshake.
        answer: The result of the handshake.
        now: The time, in seconds since the epoch.
        speaks_http: Whether the port, which does not speak TLS, answered a plain HTTP request.
    """
    if answer.error is not None:
        figure = f"{address.host_port}: {answer.error}"
        return Finding(
            layer="tls", state="failed", figure=figure, causes=_tls_causes(url, address, answer, speaks_http)
        )
    figure = answer.figure
    if answer.ends is not None:
        figure += f", certificate until {datetime.fromtimestamp(answer.ends, UTC):%Y-%m-%d}"
        if answer.ends - now < CERTIFICATE_SOON_SECONDS:
            cause = Cause("the certificate is about to end, and with it every connection", "renew it")
            return Finding(layer="tls", state="warning", figure=figure, causes=(cause,))
    return Finding(layer="tls", state="ok", figure=figure, milliseconds=answer.milliseconds)


def _tls_causes(url: str, address: Address, answer: Answered, speaks_http: bool) -> tuple[Cause, ...]:
    if answer.code in _SELF_SIGNED:
        save = (
            f"openssl s_client -connect {quoting.word(address.host_port)} -showcerts </dev/null "
            "| openssl x509 > ca.pem; export SSL_CERT_FILE=$PWD/ca.pem"
        )
        return (
            Cause("the server's certificate is self-signed, so nobody but itself vouches for it", save),
            Cause("somebody between here and the server reads along", "try another network"),
        )
    if answer.code in _NOT_VALID_NOW:
        return (
            Cause("the server's certificate has ended, or not begun", "renew it on the server"),
            Cause("this machine's clock is wrong", "date -u"),
        )
    if answer.code in _WRONG_NAME:
        return (
            Cause(f"the certificate is not that of {address.host}", "set SUPABASE_URL to the name in it"),
        )
    if answer.code is not None:
        return (
            Cause(
                "the certificate's issuer is not known here: its chain is not whole, or it is your own",
                "export SSL_CERT_FILE=/path/to/its/ca.pem",
            ),
        )
    if speaks_http:
        plain = f"http://{urlsplit(url).netloc}"
        return (
            Cause(
                f"port {address.port} speaks plain HTTP, not TLS", f"set SUPABASE_URL={quoting.word(plain)}"
            ),
        )
    return (
        Cause(
            f"port {address.port} does not speak TLS",
            f"set SUPABASE_URL={quoting.word(f'http://{urlsplit(url).netloc}')}",
        ),
        Cause("something on the way cuts TLS off", "try another network"),
    )


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000
