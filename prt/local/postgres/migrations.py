"""Runs a user's own SQL files as `psql` or Supabase's CLI would; what fails is one line: file, line, reason.

psycopg is PostgreSQL's client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus

from prt.config.files import read_text
from prt.errors import UsageError
from prt.inputs import Input
from prt.local.postgres.privileges import call_of
from prt.local.postgres.statements import Statement, split

MAX_SCRIPT_BYTES = 256 * 1024 * 1024
"""Of one file: a dump with data may be large, but it is held in memory."""

SESSION = 'reset role; reset all; set search_path to "$user", public, extensions'
"""What a dump sets must not reach the next file; the search path is that of new connections."""

EXTENSION = re.compile(
    r'(?:create|comment\s+on)\s+extension\s+(?:if\s+not\s+exists\s+)?"?([\w-]+)', re.IGNORECASE
)
COMMENT = re.compile(r"comment\s+on\s+extension\b", re.IGNORECASE)
"""Part of every dump. Only who created an extension may comment on it, and nothing depends on the comment."""

STAND_INS = {
    "pgcrypto": "gen_random_uuid, gen_random_bytes and digest",
    "uuid-ossp": "uuid_generate_v4 and uuid_nil",
}
"""The extensions of every hosted project for which extensions.sql stands in, and with which functions."""

PLATFORM_ONLY = {"pg_graphql", "pgjwt", "pgsodium", "supabase_vault"}
"""Created by every dump of a hosted project, seldom used by its tables: what does use them fails there."""

ABSENT = {
    "pgcrypto": "crypt gen_salt hmac encrypt decrypt pgp_sym_encrypt pgp_sym_decrypt armor dearmor",
    "uuid-ossp": "uuid_generate_v1 uuid_generate_v1mc uuid_generate_v3 uuid_generate_v5 uuid_ns_dns",
}
EXTENSION_OF = {function: extension for extension, names in ABSENT.items() for function in names.split()}
MISSING_FUNCTION = re.compile(r"function (?:\w+\.)?(\w+)\(")
MISSING_EXTENSION = re.compile(r'extension "([^"]+)" is not available')
# psql's guard around a dump, which `pg_dump` writes.
GUARDS = ("\\restrict", "\\unrestrict")


def migrate(connection: Connection[Any], paths: Sequence[Path]) -> None:
    """Each file in turn, a folder's `*.sql` in the order of their names, each statement on its own.

    Raises UsageError with the first failing statement; those before it stay done.
    """
    extensions = connection.execute(
        "select name, bool_or(trusted) from pg_available_extension_versions group by name"
    ).fetchall()
    available = {name for name, _ in extensions}
    untrusted = frozenset(name for name, is_trusted in extensions if not is_trusted)
    for file in _files(paths):
        connection.execute(SESSION)
        for statement in split(_read(file)):
            _run(connection, file, statement, available, untrusted)
        if connection.info.transaction_status != TransactionStatus.IDLE:
            connection.rollback()
            raise UsageError(f"{file}: a transaction is left open at the end", "end the file with `commit;`")
    connection.execute(SESSION)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        files = sorted(path.glob("*.sql"), key=lambda file: file.name)
        if not files:
            raise UsageError(
                f"{path} holds no .sql file", f"{Input.MIGRATIONS} takes SQL files and folders of them"
            )
        yield from files


def _read(file: Path) -> str:
    try:
        return read_text(file, max_bytes=MAX_SCRIPT_BYTES).removeprefix("\ufeff")
    except OSError as exc:
        raise UsageError(
            f"{file}: {exc.strerror}", f"{Input.MIGRATIONS} takes SQL files and folders of them"
        ) from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{file}: not UTF-8 at byte {exc.start}", "save the file as UTF-8") from exc


def _run(
    connection: Connection[Any],
    file: Path,
    statement: Statement,
    available: set[str],
    untrusted: frozenset[str],
) -> None:
    if statement.text.startswith("\\"):
        command = statement.text.split()[0]
        if command in GUARDS:
            return
        raise UsageError(
            f"{file}:{statement.line}: {command} is a command of psql, not SQL", "write it as SQL"
        )
    extension = EXTENSION.match(statement.text)
    if extension and extension[1].lower() in (STAND_INS.keys() | PLATFORM_ONLY) - available:
        return
    if COMMENT.match(statement.text):
        return
    try:
        if call := call_of(statement.text, untrusted):
            connection.execute(*call)
        elif statement.rows is None:
            connection.execute(statement.text.encode())
        else:
            with connection.cursor() as cursor, cursor.copy(statement.text.encode()) as copy:
                copy.write(statement.rows)
    except psycopg.Error as exc:
        if not connection.closed:
            connection.rollback()
        raise _explained(exc, file, statement, available) from exc


def _explained(exc: psycopg.Error, file: Path, statement: Statement, available: set[str]) -> UsageError:
    said = exc.diag.message_primary or str(exc).splitlines()[0]
    line = statement.line
    if exc.diag.statement_position:
        line += statement.text.count("\n", 0, int(exc.diag.statement_position) - 1)
    hint = exc.diag.message_hint or exc.diag.message_detail
    real = "set PRT_POSTGRES_BIN to a PostgreSQL that has it"
    if absent := MISSING_EXTENSION.search(said):
        said = f'the extension "{absent[1]}" is not part of the embedded PostgreSQL'
        hint = f"leave it out here, or {real}"
    elif (unknown := MISSING_FUNCTION.match(said)) and unknown[1] in EXTENSION_OF:
        extension = EXTENSION_OF[unknown[1]]
        if extension not in available:
            stand_in = STAND_INS[extension]
            hint = f"of {extension} the embedded PostgreSQL has {stand_in} only: do without, or {real}"
    return UsageError(
        f"{file}:{line}: {said}", hint or "what stands before it has run: correct it and start afresh"
    )
