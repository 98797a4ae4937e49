"""The sentences about refusals: why a handshake, a join or a message was refused, and how to solve it.

Handshakes, joins and messages have a table each, which maps a code to its causes, the likeliest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prt.inputs import Input
from prt.results import Cause
from prt.stream.policies import receives_sql, sends_sql, stores_sql
from prt.stream.socket.refusal_codes import Code
from prt.stream.socket.refusals import Refusal

Table = Mapping[str, tuple[tuple[str, str], ...]]
"""Pairs of a cause and its remedy by code. Names in braces are replaced by values such as the topic."""

_COPY: Final = "copy the key of this project again (Project Settings, API Keys)"
_SIGN_IN: Final = "sign in again (`{identity} EMAIL`), or put a fresh one into PRT_TOKEN"
_BUSY: Final = "select usename, state, count(*) from pg_stat_activity group by 1, 2 order by 3 desc;"

_HANDSHAKE: Final[Table] = {
    "token_foreign": (
        ("the key of {origin} was signed by another project, or the URL is another's", _COPY),
        ("this project's JWT secret was rotated since", _COPY),
    ),
    "opaque": (
        (
            "{host} is a bare Realtime server: no gateway before it exchanges a {kind} key for a JWT",
            "export SUPABASE_ANON_KEY=<the anon JWT>; unset SUPABASE_PUBLISHABLE_KEY",
        ),
        ("the gateway of {host} does not know this {kind} key", _COPY),
    ),
    "token_malformed": (("{origin} is not a whole JWT: it may have been cut", _COPY),),
    "token_expired": (
        ("the key of {origin} has expired", _COPY),
        ("the server's clock is ahead", "date -u, there"),
    ),
    "token_incomplete": (("{origin} is a JWT without `role` or `exp`, so no API key", _COPY),),
    "token_missing": (
        (
            "something on the way drops the query of the URL, and the key with it",
            "let the proxy pass on query strings",
        ),
    ),
    "disabled": (
        (
            "Realtime is switched off in this project, or was suspended for its quota",
            "dashboard: Realtime, Settings, Enable Realtime service; then Usage",
        ),
    ),
    "tenant_unknown": (
        (
            "Realtime does not know this project: the URL's host is not its tenant",
            "set SUPABASE_URL to the project's own host",
        ),
        ("the project was created minutes ago", "try again in a minute"),
    ),
    "no_realtime": (
        (
            "{host} answers HTTP, but has no Realtime at /realtime/v1: this is not a Supabase project",
            "set SUPABASE_URL as the dashboard shows it (Project Settings, Data API)",
        ),
        (
            "Realtime of a self-hosted project does not run, or its gateway has no route to it",
            "docker compose up -d realtime",
        ),
    ),
    "too_many_connections": (
        (
            "every connection slot of the plan is taken (200 Free, 500 Pro)",
            "close idle clients, wait 60 s for lingering slots; more: raise the plan or its cap",
        ),
        (
            "clients that reconnect in a loop leave slots behind that linger",
            "look for several createClient() a page, and for missing removeChannel()",
        ),
    ),
    "too_many_joins": (("the project's rate limit of joins is exceeded", "try again in 30 s"),),
    "too_many_requests": (("the project's rate limit of joins is exceeded", "try again in 30 s"),),
    "unavailable": (
        (
            "Realtime can't reach the project's database: the project is paused or restarting",
            "restore it in the dashboard, or wait and try again",
        ),
        (
            "the database is overloaded, or has no free connections",
            "select count(*) from pg_stat_activity;",
        ),
    ),
    "realtime_down": (
        (
            "Realtime itself is down or restarting: the gateway of {host} answered in its place",
            "try again in a minute; if it stays so, restart the project (self-hosted: docker compose "
            "restart realtime)",
        ),
    ),
    "no_websocket": (
        (
            "a proxy between here and {host} does not pass on websocket upgrades",
            "nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
            'proxy_set_header Connection "upgrade";',
        ),
        ("Realtime behind the gateway hangs or is not there", "restart the project's Realtime"),
    ),
}
_SECOND_BEHIND_A_GATEWAY: Final = {"opaque", "no_realtime"}
"""Codes whose causes swap places if a gateway was seen before Realtime."""

_JOIN: Final[Table] = {
    "unauthorized": (("no policy on realtime.messages lets {role} into {topic}", "{receives}"),),
    "private_only": (
        (
            "the project allows private channels only, and this one was public",
            "add {private}, or dashboard: Realtime, Settings, Allow public access",
        ),
    ),
    "token_incomplete": (
        (
            "the token has no `role` or no `exp`",
            "sign the token with role and exp, e.g. role=authenticated (`{identity} EMAIL` brings one)",
        ),
    ),
    "token_expired": (
        ("the token has expired", _SIGN_IN),
        ("the server's clock is ahead of the one that signed it", "date -u, there"),
    ),
    "token_foreign": (
        (
            "the token was signed by another project",
            "sign in here (`{identity} EMAIL`), or put this project's token into PRT_TOKEN",
        ),
    ),
    "too_many_channels": (
        (
            "one connection has more channels than the server allows (100)",
            "watch several tables in one channel, and leave channels that are done",
        ),
    ),
    "too_many_joins": (
        (
            "the project's limit of joins a second is exceeded (100 Free, 500 Pro)",
            "wait 30 s; join once a table and page, not in a loop; more: raise the plan",
        ),
    ),
    "too_many_connections": (
        (
            "every connection slot of the plan is taken (200 Free, 500 Pro)",
            "close idle clients, wait 60 s for lingering slots; more: raise the plan",
        ),
    ),
    "disabled": (
        (
            "Realtime is switched off in this project",
            "dashboard: Realtime, Settings, Enable Realtime service",
        ),
    ),
    "project_unreachable": (
        (
            "Realtime can't reach the database: the project is paused or restarting",
            "restore it in the dashboard, or wait and try again",
        ),
        ("the database takes no more connections", "select count(*) from pg_stat_activity;"),
    ),
    "missing_partition": (
        (
            "the partition of realtime.messages for today is missing: the server makes it within minutes",
            "wait and try again; if it stays so, restart the project",
        ),
    ),
    "join_interrupted": (
        ("the nodes of Realtime could not agree about this join, as while one restarts", "try again"),
    ),
    "join_payload": (
        (
            "the server can't read what the join asks for: it is older or newer than this client",
            "compare the versions of the client and of Realtime",
        ),
    ),
    "policies_unchecked": (
        (
            "the database failed while Realtime asked the policies on realtime.messages",
            "look for an error of a policy in the database's log, then try again",
        ),
    ),
    "changes_late": (
        (
            "the subscription to changes did not stand in time: the database is busy or restarting",
            "try again, or wait longer (postgres_changes_options.timeout, 20 s at most)",
        ),
    ),
    "changes_refused": (
        (
            "a table is not in the publication supabase_realtime, or a filter or column does not fit it",
            "alter publication supabase_realtime add table <table>; or mend the filter",
        ),
    ),
    "no_db_connections": (("the database has no connection left for Realtime", _BUSY),),
    "too_many_messages": (
        (
            "the project's limit of messages a second is exceeded (100 Free, 500 Pro); each row counts "
            "once a subscriber",
            "watch fewer tables, filter them ({filter}); more: raise the plan",
        ),
    ),
}

_MESSAGE: Final[Table] = {
    **_JOIN,
    "payload_too_large": (
        (
            "the payload is above the project's limit (256 KB Free, 3 MB Pro)",
            "send a reference to it instead, or raise the plan",
        ),
    ),
    "presence_too_often": (
        (
            "presence changes too often: 5 calls in 30 s a client, 20 a second a project (Free)",
            "track on change only, and send what moves fast as broadcasts",
        ),
    ),
    "not_stored": (
        ("no INSERT policy on realtime.messages lets {role} store in {topic}", "{stores}"),
        ("the payload is not a JSON object, or the database refused it", "send an object"),
    ),
    "unacknowledged": (
        ("no INSERT policy on realtime.messages lets {role} send to {topic}", "{sends}"),
        ("the server is busy", "try again in 30 s"),
    ),
}


def of_handshake(refused: Refusal, *, host: str, origin: str, kind: str, is_bare: bool) -> tuple[Cause, ...]:
    """Return the causes of a refused handshake, the likeliest first.

    Args:
        refused: What the server answered.
        host: The project's host.
        origin: Where the key comes from, such as the name of a variable.
        kind: The kind of the key, such as `publishable` or `secret`.
        is_bare: Whether Realtime answered without a gateway before it.
    """
    code: str = refused.code
    if code == "token_refused":
        return (Cause(refused.reason, refused.hint),)
    if code == "token_malformed" and kind in ("publishable", "secret"):
        code = "opaque"
    causes = _made(_HANDSHAKE.get(code) or _HANDSHAKE["no_websocket"], host=host, origin=origin, kind=kind)
    return causes[::-1] if code in _SECOND_BEHIND_A_GATEWAY and not is_bare else causes


def no_websocket(host: str) -> tuple[Cause, ...]:
    """Return the causes for a host that answers HTTP but doesn't open a websocket."""
    return _made(_HANDSHAKE["no_websocket"], host=host)


def of_join(code: Code, *, role: str, topic: str) -> tuple[Cause, ...]:
    """Return the causes of a refused join or an ended channel; none if there are none for the code."""
    return _made(_JOIN.get(code, ()), role=role, topic=topic, receives=receives_sql(role, topic))


def of_message(code: Code | None, *, role: str, topic: str) -> tuple[Cause, ...]:
    """Return the causes for a broadcast or presence that was not accepted.

    The code None means that the message was not acknowledged.
    """
    data = {
        "role": role,
        "topic": topic,
        "receives": receives_sql(role, topic),
        "sends": sends_sql(role, topic),
        "stores": stores_sql(role, topic),
    }
    return _made(_MESSAGE.get(code or "unacknowledged", ()), **data)


def _made(causes: tuple[tuple[str, str], ...], **names: str) -> tuple[Cause, ...]:
    inputs = {"identity": Input.IDENTITY, "private": Input.PRIVATE, "filter": Input.FILTER}
    data = {**names, **inputs}
    return tuple(Cause(why.format_map(data), remedy.format_map(data)) for why, remedy in causes)
