"""The HTTP layer: who answers at the project's URL, whether the key is accepted, and how the clocks differ.

httpx comes with the SDK; it is imported at the first request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from prt import quoting
from prt.checks.status.layers.configuration import is_hosted
from prt.config.secret import KeyFacts
from prt.errors import RefusedError, UnreachableError
from prt.redaction import redact
from prt.results import Cause, Finding
from prt.stream.reaching import failure_of

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS = 10.0
HEALTH = "/auth/v1/health"
JWKS = "/auth/v1/.well-known/jwks.json"
USER = "/auth/v1/user"
_MISSING = {
    "user_not_found": "its user does not exist in this project",
    "session_not_found": "its session was ended",
}
LEGACY_KEYS_DISABLED = "Legacy API keys are disabled"
"""The message of a hosted project's gateway about an `anon` or `service_role` key that was switched off."""
CLOCK_SECONDS = 30.0
"""The difference of the clocks from which the server may take good tokens as expired, or as not valid yet."""
LARGEST_BODY = 4 * 1024 * 1024
PAUSED = 540
"""The status that Supabase uses for a paused project."""


class Answer(Struct, frozen=True, kw_only=True):
    """The answer to an HTTP request.

    Attributes:
        at: Our time in the middle of the request, in seconds since the epoch.
        milliseconds: The time until the head of the answer.
        error: The reason why there is no answer; None if there is one.
    """

    status: int = 0
    headers: Mapping[str, str] = {}
    body: bytes = b""
    at: float = 0.0
    milliseconds: float = 0.0
    error: str | None = None

    def json(self) -> Any:
        """Return the decoded body, None if it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    @property
    def words(self) -> str:
        """Return the error message of the answer in one line, empty if there is none."""
        content = self.json()
        texts = (content.get(key) for key in ("message", "error", "msg")) if isinstance(content, dict) else ()
        return next((" ".join(redact(text).split())[:300] for text in texts if isinstance(text, str)), "")

    @property
    def code(self) -> str | None:
        """Return the code of an error of PostgREST or PostgreSQL, None if there is none."""
        content = self.json()
        code = content.get("code") if isinstance(content, dict) else None
        return code if isinstance(code, str) else None

    @property
    def hint(self) -> str:
        """Return PostgREST's hint, empty if there is none."""
        content = self.json()
        hint = content.get("hint") if isinstance(content, dict) else None
        return hint if isinstance(hint, str) else ""


class SessionAnswer(Struct, frozen=True, kw_only=True):
    """An answer of Auth about a token: whether it refuses the signature, and what else is missing."""

    refuses_signature: bool
    missing: str | None


class Gateway:
    """A client for HTTP requests to one project as one identity. Network errors become part of the answer."""

    def __init__(self, url: str, key: str, token: str | None = None) -> None:
        self._url = url
        self._headers = {"apikey": key, "Authorization": f"Bearer {token or key}"}
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def get(
        self, path: str, *, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Answer:
        """Send a request to the gateway and return its answer, or the reason why there is none."""
        import httpx  # noqa: PLC0415

        from prt.stream.rest.http import BoundedClient  # noqa: PLC0415

        if self._client is None:
            self._client = BoundedClient(self._url, seconds=ANSWER_SECONDS)
        began, body = time.monotonic(), bytearray()
        try:
            asked = {**self._headers, **(headers or {})}
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                self._client.stream(method, self._url + path, headers=asked) as response,
            ):
                milliseconds = (time.monotonic() - began) * 1000
                at = time.time() - milliseconds / 2000
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > LARGEST_BODY:
                        break
        except (TimeoutError, httpx.TimeoutException):
            return Answer(error=f"no answer in {ANSWER_SECONDS:g} s")
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError) as exc:
            return Answer(error=str(exc).rstrip(".").lower() or "the connection was closed without an answer")
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            failure = failure_of(exc, self._url)
            return Answer(error=failure.message if failure else str(exc).lower() or type(exc).__name__)
        return Answer(
            status=response.status_code,
            headers=dict(response.headers),
            body=bytes(body),
            at=at,
            milliseconds=milliseconds,
        )

    async def health(self) -> Answer:
        """Ask for the health twice, and return the second answer.

        The first request is slower, because it connects and imports parts of httpx. A server that closes the
        connection after an answer may leave the second request without one; then the first answer is
        returned.
        """
        first = await self.get(HEALTH)
        second = first if first.error is not None else await self.get(HEALTH)
        return first if second.error is not None else second

    async def signing_keys(self) -> tuple[str, ...] | None:
        """Return the ids of the keys that Auth publishes, or None if it publishes no list of keys."""
        content = (await self.get(JWKS)).json()
        keys = content.get("keys") if isinstance(content, dict) else None
        if not isinstance(keys, list):
            return None
        return tuple(str(key["kid"]) for key in keys if isinstance(key, dict) and key.get("kid"))

    async def session(self) -> SessionAnswer:
        """Show this identity's token to Auth, which checks the signature before it checks the claims."""
        answer = await self.get(USER)
        content = answer.json()
        code = content.get("error_code") if isinstance(content, dict) else None
        return SessionAnswer(
            refuses_signature=answer.status in (401, 403) and "verify signature" in answer.words,
            missing=_MISSING.get(code) if isinstance(code, str) else None,
        )

    async def tables(self) -> tuple[str, ...]:
        """Return the names of the tables that REST exposes to this key, from its OpenAPI description."""
        content = (await self.get("/rest/v1/")).json()
        definitions = content.get("definitions") if isinstance(content, dict) else None
        return tuple(definitions) if isinstance(definitions, dict) else ()

    async def row(self, schema: str, table: str) -> Answer:
        """Return the answer with one row of a table, as this identity sees it."""
        path = f"/rest/v1/{quote(table, safe='')}?limit=1"
        return await self.get(path, headers={"Accept-Profile": schema})

    async def count(self, schema: str, table: str) -> Answer:
        """Return the answer whose Content-Range says how many rows this identity sees."""
        path = f"/rest/v1/{quote(table, safe='')}?limit=1"
        return await self.get(
            path, method="HEAD", headers={"Accept-Profile": schema, "Prefer": "count=exact"}
        )


def judge(url: str, answer: Answer, *, key_origin: str, facts: KeyFacts, speaks_tls: bool = False) -> Finding:
    """Return the finding about the answer of the gateway.

    Args:
        url: The project's URL.
        answer: The answer to the health request.
        key_origin: Where the key comes from, for messages.
        facts: What the key itself shows.
        speaks_tls: Whether the port of an http URL completed a TLS handshake.
    """
    netloc = urlsplit(url).netloc
    if speaks_tls:
        cause = Cause(
            f"{netloc} speaks TLS, and was asked in plain HTTP",
            f"set SUPABASE_URL={quoting.word(f'https://{netloc}')}",
        )
        return _finding("failed", answer.error or f"{answer.status}", cause)
    if answer.error is not None:
        return _finding(
            "failed",
            answer.error,
            Cause(
                f"what listens at {netloc} does not answer HTTP: another service has that port",
                "set SUPABASE_URL with the API's port",
            ),
            Cause("the server is overloaded or starting", "try again in a minute"),
        )
    figure = f"{answer.status}{f', {answer.words}' if answer.status >= 400 and answer.words else ''}"
    location = answer.headers.get("location", "")
    if 300 <= answer.status < 400:
        target = location.partition(HEALTH)[0] or location
        cause = Cause(f"{netloc} sends us on to {target}", f"set SUPABASE_URL={quoting.word(target)}")
        return _finding("failed", figure, cause)
    if answer.status in (401, 403):
        if answer.words.startswith(LEGACY_KEYS_DISABLED):
            return _finding("failed", figure, _switched_off(key_origin), exit_code=RefusedError.exit_code)
        return _refused(figure, netloc, key_origin, facts)
    if answer.status == PAUSED:
        ref = netloc.partition(".")[0] if is_hosted(url) else "_"
        cause = Cause(
            "the project is paused", f"restore it: https://supabase.com/dashboard/project/{quoting.path(ref)}"
        )
        return _finding("failed", figure, cause)
    if answer.status >= 500:
        return _finding(
            "failed",
            figure,
            Cause(
                "the gateway answers, the project behind it does not: it is paused or restarting",
                "restore or restart it in the dashboard (Project Settings, General)",
            ),
            Cause("its database is overloaded", "look at the dashboard's Reports"),
        )
    figure += _made_by(answer)
    return _clock(figure, answer)


def is_bare(answer: Answer) -> bool:
    """Return whether neither Auth nor a gateway answers at the URL.

    Either Realtime runs there alone, or there is no project.
    """
    return answer.status == 404


def ahead_seconds(answer: Answer) -> float | None:
    """Return how far our clock is ahead of the server's, to about a second; None if it sent no date.

    A date has whole seconds (RFC 9110, 5.6.7), so half a second is missing on average.
    """
    try:
        return answer.at - (parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5)
    except (KeyError, ValueError):
        return None


def _refused(figure: str, netloc: str, key_origin: str, facts: KeyFacts) -> Finding:
    what = "publishable key" if facts.kind == "publishable" else "key"
    causes = [
        Cause(
            f"{netloc} does not know the key of {key_origin}: it belongs to another project, or was revoked",
            f"copy the {what} of this project again (Project Settings, API Keys)",
        )
    ]
    if facts.kind in ("jwt", "publishable"):
        causes.append(Cause("the URL is that of another project", "set SUPABASE_URL"))
    return _finding("failed", figure, *causes, exit_code=RefusedError.exit_code)


def _switched_off(key_origin: str) -> Cause:
    return Cause(
        f"{key_origin} is a legacy API key, and this project has switched those off",
        "set SUPABASE_PUBLISHABLE_KEY, or SUPABASE_SECRET_KEY for the service role (dashboard: API Keys)",
    )


def _clock(figure: str, answer: Answer) -> Finding:
    ahead = ahead_seconds(answer)
    if ahead is None:
        return _finding("ok", figure, milliseconds=answer.milliseconds)
    if abs(ahead) < CLOCK_SECONDS:
        near = "clocks agree" if abs(ahead) < 2 else f"our clock {abs(ahead):.0f} s {_side(ahead)}"
        return _finding("ok", f"{figure} · {near}", milliseconds=answer.milliseconds)
    span = f"{abs(ahead):.0f} s" if abs(ahead) < 120 else f"{abs(ahead) / 60:.0f} min"
    effect = "good tokens look expired" if ahead > 0 else "fresh tokens look as from the future"
    return _finding(
        "warning",
        f"{figure} · our clock is {span} {_side(ahead)}",
        Cause(
            f"this machine's clock is {span} {_side(ahead)}: {effect}, and every lag is off by as much",
            "sudo timedatectl set-ntp true",
        ),
        Cause("the server's clock is wrong", "date -u, there"),
        milliseconds=answer.milliseconds,
    )


def _side(ahead: float) -> str:
    return "ahead" if ahead > 0 else "behind"


def _made_by(answer: Answer) -> str:
    names = [answer.headers[name] for name in ("server", "via") if answer.headers.get(name)]
    return f" · {', '.join(names)}"[:60] if names else ""


def _finding(
    state: Any, figure: str, *causes: Cause, milliseconds: float | None = None, exit_code: int | None = None
) -> Finding:
    return Finding(
        layer="http",
        state=state,
        figure=figure,
        causes=causes,
        milliseconds=milliseconds,
        exit_code=UnreachableError.exit_code if exit_code is None else exit_code,
    )
