"""Queries and changes of the tables `auth.users` and `auth.identities`.

The functions run in the transaction of the connection that they are given.
"""

# ruff: noqa: S608 - the SQL is assembled from constants of this module only

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb

from prt.local.auth.errors import AuthError

UserObject = dict[str, Any]
"""A user as a JSON object, in the form that clients receive."""

NO_INSTANCE = UUID(int=0)


def _stamp(column: str) -> str:
    return f"to_char({column} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"


_IDENTITY = f"""jsonb_build_object(
  'identity_id', i.id, 'id', i.provider_id, 'user_id', i.user_id, 'identity_data', i.identity_data,
  'provider', i.provider, 'email', i.email, 'last_sign_in_at', {_stamp("i.last_sign_in_at")},
  'created_at', {_stamp("i.created_at")}, 'updated_at', {_stamp("i.updated_at")}
)"""

_OBJECT = f"""jsonb_strip_nulls(jsonb_build_object(
  'id', u.id, 'aud', coalesce(u.aud, ''), 'role', coalesce(u.role, ''), 'email', coalesce(u.email, ''),
  'phone', coalesce(u.phone, ''), 'is_anonymous', u.is_anonymous,
  'email_confirmed_at', {_stamp("u.email_confirmed_at")}, 'confirmed_at', {_stamp("u.confirmed_at")},
  'last_sign_in_at', {_stamp("u.last_sign_in_at")}, 'banned_until', {_stamp("u.banned_until")},
  'created_at', {_stamp("u.created_at")}, 'updated_at', {_stamp("u.updated_at")}
)) || jsonb_build_object(
  'app_metadata', coalesce(u.raw_app_meta_data, '{{}}'),
  'user_metadata', coalesce(u.raw_user_meta_data, '{{}}'),
  'identities', coalesce(
    (select jsonb_agg({_IDENTITY} order by i.created_at) from auth.identities i where i.user_id = u.id), '[]'
  )
)"""

_BY_ID = f"select {_OBJECT} from auth.users u where u.id = %s and u.deleted_at is null"
_PAGE = f"""
select {_OBJECT} from auth.users u where u.deleted_at is null
order by u.created_at desc nulls last, u.id limit %s offset %s
"""
_TOTAL = "select count(*) from auth.users where deleted_at is null"
_CREDENTIALS = """
select id::text, encrypted_password, email_confirmed_at is not null, coalesce(banned_until > now(), false)
from auth.users where email = %s and not is_sso_user and deleted_at is null
"""
_INSERT = """
insert into auth.users (
  instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data,
  raw_user_meta_data, confirmation_token, recovery_token, email_change, email_change_token_new,
  is_anonymous, created_at, updated_at
) values (
  %s, %s, 'authenticated', %s, %s, %s, case when %s then now() end, %s, %s, '', '', '', '', %s, now(), now()
)
"""
_INSERT_IDENTITY = """
insert into auth.identities
  (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
values (%s, %s, %s, 'email', now(), now(), now())
"""
_MAKE_PERMANENT = """
update auth.users set is_anonymous = false, email_confirmed_at = now(),
  raw_app_meta_data = coalesce(raw_app_meta_data, '{}') || %s
where id = %s
"""
_EMAIL_PROVIDER = {"provider": "email", "providers": ["email"]}


async def credentials(
    connection: AsyncConnection[Any], email: str
) -> tuple[str, str | None, bool, bool] | None:
    """Find what a sign-in with an email compares.

    Returns:
        The user's id, the password hash, whether the email is confirmed, and whether the user is banned;
        None if no user has this email.
    """
    cursor = await connection.execute(_CREDENTIALS, (email.lower(),))
    row: tuple[str, str | None, bool, bool] | None = await cursor.fetchone()
    return row


async def find(connection: AsyncConnection[Any], user_id: str | UUID) -> UserObject | None:
    """Return the user with this id, None if there is no such user."""
    cursor = await connection.execute(_BY_ID, (user_id,))
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def page(connection: AsyncConnection[Any], number: int, size: int) -> tuple[list[UserObject], int]:
    """Return one page of the users, the newest first, and the number of all users.

    `number` counts pages from 1; `size` is the number of users per page. Beyond the last page the list is
    empty.
    """
    rows = await (await connection.execute(_PAGE, (size, (number - 1) * size))).fetchall()
    (total,) = (await (await connection.execute(_TOTAL)).fetchall())[0]
    return [user for (user,) in rows], total


async def create(
    connection: AsyncConnection[Any],
    *,
    email: str,
    password_hash: str | None,
    is_confirmed: bool = True,
    user_id: UUID | None = None,
    role: str | None = None,
    user_metadata: Mapping[str, Any] | None = None,
    app_metadata: Mapping[str, Any] | None = None,
) -> UserObject:
    """Create a user who signs in with an email, and return it.

    Args:
        connection: A connection that acts as the owner of Auth's tables.
        email: The email address in lower case.
        password_hash: The hash of the password, None for a user who has no password.
        is_confirmed: Whether the email counts as confirmed.
        user_id: The id, by default a random one.
        role: The database role of the user's requests, by default `authenticated`.
        user_metadata: Metadata that the user can change.
        app_metadata: Metadata that only an administrator can change; overrides that of the email provider.

    Raises:
        psycopg.errors.UniqueViolation: The email or the id is already in use.
    """
    user_id = user_id or uuid4()
    given = dict(user_metadata or {})
    app = {**_EMAIL_PROVIDER, **(app_metadata or {})}
    await connection.execute(
        _INSERT,
        (
            *(NO_INSTANCE, user_id, role or "authenticated", email, password_hash, is_confirmed),
            *(Jsonb(app), Jsonb(given), False),
        ),
    )
    await _identify(connection, str(user_id), email, given, is_confirmed=is_confirmed)
    return await require(connection, user_id)


async def create_anonymous(
    connection: AsyncConnection[Any], user_metadata: Mapping[str, Any] | None
) -> UserObject:
    """Create a user without an email or a password, and return it."""
    user_id = uuid4()
    given = Jsonb(dict(user_metadata or {}))
    values = (NO_INSTANCE, user_id, "authenticated", None, None, False, Jsonb({}), given, True)
    await connection.execute(_INSERT, values)
    return await require(connection, user_id)


async def make_permanent(connection: AsyncConnection[Any], user_id: str, email: str) -> None:
    """Add an email identity to an anonymous user; the email counts as confirmed."""
    await connection.execute(_MAKE_PERMANENT, (Jsonb(_EMAIL_PROVIDER), user_id))
    await _identify(connection, user_id, email, {}, is_confirmed=True)


async def _identify(
    connection: AsyncConnection[Any],
    user_id: str,
    email: str,
    given: Mapping[str, Any],
    *,
    is_confirmed: bool,
) -> None:
    identity = {
        **given,
        "sub": user_id,
        "email": email,
        "email_verified": is_confirmed,
        "phone_verified": False,
    }
    await connection.execute(_INSERT_IDENTITY, (user_id, user_id, Jsonb(identity)))


async def change(
    connection: AsyncConnection[Any],
    user_id: str,
    *,
    email: str | None = None,
    password_hash: str | None = None,
    is_confirmed: bool | None = None,
    role: str | None = None,
    user_metadata: Mapping[str, Any] | None = None,
    app_metadata: Mapping[str, Any] | None = None,
) -> UserObject:
    """Change a user and return it. An argument that is None leaves the value unchanged.

    Args:
        connection: A connection that acts as the owner of Auth's tables.
        user_id: The id of the user.
        email: The new email address in lower case.
        password_hash: The hash of the new password.
        is_confirmed: True confirms the email; False leaves it unchanged.
        role: The new database role.
        user_metadata: Members that are merged into the metadata; a member with the value None is removed.
        app_metadata: Likewise, for the metadata that only an administrator can change.

    Raises:
        AuthError: `user_not_found`: there is no such user.
        psycopg.errors.UniqueViolation: The email is already in use.
    """
    values: dict[str, Any] = {
        "email": email,
        "encrypted_password": password_hash,
        "role": role,
    }
    assignments: list[sql.Composable] = [
        sql.SQL("{} = {}").format(sql.Identifier(column), value)
        for column, value in values.items()
        if value is not None
    ]
    for column, changes in (("raw_user_meta_data", user_metadata), ("raw_app_meta_data", app_metadata)):
        if changes is not None:
            gone = [name for name, value in changes.items() if value is None]
            merged = sql.SQL("{0} = (coalesce({0}, '{{}}') || {1}) - {2}::text[]")
            assignments.append(merged.format(sql.Identifier(column), Jsonb(changes), gone))
    if is_confirmed:
        assignments.append(sql.SQL("email_confirmed_at = coalesce(email_confirmed_at, now())"))
    assignments.append(sql.SQL("updated_at = now()"))
    text = sql.SQL("update auth.users set {} where id = {}").format(sql.SQL(", ").join(assignments), user_id)
    await connection.execute(text)
    if email is not None:
        await connection.execute(
            "update auth.identities set identity_data = identity_data || %s, updated_at = now()"
            " where user_id = %s and provider = 'email'",
            (Jsonb({"email": email}), user_id),
        )
    return await require(connection, user_id)


async def delete(connection: AsyncConnection[Any], user_id: str) -> None:
    """Delete a user with all sessions and identities. Raise AuthError if there is no such user."""
    cursor = await connection.execute("delete from auth.users where id = %s", (user_id,))
    if not cursor.rowcount:
        raise not_found()
    await connection.execute("delete from auth.refresh_tokens where user_id = %s", (user_id,))


async def require(connection: AsyncConnection[Any], user_id: str | UUID) -> UserObject:
    """Return the user with this id. Raise AuthError `user_not_found` if there is no such user."""
    user = await find(connection, user_id)
    if user is None:
        raise not_found()
    return user


def not_found() -> AuthError:
    """Return the error that reports that there is no such user."""
    return AuthError(404, "user_not_found", "User not found")
