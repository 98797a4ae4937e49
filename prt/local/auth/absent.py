"""Routes that refuse the features of Supabase Auth that the embedded project does not implement (501)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from prt.local.auth.errors import AuthError, refused
from prt.local.serving.absent import METHODS, NOT_IMPLEMENTED, sentence

MFA: Final = "multi-factor authentication (MFA)"
SSO: Final = "single sign-on (SSO)"
PROVIDERS: Final = "sign-in with other providers"
MESSAGES: Final = "email and SMS, so no links, codes or invitations"
PASSKEYS: Final = "passkeys"
OAUTH_SERVER: Final = "OAuth server"

_PATHS: Final[Mapping[str, str]] = {
    "/factors": MFA,
    "/admin/users/{id}/factors": MFA,
    "/sso": SSO,
    "/saml": SSO,
    "/admin/sso": SSO,
    "/authorize": PROVIDERS,
    "/callback": PROVIDERS,
    "/user/identities": PROVIDERS,
    "/otp": MESSAGES,
    "/magiclink": MESSAGES,
    "/verify": MESSAGES,
    "/resend": MESSAGES,
    "/recover": MESSAGES,
    "/reauthenticate": MESSAGES,
    "/invite": MESSAGES,
    "/admin/generate_link": MESSAGES,
    "/passkeys": PASSKEYS,
    "/oauth": OAUTH_SERVER,
    "/admin/oauth": OAUTH_SERVER,
}


def refusal(what: str) -> AuthError:
    """Return the error (501) for a request that needs the feature `what`, which is not implemented."""
    return AuthError(NOT_IMPLEMENTED, "not_implemented", sentence(what))


def routes(root: str) -> list[BaseRoute]:
    """Return routes that answer 501, below the path `root`; they require no API key."""
    return [
        Route(f"{root}{path}{rest}", _refusing(what), methods=METHODS)
        for path, what in _PATHS.items()
        for rest in ("", "/{rest:path}")
    ]


def _refusing(what: str) -> Callable[[Request], Awaitable[Response]]:
    error = refusal(what)

    async def answer(request: Request) -> Response:
        return refused(error, request.headers)

    return answer
