"""Findings about the configuration: what the URL, the keys and the tokens show before a byte is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

from prt import quoting
from prt.config.hosts import is_loopback
from prt.config.project import HOSTED, Project
from prt.config.secret import KeyFacts, Secret, claims_of, facts_of
from prt.errors import RefusedError
from prt.inputs import Input, filled
from prt.results import Cause, Finding, State

SOON_SECONDS = 7 * 24 * 3600
SESSION_SOON_SECONDS = 300

_COPY = "copy the key again, whole, from the project's settings (API Keys)"
_SIGN_IN = "sign in with `{IDENTITY} EMAIL`, or put a fresh token into PRT_TOKEN"


def judge(project: Project, now: float) -> list[Finding]:
    """Return a finding for each configured value; `now` is in seconds since the epoch."""
    found = [_url(project), _key(project, now)]
    if project.token is not None:
        found.append(_token(project, project.token, now))
    elif project.identity == "user":
        found.append(_finding("session", "ok", f"{project.email} signs in", project.origins.get("password")))
    if project.server_key is not None and project.identity != "service":
        figure = "counts rows where the database isn't asked"
        found.append(_finding("server key", "ok", figure, project.origins.get("server_key")))
    if project.database_url is not None:
        found.append(_database(project.database_url.reveal(), project.origins.get("database_url")))
    return found


def role_of(project: Project, token: str | None = None) -> str:
    """Return the database role that the server will act as, read from the token, or else from the key.

    `token` is the token of a sign-in, and takes precedence over the configured one.
    """
    text = token or (project.token.reveal() if project.token else None)
    facts = facts_of(Secret(text)) if text else facts_of(project.api_key)
    return facts.role or "anon"


def _database(url: str, origin: str | None) -> Finding:
    """Return the finding about a database's URL.

    It shows only the host, because the rest holds a password.
    """
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    if not host:
        cause = Cause(
            f"{origin} is not the URL of a database",
            "it looks like postgresql://USER:PASSWORD@HOST:5432/postgres",
        )
        return _finding("database", "warning", "no URL", origin, cause)
    return _finding("database", "ok", host, origin)


def _url(project: Project) -> Finding:
    origin = project.origins.get("url")
    parts = urlsplit(project.url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        cause = Cause(
            "keys and rows travel in the clear", f"set SUPABASE_URL={quoting.word(f'https://{parts.netloc}')}"
        )
        return _finding("url", "warning", project.url, origin, cause)
    return _finding("url", "ok", project.url, origin)


def _key(project: Project, now: float) -> Finding:
    is_service = project.identity == "service"
    origin = project.origins.get("server_key" if is_service else "client_key", "")
    facts = facts_of(project.api_key)
    figure = _described(facts, now)
    if facts.kind == "unknown":
        cause = Cause(f"{origin} is neither a JWT nor an sb_ key: it may be cut, or another value", _COPY)
        return _finding("key", "warning", figure, origin, cause)
    life = _life(facts, origin, now, SOON_SECONDS)
    if life is not None:
        return _finding("key", life[0], figure, origin, Cause(life[1], _COPY))
    if facts.kind == "jwt" and facts.role is None:
        cause = Cause(f"{origin} is a JWT without a role, so no API key of a project", _COPY)
        return _finding("key", "failed", figure, origin, cause)
    if is_service:
        figure += ", passes over row level security"
    return _finding("key", "ok", figure, origin)


def _token(project: Project, token: Secret, now: float) -> Finding:
    origin = project.origins.get("token", "PRT_TOKEN")
    facts, claims = facts_of(token), claims_of(token.reveal())
    if claims is None:
        return _finding(
            "token", "failed", "no JWT", origin, Cause(f"{origin} is not a JWT", filled(_SIGN_IN))
        )
    figure = _described(facts, now)
    missing = [f"`{name}`" for name, value in (("role", facts.role), ("exp", facts.expires_at)) if not value]
    if missing:
        why = f"{origin} has no {' and no '.join(missing)}: Realtime refuses every join with it"
        remedy = (
            f"sign the token with role and exp, e.g. role=authenticated (`{Input.IDENTITY} EMAIL` brings one)"
        )
        return _finding("token", "failed", figure, origin, Cause(why, remedy))
    life = _life(facts, origin, now, SESSION_SOON_SECONDS)
    if life is not None:
        return _finding("token", life[0], figure, origin, Cause(life[1], filled(_SIGN_IN)))
    if facts.is_server_key:
        cause = Cause(
            f"{origin} is a {facts.role} token: it passes over row level security", filled(_SIGN_IN)
        )
        return _finding("token", "warning", figure, origin, cause)
    return _finding("token", "ok", figure, origin)


def _life(facts: KeyFacts, origin: str, now: float, soon: float) -> tuple[State, str] | None:
    """Return state and cause of a token that has expired or expires within `soon` seconds, else None."""
    left = None if facts.expires_at is None else facts.expires_at - now
    if left is None or left >= soon:
        return None
    if left <= 0:
        return "failed", f"{origin} expired {_span(abs(left))} ago"
    return "warning", f"{origin} ends in {_span(left)}"


def _described(facts: KeyFacts, now: float) -> str:
    kind = {"jwt": "JWT", "publishable": "publishable key", "secret": "secret key"}.get(
        facts.kind, "unknown kind"
    )
    parts = [f"{facts.role} {kind}" if facts.kind == "jwt" and facts.role else kind]
    if facts.ref:
        parts.append(f"of project {facts.ref}")
    if facts.expires_at is not None:
        day = _day(facts.expires_at)
        parts.append(f"expired {day}" if facts.expires_at <= now else f"until {day}")
    return ", ".join(parts)


def is_hosted(url: str) -> bool:
    """Return whether a URL is that of a project hosted by Supabase."""
    return (urlsplit(url).hostname or "").endswith(HOSTED)


def _day(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    except (OverflowError, ValueError, OSError):
        return "a day out of range"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 72 * 3600 else f"{seconds / 86400:,.0f} d"


def _finding(check: str, state: State, figure: str, origin: str | None, *causes: Cause) -> Finding:
    return Finding(
        layer="configuration",
        check=check,
        state=state,
        figure=f"{figure} · {origin}" if origin else figure,
        causes=causes,
        exit_code=RefusedError.exit_code,
    )
