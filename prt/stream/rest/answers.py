"""Answers of REST: rows, or the error that the status and PostgREST's own words amount to. Pure.

PrtError
├── RejectedError         the database takes no such row
├── RefusedError          this identity may not
├── UnreachableError      no such table for anybody
│   ├── UnavailableError  REST is away or busy; nothing was written, the request may succeed later
│   └── UnknownFateError  nobody knows whether a write was done
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
DATE_GRAIN = 1_000_000
"""µs by which the date of an answer may be off: it has whole seconds, and servers renew it once a second."""
_UNDEFINED_COLUMN = "42703"
_NO_PRIVILEGE = "42501"
_UNKNOWN_TABLE = ("42P01", "PGRST205", "PGRST106")
_LATER = (429, 500, 502, 503, 504)
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
_NO_CONNECTION = re.compile(r"PGRST00[0-3]")
"""PostgREST's own: it had no connection to the database to begin with."""

_decode_rows = msgspec.json.Decoder(list[Raw]).decode


class RejectedError(PrtError):
    """A constraint, a type, a column or a trigger refuses the values; `code` is the database's."""

    id = "E-ROW-REJECTED"

    def __init__(self, message: str, hint: str | None, code: str | None) -> None:
        super().__init__(message, hint)
        self.code = code


class UnknownColumnError(ProtocolError):
    """The table has no such column; `column` is the database's word for it, perhaps behind its table's."""

    id = "E-UNKNOWN-COLUMN"

    def __init__(self, message: str, column: str) -> None:
        super().__init__(message)
        self.column = column

    def is_of(self, name: str) -> bool:
        """Whether the database means this column; it writes names with quotes around them or without."""
        return any(self.column == one or self.column.endswith(f".{one}") for one in (name, f'"{name}"'))


class UnavailableError(UnreachableError):
    """REST is away or busy; the request may succeed later."""

    id = "E-REST-UNAVAILABLE"


class UnknownFateError(UnreachableError):
    """The write went out, and no answer says whether it was done: ask before it is repeated."""

    id = "E-UNKNOWN-OUTCOME"

    def __init__(self, message: str) -> None:
        super().__init__(
            f"{message}; whether the write was done is unknown", "read the rows before another try"
        )


class Answer(Struct, frozen=True):
    """`date` is the header of that name."""

    status: int
    body: bytes
    date: str | None


class Refusal(Struct):
    """Return PostgREST's error; a gateway's own has other fields, or is not JSON."""

    code: str | None = None
    message: str | None = None
    details: Any = None
    hint: str | None = None
    error: Any = None

    @property
    def words(self) -> str:
        """The message in one line, empty where there is none."""
        said = self.message or (self.error if isinstance(self.error, str) else None)
        return one_line(said) if said else ""


def rows_of(body: bytes) -> list[Raw]:
    """JSON objects, each with a buffer of its own. Raises ProtocolError."""
    try:
        if not body.isascii():
            body.decode()  # a value that is left raw is not looked into
        rows = _decode_rows(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ProtocolError("REST answered something that is not a list of rows") from exc
    return [row.copy() for row in rows]


def unread(schema: str, table: str, answer: Answer) -> PrtError:
    """Why rows were not read."""
    said = _refusal_in(answer.body)
    message = _message(answer.status, said)
    if said.code == _UNDEFINED_COLUMN:
        return UnknownColumnError(message, _column_in(said.words))
    if answer.status in (401, 403):
        return RefusedError(message, "may this identity read the table, and is its token still valid?")
    if answer.status in (404, 406):
        return UnreachableError(message, _is_exposed(schema, table, said))
    if said.code is not None and said.code.startswith("22"):
        return RejectedError(message, _why_rejected(said.code), said.code)
    return UnavailableError(message) if is_worth_a_try(answer, is_write=False) else ProtocolError(message)


def unwritten(schema: str, table: str, doing: str, answer: Answer) -> PrtError:
    """Why rows were not written; `doing` is INSERT, UPDATE or DELETE."""
    said = _refusal_in(answer.body)
    message = _message(answer.status, said)
    if details := said.details if isinstance(said.details, str) else "":
        message += f" ({one_line(details)})"
    if answer.status in (401, 403):
        return RefusedError(
            message, _why_refused(f"{quoting.identifier(schema)}.{quoting.identifier(table)}", doing, said)
        )
    if said.code in _UNKNOWN_TABLE or (answer.status in (404, 406) and said.code is None):
        return UnreachableError(message, _is_exposed(schema, table, said))
    if is_worth_a_try(answer, is_write=True):
        return UnavailableError(message)
    if said.code and (answer.status < 500 or _SQLSTATE.fullmatch(said.code)):
        return RejectedError(
            message,
            f"REST says: {one_line(said.hint)}" if said.hint else _why_rejected(said.code),
            said.code,
        )
    return UnknownFateError(message) if answer.status >= 500 else ProtocolError(message)


def is_worth_a_try(answer: Answer, *, is_write: bool) -> bool:
    """Whether the same request may succeed later. A write only if it was not begun."""
    if not is_write:
        return answer.status in _LATER and _refusal_in(answer.body).code != _UNDEFINED_COLUMN
    has_not_begun = _NO_CONNECTION.fullmatch(_refusal_in(answer.body).code or "")
    return answer.status == 429 or (answer.status in _LATER and has_not_begun is not None)


def one_line(text: str) -> str:
    """Return a server's words in one line; secrets are removed before a cut can leave a part of one."""
    return " ".join(redact(text).split())[:MESSAGE_SHOWN]


def date_of(header: str | None) -> int | None:
    """µs. RFC 9110, 5.6.7: whole seconds, of which the last may not be over."""
    try:
        return None if header is None else round(parsedate_to_datetime(header).timestamp() + 1) * 1_000_000
    except ValueError:
        return None


def _refusal_in(body: bytes) -> Refusal:
    try:
        return msgspec.json.decode(body, type=Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal()


def _message(status: int, said: Refusal) -> str:
    return f"REST answered {status}" + (f": {said.words}" if said.words else "")


def _column_in(message: str) -> str:
    found = re.search(r"column (.+?) does not exist", message)
    return found[1] if found else ""


def _is_exposed(schema: str, table: str, said: Refusal) -> str:
    """PostgREST names a table that is called alike, where there is one."""
    return (
        f"REST says: {one_line(said.hint)}"
        if said.hint
        else f"is {schema}.{table} exposed by the project's API?"
    )


def _why_refused(table: str, doing: str, said: Refusal) -> str:
    if said.code == _NO_PRIVILEGE and "row-level security" in said.words:
        # RETURNING has to pass the policies for SELECT too, and says the same.
        return (
            f"no policy of {table} lets this identity {doing} such a row, or SELECT it; "
            f"{Input.IDENTITY} takes another one"
        )
    if said.code == _NO_PRIVILEGE:
        # What is returned has to be readable.
        rights = f"select, {doing.lower()}"
        return f"grant {rights} on {table} to this identity's role, or take another one with {Input.IDENTITY}"
    return f"is the token still valid? {Input.IDENTITY} EMAIL signs in"


def _why_rejected(code: str) -> str | None:
    if code in ("PGRST204", _UNDEFINED_COLUMN):
        return "check the column's name; after a migration: notify pgrst, 'reload schema'"
    if code.startswith("22"):
        return "check the values against the columns' types"
    return None
