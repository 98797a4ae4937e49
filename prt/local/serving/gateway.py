"""The gateway before REST and Auth, as in a hosted project: it checks the API key and chooses the token."""

from __future__ import annotations

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse

from prt.local.serving.keys import Keys


def refusal(request: Request, keys: Keys) -> JSONResponse | None:
    """Return the 401 response for a request without a valid API key, None if the request may pass.

    The key is in the header or the query parameter `apikey`. An open gateway (`keys.is_open`) lets every
    request pass.
    """
    if keys.is_open:
        return None
    key = _api_key(request)
    if not key:
        return JSONResponse(
            {
                "message": "No API key found in request",
                "hint": "No `apikey` request header or url param was found.",
            },
            status_code=401,
        )
    own = (keys.anon, keys.service_role, keys.publishable, keys.secret)
    if sum(hmac.compare_digest(key.encode(), one.encode()) for one in own):
        return None
    return JSONResponse(
        {
            "message": "Invalid API key",
            "hint": "Double check your Supabase `anon` or `service_role` API key.",
        },
        status_code=401,
    )


def token_of(request: Request, keys: Keys) -> str:
    """Return the JWT that decides the request's rights: the bearer token, or else the API key.

    An opaque key is replaced by its JWT. The result is empty if the request has neither.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer"
    return keys.exchange(token.strip() if is_bearer else _api_key(request))


def _api_key(request: Request) -> str:
    return request.headers.get("apikey") or request.query_params.get("apikey", "")
