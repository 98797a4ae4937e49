"""Requests to a project's REST and Auth APIs and, if it is embedded, to its own endpoints."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

SECONDS: Final = 60.0
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class AnswerError(Exception):
    """The project refused a request, or could not be reached."""


def request(
    url: str,
    *,
    key: str,
    token: str | None = None,
    method: str = "GET",
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Send a request and return the decoded JSON of its answer, None if the answer is empty.

    Args:
        url: The whole address, with its query.
        key: The project's key, for the header `apikey`.
        token: The JWT of the header `Authorization`; the key by default.
        method: The HTTP method.
        body: A value that is sent as JSON; None sends no body.
        headers: Further headers.

    Raises:
        AnswerError: The project refused the request, or can't be reached.
    """
    sent = urllib.request.Request(  # noqa: S310 - the user's own project
        url,
        method=method,
        data=None if body is None else json.dumps(body, default=str).encode(),
        headers={
            "apikey": key,
            "Authorization": f"Bearer {token or key}",
            "Content-Type": "application/json",
            **(headers or {}),
        },
    )
    # The environment's proxies are not meant for this machine.
    is_here = urllib.parse.urlsplit(url).hostname in LOOPBACK
    opener = urllib.request.build_opener(*[urllib.request.ProxyHandler({})] if is_here else [])
    try:
        with opener.open(sent, timeout=SECONDS) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            reply = error.read().decode(errors="replace")[:500]
        raise AnswerError(f"{method} {urllib.parse.urlsplit(url).path}: HTTP {error.code}: {reply}") from None
    except OSError as error:
        raise AnswerError(f"{method} {urllib.parse.urlsplit(url).path}: {error}") from None
    return json.loads(text) if text else None
