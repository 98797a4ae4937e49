"""Sessions of users: an access token that expires after an hour, and refresh tokens that are replaced on use.

A refresh token can be used once. If it is used again within ten seconds, or while the token that replaced it
is still unused, the client has probably lost the answer, and gets a new one. A later reuse counts as theft,
and all tokens of the session are revoked.
https://supabase.com/docs/guides/auth/sessions
"""

from __future__ import annotations

import secrets
import time
from typing import Any
from uuid import uuid4

from msgspec import Struct
from psycopg import AsyncConnection

from prt.local.auth import users
from prt.local.auth.errors import AuthError
from prt.local.serving.keys import SESSION_SECONDS, Keys

REUSE_SECONDS = 10
REFRESH_TOKEN_BYTES = 24

_INSERT_SESSION = """
insert into auth.sessions (id, user_id, created_at, updated_at, aal) values (%s, %s, now(), now(), 'aal1')
"""
_INSERT_REFRESH = """
insert into auth.refresh_tokens
  (instance_id, token, user_id, revoked, created_at, updated_at, parent, session_id)
values ('00000000-0000-0000-0000-000000000000', %s, %s, false, now(), now(), %s, %s)
"""
# The session's row is locked first: the second of two refreshes with one token must see the first's changes.
_LOCK = """
select s.id::text, s.user_id::text, floor(extract(epoch from s.created_at))::bigint
from auth.sessions s join auth.refresh_tokens t on t.session_id = s.id where t.token = %s for update of s
"""
_STATE_OF_REFRESH = """
select revoked, updated_at + make_interval(secs => %s) > clock_timestamp()
from auth.refresh_tokens where token = %s
"""
_ACTIVE_CHILD = """
select token from auth.refresh_tokens where session_id = %s and parent = %s and not revoked
order by id desc limit 1
"""
_REVOKE = "update auth.refresh_tokens set revoked = true, updated_at = now() where token = %s"
_REVOKE_ALL = (
    "update auth.refresh_tokens set revoked = true, updated_at = now() where session_id = %s and not revoked"
)
_END = {
    "global": "delete from auth.sessions where user_id = %(user)s",
    "local": "delete from auth.sessions where id = %(session)s",
    "others": "delete from auth.sessions where user_id = %(user)s and id is distinct from %(session)s",
}


class Issuer(Struct, frozen=True):
    """The issuer of access tokens: the keys that sign them, and the URL that is their claim `iss`."""

    keys: Keys
    url: str


class Session(Struct, frozen=True):
    """A signed-in session of a user; `signed_in_at` is in seconds since the epoch."""

    id: str
    user_id: str
    signed_in_at: int


async def start(connection: AsyncConnection[Any], issuer: Issuer, user_id: str) -> dict[str, Any]:
    """Start a session of the user, and return the token response for the client."""
    session = Session(str(uuid4()), user_id, int(time.time()))
    await connection.execute(_INSERT_SESSION, (session.id, user_id))
    await connection.execute("update auth.users set last_sign_in_at = now() where id = %s", (user_id,))
    token = await _issue(connection, session, parent="")
    return await _answer(connection, issuer, session, token)


async def refresh(connection: AsyncConnection[Any], issuer: Issuer, token: str) -> dict[str, Any] | None:
    """Exchange a refresh token for a new one, and return the token response for the client.

    Returns:
        None if the token was used before and this reuse counts as theft; the session's tokens are then
        revoked.

    Raises:
        AuthError: There is no such refresh token.
    """
    found = await (await connection.execute(_LOCK, (token,))).fetchone()
    if found is None:
        message = "Invalid Refresh Token: Refresh Token Not Found"
        raise AuthError(400, "refresh_token_not_found", message)
    session = Session(*found)
    row = await (await connection.execute(_STATE_OF_REFRESH, (REUSE_SECONDS, token))).fetchone()
    is_revoked, is_recent = row if row is not None else (True, False)
    following: str | None = None
    if is_revoked:
        active = await (await connection.execute(_ACTIVE_CHILD, (session.id, token))).fetchone()
        following = None if active is None else active[0]
        if following is None and not is_recent:
            await connection.execute(_REVOKE_ALL, (session.id,))
            return None
    if following is None:
        await connection.execute(_REVOKE, (token,))
        following = await _issue(connection, session, parent=token)
    await connection.execute(
        "update auth.sessions set refreshed_at = now() at time zone 'UTC', updated_at = now() where id = %s",
        (session.id,),
    )
    return await _answer(connection, issuer, session, following)


def already_used() -> AuthError:
    """Return the error for a refresh token that was used before."""
    return AuthError(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")


async def exists(connection: AsyncConnection[Any], session_id: str) -> bool:
    """Return whether a session with this id exists."""
    cursor = await connection.execute("select from auth.sessions where id::text = %s", (session_id,))
    return await cursor.fetchone() is not None


async def end(connection: AsyncConnection[Any], scope: str, user_id: str, session_id: str | None) -> None:
    """End sessions of a user, by deleting them.

    Args:
        connection: A connection that acts as the owner of Auth's tables.
        scope: `global` ends all sessions of the user, `local` this session, `others` all but this session.
        user_id: The id of the user.
        session_id: The id of this session, None if the access token does not contain one.

    Raises:
        AuthError: The scope is none of the three.
    """
    if scope not in _END:
        raise AuthError(400, "validation_failed", f'Unsupported logout scope "{scope}"')
    await connection.execute(_END[scope], {"user": user_id, "session": session_id})


async def _issue(connection: AsyncConnection[Any], session: Session, *, parent: str) -> str:
    token = secrets.token_urlsafe(REFRESH_TOKEN_BYTES)
    await connection.execute(_INSERT_REFRESH, (token, session.user_id, parent, session.id))
    return token


async def _answer(
    connection: AsyncConnection[Any], issuer: Issuer, session: Session, refresh_token: str
) -> dict[str, Any]:
    user = await users.require(connection, session.user_id)
    now = int(time.time())
    method = "anonymous" if user["is_anonymous"] else "password"
    claims = {
        "iss": issuer.url,
        "sub": user["id"],
        "aud": user["aud"],
        "iat": now,
        "exp": now + SESSION_SECONDS,
        "email": user["email"],
        "phone": user["phone"],
        "app_metadata": user["app_metadata"],
        "user_metadata": user["user_metadata"],
        "role": user["role"],
        "aal": "aal1",
        "amr": [{"method": method, "timestamp": session.signed_in_at}],
        "session_id": session.id,
        "is_anonymous": user["is_anonymous"],
    }
    return {
        "access_token": issuer.keys.sign(claims),
        "token_type": "bearer",
        "expires_in": SESSION_SECONDS,
        "expires_at": now + SESSION_SECONDS,
        "refresh_token": refresh_token,
        "user": user,
        "weak_password": None,
    }
