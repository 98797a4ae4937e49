"""The services of a Supabase project that the embedded one doesn't have: 501 and one sentence."""

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
    """Return what a developer reads where the embedded project can't do something."""
    return f"The embedded project has no {what}: use `supabase start` or a hosted project for it."


def routes() -> list[BaseRoute]:
    """Return the routes of these services, which need no key."""
    return [
        Route(path + rest, _answering(what), methods=METHODS)
        for path, what in _SERVICES.items()
        for rest in ("", "/{rest:path}")
    ]


def _answering(what: str) -> Callable[[Request], Awaitable[Response]]:
    # Storage's clients read `statusCode`, `error` and `message`, those of GraphQL `errors`.
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
