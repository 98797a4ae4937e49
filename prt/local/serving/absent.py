"""Routes that answer 501 for the services of Supabase that the embedded project does not have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

NOT_IMPLEMENTED: Final = 501
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")

_SERVICES: Final[Mapping[str, str]] = {
    "/storage/v1": "Storage",
    "/functions/v1": "Edge Functions",
    "/graphql/v1": "GraphQL",
}


def sentence(what: str) -> str:
    """Return the message for a developer who uses a feature that the embedded project does not have."""
    return f"The embedded project has no {what}: use `supabase start` or a hosted project for it."


def routes() -> list[BaseRoute]:
    """Return the routes of these services; they require no API key."""
    return [
        Route(path + rest, _answering(what), methods=METHODS)
        for path, what in _SERVICES.items()
        for rest in ("", "/{rest:path}")
    ]


def _answering(what: str) -> Callable[[Request], Awaitable[Response]]:
    # Clients of Storage read `statusCode`, `error` and `message`; clients of GraphQL read `errors`.
    message = sentence(what)
    body = {
        "statusCode": str(NOT_IMPLEMENTED),
        "error": "not_implemented",
        "message": message,
        "errors": [{"message": message}],
    }

    async def answer(_: Request) -> Response:
        return JSONResponse(body, NOT_IMPLEMENTED)

    return answer
