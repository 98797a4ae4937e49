"""Rows of a project over REST, read and written with the socket's identity.

httpx comes with the SDK. It is imported at the first request, because most watches never make one.
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
"""How long a request may take by default."""
PAUSES = (0.3, 1.0)
"""Seconds before a request that may succeed later is repeated: REST sometimes comes up after Realtime."""
MAX_BYTES = 16 * 1024 * 1024
"""The largest answer by default."""
MAX_REQUESTS = 4
"""The most requests at the same time: a project that has just come back serves other clients too."""
AWAY = "REST can't be reached"

Operation = Literal["INSERT", "UPDATE", "DELETE"]
METHODS: dict[Operation, str] = {"INSERT": "POST", "UPDATE": "PATCH", "DELETE": "DELETE"}
Row = Mapping[str, Any]
"""Values by column. A `msgspec.Raw` is sent as it is."""


class TooLargeError(ProtocolError):
    """The answer is larger than the limit: ask for fewer rows."""

    id = "E-ANSWER-TOO-LARGE"


class _AwayError(UnavailableError):
    """REST can't be reached."""


class Page(Struct, frozen=True):
    """The rows of one answer.

    Attributes:
        rows: The rows as JSON objects, each with a buffer of its own.
        date: When the server answered (µs since the epoch, by its clock), or None.
    """

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
    """A client of a project's REST interface.

    Attributes:
        answered_at: When the server answered last, by its own clock (µs since the epoch); None if unknown.
        answered_running: The same moment by this machine's monotonic clock (µs).
    """

    def __init__(
        self,
        endpoint: Callable[[], Endpoint],
        *,
        timeout: float = ANSWER_SECONDS,
        pauses: Sequence[float] = PAUSES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Prepare the client.

        Args:
            endpoint: Returns the address and identity before each request, because its token may be
                refreshed.
            timeout: How many seconds a request may take.
            pauses: The pauses in seconds before each repetition of a request that may succeed later.
            max_bytes: The largest answer.
        """
        self._endpoint = endpoint
        self._timeout = timeout
        self._pauses = pauses
        self._max_bytes = max_bytes
        self._client: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(MAX_REQUESTS)
        self._times_away = 0
        self.answered_at: int | None = None
        self.answered_running = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @property
    def user(self) -> str | None:
        """The id of the session's user; None if there is no session."""
        endpoint = self._endpoint()
        return None if endpoint.token is None else user_of(endpoint)

    @property
    def passes_row_security(self) -> bool:
        """Whether our identity sees every row, whatever the policies are."""
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
            is_repeated: Whether to repeat a request that may succeed later.
            is_anonymous: Whether to use the key alone, without the user's session.

        Raises:
            RefusedError: If the identity may not read the table.
            RejectedError: If a value in a condition is not of its column's type.
            UnreachableError: If the table or REST can't be reached.
            UnknownColumnError: If the table lacks a column.
            TooLargeError: If the answer is larger than the limit.
            ProtocolError: If the answer can't be understood.
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
        """Insert rows, and return them as the database stored them.

        A write is repeated only if it was certainly not done before.

        Args:
            schema: The schema of the table.
            table: The table's name.
            rows: The rows.
            returning: Whether to return the rows, which requires the right to read them; if not, [] is
                returned.

        Raises:
            RejectedError: If the database refuses the values.
            RefusedError: If the identity may not write.
            UnknownFateError: If it is unknown whether the write was done.
            UnreachableError: If the table or REST can't be reached.
            ProtocolError: If the answer can't be understood.
        """
        return await self._write("INSERT", schema, table, [], rows, returning=returning)

    async def update(
        self, schema: str, table: str, conditions: Parameters, values: Row, *, returning: bool = True
    ) -> list[Raw]:
        """Update the rows that meet the conditions, and return them as they are now.

        Args:
            schema: The schema of the table.
            table: The table's name.
            conditions: The conditions as a query string. At least one is required.
            values: The new values by column.
            returning: As for `insert`.

        Returns:
            The rows; [] if no row meets the conditions, or if policies hide the rows.

        Raises:
            PrtError: What `insert` raises, and UsageError without a condition.
        """
        return await self._write("UPDATE", schema, table, conditions, values, returning=returning)

    async def delete(
        self, schema: str, table: str, conditions: Parameters, *, returning: bool = True
    ) -> list[Raw]:
        """Delete the rows that meet the conditions, and return them as they were.

        Args:
            schema: The schema of the table.
            table: The table's name.
            conditions: The conditions as a query string. At least one is required.
            returning: As for `insert`.

        Returns:
            The rows; [] if no row meets the conditions, or if policies hide the rows.

        Raises:
            PrtError: What `insert` raises, and UsageError without a condition.
        """
        return await self._write("DELETE", schema, table, conditions, None, returning=returning)

    async def _write(
        self,
        operation: Operation,
        schema: str,
        table: str,
        conditions: Parameters,
        values: Row | Sequence[Row] | None,
        *,
        returning: bool,
    ) -> list[Raw]:
        if operation != "INSERT" and not conditions:
            raise UsageError(f"{operation} without a condition is one of the whole table", "name the rows")
        prefer = f"return={'representation' if returning else 'minimal'}"
        headers = {"Content-Profile": schema, "Prefer": prefer}
        content = None
        if values is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(values)
        answer = await self._answered(_Request(METHODS[operation], table, conditions, headers, content))
        if not 200 <= answer.status < 300:
            raise unwritten(schema, table, operation, answer)
        return rows_of(answer.body) if returning else []

    async def _answered(self, request: _Request) -> Answer:
        """Send a request until its answer is not one that may improve later, and return the last answer."""
        times_away = self._times_away
        for pause in (*(self._pauses if request.is_repeated else ()), None):
            async with self._slots:
                if self._times_away > times_away:  # another request failed while this one waited
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
        # The name of a schema may have non-ASCII characters, which httpx accepts in headers only as bytes.
        encoded = {name.encode(): value.encode() for name, value in headers.items()}
        if self._client is None:
            self._client = BoundedClient(endpoint.url, seconds=self._timeout)
        url = f"{endpoint.url}/rest/v1/{quote(request.table, safe='')}"
        is_sent = False

        async def trace(step: str, _: object) -> None:
            nonlocal is_sent
            is_sent |= step.endswith("send_request_headers.started")

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
            if request.is_write and is_sent:
                raise UnknownFateError(message if is_late else "REST went away before it answered") from exc
            raise (UnavailableError if is_late else _AwayError)(message) from exc
        return Answer(answer.status_code, body, answer.headers.get("date"))
