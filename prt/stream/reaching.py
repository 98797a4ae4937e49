"""How the clients of HTTP and of websockets reach a host, and the words for why they don't.

Every client of ours takes its proxy and its certificates from here, and every failure of TCP, TLS or a
proxy becomes an error here.
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
"""OpenSSL's reasons if what answers is not TLS."""


class EndedProjectError(UnreachableError):
    """The embedded project that this process started has ended, so that no further attempt can help."""


class ObstacleError(UnreachableError):
    """A proxy or TLS stands in the way: what no further attempt changes, unless it has worked before."""


def socket_keywords(url: str) -> dict[str, Any]:
    """Return how `websockets.connect` reaches a URL. Raises UsageError if the environment can't be used."""
    proxy = proxy_of(url)
    keywords: dict[str, Any] = {"proxy": None if proxy is None else proxy.raw_url}
    if (context := context_for(url)) is not None:
        keywords["ssl"] = context
    if proxy is not None and (context := context_for(proxy.url)) is not None:
        keywords["proxy_ssl"] = context
    return keywords


def context_for(url: str) -> ssl.SSLContext | None:
    """Return what a server is judged by, None for a URL without TLS. Raises UsageError."""
    return client_context() if url.startswith(("https:", "wss:")) else None


def failure_of(error: BaseException, url: str, *, what: str = "can't connect to") -> UnreachableError | None:
    """Return why nothing came of a request to a URL: the proxy, TLS or TCP; None if it is none of them."""
    if (why := end_of(_host_of(url).partition("?")[0])) is not None:
        return EndedProjectError(f"the embedded project has ended: {why}", "start the command again")
    if (obstacle := obstacle_of(error, url)) is not None:
        return obstacle
    if (words := _tcp_words(_chain(error))) is not None:
        return UnreachableError(f"{what} {_host_of(url)}: {words}", "is the server up, and the URL right?")
    return None


def obstacle_of(error: BaseException, url: str) -> ObstacleError | None:
    """Return what is wrong with the proxy or with TLS on the way to a URL, None if nothing is."""
    host, causes = _host_of(url), list(_chain(error))
    if (proxy := proxy_of(url)) is not None and (why := _at_proxy(causes)) is not None:
        return ObstacleError(
            f"can't reach {host} through the proxy {proxy.place} of {proxy.variable}: {why}",
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
        # Its errno is OpenSSL's own: 1 would read as "operation not permitted".
        return (error.reason or "no TLS").lower().replace("_", " ")
    if isinstance(error, socket.gaierror) or error.errno is None:
        # asyncio joins the failures of several addresses into one long line; the first says it.
        words = (error.strerror or str(error) or "the connection was closed").split(" (")[0]
        return words.partition("] ")[2].lower() or words.lower()
    return os.strerror(error.errno).lower() if error.errno > 0 else str(error.strerror or error).lower()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came of; asyncio and anyio group the failures of several addresses."""
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
    """Return what failed at the proxy, or behind it before TLS began: the two can't be told apart."""
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
    """Why TCP failed. The libraries wrap the system's error, which has a number, into errors without one."""
    errors = [
        one for one in causes if isinstance(one, OSError) and not isinstance(one, TimeoutError | ssl.SSLError)
    ]
    return words_of(next((one for one in errors if one.errno is not None), errors[0])) if errors else None


def _host_of(url: str) -> str:
    """Host and port; an URL that `urlsplit` refuses has them too."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]
