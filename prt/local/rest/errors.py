"""The error responses of REST: statuses, codes and messages as in PostgREST.

https://docs.postgrest.org/en/stable/references/errors.html
"""

from __future__ import annotations

from typing import Any

import psycopg

from prt.local.postgres.pool import NoConnectionError


class RestError(Exception):
    """A request that fails.

    Attributes:
        status: The HTTP status.
        body: The JSON body: `code`, `message`, `details` and `hint`.
    """

    def __init__(
        self, status: int, code: str, message: str, details: Any = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "details": details, "hint": hint, "message": message}

    @property
    def code(self) -> str:
        """The code of PostgREST (`PGRST…`), or PostgreSQL's SQLSTATE."""
        return str(self.body["code"])

    @property
    def headers(self) -> dict[str, str]:
        """The additional headers of the response: a status of 401 has `WWW-Authenticate`."""
        if self.status != 401:
            return {}
        if not self.code.startswith("PGRST30"):
            return {"WWW-Authenticate": "Bearer"}
        return {
            "WWW-Authenticate": f'Bearer error="invalid_token", error_description="{self.body["message"]}"'
        }


def from_database(exc: psycopg.Error | NoConnectionError, *, is_anonymous: bool) -> RestError:
    """Return the error with PostgreSQL's message and the status that PostgREST chooses.

    A missing privilege is 401 for an anonymous caller, who may have to sign in, and 403 for others.
    """
    if isinstance(exc, NoConnectionError):
        return RestError(504, "PGRST003", "Timed out acquiring connection from connection pool.")
    state = exc.sqlstate
    if state is None and isinstance(exc, psycopg.DataError):
        # psycopg itself refuses a text that contains a NUL; the message is PostgreSQL's.
        return RestError(400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00')
    if state is None:
        return RestError(503, "PGRST001", "Database client error. Retrying the connection.")
    message = exc.diag.message_primary or ""
    status = _status_of(state, message, is_anonymous)
    return RestError(status, state, message, exc.diag.message_detail, exc.diag.message_hint)


STATUS_OF_STATE = {
    "23503": 409,
    "23505": 409,
    "25006": 405,
    "53400": 500,
    "57P01": 503,
    "P0001": 400,
    "42883": 404,
    "42P01": 404,
    "42P17": 500,
}
STATUS_OF_CLASS = {
    "08": 503,
    "09": 500,
    "0L": 403,
    "0P": 403,
    "25": 500,
    "28": 403,
    "2D": 500,
    "38": 500,
    "39": 500,
    "3B": 500,
    "40": 500,
    "53": 503,
    "54": 500,
    "55": 500,
    "57": 500,
    "58": 500,
    "F0": 500,
    "HV": 500,
    "P0": 500,
    "XX": 500,
}


def _status_of(state: str, message: str, is_anonymous: bool) -> int:
    if state == "42501":
        return 401 if is_anonymous else 403
    if state == "22023" and message.startswith("role") and message.endswith("does not exist"):
        return 401
    if state == "21000":
        return 400 if message.endswith("requires a WHERE clause") else 500
    if state.startswith("PT") and state[2:].isdigit():
        return int(state[2:])
    return STATUS_OF_STATE.get(state) or STATUS_OF_CLASS.get(state[:2], 400)
