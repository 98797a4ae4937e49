"""Rows of a project over REST, as whom the socket is: what PostgREST answers, or why it doesn't.

httpx comes with the SDK; it is imported at the first request, because most watches never make one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from prt.config.secret import Secret, facts_of
from prt.errors import ProtocolError, UsageError
from prt.stream.filters.postgrest import Parameters
from prt.stream.reaching import obstacle_of
from prt.stream.rest.answers import (
    Answer,
    UnavailableError,
    UnknownFateError,
    date_of,
    is_worth_a_try,
    rows_of,
    unread,
    unwritten,
)
from prt.stream.rest.session import Endpoint, user_of

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS = 10.0
PAUSES = (0.3, 1.0)
"""Seconds before an attempt is repeated that may succeed later: REST comes up after Realtime at times."""
MAX_BYTES = 16 * 1024 * 1024
MAX_REQUESTS = 4
"""At a time: a project that has just come back has others to serve too."""
AWAY = "REST can't be reached"

Doing = Literal["INSERT", "UPDATE", "DELETE"]
METHODS: dict[Doing, str] = {"INSERT": "POST", "UPDATE": "PATCH", "DELETE": "DELETE"}
Row = Mapping[str, Any]
"""Values by column; `Raw` ones go out as they are."""


class TooLargeError(ProtocolError):
    """The answer outgrew what is read at once: ask for fewer rows."""

    id = "E-ANSWER-TOO-LARGE"


class _AwayError(UnavailableError):
    """There is nobody to ask."""


class Page(Struct, frozen=True):
    """Rows as JSON objects, each with a buffer of its own; `date` is when the server answered (µs)."""

    rows: list[Raw]
    date: int | None


class _Request(Struct, frozen=True):
    method: str
    table: str
    parameters: Parameters
    headers: dict[str, str]
    content: bytes | None = None
    is_repeated: bool = True
    is_anonymous: bool = False

    @property
    def is_write(self) -> bool:
        return self.method != "GET"


class Rest:
    """`endpoint` is asked before each request: its token may have been renewed."""

    def __init__(
        self,
        endpoint: Callable[[], Endpoint],
        *,
        timeout: float = ANSWER_SECONDS,
        pauses: Sequence[float] = PAUSES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._endpoint = endpoint
        self._timeout = timeout
        self._pauses = pauses
        self._max_bytes = max_bytes
        self._client: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(MAX_REQUESTS)
        self._times_away = 0
        self.answered_at: int | None = None
        """When the server gave its last answer, by its own clock (µs), if it has said so."""
        self.answered_running = 0
        """The same by the monotonic clock of this machine (µs)."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @property
    def user(self) -> str | None:
        """The id of the user whose session it is; None if there is no session."""
        endpoint = self._endpoint()
        return None if endpoint.token is None else user_of(endpoint)

    @property
    def passes_row_security(self) -> bool:
        """Whether our identity sees every row."""
        endpoint = self._endpoint()
        return facts_of(Secret(endpoint.token or endpoint.key)).is_server_key

    async def read(
        self,
        schema: str,
        table: str,
        parameters: Parameters,
        *,
        is_repeated: bool = True,
        is_anonymous: bool = False,
    ) -> Page:
        """Read rows.

        Args:
            schema: The schema of the table.
            table: The table's name.
            parameters: The query string.
            is_repeated: Whether to ask again after an answer that may be better later.
            is_anonymous: Whether to ask with the key alone, without the user's session.

        Raises:
            RefusedError, UnreachableError, ProtocolError, UnknownColumnError, TooLargeError
        """
        request = _Request(
            "GET",
            table,
            parameters,
            {"Accept-Profile": schema},
            is_repeated=is_repeated,
            is_anonymous=is_anonymous,
        )
        answer = await self._answered(request)
        if answer.status != 200:
            raise unread(schema, table, answer)
        date = date_of(answer.date)
        if date is not None:
            self.answered_at, self.answered_running = date, time.monotonic_ns() // 1000
        return Page(rows_of(answer.body), date)

    async def insert(
        self, schema: str, table: str, rows: Sequence[Row], *, returning: bool = True
    ) -> list[Raw]:
        """The rows as the database has them, [] where not `returning`, which takes the right to read them.

        A write is repeated only where it certainly was not done. Raises RejectedError, RefusedError,
        UnknownFateError, UnreachableError, ProtocolError; so do the others.
        """
        return await self._write("INSERT", schema, table, [], rows, returning=returning)

    async def update(
        self, schema: str, table: str, conditions: Parameters, values: Row, *, returning: bool = True
    ) -> list[Raw]:
        """The rows as they are now; none where none meets the conditions, or policies hide them."""
        return await self._write("UPDATE", schema, table, conditions, values, returning=returning)

    async def delete(
        self, schema: str, table: str, conditions: Parameters, *, returning: bool = True
    ) -> list[Raw]:
        """The rows as they were; none where none meets the conditions, or policies hide them."""
        return await self._write("DELETE", schema, table, conditions, None, returning=returning)

    async def _write(
        self,
        doing: Doing,
        schema: str,
        table: str,
        conditions: Parameters,
        values: Row | Sequence[Row] | None,
        *,
        returning: bool,
    ) -> list[Raw]:
        if doing != "INSERT" and not conditions:
            raise UsageError(f"{doing} without a condition is one of the whole table", "name the rows")
        prefer = f"return={'representation' if returning else 'minimal'}"
        headers = {"Content-Profile": schema, "Prefer": prefer}
        content = None
        if values is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(values)
        answer = await self._answered(_Request(METHODS[doing], table, conditions, headers, content))
        if not 200 <= answer.status < 300:
            raise unwritten(schema, table, doing, answer)
        return rows_of(answer.body) if returning else []

    async def _answered(self, request: _Request) -> Answer:
        """The first answer but those that say that the request may succeed later, or the last one."""
        times_away = self._times_away
        for pause in (*(self._pauses if request.is_repeated else ()), None):
            async with self._slots:
                if self._times_away > times_away:  # who has waited for a slot need not find out anew
                    raise _AwayError(AWAY)
                try:
                    answer = await self._asked(request)
                except UnavailableError as exc:
                    if pause is None:
                        self._times_away += isinstance(exc, _AwayError)
                        raise
                else:
                    if pause is None or not is_worth_a_try(answer, is_write=request.is_write):
                        return answer
            await asyncio.sleep(pause)
        raise AssertionError  # the last attempt returns or raises

    async def _asked(self, request: _Request) -> Answer:
        import httpx  # noqa: PLC0415

        from prt.stream.rest.http import BoundedClient, OversizedError, bounded_body  # noqa: PLC0415

        endpoint = self._endpoint()
        headers = {
            "apikey": endpoint.key,
            "Authorization": f"Bearer {(not request.is_anonymous and endpoint.token) or endpoint.key}",
            "Accept": "application/json",
            **request.headers,
        }
        # A schema may be named in any script, and what stands in a header is bytes.
        encoded = {name.encode(): value.encode() for name, value in headers.items()}
        if self._client is None:
            self._client = BoundedClient(endpoint.url, seconds=self._timeout)
        url = f"{endpoint.url}/rest/v1/{quote(request.table, safe='')}"
        is_on_its_way = False

        async def trace(step: str, _: object) -> None:
            nonlocal is_on_its_way
            is_on_its_way |= step.endswith("send_request_headers.started")

        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream(
                    request.method,
                    url,
                    params=tuple(request.parameters),
                    headers=encoded,
                    content=request.content,
                    extensions={"trace": trace},
                ) as answer,
            ):
                body = await bounded_body(answer, self._max_bytes)
        except OversizedError as exc:
            raise TooLargeError(f"a page of rows is larger than {self._max_bytes >> 20} MB") from exc
        except httpx.DecodingError as exc:
            raise ProtocolError("REST answered what can't be unpacked") from exc
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as exc:
            is_late = isinstance(exc, TimeoutError | httpx.TimeoutException)
            message = f"REST did not answer in {self._timeout:g} s" if is_late else AWAY
            if (obstacle := obstacle_of(exc, endpoint.url)) is not None:
                message = obstacle.message
            if request.is_write and is_on_its_way:
                raise UnknownFateError(message if is_late else "REST went away before it answered") from exc
            raise (UnavailableError if is_late else _AwayError)(message) from exc
        return Answer(answer.status_code, body, answer.headers.get("date"))
