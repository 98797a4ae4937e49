"""Creation of rows in a table of unknown structure.

An insert is tried, and the database's errors show which values are missing. PostgREST describes its API only
to some roles, so nothing here depends on that description.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from prt.checks.free_values import FreeValues, integer_of
from prt.checks.test.outcomes import SkippedError
from prt.checks.test.settings import MARK
from prt.errors import PrtError, RefusedError, UnreachableError
from prt.inputs import Input
from prt.stream.rest.answers import RejectedError, UnavailableError, UnknownColumnError
from prt.stream.rest.client import Rest

MARKERS = (
    "title",
    "name",
    "message",
    "body",
    "task",
    "label",
    "description",
    "content",
    "text",
    "summary",
    "subject",
    "notes",
    "note",
    "comment",
)
"""Columns that usually hold text for people, in the order in which they are tried."""
CODES = ("number", "code", "reference")
"""Columns that often hold text but may hold a number, so that their type is tested."""
OWNERS = (
    "user_id",
    "owner_id",
    "created_by",
    "author_id",
    "profile_id",
    "owner",
    "sender_id",
    "author",
    "sender",
    "creator_id",
    "customer_id",
    "customer",
    "member_id",
)
"""Columns that policies compare with `auth.uid()`, the most usual ones first."""
ATTEMPTS = 20
_PARENT = re.compile(r".+_(id|uuid)$")
"""The usual name of a column that refers to another row, such as the room of a message."""
_REQUIRED = re.compile(r'null value in column "(.+?)"')
_KEY = re.compile(r"Key \((.+?)\)=")
_NOT_NULL, _FOREIGN_KEY, _UNIQUE, _TOO_LONG = "23502", "23503", "23505", "22001"
_CHECKS = ("23514", "22P02", "22007", _TOO_LONG, "42804")

_VALUES: tuple[tuple[str, Callable[[], Any]], ...] = (
    (r"(_at|_on|_date|date|time)$", lambda: datetime.now(UTC).isoformat()),
    (r"^(is|has)_", lambda: False),
    (r"(count|amount|quantity|position|price|number|total|size)", lambda: 1),
    (r"(^id|_id|uuid)$", lambda: str(uuid.uuid4())),
    (r"(settings|payload|details|metadata|data|config)", dict),
)


async def text_column(rest: Rest, schema: str, table: str, wanted: str | None) -> str:
    """Return the name of the text column for the mark.

    Args:
        rest: The REST client that reads the table.
        schema: The table's schema.
        table: The table's name without its schema.
        wanted: The column that the user named; None to try the usual ones.

    Raises:
        SkippedError: There is no such column, or no such table.
        PrtError: REST failed.
    """
    for name in (wanted,) if wanted else MARKERS:
        try:
            await rest.read(schema, table, [("select", name), ("limit", "0")])
        except UnknownColumnError:
            continue
        except PrtError as exc:
            raise unread(exc, f"{schema}.{table}") from exc
        return name
    for name in () if wanted else CODES:
        try:
            await rest.read(schema, table, [("select", name), (name, "like.*"), ("limit", "0")])
        except UnavailableError:
            raise
        except (UnknownColumnError, UnreachableError):  # no such column, or its type has no operator LIKE
            continue
        return name
    what = f"no column {wanted}" if wanted else f"none of the columns {', '.join(MARKERS[:6])}…"
    raise SkippedError(f"{schema}.{table} has {what} for the mark; name a text column with {Input.MARKER}")


def unread(error: PrtError, table: str) -> Exception:
    """Return why a table is not tested, or the error itself if REST is unavailable or its answer invalid."""
    reason = f"{table} can't be read over REST: {error.message}"
    if isinstance(error, RefusedError):
        return SkippedError(f"{reason} ({error.hint})")
    if isinstance(error, UnreachableError) and not isinstance(error, UnavailableError):
        return SkippedError(f"{reason}; name another with {Input.TABLE}")
    return error


class Owner(Struct, frozen=True):
    """The owner of the rows: a user, and claims that policies may compare with columns of the same name."""

    user_id: str | None
    claims: dict[str, Any] = {}


class Template:
    """The values that a row needs in addition to its mark.

    They are the user's own id, a value from an existing row, or a guess; for a key, a value that is free.
    """

    def __init__(self, rest: Rest, schema: str, table: str, owner: Owner) -> None:
        self._rest = rest
        self._schema, self._table = schema, table
        self._user_id = owner.user_id
        self._claims = owner.claims
        self._values: dict[str, Any] = {}
        self._free: dict[str, FreeValues] = {}
        self._references: set[str] = set()
        self._example: dict[str, Any] | None = None
        self._amendments = [self._own, self._join_example]

    async def insert(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Insert a row with the given values and those of the template; return it as the database stored it.

        Raises:
            SkippedError: The table accepts no such row.
            PrtError: REST failed.
        """
        for _ in range(ATTEMPTS):
            keys = {column: free.next(_mark_in(row)) for column, free in self._free.items()}
            try:
                written = await self._rest.insert(
                    self._schema, self._table, [{**self._values, **keys, **row}]
                )
            except RejectedError as exc:
                if not await self._learn(exc, row):
                    raise self._unfit(exc) from exc
            except RefusedError:
                if not await self._suit_policies(row):
                    raise
            else:
                return dict(msgspec.json.decode(written[0]))
        raise SkippedError(
            f"{self._schema}.{self._table} takes no row of ours; name another with {Input.TABLE}"
        )

    async def _suit_policies(self, row: Mapping[str, Any]) -> bool:
        """Set further columns as policies often require them; return whether there were any left to set.

        A policy is asked before a missing value is reported, so that its refusal doesn't name the column.
        """
        while self._amendments:
            found = await self._amendments.pop(0)()
            new = {column: value for column, value in found.items() if column not in row}
            if any(self._values.get(column) != value for column, value in new.items()):
                self._values |= new
                return True
        return False

    async def _join_example(self) -> dict[str, Any]:
        """Return what an existing row belongs to, because a policy may require membership in it."""
        example = await self._read_example()
        return {
            column: value
            for column, value in example.items()
            if _PARENT.fullmatch(column) and column not in self._values and isinstance(value, str | int)
        }

    async def _own(self) -> dict[str, Any]:
        """Return the columns that name the row's owner, with their values."""
        found = {name: value for name, value in self._claims.items() if await self._has(name)}
        if self._user_id is not None:
            for column in OWNERS:
                if await self._has(column):
                    found[column] = self._user_id
                    break
        return found

    async def _has(self, column: str) -> bool:
        try:
            await self._rest.read(self._schema, self._table, [("select", column), ("limit", "0")])
        except UnknownColumnError:
            return False
        return True

    async def _learn(self, error: RejectedError, row: Mapping[str, Any]) -> bool:
        """Return whether a further attempt has something new to try.

        The values of `row` are never replaced.
        """
        if error.code == _NOT_NULL and (found := _REQUIRED.search(error.message)):
            column = found[1]
            if column in self._values or column in row:
                return False
            self._values[column] = await self._value_of(column)
            return True
        if error.code == _FOREIGN_KEY and (found := _KEY.search(error.message)):
            column = found[1]
            self._references.add(column)
            was_free = self._free.pop(column, None) is not None
            return column not in row and (await self._copy_from_example(column) or was_free)
        if error.code == _UNIQUE and (found := _KEY.search(error.message)):
            columns = [column for column in found[1].split(", ") if column not in row]
            return any([await self._free_up(column) for column in columns])
        if error.code == _TOO_LONG:
            shortened = [free.note_too_long() for free in self._free.values()]
            if any(shortened):
                return True
        if (refused := integer_of(error.message)) is not None:
            columns = [column for column, value in self._values.items() if str(value) == refused]
            self._values |= dict.fromkeys(columns, 1)
            return any([await self._copy_from_example(column) for column in columns]) or bool(columns)
        if error.code in _CHECKS:
            return any([await self._copy_from_example(column) for column in list(self._values)])
        return False

    async def _value_of(self, column: str) -> Any:
        if column in self._claims:
            return self._claims[column]
        if self._user_id is not None and re.search(r"(user|owner|author|profile|created_by)", column):
            return self._user_id
        example = await self._read_example()
        if example.get(column) is not None:
            return example[column]
        return next((value() for pattern, value in _VALUES if re.search(pattern, column)), "prt-test")

    async def _free_up(self, column: str) -> bool:
        """Give a column of a key values that no other row has.

        Return whether that can be done: the column has no default, and its values do not name other rows.
        """
        if column not in self._values or column in self._references:
            return False
        free = self._free.setdefault(column, FreeValues(self._values[column]))
        greatest = None
        if free.is_integer:
            parameters = [("select", column), ("order", f"{column}.desc.nullslast"), ("limit", "1")]
            page = await self._rest.read(self._schema, self._table, parameters)
            greatest = msgspec.json.decode(page.rows[0])[column] if page.rows else None
        free.note_taken(greatest)
        return True

    async def _copy_from_example(self, column: str) -> bool:
        value = (await self._read_example()).get(column)
        is_changed = value is not None and self._values.get(column) != value
        if is_changed:
            self._values[column] = value
        return is_changed

    async def _read_example(self) -> dict[str, Any]:
        if self._example is None:
            page = await self._rest.read(self._schema, self._table, [("limit", "1")])
            self._example = dict(msgspec.json.decode(page.rows[0])) if page.rows else {}
        return self._example

    def _unfit(self, error: RejectedError) -> SkippedError:
        name = f"{self._schema}.{self._table}"
        return SkippedError(f"{name} takes no row of ours: {error.message}; name another with {Input.TABLE}")


def _mark_in(row: Mapping[str, Any]) -> str:
    """Return the mark of a row, or another unique text if the row has no mark."""
    texts = (value for value in row.values() if isinstance(value, str) and value.startswith(MARK))
    return next(texts, f"{MARK}{uuid.uuid4()}")
