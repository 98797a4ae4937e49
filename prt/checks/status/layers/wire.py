"""What the wire says: the handshake, a heartbeat, the join, and why one of them failed."""

from __future__ import annotations

from prt.checks.status.layers.gateway import PAUSED
from prt.checks.status.layers.hearing import Heard
from prt.config.secret import KeyFacts
from prt.errors import ProtocolError, PrtError, RefusedError, UnreachableError
from prt.events import CONNECTION_OF
from prt.results import Cause, Finding, Layer
from prt.stream.policies import hears_sql
from prt.stream.socket.failures import EndedError, HandshakeRefusedError

PULSE_SECONDS = 10.0
SLOW_MS = 1000.0


def judge_handshake(
    error: PrtError, *, host: str, facts: KeyFacts, key_origin: str, is_bare: bool
) -> Finding:
    """Why there is no socket where HTTP answers. `is_bare`: no gateway was seen before Realtime."""
    if isinstance(error, HandshakeRefusedError):
        reason = error.refused.reason
        code, causes = _refused_handshake(
            reason, error, host=host, facts=facts, key_origin=key_origin, is_bare=is_bare
        )
        return Finding(layer="handshake", state="failed", figure=reason, causes=causes, exit_code=code)
    if isinstance(error, ProtocolError) or "no answer" in error.message:
        figure = error.message
        return Finding(layer="handshake", state="failed", figure=figure, causes=_swallowed(host))
    cause = Cause(error.message, error.hint)
    return Finding(layer="handshake", state="failed", figure="no socket", causes=(cause,))


def _refused_handshake(
    reason: str, error: HandshakeRefusedError, *, host: str, facts: KeyFacts, key_origin: str, is_bare: bool
) -> tuple[int, tuple[Cause, ...]]:
    refused, unreachable = RefusedError.exit_code, UnreachableError.exit_code
    copy = "copy the key of this project again (Project Settings, API Keys)"
    if "Failed to validate JWT signature" in reason:
        return refused, (
            Cause(f"the key of {key_origin} was signed by another project, or the URL is another's", copy),
            Cause("this project's JWT secret was rotated since", copy),
        )
    if "not a valid JWT" in reason and facts.kind in ("publishable", "secret"):
        bare = (
            f"{host} is a bare Realtime server: no gateway before it exchanges a {facts.kind} key for a JWT"
        )
        rewritten = f"the gateway of {host} does not know this {facts.kind} key"
        bare_cause = Cause(bare, "export SUPABASE_ANON_KEY=<the anon JWT>; unset SUPABASE_PUBLISHABLE_KEY")
        causes = (bare_cause, Cause(rewritten, copy))
        return refused, causes if is_bare else causes[::-1]
    if "not a valid JWT" in reason:
        return refused, (Cause(f"{key_origin} is no whole JWT: it may have been cut", copy),)
    if "has expired" in reason:
        return refused, (
            Cause(f"the key of {key_origin} has expired", copy),
            Cause("the server's clock is ahead", "date -u, there"),
        )
    if "required in JWT" in reason:
        return refused, (Cause(f"{key_origin} is a JWT without `role` or `exp`, so no API key", copy),)
    if "API key is missing" in reason:
        cause = Cause(
            "something on the way drops the query of the URL, and the key with it",
            "let the proxy pass on query strings",
        )
        return refused, (cause,)
    if reason.startswith("HTTP 401"):
        return refused, (Cause(error.refused.reason, error.hint),)
    if "disabled for this tenant" in reason:
        return unreachable, (
            Cause(
                "Realtime is switched off in this project, or was suspended for its quota",
                "dashboard: Realtime, Settings, Enable Realtime service; then Usage",
            ),
        )
    if "Tenant not found" in reason:
        return unreachable, (
            Cause(
                "Realtime does not know this project: the URL's host is not its tenant",
                "set SUPABASE_URL to the project's own host",
            ),
            Cause("the project was created minutes ago", "try again in a minute"),
        )
    if reason.startswith("HTTP 404"):
        causes = (
            Cause(
                f"{host} answers HTTP, but has no Realtime at /realtime/v1: it is no Supabase project's URL",
                "set SUPABASE_URL as the dashboard shows it (Project Settings, Data API)",
            ),
            Cause(
                "Realtime of a self-hosted project does not run, or its gateway has no route to it",
                "docker compose up -d realtime",
            ),
        )
        return unreachable, causes if is_bare else causes[::-1]
    if "Too many connected users" in reason:
        return unreachable, (
            Cause(
                "every connection slot of the plan is taken (200 Free, 500 Pro)",
                "close idle clients, wait 60 s for lingering slots; more: raise the plan or its cap",
            ),
            Cause(
                "clients that reconnect in a loop leave slots behind that linger",
                "look for several createClient() a page, and for missing removeChannel()",
            ),
        )
    if reason.startswith("HTTP 429"):
        return unreachable, (Cause("the project's rate limit of joins is exceeded", "try again in 30 s"),)
    if reason.startswith((f"HTTP {PAUSED}", "HTTP 5")):
        return unreachable, (
            Cause(
                "Realtime can't reach the project's database: the project is paused or restarting",
                "restore it in the dashboard, or wait and try again",
            ),
            Cause(
                "the database is overloaded, or has no free connections",
                "select count(*) from pg_stat_activity;",
            ),
        )
    return unreachable, _swallowed(host)


def _swallowed(host: str) -> tuple[Cause, ...]:
    return (
        Cause(
            f"a proxy between here and {host} does not pass on websocket upgrades",
            "nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
            'proxy_set_header Connection "upgrade";',
        ),
        Cause("Realtime behind the gateway hangs or is not there", "restart the project's Realtime"),
    )


def judge_heartbeat(round_trip_ms: float | None) -> Finding:
    if round_trip_ms is None:
        return Finding(
            layer="heartbeat",
            state="failed",
            figure=f"no answer in {PULSE_SECONDS:g} s",
            causes=(
                Cause(
                    "the socket is open, but nothing passes through it: a proxy holds frames back",
                    "turn off the proxy's buffering of /realtime/v1 (nginx: proxy_buffering off;)",
                ),
                Cause("Realtime hangs", "restart the project's Realtime"),
            ),
        )
    if round_trip_ms > SLOW_MS:
        cause = Cause(
            "the way to the project is slow, and every change takes as long", "choose a nearer region"
        )
        return Finding(layer="heartbeat", state="warning", causes=(cause,), milliseconds=round_trip_ms)
    return Finding(layer="heartbeat", state="ok", milliseconds=round_trip_ms)


def judge_join(layer: Layer, error: PrtError | None, *, role: str, topic: str) -> Finding:
    """A join that was not accepted; `error` None: not in time."""
    if error is None:
        error = UnreachableError("no answer to the join", "is the project's database up?")
    return Finding(
        layer=layer,
        state="failed",
        figure=reason_of(error),
        causes=join_causes(error, role=role, topic=topic),
        exit_code=error.exit_code,
    )


def reason_of(error: PrtError) -> str:
    """The server's words where it said any."""
    return error.refused.reason if isinstance(error, EndedError) else error.message


def join_causes(error: PrtError, *, role: str, topic: str) -> tuple[Cause, ...]:
    """Why a join was refused, or its channel ended."""
    reason = reason_of(error)
    code = reason.partition(":")[0]
    if code == "Unauthorized" or "do not have permissions" in reason:
        return (Cause(f"no policy on realtime.messages lets {role} into {topic}", hears_sql(role, topic)),)
    if code == "PrivateOnly":
        return (
            Cause(
                "the project allows private channels only, and this one was public",
                "add --private, or dashboard: Realtime, Settings, Allow public access",
            ),
        )
    if "required in JWT" in reason:
        sign = "sign the token with role and exp, e.g. role=authenticated (`--as EMAIL` brings one)"
        return (Cause("the token has no `role` or no `exp`", sign),)
    if "has expired" in reason:
        return (
            Cause("the token has expired", "sign in again (`--as EMAIL`), or put a fresh one into PRT_TOKEN"),
            Cause("the server's clock is ahead of the one that signed it", "date -u, there"),
        )
    if code == "JwtSignatureError":
        return (
            Cause(
                "the token was signed by another project",
                "sign in here (`--as EMAIL`), or put this project's token into PRT_TOKEN",
            ),
        )
    if code == "ChannelRateLimitReached":
        return (
            Cause(
                "one connection has more channels than the server allows (100)",
                "watch several tables in one channel, and leave channels that are done",
            ),
        )
    if code == "ClientJoinRateLimitReached" or "Too many joins" in reason:
        return (
            Cause(
                "the project's limit of joins a second is exceeded (100 Free, 500 Pro)",
                "wait 30 s; join once a table and page, not in a loop; more: raise the plan",
            ),
        )
    if code == "ConnectionRateLimitReached":
        return (
            Cause(
                "every connection slot of the plan is taken (200 Free, 500 Pro)",
                "close idle clients, wait 60 s for lingering slots; more: raise the plan",
            ),
        )
    if code == "RealtimeDisabledForTenant":
        return (
            Cause(
                "Realtime is switched off in this project",
                "dashboard: Realtime, Settings, Enable Realtime service",
            ),
        )
    if code == "UnableToConnectToProject":
        return (
            Cause(
                "Realtime can't reach the database: the project is paused or restarting",
                "restore it in the dashboard, or wait and try again",
            ),
            Cause("the database takes no more connections", "select count(*) from pg_stat_activity;"),
        )
    if code in ("DatabaseLackOfConnections", "IncreaseConnectionPool", "DatabaseConnectionRateLimitReached"):
        return (
            Cause(
                "the database has no connection left for Realtime",
                "select usename, state, count(*) from pg_stat_activity group by 1, 2 order by 3 desc;",
            ),
        )
    if reason.startswith("Too many messages"):
        return (
            Cause(
                "the project's limit of messages a second is exceeded (100 Free, 500 Pro); each row counts "
                "once a subscriber",
                "watch fewer tables, filter them (--filter); more: raise the plan",
            ),
        )
    return (Cause(error.message, error.hint),)


def judge_system(heard: Heard) -> Finding:
    """The seed's four states of a connection, of the channel that was open all the while."""
    connection = CONNECTION_OF[heard.status]
    if connection == "connected" and not heard.is_over:
        return Finding(layer="system", state="ok", figure=connection)
    if connection == "connected":
        connection = "disconnected"
    error = heard.error or UnreachableError("the channel was closed")
    cause = Cause(f"the channel did not last: {error.message}", error.hint)
    return Finding(layer="system", state="failed", figure=connection, causes=(cause,))
