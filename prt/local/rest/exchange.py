"""The HTTP side of a request: media types, ranges, limits, status codes and the response."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct
from starlette.responses import Response

from prt.local.rest.errors import RestError
from prt.local.rest.preferences import Preferences
from prt.local.rest.query.tree import Query, Window

MAX_ROWS = 1000
"""The most rows in the answer to a read: a hosted project's default for `max-rows`."""

LARGEST_ANSWER = 64 * 1024 * 1024
"""The most bytes in the body of an answer. The limit is our own: PostgREST does not limit it."""

RANGE = re.compile(r"(?:items=)?([0-9]{1,18})-([0-9]{0,18})")
JSON_TYPES = {"", "*/*", "application/*", "application/json"}


class MediaType(Struct, frozen=True):
    """The JSON form of the body: a list of rows or a single object, with or without members that are null."""

    is_object: bool = False
    is_stripped: bool = False

    @property
    def name(self) -> str:
        """The value of the header `Content-Type`."""
        kind = "object" if self.is_object else "array"
        if not self.is_object and not self.is_stripped:
            return "application/json; charset=utf-8"
        stripped = "; nulls=stripped" if self.is_stripped else ""
        return f"application/vnd.pgrst.{kind}+json{stripped}; charset=utf-8"


class Rows(Struct, frozen=True):
    """The rows that a statement returned.

    Attributes:
        json: The rows as a JSON list.
        count: The length of the list.
        total: The number of rows without a window, None if the client didn't ask for it. In an upsert, the
            number of rows that were updated.
    """

    json: bytes
    count: int
    total: int | None = None


def media_type_of(accept: str) -> MediaType:
    """Return the first media type of the header `Accept` that REST supports.

    Raises:
        RestError: `PGRST107` (406): REST supports none of the accepted types.
    """
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
    """Return the window of rows that a read returns.

    The window is the part that the parameters `limit` and `offset` and the header `Range` have in common,
    with `MAX_ROWS` rows at most.

    Raises:
        RestError: `PGRST103` (416): the range ends before it begins.
    """
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
    """Raise RestError `PGRST116` if the client wants a single object and there is not exactly one row."""
    if media.is_object and rows.count != 1:
        raise RestError(
            406,
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
            f"The result contains {rows.count} rows",
        )


def check_affected(preferences: Preferences, rows: Rows) -> None:
    """Raise RestError `PGRST124` if more rows are affected than the client allows; nothing changes then."""
    if preferences.max_affected is not None and rows.count > preferences.max_affected:
        raise RestError(
            400,
            "PGRST124",
            "Query result exceeds max-affected preference constraint",
            f"The query affects {rows.count} rows",
        )


def body_of(media: MediaType, rows: Rows) -> bytes:
    """Return the body of an answer: the JSON list, or the single object in it."""
    return rows.json[1:-1] if media.is_object else rows.json


def content_range(first: int, rows: Rows) -> str:
    """Return the value of the header `Content-Range`; `first` is the offset of the first row, from 0."""
    span = f"{first}-{first + rows.count - 1}" if rows.count else "*"
    return f"{span}/{'*' if rows.total is None else rows.total}"


def read_status(first: int, rows: Rows) -> int:
    """Return the status of a read: 206 if rows were counted and the answer is only a part, else 200.

    Raises:
        RestError: `PGRST103` (416): the offset `first` is greater than the number of rows.
    """
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
    """Return a response with the headers that its status and the preferences require.

    Args:
        status: The HTTP status.
        media: The media type of the body.
        body: The body, empty for a response without content.
        preferences: The request's preferences; those that were applied are listed in `Preference-Applied`.
        headers: Further headers.
    """
    answer = Response(body, status, dict(headers))
    if body or status not in {201, 204}:
        answer.headers["Content-Type"] = media.name
    if status == 204:
        del answer.headers["Content-Length"]
    if preferences.applied:
        answer.headers["Preference-Applied"] = ", ".join(preferences.applied)
    return answer
