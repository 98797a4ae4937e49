"""The error responses of Auth: statuses, error codes and messages.

https://supabase.com/docs/guides/auth/debugging/error-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

VERSION_HEADER = "x-supabase-api-version"
VERSION_WITH_CODES = "2024-01-01"


class AuthError(Exception):
    """A request that Auth refuses.

    Attributes:
        status: The HTTP status.
        code: Auth's error code, such as `bad_jwt`.
        message: Auth's message.
        members: Further members of the JSON body; only the code `weak_password` has one.
    """

    def __init__(self, status: int, code: str, message: str, **members: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.members = members


def refused(error: AuthError, headers: Mapping[str, str]) -> JSONResponse:
    """Return the response for an error, in the form that the client's API version expects.

    Clients that send `x-supabase-api-version` read `code` and `message`, older ones `error_code` and `msg`.
    """
    if headers.get(VERSION_HEADER, "") >= VERSION_WITH_CODES:
        body = {"code": error.code, "message": error.message, **error.members}
        return JSONResponse(body, error.status, {VERSION_HEADER: VERSION_WITH_CODES})
    body = {"code": error.status, "error_code": error.code, "msg": error.message, **error.members}
    return JSONResponse(body, error.status)
