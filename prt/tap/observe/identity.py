"""The identity of a request, read from its head. Keys and tokens become facts here and are stored nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from prt.config.secret import claims_of
from prt.tap.observe.messages import NOBODY, Asked, Client, Who
from prt.tap.proxy.heads import Head

_SERVER_ROLES = ("service_role", "supabase_admin")
SOCKET_PATH = "/realtime/v1/websocket"
REST_PATH = "/rest/v1/"


def who_of(token: str) -> Who:
    """Return the role, the user and the expiry in a key or a token. The signature is not verified."""
    digest = hashlib.sha256(token.encode()).hexdigest()[:16]
    if token.startswith("sb_publishable_"):
        return Who(role="anon", digest=digest)
    if token.startswith("sb_secret_"):
        return Who(role="service_role", digest=digest, is_server_key=True)
    claims = claims_of(token)
    if claims is None:
        return Who(digest=digest)
    role, user, exp = claims.get("role"), claims.get("sub"), claims.get("exp")
    is_time = isinstance(exp, int | float) and not isinstance(exp, bool) and 0 < exp < 1e12
    return Who(
        role=role if isinstance(role, str) else None,
        user=user if isinstance(user, str) else None,
        expires_at=int(exp * 1_000_000) if is_time and exp is not None else None,
        digest=digest,
        is_server_key=role in _SERVER_ROLES,
    )


def asked_of(number: int, head: Head, at: int) -> Asked:
    """Return the observation of a request.

    Args:
        number: The number of the request.
        head: The head of the request.
        at: The time, in µs.
    """
    parts = urlsplit(head.target)
    query = parse_qs(parts.query)
    is_socket = head.is_upgrade and parts.path.endswith(SOCKET_PATH)
    key = head.fields.get("apikey") or query.get("apikey", [""])[0]
    bearer = head.fields.get("authorization", "")
    token = bearer[7:].strip() if bearer.lower().startswith("bearer ") else ""
    _, is_rest, table = parts.path.partition(REST_PATH)
    return Asked(
        at=at,
        number=number,
        method=head.method,
        path=parts.path[:200],
        client=_client(head.fields, key),
        who=who_of(token or key) if token or key else NOBODY,
        table=table if is_rest and table and "/" not in table else None,
        vsn=query.get("vsn", ["1.0.0"])[0],
        is_socket=is_socket,
    )


def _client(fields: Mapping[str, str], key: str) -> Client:
    return Client(
        key=hashlib.sha256(key.encode()).hexdigest()[:16] if key else "",
        name=fields.get("x-client-info", "")[:100],
        origin=fields.get("origin", "")[:200],
        agent=fields.get("user-agent", "")[:200],
    )
