"""The sentences of `prt tap`: what an app does wrong, and how to correct it, by the id of a finding.

Remedies are SQL, or name functions of supabase-js and supabase-py.
"""

from __future__ import annotations

from typing import Final

from prt import quoting
from prt.events import TapChannel, TapConnection, TapFinding, TapFrame

SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "server-key-in-browser": (
        "a secret or service key comes from a browser ({client}): whoever opens the page can read it, "
        "and it passes over row level security",
        "create the client with the publishable (anon) key, and rotate this key in the project's settings",
    ),
    "socket-role": (
        "the socket acts as {socket_role}, while REST requests of the same client act as {rest_role}: "
        "row level security hides from the channel {topic} what the requests can read",
        "call supabase.realtime.setAuth(token) with the token that REST sends, or let createClient own the "
        "session instead of setting global.headers.Authorization; in Python: "
        "await client.realtime.set_auth(token)",
    ),
    "token-expired": (
        "the token of the channel {topic} has expired on the socket ({where}): the server ends the channel",
        "keep autoRefreshToken on, or call supabase.realtime.setAuth(token) with each new token before the "
        "old one expires; in Python: await client.realtime.set_auth(token)",
    ),
    "joined-twice": (
        "{topic} is joined again on the same socket while it is joined: the server closes the first join",
        "keep one channel a topic, and await supabase.removeChannel(channel) before joining again "
        "(in React: in the cleanup of useEffect)",
    ),
    "channels-never-left": (
        "{count} channels stay joined on one socket with the same content, and none was ever left: "
        "the server takes 100",
        "call supabase.removeChannel(channel) when a page or component goes; in Python: "
        "await client.remove_channel(channel)",
    ),
    "too-many-connections": (
        "{count} {what} within a minute: each one costs a join and loses what happens in between",
        "create one client for the whole app, outside of components and requests, and join once",
    ),
    "push-outside-join": (
        "{event} is pushed on {topic} {when}: the server drops it",
        "send after subscribe() has reported SUBSCRIBED, and not after removeChannel() or unsubscribe()",
    ),
    "binding-refused": (
        "the server refused a table of {topic}, which stays joined but gets no changes at all: {reason}",
        "alter publication supabase_realtime add table {table_sql}; and check the filter's column "
        "and operator (tables of the channel: {tables})",
    ),
    "change-twice": (
        "each change of {table} comes twice: for '{first}' on {other} and for '{second}' on {topic}",
        "keep one of the two .on('postgres_changes', …), and branch on payload.eventType in its callback",
    ),
    "delete-filter": (
        "the filter on {column} can't match a DELETE of {table}: its old rows hold only {held} "
        "(replica identity default)",
        "alter table {table_sql} replica identity full; or listen to DELETE without a filter",
    ),
    "presence-not-enabled": (
        "{topic} tracks presence without presence.enabled: it never receives who else is there",
        "add .on('presence', …) before subscribe(), or join with config: {{ presence: {{ enabled: true }} }}",
    ),
    "presence-rate": (
        "{topic} tracked {count} times within {seconds} s; a client may do so {most} times",
        "track what changes rarely, and send what moves with channel.send({{ type: 'broadcast', … }})",
    ),
    "private-and-public": (
        "{topic} is joined as private by one client and as public by another: neither gets what the other "
        "sends",
        "use the same config: {{ private: true }} on every client (and in realtime.send) of the topic",
    ),
    "no-acknowledgement": (
        "a broadcast on the {kind} channel {topic} asked for an acknowledgement and got none: as {role} it "
        "was probably refused",
        'create policy "write" on realtime.messages for insert to {role_sql} with check '
        "(realtime.messages.extension = 'broadcast'); for the topics that {role} may write to",
    ),
    "heartbeat-late": (
        "no heartbeat for {seconds} s: the server closes a socket after about a minute of silence",
        "leave heartbeatIntervalMs at its default (25 s), and create the client with "
        "realtime: {{ worker: true }} if a background tab slows its timers down",
    ),
    "not-rejoined": (
        "the connection was lost and came back, but no channel was joined again ({topics})",
        "don't call removeChannel() on CHANNEL_ERROR or TIMED_OUT: the client joins again by itself; "
        "after CLOSED create the channel anew and subscribe()",
    ),
    "not-read-again": (
        "{table} changed while the connection was lost, and was not read again after it: the app shows old "
        "rows",
        "read the table in subscribe((status) => …) whenever the status is SUBSCRIBED: "
        "supabase.from({name_text}).select()",
    ),
    "not-recovered": (
        "the app did not recover within {seconds} s after {fault}: {missing}",
        "let the client reconnect by itself, and read again what was missed at each SUBSCRIBED",
    ),
}
"""Cause and remedy by the id of a finding.

Names in braces are replaced by the finding's topic and data, and those that end in `_sql` or `_text` by the
same values as SQL identifiers or as a string of a script: the app and the server chose them.
"""


class _Known(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def cause_of(event: TapFinding) -> str:
    """Return what the app does wrong and what results from it, as one sentence."""
    return _filled(event, 0)


def remedy_of(event: TapFinding) -> str:
    """Return what to change in the app or the database."""
    return _filled(event, 1)


def line_of(event: TapConnection | TapChannel | TapFrame | TapFinding) -> str:
    """Return an event of `prt tap` as one line of text."""
    match event:
        case TapConnection():
            who = " ".join(part for part in (event.role, event.user) if part)
            more = f" {event.status}" if event.state == "refused" else ""
            more += f" {event.code}" if event.code is not None else ""
            return f"CONNECTION {event.connection} {event.state}{more}: {event.client}, {who or 'nobody'}"
        case TapChannel():
            kind = "private" if event.private else "public"
            what = "; ".join(event.bindings) or "no tables"
            reason = f": {event.reason}" if event.reason else ""
            return f"CHANNEL {event.connection} {event.topic} {event.state} ({kind}, {what}){reason}"
        case TapFrame():
            payload = bytes(event.payload)[:400].decode(errors="replace")
            return f"FRAME {event.connection} {event.direction} {event.topic} {event.event} {payload}"
        case TapFinding():
            return f"FINDING {event.severity} {event.id}: {cause_of(event)}; remedy: {remedy_of(event)}"


def _filled(event: TapFinding, index: int) -> str:
    sentences = SENTENCES.get(event.id)
    if sentences is None:
        return event.id
    data = event.data
    quoted = {f"{name}_sql": quoting.qualified(data[name]) for name in ("table", "role") if name in data}
    if "name" in data:
        quoted["name_text"] = quoting.script_text(data["name"])
    return sentences[index].format_map(_Known({"topic": event.topic or "", **data, **quoted}))
