"""Rows of a project over REST, as whom the socket is: what PostgREST answers, or why it doesn't.

httpx comes with the SDK; it is imported at the first request, because most watches never make one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from prt.errors import ProtocolError, PrtError, RefusedError, UnreachableError
from prt.secret import Secret, facts_of
from prt.stream.conditions import Parameters

if TYPE_CHECKING:
    import httpx

    from prt.stream.session import Endpoint

ANSWER_SECONDS = 10.0
PAUSES = (0.3, 1.0)
"""Seconds before an attempt is repeated that may succeed later: REST comes up after Realtime at times."""
MAX_BYTES = 16 * 1024 * 1024
MAX_REQUESTS = 4
"""At a time: a project that has just come back has others to serve too."""
MESSAGE_SHOWN = 300
AWAY = "REST can't be reached"
_UNDEFINED_COLUMN = "42703"
_LATER = (429, 500, 502, 503, 504)

_decode_rows = msgspec.json.Decoder(list[Raw]).decode


class UnknownColumnError(ProtocolError):
    """The table has no such column; `column` is the database's word for it."""

    def __init__(self, message: str, column: str) -> None:
        super().__init__(message)
        self.column = column

    def is_of(self, name: str) -> bool:
        return self.column == name or self.column.endswith(f".{name}")


class TooLargeError(ProtocolError):
    """The answer outgrew what is read at once: ask for fewer rows."""


class UnavailableError(UnreachableError):
    """REST is away or busy; the request may succeed later."""


class _AwayError(UnavailableError):
    """There is nobody to ask."""


class Page(Struct, frozen=True):
    """Rows as JSON objects, each with a buffer of its own; `date` is when the server answered (µs)."""

    rows: list[Raw]
    date: int | None


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

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @property
    def passes_row_security(self) -> bool:
        """Whether our identity sees every row."""
        endpoint = self._endpoint()
        return facts_of(Secret(endpoint.token or endpoint.key)).is_server_key

    async def read(self, schema: str, table: str, parameters: Parameters) -> Page:
        """Raises RefusedError, UnreachableError, ProtocolError, UnknownColumnError, TooLargeError."""
        times_away = self._times_away
        for pause in (*self._pauses, None):
            async with self._slots:
                if self._times_away > times_away:  # who has waited for a slot need not find out anew
                    raise _AwayError(AWAY)
                try:
                    return await self._read(schema, table, parameters)
                except UnavailableError as exc:
                    if pause is None:
                        self._times_away += isinstance(exc, _AwayError)
                        raise
            await asyncio.sleep(pause)
        raise AssertionError  # the last attempt returns or raises

    async def _read(self, schema: str, table: str, parameters: Parameters) -> Page:
        import httpx  # noqa: PLC0415

        endpoint = self._endpoint()
        headers = {
            "apikey": endpoint.key,
            "Authorization": f"Bearer {endpoint.token or endpoint.key}",
            "Accept": "application/json",
            "Accept-Profile": schema,
        }
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._timeout)
        url = f"{endpoint.url}/rest/v1/{quote(table, safe='')}"
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream("GET", url, params=tuple(parameters), headers=headers) as answer,
            ):
                body = await self._body(answer)
        except (TimeoutError, httpx.TimeoutException) as exc:
            raise UnavailableError(f"REST did not answer in {self._timeout:g} s") from exc
        except httpx.DecodingError as exc:
            raise ProtocolError("REST answered what can't be unpacked") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise _AwayError(AWAY) from exc
        if answer.status_code != 200:
            raise _refused(schema, table, answer.status_code, body)
        try:
            rows = _decode_rows(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise ProtocolError("REST answered something that is no list of rows") from exc
        return Page([row.copy() for row in rows], _date(answer.headers.get("date")))

    async def _body(self, answer: httpx.Response) -> bytes:
        pieces, size = [], 0
        async for piece in answer.aiter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > self._max_bytes:
                raise TooLargeError(f"a page of rows is larger than {self._max_bytes >> 20} MB")
        return b"".join(pieces)


class _Refusal(Struct):
    """PostgREST's error; a gateway's own has other fields, or is no JSON."""

    code: str | None = None
    message: str | None = None
    error: Any = None


def _refused(schema: str, table: str, status: int, body: bytes) -> PrtError:
    try:
        said = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = _Refusal()
    words = said.message or (said.error if isinstance(said.error, str) else None)
    shown = " ".join(words.split())[:MESSAGE_SHOWN] if words else ""
    message = f"REST answered {status}" + (f": {shown}" if shown else "")
    if said.code == _UNDEFINED_COLUMN:
        return UnknownColumnError(message, _column_in(shown))
    if status in (401, 403):
        return RefusedError(message, "may this identity read the table, and is its token still valid?")
    if status in (404, 406):
        return UnreachableError(message, f"is {schema}.{table} exposed by the project's API?")
    return UnavailableError(message) if status in _LATER else ProtocolError(message)


def _column_in(message: str) -> str:
    found = re.search(r"column (.+?) does not exist", message)
    return found[1].replace('"', "") if found else ""


def _date(header: str | None) -> int | None:
    """RFC 9110, 5.6.7: whole seconds, of which the last may not be over."""
    try:
        return None if header is None else round(parsedate_to_datetime(header).timestamp() + 1) * 1_000_000
    except ValueError:
        return None
