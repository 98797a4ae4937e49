"""From a project to the endpoint of its realtime: which key, which token; a user is signed in.

supabase-auth signs in: it knows Auth's answers, and keeps doing so.
"""

from __future__ import annotations

from prt.config import Project
from prt.errors import ProtocolError, RefusedError, UnreachableError
from prt.stream.source import Endpoint

SIGN_IN_SECONDS = 10


async def endpoint_of(project: Project) -> Endpoint:
    """Raises RefusedError where the sign-in is refused, UnreachableError, ProtocolError."""
    key = project.api_key.reveal()
    if project.identity == "token" and project.token is not None:
        return Endpoint(url=project.url, key=key, token=project.token.reveal())
    if project.identity == "user":
        return Endpoint(url=project.url, key=key, token=await _sign_in(project, key))
    return Endpoint(url=project.url, key=key)


async def _sign_in(project: Project, key: str) -> str:
    """An access token of the project's user."""
    import httpx  # noqa: PLC0415 - only where somebody signs in
    from supabase_auth import AsyncGoTrueClient  # noqa: PLC0415
    from supabase_auth.errors import AuthApiError, AuthError, AuthRetryableError  # noqa: PLC0415

    email, password = project.email or "", project.password.reveal() if project.password else ""
    async with httpx.AsyncClient(timeout=SIGN_IN_SECONDS) as http:
        auth = AsyncGoTrueClient(
            url=f"{project.url}/auth/v1",
            headers={"apikey": key},
            auto_refresh_token=False,
            persist_session=False,
            http_client=http,
        )
        try:
            answer = await auth.sign_in_with_password({"email": email, "password": password})
        except AuthRetryableError as exc:
            raise UnreachableError(
                f"can't sign in at {project.host}: no answer from Auth",
                "is the server up, and the URL right?",
            ) from exc
        except AuthApiError as exc:
            raise RefusedError(
                f"{project.host} refused the sign-in of {email}: {exc.message}", "check PRT_PASSWORD and --as"
            ) from exc
        except (AuthError, ValueError) as exc:
            raise ProtocolError(
                f"{project.host} did not answer the sign-in as Auth does", "is this a Supabase project's URL?"
            ) from exc
        except httpx.HTTPError as exc:
            raise UnreachableError(
                f"can't sign in at {project.host}: {type(exc).__name__}",
                "is the server up, and the URL right?",
            ) from exc
    if answer.session is None:
        raise RefusedError(f"{project.host} opened no session for {email}", "is the user confirmed?")
    return answer.session.access_token
