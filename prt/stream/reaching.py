"""The proxy and TLS settings of HTTP and websocket clients, and the errors if a host can't be reached.

Every client of `prt` takes its proxy and its certificates from here, and every failure of TCP, TLS or a proxy
becomes an error here.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from prt.config.certificates import client_context
from prt.config.hosts import end_of
from prt.config.proxies import proxy_of
from prt.errors import UnreachableError

CERTIFICATE_HINT: Final = "export SSL_CERT_FILE=/path/to/its/ca.pem (`prt help configuration`)"
_PLAIN: Final = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "UNKNOWN_PROTOCOL",
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
    }
)
"""OpenSSL's reasons for a failure if the other side does not use TLS."""


class EndedProjectError(UnreachableError):
    """The embedded project that this process started has ended, so no further attempt can succeed."""


class ObstacleError(UnreachableError):
    """A proxy or TLS prevents the connection. No further attempt helps, unless an earlier one succeeded."""


def socket_keywords(url: str) -> dict[str, Any]:
    """Return the arguments with which `websockets.connect` reaches a URL.

    Raises:
        UsageError: If the environment names a proxy or certificates that can't be used.
    """
    proxy = proxy_of(url)
    keywords: dict[str, Any] = {"proxy": None if proxy is None else proxy.raw_url}
    if (context := context_for(url)) is not None:
        keywords["ssl"] = context
    if proxy is not None and (context := context_for(proxy.url)) is not None:
        keywords["proxy_ssl"] = context
    return keywords


def context_for(url: str) -> ssl.SSLContext | None:
    """Return the TLS settings by which a server is verified; None for a URL without TLS.

    Raises:
        UsageError: If the environment names certificates that can't be used.
    """
    return client_context() if url.startswith(("https:", "wss:")) else None


def failure_of(error: BaseException, url: str, *, what: str = "can't connect to") -> UnreachableError | None:
    """Return the error that explains why a request to a URL failed.

    Args:
        error: What the library raised.
        url: The URL of the request.
        what: The beginning of the message.

    Returns:
        None if neither the proxy nor TLS nor TCP was the cause.
    """
    if (why := end_of(_host_of(url).partition("?")[0])) is not None:
        return EndedProjectError(f"the embedded project has ended: {why}", "start the command again")
    if (obstacle := obstacle_of(error, url)) is not None:
        return obstacle
    if (words := _tcp_words(_chain(error))) is not None:
        return UnreachableError(f"{what} {_host_of(url)}: {words}", "is the server up, and the URL right?")
    return None


def obstacle_of(error: BaseException, url: str) -> ObstacleError | None:
    """Return the error if the proxy or TLS prevented a connection to a URL, else None."""
    host, causes = _host_of(url), list(_chain(error))
    if (proxy := proxy_of(url)) is not None and (why := _at_proxy(causes)) is not None:
        return ObstacleError(
            f"can't reach {host} through the proxy {proxy.host_port} of {proxy.variable}: {why}",
            proxy.hint_for(urlsplit(url).hostname or host),
        )
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ObstacleError(f"{host} has no valid certificate: {words_of(cause)}", CERTIFICATE_HINT)
        if isinstance(cause, ssl.SSLError):
            if cause.reason in _PLAIN:
                return ObstacleError(f"{host} does not speak TLS", f"is its URL http://{host}?")
            return ObstacleError(f"no TLS connection to {host}: {words_of(cause)}", CERTIFICATE_HINT)
    return None


def words_of(error: OSError) -> str:
    """Return why TCP, TLS or a name's resolution failed, in lower case and without the host."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.lower()
    if isinstance(error, ssl.SSLError):
        # Its errno is OpenSSL's own: strerror(1) would be "operation not permitted".
        return (error.reason or "no TLS").lower().replace("_", " ")
    if isinstance(error, socket.gaierror) or error.errno is None:
        # asyncio joins the failures of several addresses into one long line; the first one is enough.
        words = (error.strerror or str(error) or "the connection was closed").split(" (")[0]
        return words.partition("] ")[2].lower() or words.lower()
    return os.strerror(error.errno).lower() if error.errno > 0 else str(error.strerror or error).lower()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes. asyncio and anyio group the failures of several addresses."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        waiting.extend(cause for cause in (one.__cause__, one.__context__) if cause is not None)


def _at_proxy(causes: list[BaseException]) -> str | None:
    """Return what failed at the proxy, or after it before TLS began: the two can't be told apart."""
    import httpx  # noqa: PLC0415
    import websockets  # noqa: PLC0415

    for cause in causes:
        if isinstance(cause, websockets.InvalidProxyStatus):
            return f"it answers HTTP {cause.response.status_code}"
        if isinstance(cause, httpx.ProxyError):
            return f"it answers {cause}"
        if isinstance(cause, websockets.ProxyError):
            return "it does not answer as a proxy does"
        if isinstance(cause, TimeoutError | httpx.TimeoutException):
            return "no answer"
    return _tcp_words(causes)


def _tcp_words(causes: Iterable[BaseException]) -> str | None:
    """Return why TCP failed, or None.

    The libraries wrap the system's error, which has a number, into errors without one.
    """
    errors = [
        one for one in causes if isinstance(one, OSError) and not isinstance(one, TimeoutError | ssl.SSLError)
    ]
    return words_of(next((one for one in errors if one.errno is not None), errors[0])) if errors else None


def _host_of(url: str) -> str:
    """Return the host and port of a URL, even of one that `urlsplit` refuses."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]
