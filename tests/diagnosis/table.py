"""The faults that `prt` names: what is wrong, and which cause and remedy it must name.

`python -m tests.diagnosis.table` runs their tests and prints, as Markdown, what was really reported.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from msgspec import Struct


class Fault(Struct, frozen=True):
    """`why` and `remedy` are parts of what must be reported; `also` of a second, less likely cause."""

    what: str
    layer: str
    why: str
    remedy: str
    exit_code: int = 4
    also: str | None = None
    state: str = "failed"


FAULTS: dict[str, Fault] = {
    # --- configuration
    "no-project": Fault("nothing is configured", "configuration", "no project configured", "SUPABASE_URL", 2),
    "foreign-key": Fault(
        "key of another project", "configuration", "belongs to project", "take the key of", 2
    ),
    "service-key": Fault(
        "service key where anon was meant",
        "configuration",
        "holds a server key (service_role)",
        "--as service",
        2,
    ),
    "expired-key": Fault("expired key", "configuration", "expired 2 h ago", "API Keys", 3),
    "expired-token": Fault(
        "expired session", "configuration", "PRT_TOKEN in the environment expired", "--as EMAIL", 3
    ),
    "no-role": Fault("token without `role`", "configuration", "has no `role`", "role=authenticated", 3),
    "cut-token": Fault("token cut in copying", "configuration", "is not a JWT", "fresh token", 3),
    # --- the network
    "wrong-host": Fault(
        "wrong host", "dns", "there is no host no-such-host.example", "set SUPABASE_URL", also="look up names"
    ),
    "no-such-ref": Fault(
        "project's ref mistyped, or project deleted",
        "dns",
        "its ref is mistyped, or it was deleted",
        "SUPABASE_URL",
        also="paused",
    ),
    "wrong-port": Fault("wrong port", "tcp", "nothing listens on port", "prt local status", also="not up"),
    "self-signed": Fault(
        "self-signed certificate", "tls", "self-signed", "SSL_CERT_FILE", also="reads along"
    ),
    "https-for-http": Fault(
        "https for http", "tls", "speaks plain HTTP, not TLS", "set SUPABASE_URL=http://127.0.0.1"
    ),
    "http-for-https": Fault(
        "http for https",
        "http",
        "speaks TLS, and was asked in plain HTTP",
        "set SUPABASE_URL=https://127.0.0.1",
    ),
    "not-http": Fault(
        "port of another service", "http", "does not answer HTTP", "API's port", also="starting"
    ),
    "redirected": Fault(
        "the host redirects",
        "http",
        "sends us on to https://elsewhere.example",
        "SUPABASE_URL=https://elsewhere.example",
    ),
    "wrong-key": Fault(
        "wrong key",
        "http",
        "does not know the key of SUPABASE_ANON_KEY",
        "API Keys",
        3,
        also="another project",
    ),
    "paused": Fault("paused project", "http", "the project is paused", "restore it"),
    "bad-gateway": Fault(
        "gateway without a project behind it", "http", "paused or restarting", "restart it", also="overloaded"
    ),
    "clock": Fault(
        "our clock off by an hour",
        "http",
        "this machine's clock is 60 min behind",
        "set-ntp",
        0,
        "server's clock",
        "warning",
    ),
    # --- what signed a token
    "foreign-secret": Fault(
        "session of another project, where Auth can be asked",
        "sign-in",
        "was signed by another project",
        "--as EMAIL",
        3,
        also="JWT secret was rotated",
    ),
    "revoked-key": Fault(
        "session signed by a key that was rotated out",
        "sign-in",
        "is not among the project's keys",
        "--as EMAIL",
        3,
        also="another project's",
    ),
    "switched-off-secret": Fault(
        "session signed with a legacy JWT secret that was switched off",
        "sign-in",
        "the legacy JWT secret, which was switched off",
        "--as EMAIL",
        3,
        also="another project",
    ),
    "forged-key": Fault(
        "session that names a key of the project, signed by another",
        "sign-in",
        "but that key did not sign it",
        "--as EMAIL",
        3,
    ),
    "unnamed-key": Fault(
        "session signed by a key pair that it does not name", "sign-in", "names no key", "--as EMAIL", 3
    ),
    "switched-off-keys": Fault(
        "legacy API keys that were switched off",
        "http",
        "this project has switched those off",
        "SUPABASE_PUBLISHABLE_KEY",
        3,
    ),
    "switched-off-secret-of-a-key": Fault(
        "API key of a legacy JWT secret that was switched off",
        "handshake",
        "the legacy JWT secret, which was switched off",
        "API Keys",
        3,
        also="another project",
    ),
    # --- the websocket
    "no-realtime": Fault(
        "host without Realtime",
        "handshake",
        "no Realtime at /realtime/v1",
        "as the dashboard shows it",
        also="self-hosted",
    ),
    "bare-publishable": Fault(
        "publishable key on a bare server",
        "handshake",
        "is a bare Realtime server",
        "SUPABASE_ANON_KEY=<the anon JWT>",
        3,
        also="does not know this publishable key",
    ),
    "bare-foreign": Fault(
        "key signed by another project, on a bare server",
        "handshake",
        "was signed by another project",
        "API Keys",
        3,
        also="rotated",
    ),
    "realtime-down": Fault(
        "Realtime down behind its gateway",
        "handshake",
        "Realtime itself is down or restarting",
        "restart the project",
    ),
    "disabled": Fault("Realtime disabled", "handshake", "Realtime is switched off", "Enable Realtime"),
    "no-tenant": Fault(
        "tenant unknown to Realtime",
        "handshake",
        "does not know this project",
        "own host",
        also="minutes ago",
    ),
    "swallowed": Fault(
        "proxy that swallows websocket upgrades",
        "handshake",
        "does not pass on websocket upgrades",
        "proxy_set_header Upgrade",
        also="hangs",
    ),
    "held": Fault(
        "proxy that leaves websocket upgrades unanswered",
        "handshake",
        "does not pass on websocket upgrades",
        "proxy_set_header Upgrade",
        also="hangs",
    ),
    "no-connections": Fault(
        "slot exhaustion: every connection of the plan taken",
        "handshake",
        "every connection slot of the plan is taken",
        "60 s",
        also="reconnect in a loop",
    ),
    "no-database": Fault(
        "Realtime can't reach its database",
        "handshake",
        "paused or restarting",
        "restore it",
        also="overloaded",
    ),
    # --- joins
    "private-only": Fault(
        "public client in a private-only project", "join", "allows private channels only", "--private", 3
    ),
    "disabled-tenant": Fault(
        "Realtime disabled while the socket opens", "join", "switched off", "Enable Realtime"
    ),
    "joins": Fault("joins above the limit", "join", "limit of joins a second is exceeded", "wait 30 s"),
    "channels": Fault(
        "channels above the limit", "join", "more channels than the server allows (100)", "leave channels"
    ),
    "foreign-token": Fault(
        "session of another project", "join", "signed by another project", "--as EMAIL", 3
    ),
    # --- the database
    "wrong-password": Fault(
        "wrong SUPABASE_DB_URL", "database", "its password is wrong", "psql", 0, "IPv6", "warning"
    ),
    "no-slots": Fault(
        "slot exhaustion: every replication slot taken",
        "database",
        "every replication slot is taken",
        "pg_drop_replication_slot('h",
        0,
        state="warning",
    ),
    "no-publication": Fault(
        "publication absent",
        "database",
        "there is no publication supabase_realtime",
        "create publication supabase_realtime",
    ),
    "no-deletes": Fault(
        "publication leaves DELETE out",
        "database",
        "leaves DELETE out",
        "set (publish = 'insert, update, delete')",
        0,
        state="warning",
    ),
    "unknown-role": Fault(
        "token of a role that does not exist",
        "database",
        "role nobody_there does not exist",
        "role=authenticated",
    ),
    # --- tables
    "missing": Fault(
        "table missing", "table", "there is no table public.d_missing", "run the missing migration"
    ),
    "misspelt": Fault("table misspelt", "table", "did you mean d_spelt?", "prt status d_spelt"),
    "misspelt-rest": Fault(
        "table misspelt, no database URL", "table", "did you mean d_spelt?", "prt status d_spelt"
    ),
    "a-view": Fault("a view", "table", "is a view, and changes are those of tables", "watch its tables"),
    "unpublished": Fault(
        "table not published",
        "table",
        "is not in the publication supabase_realtime",
        "alter publication supabase_realtime add table public.d_unpublished;",
    ),
    "unpublished-wire": Fault(
        "table not published, no database URL",
        "table",
        "is not in the publication supabase_realtime",
        "alter publication supabase_realtime add table public.d_unpublished;",
        also="publication supabase_realtime itself is gone",
    ),
    "no-key": Fault(
        "no primary key",
        "table",
        "no primary key: changes come empty",
        "alter table public.d_keyless add primary key (id);",
    ),
    "identity": Fault(
        "replica identity default with a filter on a non-key column",
        "table",
        "the filter on title matches no DELETE",
        "alter table public.d_identity replica identity full;",
        0,
        state="warning",
    ),
    "identity-nothing": Fault(
        "replica identity nothing",
        "table",
        "PostgreSQL refuses every UPDATE and DELETE",
        "replica identity default;",
    ),
    "rls-off": Fault(
        "RLS off",
        "table",
        "whoever holds the public key receives every row",
        "enable row level security",
        0,
        state="warning",
    ),
    "no-policy": Fault(
        "RLS on without a policy",
        "table",
        "no policy lets anon read",
        'create policy "anon reads" on public.d_closed',
        also="signed in",
    ),
    "hidden": Fault(
        "policy that hides the row",
        "table",
        "show anon none of the 1 row there",
        "from pg_policies where schemaname = 'public' and tablename = 'd_hidden';",
        0,
        "another user than you mean",
        "warning",
    ),
    "hidden-rest": Fault(
        "policy that hides the row, no database URL",
        "table",
        "no policy lets anon read",
        "create policy",
        0,
        "show anon none of the rows",
        "warning",
    ),
    "policy-fails": Fault(
        "policy that fails", "table", "reading as anon fails: division by zero", "from pg_policies"
    ),
    "no-grant": Fault(
        "grant missing", "table", "anon may not SELECT", "grant select on public.d_ungranted to anon;"
    ),
    "no-grant-rest": Fault(
        "grant missing, no database URL",
        "table",
        "anon may not SELECT",
        "grant select on public.d_ungranted to anon;",
        also="some of its columns",
    ),
    "column-grant": Fault(
        "column grant missing",
        "table",
        "anon gets changes without secret",
        "grant select (secret) on public.d_columns to anon;",
        0,
        state="warning",
    ),
    "column-filter": Fault(
        "column grant missing, and a filter needs it",
        "table",
        "may not read secret",
        "grant select (secret) on public.d_columns to anon;",
    ),
    "bad-column": Fault("bad filter column", "table", "has no column titel", "did you mean title?"),
    "bad-value": Fault(
        "bad value for the type", "table", "is none of the column's type", "check the filter id=eq.abc"
    ),
    "bad-operator": Fault("bad operator", "usage", "--filter: unknown operator equals", "operators: eq", 2),
    "wildcard-select": Fault(
        "wildcard with `select`", "usage", "--select can't be used with '*'", "a selection is a table's", 2
    ),
    "partition-root": Fault(
        "partitioned table, published as its root",
        "table",
        "Realtime is subscribed and delivers nothing",
        "set (publish_via_partition_root = false); -- then prt watch public.d_root_a",
    ),
    "partitioned": Fault(
        "partitioned table, published as its partitions",
        "table",
        "its changes come under the names of its partitions",
        "prt watch public.d_parts_a",
    ),
    "no-slot": Fault(
        "no replication slot, because PostgreSQL may not load wal2json",
        "database",
        "output_plugin_libraries leaves out wal2json",
        "alter system set output_plugin_libraries = ",
    ),
    "blocking-filter": Fault(
        "another client's filter on an array column",
        "database",
        "a client filters d_blocked by tags, an array or composite column",
        "take it out of that app",
    ),
    "array-filter": Fault(
        "filter on an array column",
        "table",
        "tags is an array column; a filter on it makes the server lose the changes of every client",
        "filter by another column",
        2,
    ),
    # --- beside the tables
    "messages": Fault(
        "messages above the limit", "broadcast", "limit of messages a second is exceeded", "--filter"
    ),
    "payload": Fault(
        "payload too large", "broadcast", "the payload is above the project's limit", "send a reference"
    ),
    "presence-rate": Fault("presence calls above the limit", "presence", "5 calls in 30 s", "as broadcasts"),
    "no-private-policy": Fault(
        "private channel without policy",
        "join",
        "no policy on realtime.messages lets anon into prt-status",
        "create policy",
        3,
    ),
    "private-send": Fault(
        "private channel that may be heard, not sent to",
        "broadcast",
        "no INSERT policy on realtime.messages lets anon send",
        "for insert to anon",
        also="busy",
    ),
}


class Results:
    """Of the tests, by pytest's own words: what was reported about each fault."""

    def __init__(self) -> None:
        self.printed: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" and report.passed:
            for name, value in report.user_properties:
                if name in FAULTS:
                    self.printed[name] = value


def markdown(printed: dict[str, dict[str, Any]]) -> str:
    """A row a fault, in the order of the layers."""
    lines = ["| fault | layer | what prt says | what mends it |", "| --- | --- | --- | --- |"]
    for name, fault in FAULTS.items():
        one = printed[name]
        causes = [
            (one["why"], one["remedy"]),
            *((other["why"], other["remedy"]) for other in one.get("also", [])),
        ]
        why = "; or ".join(_cell(words) for words, _ in causes)
        remedy = _cell(one["remedy"])
        remedy = f"`{remedy}`" if _COMMAND.match(remedy) else remedy
        lines.append(f"| {fault.what} | {fault.layer} | {why} | {remedy} |")
    return "\n".join(lines)


_COMMAND = re.compile(r"(alter|create|grant|select|prt|export|openssl|psql|sudo|nginx:) ?")
_PORT = re.compile(r"(?<=127\.0\.0\.1:)[0-9]+|(?<=port )[0-9]+")
_KEY_ID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def _cell(text: str) -> str:
    """Ports and the ids of keys are others at each run."""
    return _KEY_ID.sub("KID", _PORT.sub("PORT", text)).replace("|", "\\|")


def main() -> int:
    import pytest

    results = Results()
    # What pytest says goes to stderr: stdout is the table.
    table = os.dup(1)
    os.dup2(2, 1)
    code = pytest.main(["-q", "-p", "no:cacheprovider", str(Path(__file__).parent)], plugins=[results])
    missing = sorted(set(FAULTS) - set(results.printed))
    if missing:
        print(f"not named, or wrongly: {', '.join(missing)}", file=sys.stderr)
        return int(code) or 1
    with os.fdopen(table, "w", encoding="utf-8") as file:
        file.write(markdown(results.printed) + "\n")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
