"""One request as the tables' code sees it, and the answer: media types, ranges, statuses of HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct
from starlette.responses import Response

from prt.local.rest.errors import RestError
from prt.local.rest.preferences import Preferences
from prt.local.rest.query.tree import Query, Window

MAX_ROWS = 1000
"""A hosted project's default for `max-rows`: an answer to a read holds no more."""

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes, a bound of our own: PostgREST has none."""

RANGE = re.compile(r"(?:items=)?([0-9]{1,18})-([0-9]{0,18})")
JSON_TYPES = {"", "*/*", "application/*", "application/json"}


class MediaType(Struct, frozen=True):
    """How rows become the body: a list or the one object, with or without null members."""

    is_object: bool = False
    is_stripped: bool = False

    @property
    def name(self) -> str:
        """Return the value of `Content-Type`."""
        kind = "object" if self.is_object else "array"
        if not self.is_object and not self.is_stripped:
            return "application/json; charset=utf-8"
        stripped = "; nulls=stripped" if self.is_stripped else ""
        return f"application/vnd.pgrst.{kind}+json{stripped}; charset=utf-8"


class Rows(Struct, frozen=True):
    """The rows of a statement: the JSON list, its length, and the number of all rows if it was counted."""

    json: bytes
    count: int
    total: int | None = None


def media_type_of(accept: str) -> MediaType:
    """RestError PGRST107 (406) where none of the accepted types is served."""
    for item in accept.split(","):
        name, *options = (part.strip().lower() for part in item.split(";"))
        is_stripped = "nulls=stripped" in options
        if name in JSON_TYPES:
            return MediaType()
        if name in {"application/vnd.pgrst.object+json", "application/vnd.pgrst.object"}:
            return MediaType(is_object=True, is_stripped=is_stripped)
        if name in {"application/vnd.pgrst.array+json", "application/vnd.pgrst.array"}:
            return MediaType(is_stripped=is_stripped)
    raise RestError(406, "PGRST107", f"None of these media types are available: {accept}")


def window_of(query: Query, headers: Mapping[str, str]) -> Window:
    """`limit` and `offset` within the `Range` header within the project's bound."""
    window = query.windows.get((), Window())
    first, limit = window.offset, window.limit
    matched = RANGE.fullmatch(headers.get("range", "").strip())
    if matched is not None:
        low = int(matched[1])
        if matched[2]:
            high = int(matched[2])
            if high < low:
                raise RestError(
                    416,
                    "PGRST103",
                    "Requested range not satisfiable",
                    "The lower boundary must be lower than or equal to the upper boundary"
                    " in the Range header.",
                )
            last = high if limit is None else min(high, first + limit - 1)
            limit = max(last - max(first, low) + 1, 0)
        elif limit is not None:
            limit = max(limit - max(low - first, 0), 0)
        first = max(first, low)
    return Window(MAX_ROWS if limit is None else min(limit, MAX_ROWS), first)


def check_single(media: MediaType, rows: Rows) -> None:
    """Raise RestError if a single object is wanted and there is not exactly one row."""
    if media.is_object and rows.count != 1:
        raise RestError(
            406,
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
            f"The result contains {rows.count} rows",
        )


def check_affected(preferences: Preferences, rows: Rows) -> None:
    """Raise RestError PGRST124 if more rows were affected than the client allows, which takes them back."""
    if preferences.max_affected is not None and rows.count > preferences.max_affected:
        raise RestError(
            400,
            "PGRST124",
            "Query result exceeds max-affected preference constraint",
            f"The query affects {rows.count} rows",
        )


def body_of(media: MediaType, rows: Rows) -> bytes:
    """Return the body of an answer with rows."""
    return rows.json[1:-1] if media.is_object else rows.json


def content_range(first: int, rows: Rows) -> str:
    """Return the value of `Content-Range`; `first` is the offset of the first row."""
    span = f"{first}-{first + rows.count - 1}" if rows.count else "*"
    return f"{span}/{'*' if rows.total is None else rows.total}"


def read_status(first: int, rows: Rows) -> int:
    """200 with everything, 206 with a part of it; RestError PGRST103 (416) beyond the end."""
    if rows.total is None:
        return 200
    if first > rows.total:
        raise RestError(
            416,
            "PGRST103",
            "Requested range not satisfiable",
            f"An offset of {first} was requested, but there are only {rows.total} rows.",
        )
    return 206 if rows.count < rows.total else 200


def response(
    status: int, media: MediaType, body: bytes, preferences: Preferences, headers: Mapping[str, str]
) -> Response:
    """Return an answer with the headers that belong to it."""
    answer = Response(body, status, dict(headers))
    if body or status not in {201, 204}:
        answer.headers["Content-Type"] = media.name
    if status == 204:
        del answer.headers["Content-Length"]
    if preferences.applied:
        answer.headers["Preference-Applied"] = ", ".join(preferences.applied)
    return answer
