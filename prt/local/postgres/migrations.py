"""The run of a user's SQL files, as `psql` or Supabase's CLI runs them.

A failure is one line with the file, the line and the reason. psycopg is PostgreSQL's client.
"""

from __future__ import annotations

import logging
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
from prt.local.postgres import hosted_extensions
from prt.local.postgres.privileges import call_of
from prt.local.postgres.statements import Statement, split

logger = logging.getLogger(__name__)

MAX_SCRIPT_BYTES = 256 * 1024 * 1024
"""The largest file that is read. A dump with data may be large, but it is held in memory."""

SESSION = 'reset role; reset all; set search_path to "$user", public, extensions'
"""The reset before each file, so that it does not see settings of a dump; the path is the usual one."""

MISSING_EXTENSION = re.compile(r'extension "([^"]+)" is not available')
NO_SUPERUSER = "your SQL runs as the role postgres, which is not a superuser, as in a hosted project"
REAL = "set PRT_POSTGRES_BIN to a PostgreSQL that has it"
_UNDEFINED = (
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedObject,
    psycopg.errors.UndefinedTable,
)
# psql's guard around a dump, which `pg_dump` writes.
GUARDS = ("\\restrict", "\\unrestrict")


def migrate(connection: Connection[Any], paths: Sequence[Path]) -> None:
    """Run the files in turn, those of a folder in the order of their names, each statement by itself.

    Extensions that only a hosted project has are skipped, and so are calls of their functions. One line
    announces each of them.

    Raises:
        UsageError: A statement failed. The statements before it are not undone.
    """
    run = _Run(connection)
    for file in _files(paths):
        connection.execute(SESSION)
        for statement in split(_read(file)):
            run.execute(file, statement)
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


class _Run:
    """One run of files, with the extensions that the server has, and those announced as absent."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        extensions = connection.execute(
            "select name, bool_or(trusted) from pg_available_extension_versions group by name"
        ).fetchall()
        self._available = {name for name, _ in extensions}
        self._untrusted = frozenset(name for name, is_trusted in extensions if not is_trusted)
        self._announced: set[str] = set()

    def execute(self, file: Path, statement: Statement) -> None:
        if statement.text.startswith("\\"):
            command = statement.text.split()[0]
            if command not in GUARDS:
                raise UsageError(
                    f"{file}:{statement.line}: {command} is a command of psql, not SQL", "write it as SQL"
                )
            return
        if self._is_settled(file, statement):
            return
        extension = hosted_extensions.called_by(statement.text, self._available)
        try:
            if extension is None:
                self._send(statement)
                return
            with self._connection.transaction():
                self._send(statement)
        except psycopg.Error as exc:
            if extension is not None and isinstance(exc, _UNDEFINED):
                logger.warning(
                    "%s:%d: skipped, because the embedded PostgreSQL does not have %s",
                    *(file, statement.line, extension),
                )
                return
            if not self._connection.closed:
                self._connection.rollback()
            raise self._explained(exc, file, statement) from exc

    def _is_settled(self, file: Path, statement: Statement) -> bool:
        """Return whether a statement about an extension needs no run, and announce it if that matters."""
        action, name = hosted_extensions.named_by(statement.text) or ("", "")
        if hosted_extensions.is_absent(name, self._available):
            if name not in self._announced:
                logger.warning(
                    "%s:%d: the embedded PostgreSQL does not have the extension %s, so it is skipped",
                    *(file, statement.line, name),
                )
            self._announced.add(name)
            return True
        if action == "comment on":
            # Every dump has such statements. They need the extension's owner, and nothing depends on them.
            return True
        if name not in hosted_extensions.PREINSTALLED or action == "drop":
            return False
        # Older servers may lack it: `schema.bootstrap` has then made its functions without it.
        is_there = "select from pg_extension where extname = %s"
        return name not in self._available or (
            action == "create" and self._connection.execute(is_there, [name]).rowcount > 0
        )

    def _send(self, statement: Statement) -> None:
        if call := call_of(statement.text, self._untrusted):
            self._connection.execute(*call)
        elif statement.rows is None:
            self._connection.execute(statement.text.encode())
        else:
            with self._connection.cursor() as cursor, cursor.copy(statement.text.encode()) as copy:
                copy.write(statement.rows)

    def _explained(self, exc: psycopg.Error, file: Path, statement: Statement) -> UsageError:
        said = exc.diag.message_primary or str(exc).splitlines()[0]
        line = statement.line
        if exc.diag.statement_position:
            line += statement.text.count("\n", 0, int(exc.diag.statement_position) - 1)
        hint = exc.diag.message_hint or exc.diag.message_detail
        if isinstance(exc, psycopg.errors.FeatureNotSupported) and (absent := MISSING_EXTENSION.search(said)):
            said = f'the extension "{absent[1]}" is not part of the embedded PostgreSQL'
            hint = f"leave it out here, or {REAL}"
        elif isinstance(exc, _UNDEFINED) and (
            extension := hosted_extensions.missing_by(said, self._available, self._announced)
        ):
            hint = f"it is of {extension}, which the embedded PostgreSQL lacks: leave it out here, or {REAL}"
        elif isinstance(exc, psycopg.errors.InsufficientPrivilege):
            hint = NO_SUPERUSER
        return UsageError(
            f"{file}:{line}: {said}",
            hint or "the statements before this one have run: correct it and start again",
        )
