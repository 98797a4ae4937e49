"""Answers of REST: rows, or the error that the status and PostgREST's message stand for. Pure.

PrtError
├── RejectedError         the database refuses the values
├── RefusedError          this identity may not
├── UnreachableError      the API does not expose the table, for any identity
│   ├── UnknownTableError there is no such table
│   ├── UnavailableError  REST is away or busy; nothing was written, the request may succeed later
│   └── UnknownFateError  it is unknown whether a write was done
└── ProtocolError
    └── UnknownColumnError

https://docs.postgrest.org/en/stable/references/errors.html
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from prt import quoting
from prt.errors import ProtocolError, PrtError, RefusedError, UnreachableError
from prt.inputs import Input
from prt.redaction import redact

MESSAGE_SHOWN = 300
"""The most characters of a server's message that are shown."""
DATE_GRAIN = 1_000_000
"""µs by which the date of an answer may be off: it has whole seconds, and servers update it once a second."""
_UNDEFINED_COLUMN = "42703"
_NO_PRIVILEGE = "42501"
_NO_TABLE = ("42P01", "PGRST205")
_UNKNOWN_SCHEMA = "PGRST106"
_SUGGESTED = re.compile(r"Perhaps you meant the table '[^'.]*\.([^'.]+)'")
_LATER = (429, 500, 502, 503, 504)
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
_NO_CONNECTION = re.compile(r"PGRST00[0-3]")
"""PostgREST's codes if it had no connection to the database from the start."""

_decode_rows = msgspec.json.Decoder(list[Raw]).decode


class RejectedError(PrtError):
    """A constraint, a type, a column or a trigger refuses the values; `code` is the database's error code."""

    id = "E-ROW-REJECTED"

    def __init__(self, message: str, hint: str | None, code: str | None) -> None:
        super().__init__(message, hint)
        self.code = code


class UnknownColumnError(ProtocolError):
    """The table lacks a column; `column` is its name in the database's message, maybe after the table's."""

    id = "E-UNKNOWN-COLUMN"

    def __init__(self, message: str, column: str) -> None:
        super().__init__(message)
        self.column = column

    def is_of(self, name: str) -> bool:
        """Return whether the message means this column. The database may quote names."""
        return any(self.column == one or self.column.endswith(f".{one}") for one in (name, f'"{name}"'))


class UnknownTableError(UnreachableError):
    """The table does not exist; `near` is the similar name that PostgREST suggests, or None."""

    def __init__(self, message: str, hint: str, near: str | None) -> None:
        super().__init__(message, hint)
        self.near = near


class UnavailableError(UnreachableError):
    """REST is away or busy. The request may succeed later."""

    id = "E-REST-UNAVAILABLE"


class UnknownFateError(UnreachableError):
    """A write was sent, and no answer shows whether it was done. Check before repeating it."""

    id = "E-UNKNOWN-OUTCOME"

    def __init__(self, message: str) -> None:
        super().__init__(
            f"{message}; whether the write was done is unknown", "read the rows before another try"
        )


class Answer(Struct, frozen=True):
    """An HTTP answer; `date` is the header of that name."""

    status: int
    body: bytes
    date: str | None


class Refusal(Struct):
    """The error in PostgREST's answer. A gateway's own error has other fields, or is not JSON."""

    code: str | None = None
    message: str | None = None
    details: Any = None
    hint: str | None = None
    error: Any = None

    @property
    def words(self) -> str:
        """The message in one line; empty if there is none."""
        text = self.message or (self.error if isinstance(self.error, str) else None)
        return one_line(text) if text else ""


class _Description(Struct):
    definitions: dict[str, Any] = {}


def rows_of(body: bytes) -> list[Raw]:
    """Decode the body of an answer into JSON objects, each with a buffer of its own.

    Raises:
        ProtocolError: If the body is not a list of rows.
    """
    try:
        if not body.isascii():
            body.decode()  # msgspec does not check the UTF-8 of raw values
        rows = _decode_rows(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ProtocolError("REST answered something that is not a list of rows") from exc
    return [row.copy() for row in rows]


def tables_of(body: bytes) -> list[str]:
    """Return the names of the tables in REST's description of itself; none if it can't be read."""
    try:
        return list(msgspec.json.decode(body, type=_Description).definitions)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def unread(schema: str, table: str, answer: Answer) -> PrtError:
    """Return the error that explains why rows could not be read.

    Args:
        schema: The schema of the table.
        table: The table's name.
        answer: The answer, whose status is not 200.
    """
    refusal = _refusal_in(answer.body)
    message = _message(answer.status, refusal)
    if refusal.code == _UNDEFINED_COLUMN:
        return UnknownColumnError(message, _column_in(refusal.words))
    if answer.status in (401, 403):
        return RefusedError(message, "may this identity read the table, and is its token still valid?")
    if answer.status in (404, 406):
        if refusal.code in _NO_TABLE:
            return _unknown_table(message, schema, table, refusal)
        return UnreachableError(message, _is_exposed(schema, table, refusal))
    if refusal.code is not None and refusal.code.startswith("22"):
        return RejectedError(message, _why_rejected(refusal.code), refusal.code)
    return UnavailableError(message) if is_worth_a_try(answer, is_write=False) else ProtocolError(message)


def unwritten(schema: str, table: str, operation: str, answer: Answer) -> PrtError:
    """Return the error that explains why rows could not be written.

    Args:
        schema: The schema of the table.
        table: The table's name.
        operation: INSERT, UPDATE or DELETE.
        answer: The answer, whose status is not 2xx.
    """
    refusal = _refusal_in(answer.body)
    message = _message(answer.status, refusal)
    if details := refusal.details if isinstance(refusal.details, str) else "":
        message += f" ({one_line(details)})"
    if answer.status in (401, 403):
        return RefusedError(
            message,
            _why_refused(f"{quoting.identifier(schema)}.{quoting.identifier(table)}", operation, refusal),
        )
    if refusal.code in _NO_TABLE:
        return _unknown_table(message, schema, table, refusal)
    if refusal.code == _UNKNOWN_SCHEMA or (answer.status in (404, 406) and refusal.code is None):
        return UnreachableError(message, _is_exposed(schema, table, refusal))
    if is_worth_a_try(answer, is_write=True):
        return UnavailableError(message)
    if refusal.code and (answer.status < 500 or _SQLSTATE.fullmatch(refusal.code)):
        return RejectedError(
            message,
            f"REST says: {one_line(refusal.hint)}" if refusal.hint else _why_rejected(refusal.code),
            refusal.code,
        )
    return UnknownFateError(message) if answer.status >= 500 else ProtocolError(message)


def is_worth_a_try(answer: Answer, *, is_write: bool) -> bool:
    """Return whether the same request may succeed later. For a write: only if it was not begun."""
    if not is_write:
        return answer.status in _LATER and _refusal_in(answer.body).code != _UNDEFINED_COLUMN
    has_not_begun = _NO_CONNECTION.fullmatch(_refusal_in(answer.body).code or "")
    return answer.status == 429 or (answer.status in _LATER and has_not_begun is not None)


def one_line(text: str) -> str:
    """Return a server's message in one line, cut after its secrets were removed."""
    return " ".join(redact(text).split())[:MESSAGE_SHOWN]


def date_of(header: str | None) -> int | None:
    """Convert a `Date` header into µs since the epoch; None if it is absent or invalid.

    The header has whole seconds (RFC 9110, 5.6.7), of which the last may not be over: one second is added.
    """
    try:
        return None if header is None else round(parsedate_to_datetime(header).timestamp() + 1) * 1_000_000
    except ValueError:
        return None


def _refusal_in(body: bytes) -> Refusal:
    try:
        return msgspec.json.decode(body, type=Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal()


def _message(status: int, refusal: Refusal) -> str:
    return f"REST answered {status}" + (f": {refusal.words}" if refusal.words else "")


def _column_in(message: str) -> str:
    name, is_missing, _ = message.partition("column ")[2].partition(" does not exist")
    return name if is_missing else ""


def _unknown_table(message: str, schema: str, table: str, refusal: Refusal) -> UnknownTableError:
    found = _SUGGESTED.search(refusal.hint or "")
    near = None if found is None else one_line(found[1])
    return UnknownTableError(message, _is_exposed(schema, table, refusal), near)


def _is_exposed(schema: str, table: str, refusal: Refusal) -> str:
    """Return a hint about an unknown table: PostgREST's own, which names a similar table, or a question."""
    return (
        f"REST says: {one_line(refusal.hint)}"
        if refusal.hint
        else f"is {schema}.{table} exposed by the project's API?"
    )


def _why_refused(table: str, operation: str, refusal: Refusal) -> str:
    if refusal.code == _NO_PRIVILEGE and "row-level security" in refusal.words:
        # RETURNING requires the policies for SELECT too, and fails with the same message.
        return (
            f"no policy of {table} lets this identity {operation} such a row, or SELECT it; "
            f"{Input.IDENTITY} takes another one"
        )
    if refusal.code == _NO_PRIVILEGE:
        # Returned rows have to be readable.
        rights = f"select, {operation.lower()}"
        return f"grant {rights} on {table} to this identity's role, or take another one with {Input.IDENTITY}"
    return f"is the token still valid? {Input.IDENTITY} EMAIL signs in"


def _why_rejected(code: str) -> str | None:
    if code in ("PGRST204", _UNDEFINED_COLUMN):
        return "check the column's name; after a migration: notify pgrst, 'reload schema'"
    if code.startswith("22"):
        return "check the values against the columns' types"
    return None
