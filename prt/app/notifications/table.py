"""The table of notifications, whose they are, and the remedies if a project has none like it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from msgspec import Raw, Struct

from prt.app.sources.refusals import Remedies
from prt.decoding import decoded_row
from prt.errors import UsageError
from prt.inputs import Input
from prt.state.notifications import shown
from prt.stream.binding import Binding
from prt.stream.filters import grammar, postgrest
from prt.stream.rest.answers import UnknownColumnError, UnknownTableError
from prt.stream.rest.session import Endpoint, user_of

ID = "id"


class NotificationTable(Struct, frozen=True, kw_only=True):
    """The table of notifications; `column` holds the user."""

    schema: str
    table: str
    column: str

    @property
    def name(self) -> str:
        """The name as `schema.table`."""
        return f"{self.schema}.{self.table}"

    def bindings(self, user: str) -> list[Binding]:
        """Return the bindings of one channel: for new notifications, those marked as read, and removed ones.

        The DELETEs are not filtered, because they only have the key, and a filter on another column would
        drop them.
        """
        own = Binding(
            schema=self.schema, table=self.table, event="INSERT", filter=grammar.equals(self.column, user)
        )
        return [
            own,
            msgspec.structs.replace(own, event="UPDATE"),
            msgspec.structs.replace(own, event="DELETE", filter=None),
        ]

    def of_user(self, user: str) -> tuple[str, str]:
        """Return the query parameter that selects the notifications of one user."""
        return postgrest.condition(self.column, f"eq.{user}")


def remedies() -> Remedies:
    """Return what can be done about a refused table of notifications, whose default is the demo's."""
    return Remedies(command=f"prt notify {Input.TABLE}", missing=_name_table(), column=_name_column())


def _name_table() -> str:
    return f"name the table of your notifications with {Input.TABLE}"


def _name_column() -> str:
    return f"name the column that holds the user's id with {Input.USER_COLUMN}"


@contextmanager
def explained() -> Iterator[None]:
    """Give an error of REST about an unknown table or column a hint that names the option for it."""
    try:
        yield
    except UnknownTableError as exc:
        raise UnknownTableError(exc.message, f"{_name_table()}; {exc.hint}", exc.near) from exc
    except UnknownColumnError as exc:
        raise UsageError(exc.message, _name_column()) from exc


def user_of_session(endpoint: Endpoint, user: str | None) -> str:
    """Return the given user, otherwise the session's own.

    Raises:
        UsageError: The session has no user, or the given one is empty.
    """
    if user is not None and not user.strip():
        raise UsageError(f"{Input.USER} is empty", "leave it out for the session's own")
    own = user or user_of(endpoint)
    if own is None:
        raise UsageError(
            "this session does not belong to a user",
            f"name one with {Input.USER} ID, or sign in with {Input.IDENTITY} EMAIL",
        )
    return own


def id_of(row: Raw) -> str:
    """Return the id of a notification's row as text."""
    return shown(decoded_row(row).get(ID))
