"""The rights of a token on a private topic, which the policies on `realtime.messages` decide.

psycopg is imported only for its exceptions, which `prt.local.postgres.session` raises.
"""

from __future__ import annotations

import logging

import psycopg
from msgspec import Struct

from prt.local.postgres.session import Connection, Session
from prt.local.realtime.protocol.tokens import Principal

logger = logging.getLogger(__name__)

BROADCAST, PRESENCE, PERSISTENCE = "broadcast", "presence", "persistence"


class Rights(Struct, frozen=True, kw_only=True):
    """The rights on a topic: what a channel may read, write and store."""

    reads_broadcast: bool
    reads_presence: bool
    writes_broadcast: bool
    writes_presence: bool
    stores_broadcast: bool = False


EVERYTHING = Rights(reads_broadcast=True, reads_presence=True, writes_broadcast=True, writes_presence=True)
"""The rights on a public topic, on which broadcasts are never stored."""

NOTHING = Rights(reads_broadcast=False, reads_presence=False, writes_broadcast=False, writes_presence=False)


DATABASE_UNAVAILABLE = "Realtime was unable to connect to the project database"


class UnanswerableError(Exception):
    """PostgreSQL could not decide the rights. `str()` is the server's `Code: message`, or only a message."""


class PolicyFailedError(Exception):
    """A policy raised an error, or the role does not exist."""


async def rights(policies: Session, subtopic: str, principal: Principal) -> Rights:
    """Return the rights of a token on a private topic. If a policy fails, there are no rights.

    Raises:
        UnanswerableError: PostgreSQL did not answer, or the claim `role` is not text.
    """
    try:
        return await strict_rights(policies, subtopic, principal)
    except PolicyFailedError:
        return NOTHING


async def strict_rights(policies: Session, subtopic: str, principal: Principal) -> Rights:
    """Return the rights as `rights` does, but raise PolicyFailedError if a policy fails."""
    if not principal.has_role_name:
        raise UnanswerableError(DATABASE_UNAVAILABLE)

    async def ask(connection: Connection) -> Rights:
        return await _tried(connection, subtopic, principal)

    try:
        return await policies.run(ask)
    except psycopg.errors.QueryCanceled as error:
        words = f"ERROR {error.sqlstate} (query_canceled) {error.diag.message_primary}"
        raise UnanswerableError(f"QueryCanceled: {words}") from error
    except (psycopg.OperationalError, OSError) as error:
        raise UnanswerableError(f"UnableToConnectToProject: {DATABASE_UNAVAILABLE}") from error
    except psycopg.Error as error:
        logger.info("the policies of %s failed for the role %s: %s", subtopic, principal.role, error)
        raise PolicyFailedError from error


def words_of(reason: str) -> str:
    """Return the message of a refusal without its code."""
    code, colon, words = reason.partition(": ")
    return words if colon else code


async def _tried(connection: Connection, subtopic: str, principal: Principal) -> Rights:
    """Try what the role may do: read two inserted rows, and insert others. All of it is rolled back."""
    async with connection.transaction(force_rollback=True):
        cursor = await connection.execute(
            "insert into realtime.messages (topic, extension) values (%s, %s), (%s, %s) returning id",
            [subtopic, BROADCAST, subtopic, PRESENCE],
        )
        ids = [id_ for (id_,) in await cursor.fetchall()]
        await connection.execute(
            "select set_config('role', %s, true), set_config('realtime.topic', %s, true),"
            " set_config('request.jwt.claims', %s, true), set_config('request.headers', '{}', true)",
            [principal.role, subtopic, principal.claims],
        )
        cursor = await connection.execute(
            "select extension from realtime.messages where topic = %s and id = any(%s)", [subtopic, ids]
        )
        readable = {extension for (extension,) in await cursor.fetchall()}
        return Rights(
            reads_broadcast=BROADCAST in readable,
            reads_presence=PRESENCE in readable,
            writes_broadcast=await _writes(connection, subtopic, BROADCAST),
            writes_presence=await _writes(connection, subtopic, PRESENCE),
            stores_broadcast=await _writes(connection, subtopic, PERSISTENCE),
        )


async def _writes(connection: Connection, subtopic: str, extension: str) -> bool:
    try:
        async with connection.transaction(force_rollback=True):
            await connection.execute(
                "insert into realtime.messages (topic, extension) values (%s, %s)", [subtopic, extension]
            )
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        if not isinstance(error, psycopg.errors.InsufficientPrivilege):
            logger.info("a policy for %s on %s failed: %s", extension, subtopic, error)
        return False
    return True
