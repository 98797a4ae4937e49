"""Refusals of Auth: error codes, statuses and words.

https://supabase.com/docs/guides/auth/debugging/error-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

VERSION_HEADER = "x-supabase-api-version"
VERSION_WITH_CODES = "2024-01-01"


class AuthError(Exception):
    """HTTP status, Auth's error code, its words, and for `weak_password` the `weak_password` member."""

    def __init__(self, status: int, code: str, message: str, **members: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.members = members


def refused(error: AuthError, headers: Mapping[str, str]) -> JSONResponse:
    """Clients that name the version read `code` and `message`, older ones `error_code` and `msg`."""
    if headers.get(VERSION_HEADER, "") >= VERSION_WITH_CODES:
        body = {"code": error.code, "message": error.message, **error.members}
        return JSONResponse(body, error.status, {VERSION_HEADER: VERSION_WITH_CODES})
    body = {"code": error.status, "error_code": error.code, "msg": error.message, **error.members}
    return JSONResponse(body, error.status)
