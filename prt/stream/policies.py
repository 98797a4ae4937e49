"""The SQL that opens a private topic: row level security on realtime.messages is what closes it."""

from __future__ import annotations

from prt.config.secret import claims_of
from prt.stream.socket.refusals import quoted


def hears_sql(role: str, topic: str) -> str:
    """Lets a role into one private topic, to hear its broadcasts and see its presence."""
    return (
        f'create policy "{role} hears {_plain(topic)}" on realtime.messages for select to {quoted(role)} '
        f"using (realtime.topic() = '{_literal(topic)}');"
    )


def sends_sql(role: str, topic: str) -> str:
    """Lets a role send to one private topic, and be on its roster."""
    return (
        f'create policy "{role} sends to {_plain(topic)}" on realtime.messages for insert to {quoted(role)} '
        f"with check (realtime.topic() = '{_literal(topic)}');"
    )


def role_of(token: str | None) -> str:
    """The database role that a token or a key acts as; a publishable key is anon's."""
    role = (claims_of(token or "") or {}).get("role")
    return role if isinstance(role, str) and role else "anon"


def _plain(name: str) -> str:
    return name.replace('"', "")


def _literal(text: str) -> str:
    return text.replace("'", "''")
